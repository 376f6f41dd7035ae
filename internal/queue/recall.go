package queue

import (
	"slices"
	"strings"
	"time"
)

// ledgerSeen follows the ledger. What stands above what was known was decided without this database knowing: by a lander whose
// database was lost, or before a backup was restored. It is as true as what was done here.
func (q *Queue) ledgerSeen(ev LedgerSeen) {
	if i := slices.IndexFunc(ev.Above, func(w Written) bool { return w.SHA == q.Ledger.Tip }); i >= 0 {
		ev.Above = ev.Above[i+1:] // seen before
	}
	if ev.Problem == nil {
		ev.Problem = q.follows(ev.Above)
	}
	if ev.Problem != nil {
		if !ev.Problem.Missing || !q.Ledger.Mend {
			q.distrust(ev.Problem, ev.At)
		}
		return
	}
	for _, c := range q.Candidates {
		if c.State == CandidateLanding {
			return // its resolution reads both branches, in order
		}
	}
	q.Ledger.Single, q.Ledger.Mend = ev.Single, false
	taken := map[SHA]bool{} // without atomic pushes a record may be written in vain, and taken back
	for _, w := range ev.Above {
		taken[w.Statement.Aborts] = true
	}
	unknown := 0
	for _, w := range ev.Above {
		q.Ledger.Tip, q.Ledger.Seq = w.SHA, w.Statement.Seq
		q.Next = max(q.Next, w.Statement.Attempt)
		switch w.Statement.Decision {
		case DecisionAdopt:
			if q.Tip == "" {
				q.moved(Move{Kind: MoveAdopt, New: w.Statement.New, At: w.Statement.At, Record: w.SHA, Seq: w.Statement.Seq, Recalled: true})
			}
		case DecisionLand:
			if !taken[w.SHA] {
				q.recall(w, ev.At)
				unknown++
			}
		}
	}
	if unknown > 0 {
		q.record(ev.At, 0, 0, "recalled", recordRecalled(unknown))
	}
}

// distrust stops the lane for what its ledger has become.
func (q *Queue) distrust(p *LedgerError, at time.Time) {
	reason := sayLedgerProblem(q.Lane, p)
	if q.Stop == nil || !strings.Contains(q.Stop.Reason, reason) {
		q.stop(Stop{Reason: reason, At: at, Ledger: true}, "ledger")
	}
}

// follows checks that records are the next ones of this lane's ledger.
func (q *Queue) follows(above []Written) *LedgerError {
	for i, w := range above {
		s := w.Statement
		switch {
		case s.Lane != q.Lane.String():
			return &LedgerError{Reason: sayForeignLane(w.SHA, s.Lane)}
		case s.Seq != q.Ledger.Seq+int64(i)+1, (s.Decision == DecisionAdopt) != (s.Seq == 1):
			return &LedgerError{Reason: sayBadSeq(w.SHA, s.Seq, q.Ledger.Seq+int64(i)+1)}
		}
	}
	return nil
}

// recall takes a landing over from the ledger.
func (q *Queue) recall(w Written, at time.Time) {
	s := w.Statement
	if q.Tip != s.Old {
		q.moved(Move{Kind: MoveBypass, New: s.Old, At: s.At, Recalled: true})
	}
	m := Move{Kind: MoveLand, New: s.New, At: s.At, Record: w.SHA, Seq: s.Seq, Recalled: true}
	for _, le := range s.Entries {
		m.Members = append(m.Members, Member{Number: le.Number, Head: le.Head})
		for _, sha := range le.Commits {
			m.Commits = append(m.Commits, BuiltCommit{SHA: sha, Member: le.Number})
		}
		q.recallEntry(le, s, at)
	}
	q.moved(m)
}

// recallEntry lets an entry know that a head of it has landed.
func (q *Queue) recallEntry(le LedgerEntry, s Statement, at time.Time) {
	l := Landing{Head: le.Head, Tip: s.New, At: s.At}
	for _, sha := range le.Commits {
		l.Commits = append(l.Commits, BuiltCommit{SHA: sha, Member: le.Number})
	}
	e := q.Entry(le.Number)
	if e == nil || e.past(le.Head) != nil {
		return
	}
	past := l
	q.edit(le.Number, func(e *Entry) { e.Past = append(e.Past, past) })
	l.Tested, l.Areas = s.Tested, s.Areas
	if !l.of(e.Head) || e.State == Landed {
		return
	}
	q.edit(le.Number, func(e *Entry) { e.State, e.Landing, e.Drop, e.HeldBy, e.Aside = Landed, &l, nil, 0, nil })
	q.record(at, le.Number, 0, "landed", recordRecalledLanding(le, s))
	q.living(e, at)
}

// recallChange keeps what the forge says of a pull request whose landings the ledger alone remembered, as history.
func (q *Queue) recallChange(ev ChangeRecalled) {
	l := ev.Past[len(ev.Past)-1]
	e := &Entry{Change: changeOf(ev.Sight), State: Landed, SeenAt: ev.Sight.At, HeadSince: ev.Sight.At, Landing: &l, Past: ev.Past, Gone: true}
	e.Head = l.Head
	q.put(e)
}

// enter adds an entry that is not there yet. Landings of it that were recalled since the last save nobody but the trunk log knows.
func (q *Queue) enter(e *Entry) {
	for _, m := range q.Moves {
		for _, member := range m.Members {
			if member.Number != e.Number || e.past(member.Head) != nil {
				continue
			}
			l := Landing{Candidate: m.Candidate, Head: member.Head, Tip: m.New, At: m.At}
			for _, bc := range m.Commits {
				if bc.Member == e.Number {
					l.Commits = append(l.Commits, bc)
				}
			}
			e.Past = append(e.Past, l)
		}
	}
	if l := e.past(e.Head); l != nil {
		e.State, e.Landing, e.Drop = Landed, l, nil
	}
	q.put(e)
}

// putBack ends what was known of a branch that lander had moved. What could not be put back is tried again when it is seen again.
func (q *Queue) putBack(ev HeadPutBack) {
	e := q.Entry(ev.Number)
	if e == nil || e.Displaced == "" || e.Displaced != ev.From {
		return
	}
	q.edit(ev.Number, func(e *Entry) { e.Displaced = "" })
	q.record(ev.At, ev.Number, 0, "put back", recordPutBack(e, ev))
}

// unmoved is a look with the head that was approved, where its branch holds what lander itself put there.
func (e *Entry) unmoved(s Sight) (Sight, SHA) {
	if s.Head == e.Head || !slices.Contains(e.Ours, s.Head) {
		return s, ""
	}
	at := s.Head
	s.Head = e.Head
	return s, at
}
