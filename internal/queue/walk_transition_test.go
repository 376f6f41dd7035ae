package queue

import (
	"fmt"
	"slices"
	"time"
)

// from lists what a candidate may be after one fact, besides what it was.
var from = map[CandidateState][]CandidateState{
	CandidateBuilt:     {CandidateTesting, CandidateAbandoned, CandidateJoined, CandidateFailed},
	CandidateTesting:   {CandidateBuilt, CandidatePassed, CandidateFailed, CandidateAbandoned, CandidateRed, CandidateJoined},
	CandidateRed:       {CandidateTesting, CandidateFailed, CandidateAbandoned, CandidateJoined},
	CandidatePassed:    {CandidateConfirmed, CandidateAbandoned, CandidateJoined},
	CandidateConfirmed: {CandidateLanding, CandidateAbandoned, CandidateJoined},
	CandidateLanding:   {CandidateLanded, CandidatePassed, CandidateFailed, CandidateAbandoned},
}

// transition holds what one fact may change.
func (w *walker) transition(before Queue, ev Event) {
	for _, was := range before.Candidates {
		is := w.q.Candidate(was.ID)
		if is == nil {
			w.Fatalf("candidate %d vanished", was.ID)
		}
		if is.State != was.State && !slices.Contains(from[was.State], is.State) {
			w.Fatalf("candidate %d went from %s to %s by %T", was.ID, was.State, is.State, ev)
		}
		if is.Run < was.Run || is.Base != was.Base || is.Built.SHA != was.Built.SHA || !slices.Equal(is.Members, was.Members) {
			w.Fatalf("candidate %d became another by %T", was.ID, ev)
		}
		if _, ok := ev.(LandingUndone); !ok && was.State == CandidateLanding && is.State != CandidateLanding && is.State != CandidateLanded {
			w.Fatalf("the landing of %d was given up by %T", was.ID, ev)
		}
		if _, ok := ev.(LandingDone); !ok && is.State == CandidateLanded && was.State != CandidateLanded {
			w.Fatalf("candidate %d landed by %T", was.ID, ev)
		}
	}
	if w.q.Next < before.Next || len(w.q.Journal) < len(before.Journal) || len(w.q.Outbox) < len(before.Outbox) {
		w.Fatalf("%T took something back", ev)
	}
	for _, c := range w.q.Candidates[len(before.Candidates):] {
		w.born(before, c, ev)
	}
	for _, was := range before.Entries {
		w.entryTransition(before, was, ev)
	}
	w.ahead(before, ev)
}

func (w *walker) entryTransition(before Queue, was *Entry, ev Event) {
	is := w.q.Entry(was.Number)
	if is == nil {
		w.Fatalf("%v vanished by %T", was.Number, ev)
	}
	records := w.q.Journal[len(before.Journal):]
	notices := w.q.Outbox[len(before.Outbox):]
	if was.State == Queued && is.State != Queued || is.Gone && !was.Gone {
		if !slices.ContainsFunc(records, func(r Record) bool { return r.Number == was.Number }) {
			w.Fatalf("%v went from %s to %s by %T without a word in the journal", was.Number, was.State, is.State, ev)
		}
	}
	told := func(k NoticeKind) bool {
		return slices.ContainsFunc(notices, func(n Notice) bool { return n.Number == was.Number && n.Kind == k })
	}
	switch {
	case is.State == was.State && is.Head == was.Head:
	case is.State == Landed && was.Landing != nil && was.Landing.of(is.Head): // back at what landed before
	case is.State == Landed && is.Landing.Candidate == 0: // read from the ledger
		_, seen := ev.(LedgerSeen)
		if !slices.ContainsFunc(w.landings(), func(r Written) bool {
			return r.Statement.New == is.Landing.Tip && slices.ContainsFunc(r.Statement.Entries, func(le LedgerEntry) bool {
				return le.Head == is.Head || slices.Contains(le.Commits, is.Head) // or where a push that is late has left its branch
			})
		}) || !seen && before.Entry(is.Number).past(is.Head) == nil {
			w.Fatalf("%v landed by %T, and the ledger does not say so", was.Number, ev)
		}
	case is.State == Landed:
		c := w.q.Candidate(is.Landing.Candidate)
		b := before.Candidate(is.Landing.Candidate)
		if c == nil || b == nil || b.State != CandidateLanding || c.State != CandidateLanded || !c.Has(was.Number) || !told(NoticeLanded) {
			w.Fatalf("%v landed by %T of candidate %+v", was.Number, ev, c)
		}
	case is.State == Dropped:
		if was.State != Queued || !told(NoticeDropped) || is.Drop.Reason == "" {
			w.Fatalf("%v was dropped from %s by %T", was.Number, was.State, ev)
		}
		w.deserved(is)
	case was.State == Queued && is.Head != was.Head:
		if !told(NoticeVoided) {
			w.Fatalf("the approval of %v was voided and nobody was told", was.Number)
		}
	}
	if was.State == Landed && is.State != Landed && is.Head == was.Head {
		w.Fatalf("%v landed and is %s by %T", was.Number, is.State, ev)
	}
	if was.State == Dropped && is.State == Queued && is.Head == was.Head {
		if _, ok := ev.(ChangeSeen); !ok {
			if _, ok := ev.(ChangeAsked); !ok {
				w.Fatalf("%v came back by %T", was.Number, ev)
			}
		}
	}
}

