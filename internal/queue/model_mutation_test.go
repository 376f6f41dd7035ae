package queue

import (
	"slices"
	"strings"
	"testing"
)

// mutation is a part of the protocol that is taken out of the model's hands, to show that the model can see.
type mutation string

const (
	whole           mutation = ""
	noLedgerLease   mutation = "a landing is pushed without a lease on the ledger"
	noBase          mutation = "a landing is pushed wherever it is a fast-forward, or would have been"
	noBurn          mutation = "a landing is given up without a burn"
	readAlone       mutation = "a landing is given up when it is read that it did not land"
	intentUnchecked mutation = "an intent is saved without looking again at what came in since it was planned"
	intentNotSaved  mutation = "a landing is pushed before its intent is saved"
	reachability    mutation = "what landed is told by what trunk holds, not by the ledger"
)

// takes is whether the git server takes a push.
func (mu mutation) takes(m *model, s situation, req request) bool {
	switch req.kind {
	case requestBurn, requestRecord:
		return s.ledger == req.lease
	case requestTrunk:
		return s.trunk == req.from
	}
	switch mu {
	case noLedgerLease:
		return s.trunk == req.from
	case noBase:
		return s.ledger == req.lease && m.on(req.from, s.trunk)
	}
	return s.trunk == req.from && s.ledger == req.lease
}

// begin saves an intent.
func (mu mutation) begin(q Queue, ev LandingBegun) Queue {
	if mu == intentUnchecked {
		if c := q.Candidate(ev.ID); c != nil && c.State == CandidateConfirmed {
			q.move(ev.ID, func(c *Candidate) { c.State, c.Intent = CandidateLanding, &ev.Intent })
		}
		return q
	}
	return q.Apply(ev)
}

// resolve is what follows from what was read of an intent.
func (mu mutation) resolve(what Resolution, r Reading, c *Candidate) Resolution {
	written := slices.ContainsFunc(r.Above, func(w Written) bool { return w.SHA == c.Intent.Record.SHA })
	switch {
	case mu == readAlone && !written, mu == reachability && written && !r.Contains:
		return ResolveAborted
	case mu == reachability && r.Contains:
		return ResolveLanded
	}
	return what
}

// ledgerSeen is a look at the ledger.
func (mu mutation) ledgerSeen(q Queue, ev LedgerSeen) Queue {
	resolving := slices.ContainsFunc(q.Candidates, func(c *Candidate) bool { return c.State == CandidateLanding })
	if mu == reachability && !resolving {
		q.Ledger.Tip, q.Ledger.Seq = ev.Tip, q.Ledger.Seq+int64(len(ev.Above))
		return q
	}
	return q.Apply(ev)
}

// burn is where a replica goes that is to burn.
func (mu mutation) burn(next place) place {
	if mu == noBurn {
		return atAborted
	}
	return next
}

// TestOneBranchAfterTheOtherPromisesLess: without atomic pushes, who rewinds trunk at the very moment of a landing may see it land again.
func TestOneBranchAfterTheOtherPromisesLess(t *testing.T) {
	t.Parallel()
	m := newModel(2, 1)
	m.single = true
	s := explore(m, bounds{rewinds: 1})
	if got, _, _ := strings.Cut(string(s.breach), "\n"); got != "#1 lands a second time at the same head" {
		t.Fatalf("after %d states: %s", len(s.all), s.breach)
	}
}

// TestTheModelSees takes the protocol apart: without any one part, the model finds what breaks.
func TestTheModelSees(t *testing.T) {
	t.Parallel()
	left := bounds{pauses: 1, pushes: 1, rewinds: 1}
	for mu, want := range map[mutation]string{
		noLedgerLease:   "trunk moves after the pause was told to hold",
		noBase:          "trunk moves to a commit that was tested on another one",
		noBurn:          "trunk moves after the pause was told to hold",
		readAlone:       "trunk moves by a landing that was told to be over",
		intentUnchecked: "a landing is begun while the lane is paused or stopped",
		intentNotSaved:  "trunk moves by a landing that was told to be over",
		reachability:    "the ledger says that #1 landed at 01010101, and the database does not",
	} {
		t.Run(string(mu), func(t *testing.T) {
			t.Parallel()
			m := newModel(2, 1)
			m.mutation, m.most = mu, 200_000
			s := explore(m, left)
			if got, _, _ := strings.Cut(string(s.breach), "\n"); got != want {
				t.Fatalf("after %d states: %s\nwant: %s", len(s.all), s.breach, want)
			}
		})
	}
}
