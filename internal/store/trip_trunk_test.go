package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lander/internal/queue"
	"lander/internal/store"
)

// past is what has landed of each pull request, oldest first.
type past map[queue.Number][]queue.Landing

// lands makes a landing known, here and in the state.
func (p past) lands(n queue.Queue, number queue.Number, l queue.Landing) queue.Queue {
	if slices.ContainsFunc(p[number], func(o queue.Landing) bool { return o.Head == l.Head }) {
		return n
	}
	p[number] = append(p[number], l)
	return edit(n, number, func(e *queue.Entry) { e.Past = append(slices.Clone(e.Past), l) })
}

// resolve lets an open intent go on, end or stay, and after that trunk and ledger move in any way that they may.
func resolve(rt *rapid.T, n, q queue.Queue, known past) queue.Queue {
	i := slices.IndexFunc(q.Candidates, func(c *queue.Candidate) bool { return c.State == queue.CandidateLanding })
	if i >= 0 {
		open := q.Candidates[i]
		switch rapid.IntRange(0, 3).Draw(rt, "resolution") {
		case 0: // it stays open
			n.Candidates = slices.Insert(n.Candidates, i, open)
			return n
		case 1:
			states := []queue.CandidateState{queue.CandidatePassed, queue.CandidateFailed, queue.CandidateAbandoned}
			n.Candidates = slices.Insert(n.Candidates, i, with(open, func(c *queue.Candidate) {
				c.State, c.Since, c.Reason = rapid.SampledFrom(states).Draw(rt, "given up as"), moment(rt), text(rt)
			}))
			n = grow(rt, n)
		default:
			n = lands(rt, n, i, open, known)
		}
	}
	for range rapid.IntRange(0, 2).Draw(rt, "moves") {
		n = anyMove(rt, n, known)
	}
	return n
}

// grow puts records onto the ledger.
func grow(rt *rapid.T, n queue.Queue) queue.Queue {
	n.Ledger.Tip, n.Ledger.Seq = anySHA(rt, "record"), n.Ledger.Seq+rapid.Int64Range(1, 3).Draw(rt, "records more")
	return n
}

func lands(rt *rapid.T, n queue.Queue, i int, open *queue.Candidate, known past) queue.Queue {
	c := with(open, func(c *queue.Candidate) { c.State, c.Since = queue.CandidateLanded, moment(rt) })
	n.Candidates = slices.Insert(n.Candidates, i, c)
	n.Ledger.Tip, n.Ledger.Seq = c.Intent.Record.SHA, c.Intent.Seq
	n = move(n, queue.Move{Kind: queue.MoveLand, New: c.Built.SHA, At: moment(rt), Candidate: c.ID, Record: n.Ledger.Tip, Seq: n.Ledger.Seq, Members: c.Members})
	for _, m := range c.Members {
		l := queue.Landing{Candidate: c.ID, Head: m.Head, Tip: c.Built.SHA, At: c.Since}
		for _, bc := range c.Built.Commits {
			if bc.Member == m.Number {
				l.Commits = append(l.Commits, bc)
			}
		}
		n = known.lands(n, m.Number, l)
	}
	return n
}

// anyMove moves trunk by somebody else, or by a lander of whom only the ledger tells.
func anyMove(rt *rapid.T, n queue.Queue, known past) queue.Queue {
	m := queue.Move{Kind: rapid.SampledFrom([]queue.MoveKind{queue.MoveBypass, queue.MoveRewind, queue.MoveLand}).Draw(rt, "move"), New: anySHA(rt, "tip"), At: moment(rt)}
	if n.Tip == "" {
		m.Kind = queue.MoveAdopt
	}
	if m.Recalled = rapid.Bool().Draw(rt, "recalled") || m.Kind == queue.MoveLand; m.Recalled {
		n = grow(rt, n)
		m.Record, m.Seq = n.Ledger.Tip, n.Ledger.Seq
	}
	if m.Kind != queue.MoveLand {
		return move(n, m)
	}
	for range rapid.IntRange(1, 3).Draw(rt, "members that landed") {
		member := queue.Member{Number: queue.Number(rapid.IntRange(1, 9).Draw(rt, "landed")), Head: anySHA(rt, "landed head")}
		if ls := known[member.Number]; len(ls) > 0 && rapid.Bool().Draw(rt, "known already") {
			member.Head = ls[0].Head
		}
		m.Members = append(m.Members, member)
		if !slices.ContainsFunc(m.Commits, func(bc queue.BuiltCommit) bool { return bc.Member == member.Number }) {
			m.Commits = append(m.Commits, queue.BuiltCommit{SHA: anySHA(rt, "commit"), Member: member.Number})
		}
	}
	n = move(n, m)
	for _, member := range m.Members {
		l := queue.Landing{Head: member.Head, Tip: m.New, At: m.At}
		for _, bc := range m.Commits {
			if bc.Member == member.Number {
				l.Commits = append(l.Commits, bc)
			}
		}
		n = known.lands(n, member.Number, l)
	}
	return n
}