// calm ends all faults and shows that the lane comes to rest with nothing left to do, and everything told.
func (w *walker) calm() {
	w.faults = false
	w.deeds = nil
	w.now = w.now.Add(time.Hour)
	for _, p := range w.pulls {
		p.Draft, p.Labels = false, nil
	}
	w.apply(Resumed{"ada", w.now})
	w.seeTrunk()
	if slices.ContainsFunc(w.defects, func(d defect) bool { return w.shows(d, w.tip()) }) {
		w.mendTrunk()
		w.seeTrunk()
	}
	w.now = w.now.Add(time.Second)
	for n := Number(1); int(n) <= len(w.pulls); n++ {
		w.save()
		w.lookAt(w.pulls[n])
	}
	w.apply(Resumed{"ada", w.now}) // the looks may have brought a pause
	w.alive = nil
	for range w.q.Candidates {
		w.loseRun()
	}
	for range 600 {
		w.save()
		if w.q.Stop != nil { // a rewind that was only now seen
			w.apply(Resumed{"ada", w.now})
		}
		plan := w.q.Plan(w.now, w.p)
		if wake := w.q.Wake(w.now); len(plan) == 0 && !wake.IsZero() {
			w.now = wake
			continue
		}
		if len(plan) == 0 {
			w.rest()
			return
		}
		w.do(plan[0])
		w.check()
	}
	w.Fatalf("no end of deeds: %v", w.q.Plan(w.now, w.p))
}

// rest holds that whatever is still queued waits for a person, and that everything else landed, was dropped or left.
func (w *walker) rest() {
	for _, c := range w.q.Candidates {
		w.Fatalf("candidate %d is still %s", c.ID, c.State)
	}
	for _, f := range w.q.findings(probeWays) {
		// Who is red only together with one that waits for a person is judged when that one lands.
		if !f.parted || len(f.want) > 0 || !slices.ContainsFunc(f.suspects, func(s suspect) bool { return w.q.judge(f.Case, s) == pending }) {
			w.Fatalf("the case of %d is still open", f.ID)
		}
	}
	for _, e := range w.q.Line() {
		rs := append(conditions(e, w.p), w.q.waits(e, w.now, w.p)...)
		if len(rs) == 0 || !rs[0].Held && rs[0].Code != "after" { // who comes first is in the line, too, and none comes after itself
			w.Fatalf("%v waits for nobody: %+v", e.Number, rs)
		}
	}
	if w.tip() != w.q.Tip {
		w.Fatalf("trunk stands on %s, seen as %s", w.tip(), w.q.Tip)
	}
	w.ledgerAgrees()
	w.branchesAreBack()
	for _, c := range w.flying {
		if !w.lost[c.Intent.Record.SHA] && w.push(c.Base, c.Built.SHA, c.Intent) {
			w.Fatalf("the push of %d arrived after all was done, and was taken", c.ID)
		}
	}
}

// ledgerAgrees holds that what the ledger says landed and what is known to have landed are the same.
func (w *walker) ledgerAgrees() {
	if w.ledgerTip() != w.q.Ledger.Tip {
		w.Fatalf("the ledger stands on %s, seen as %s", w.ledgerTip(), w.q.Ledger.Tip)
	}
	said := map[string]bool{}
	for _, r := range w.landings() {
		if !slices.ContainsFunc(w.moved, func(m Move) bool { return m.Kind == MoveLand && m.Record == r.SHA && m.New == r.Statement.New }) {
			w.Fatalf("the trunk log does not have the landing %+v", r)
		}
		for _, le := range r.Statement.Entries {
			what := fmt.Sprintf("%v at %s", le.Number, le.Head)
			said[what] = true
			// On a server that moves one branch at a time, a record may be there whose trunk was pushed past at that very moment; a
			// database that forgot the intent then believes it, and the lane stops for what looks like a rewind.
			if half := w.single && w.backup && w.landed[what] == 0; w.landed[what] != 1 && !half {
				w.Fatalf("the ledger says that %s landed, and it did %d times", what, w.landed[what])
			}
			if e := w.q.Entry(le.Number); e != nil && (e.past(le.Head) == nil || e.Head == le.Head && e.State != Landed) {
				w.Fatalf("the ledger says that %s landed, and the queue does not: %s", what, text(e))
			}
		}
	}
	for _, e := range w.q.Entries {
		for _, l := range e.Past {
			if what := fmt.Sprintf("%v at %s", e.Number, l.Head); !said[what] {
				w.Fatalf("the queue says that %s landed, and the ledger does not", what)
			}
		}
		if e.State == Landed && e.past(e.Head) == nil {
			w.Fatalf("%v landed and its past does not have it", e.Number)
		}
	}
	for what, times := range w.landed {
		if times > 0 && !said[what] {
			w.Fatalf("%s landed, and the ledger does not say so", what)
		}
	}
	if n := len(w.moved); n == 0 || w.moved[n-1].New != w.tip() {
		w.Fatalf("the trunk log ends at %+v", w.moved[n-1])
	}
}

// branchesAreBack holds that no branch is left where lander put it, but for what landed from there.
func (w *walker) branchesAreBack() {
	for n, p := range w.pulls {
		e := w.q.Entry(n)
		if p.Open && e != nil && !e.Gone && e.State != Landed && w.authored(p.Head) != p.Head {
			w.Fatalf("the branch of %v is left at %s, where its author had %s", n, p.Head, w.authored(p.Head))
		}
	}
}
