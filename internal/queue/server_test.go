package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// server is the git server of one lane: trunk as a line of commits and the ledger as a line of records, newest last. Every change of
// it is a compare-and-swap. A copy is another server.
type server struct {
	trunk  []SHA
	ledger []Written
	all    []Written // every record that was ever pushed; git forgets none so soon
}

// seal makes of a statement what the keeper makes a commit of.
func seal(parent SHA, s Statement) Sealed {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	whole := string(parent) + "\n" + string(text)
	sum := sha256.Sum256([]byte(whole))
	return Sealed{SHA: SHA(hex.EncodeToString(sum[:20])), Text: whole}
}

// unseal reads a record as it was pushed.
func unseal(s Sealed) Written {
	_, text, _ := strings.Cut(s.Text, "\n")
	w := Written{SHA: s.SHA}
	if err := json.Unmarshal([]byte(text), &w.Statement); err != nil {
		panic(err)
	}
	return w
}

func (s *server) tip() SHA { return s.trunk[len(s.trunk)-1] }

func (s *server) has(sha SHA) bool { return slices.Contains(s.trunk, sha) }

func (s *server) ledgerTip() SHA {
	if len(s.ledger) == 0 {
		return ""
	}
	return s.ledger[len(s.ledger)-1].SHA
}

// advance moves trunk, if it stands at lease.
func (s *server) advance(lease, to SHA) bool {
	if s.tip() != lease {
		return false
	}
	s.trunk = append(slices.Clone(s.trunk), to)
	return true
}

// add appends a record, if the ledger stands at lease.
func (s *server) add(lease SHA, r Sealed) bool {
	if s.ledgerTip() != lease {
		return false
	}
	w := unseal(r)
	s.ledger = append(slices.Clone(s.ledger), w)
	if !slices.ContainsFunc(s.all, func(k Written) bool { return k.SHA == w.SHA }) {
		s.all = append(slices.Clone(s.all), w)
	}
	return true
}

// push moves both branches, or none.
func (s *server) push(base, to SHA, in *Intent) bool {
	return s.tip() == base && s.ledgerTip() == in.Ledger && s.add(in.Ledger, in.Record) && s.advance(base, to)
}

// pushSingly moves the ledger, and then trunk if it still can.
func (s *server) pushSingly(base, to SHA, in *Intent) bool {
	return (s.ledgerTip() == in.Record.SHA || s.add(in.Ledger, in.Record)) && s.advance(base, to)
}

// records lists what stands above a record that lander knows.
func (s *server) records(known SHA) ([]Written, *LedgerError) {
	if known == "" {
		return slices.Clone(s.ledger), nil
	}
	if i := slices.IndexFunc(s.ledger, func(w Written) bool { return w.SHA == known }); i >= 0 {
		return slices.Clone(s.ledger[i+1:]), nil
	}
	for _, w := range s.ledger {
		if !slices.ContainsFunc(s.all, func(k Written) bool { return k.SHA == w.SHA }) {
			return nil, &LedgerError{Reason: "record " + w.SHA.Short() + " is not lander's"}
		}
	}
	return nil, &LedgerError{Missing: true, Reason: "record " + known.Short() + " is not there any more"}
}

// mend puts back what is missing below a record that lander knows.
func (s *server) mend(tip SHA) {
	if i := slices.IndexFunc(s.all, func(w Written) bool { return w.SHA == tip }); i >= 0 {
		s.ledger = slices.Clone(s.all[:i+1])
	}
}

// read is what a keeper reads back of an intent: the ledger, then trunk.
func (s *server) read(c *Candidate) Reading {
	r := Reading{Ledger: s.ledgerTip(), Trunk: s.tip(), Contains: s.has(c.Built.SHA)}
	r.Above, r.Problem = s.records(c.Intent.Ledger)
	return r
}

// landings are the records that moved trunk: those that say so and were not taken back.
func (s *server) landings() []Written {
	var landed []Written
	for _, w := range s.ledger {
		taken := slices.ContainsFunc(s.ledger, func(a Written) bool { return a.Statement.Aborts == w.SHA })
		if w.Statement.Decision == DecisionLand && !taken {
			landed = append(landed, w)
		}
	}
	return landed
}

// resolve brings an open intent to its end.
func (w *world) resolve(id CandidateID, denied string) {
	w.t.Helper()
	for tries, round := 0, 0; round < 20; round++ {
		c := w.q.Candidate(id)
		r := w.read(c)
		r.Tries = tries
		what := w.q.Resolve(id, r, w.now, w.p)
		if what == ResolvePush && denied != "" {
			what = ResolveBurn // it was refused for good
		}
		switch what {
		case ResolveNothing:
			return
		case ResolveLanded:
			w.apply(LandingDone{id, w.now})
			w.seeTrunk()
			return
		case ResolveAborted:
			w.apply(LandingUndone{ID: id, Denied: denied, At: w.now})
			w.seeTrunk()
			return
		case ResolvePush:
			if denied = w.denies; denied == "" {
				w.pushed(c)
			}
		case ResolveBurn:
			if w.burned != "" {
				w.apply(LandingHindered{id, w.burned, w.now})
				return
			}
			w.add(r.Ledger, seal(r.Ledger, w.q.Abort(c, r, w.now)))
		case ResolveRead:
			tries++
		case ResolveStop:
			w.apply(LedgerSeen{Tip: r.Ledger, Above: r.Above, Single: w.single, Problem: r.Problem, At: w.now})
			return
		}
	}
	w.t.Fatalf("no end of the landing of %d", id)
}