// intend makes one candidate the lane's intent, and everything else as an intent needs it. One that was given up in this very step may
// be begun anew in it.
func intend(rt *rapid.T, n queue.Queue) queue.Queue {
	able := func(c *queue.Candidate) bool {
		return (c.State == queue.CandidatePassed || c.State == queue.CandidateConfirmed) && (c.Apart == nil || len(c.Apart.Under) == 0) && !slices.ContainsFunc(c.Members, func(m queue.Member) bool {
			e := n.Entry(m.Number)
			return e == nil || slices.ContainsFunc(e.Past, func(l queue.Landing) bool { return l.Head == m.Head })
		})
	}
	i := slices.IndexFunc(n.Candidates, func(c *queue.Candidate) bool { return c.Via != 0 && able(c) })
	if i < 0 {
		i = slices.IndexFunc(n.Candidates, able)
	}
	if i < 0 || slices.ContainsFunc(n.Candidates, func(c *queue.Candidate) bool { return c.State == queue.CandidateLanding }) {
		return n
	}
	if n.Ledger.Tip == "" {
		n = grow(rt, n)
	}
	c := with(n.Candidates[i], func(c *queue.Candidate) {
		c.State, c.Intent = queue.CandidateLanding, &queue.Intent{
			Ledger: n.Ledger.Tip, Seq: n.Ledger.Seq + 1, Record: queue.Sealed{SHA: anySHA(rt, "sealed"), Text: "tree\n\n" + store.Fit(text(rt))},
			Heads: []queue.HeadMove{{Number: 1, Repo: text(rt), Branch: text(rt), From: anySHA(rt, "from"), To: anySHA(rt, "to")}},
		}
		if c.Since.IsZero() {
			c.Since = noon
		}
	})
	n.Candidates = slices.Clone(n.Candidates)
	n.Candidates[i] = c
	if n.Tip == "" {
		n = move(n, queue.Move{Kind: queue.MoveAdopt, New: c.Base})
	} else if n.Tip != c.Base {
		n = move(n, queue.Move{Kind: queue.MoveBypass, New: c.Base})
	}
	n.Stop, n.Pause = nil, nil
	if rapid.Bool().Draw(rt, "pause is over") {
		n.Pause = &queue.Pause{By: "ann", Until: c.Since}
	}
	for _, m := range c.Members {
		n = edit(n, m.Number, func(e *queue.Entry) {
			e.Head, e.State, e.Gone, e.Draft, e.Held, e.Unseen, e.HeldBy, e.Objections = m.Head, queue.Queued, false, false, false, false, 0, nil
			e.After, e.NotBefore = 0, time.Time{}
		})
	}
	return n
}

// trunkTold compares what is told of trunk with what was put there.
func trunkTold(t *testing.T, rt *rapid.T, s *store.Store, n queue.Queue, known past) {
	moves, err := s.TrunkLog(t.Context(), n.Lane, len(n.Moves))
	if err != nil {
		rt.Fatal(err)
	}
	slices.Reverse(moves)
	want := slices.Clone(n.Moves)
	for i := range want {
		want[i].Commits = nil
		want[i].Members = slices.Clone(want[i].Members)
		for j := range want[i].Members {
			want[i].Members[j].Message = ""
		}
	}
	if a, b := fmt.Sprintf("%#v", moves), fmt.Sprintf("%#v", store.Fit(want)); a != b && len(want) > 0 {
		rt.Fatalf("trunk log\n got %s\nwant %s", a, b)
	}
	landed, err := s.Landings(t.Context(), n.Lane, 1000)
	if err != nil {
		rt.Fatal(err)
	}
	slices.Reverse(landed)
	got := past{}
	for _, l := range landed {
		got[l.Number] = append(got[l.Number], l.Landing)
	}
	for number, ls := range known {
		if a, b := fmt.Sprintf("%#v", got[number]), fmt.Sprintf("%#v", store.Fit(ls)); a != b {
			rt.Fatalf("landings of %v\n got %s\nwant %s", number, a, b)
		}
		former, err := s.Former(t.Context(), n.Lane, number)
		if err != nil {
			rt.Fatal(err)
		}
		if a, b := fmt.Sprintf("%#v", former.Past), fmt.Sprintf("%#v", store.Fit(ls)); a != b {
			rt.Fatalf("past of %v\n got %s\nwant %s", number, a, b)
		}
		if former.Head == "" && (former.State != queue.Idle || former.Number != number || former.Gone) {
			rt.Fatalf("of %v only the ledger tells, and it is %+v", number, former)
		}
	}
	if len(got) != len(known) {
		rt.Fatalf("%d pull requests landed, want %d", len(got), len(known))
	}
}
