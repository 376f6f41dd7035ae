package queue

import (
	"slices"
	"strings"
	"time"
)

// from lists what a candidate may be after one fact, besides what it was.
var from = map[CandidateState][]CandidateState{
	CandidateBuilt:     {CandidateTesting, CandidateAbandoned},
	CandidateTesting:   {CandidateBuilt, CandidatePassed, CandidateFailed, CandidateAbandoned},
	CandidatePassed:    {CandidateConfirmed, CandidateAbandoned},
	CandidateConfirmed: {CandidateLanding, CandidateAbandoned},
	CandidateLanding:   {CandidateLanded, CandidatePassed, CandidateAbandoned},
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
		if _, ok := ev.(LandingDone); !ok && is.State == CandidateLanded && was.State != CandidateLanded {
			w.Fatalf("candidate %d landed by %T", was.ID, ev)
		}
	}
	if w.q.Next < before.Next || len(w.q.Journal) < len(before.Journal) || len(w.q.Outbox) < len(before.Outbox) {
		w.Fatalf("%T took something back", ev)
	}
	for _, c := range w.q.Candidates[len(before.Candidates):] {
		for _, m := range c.Members {
			if e := before.Entry(m.Number); e == nil || e.State != Queued || e.Head != m.Head || before.CandidateOf(m.Number) != nil || c.Base != before.Tip {
				w.Fatalf("candidate %d was made of %+v, entry %+v", c.ID, m, e)
			}
		}
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
	case is.State == Landed && was.Landing != nil && was.Landing.Head == is.Head: // back at what landed before
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

// ahead holds that nothing which happens to a change restarts a candidate of others.
func (w *walker) ahead(before Queue, ev Event) {
	var n Number
	switch ev := ev.(type) {
	case ChangeSeen:
		n = ev.Sight.Number
	case ChangeAsked:
		n = ev.Number
	case CandidateUnmade:
		n = ev.Member.Number
	default:
		return
	}
	given := func(q Queue) (keys []string) {
		for _, a := range q.Plan(w.now, w.p) {
			if a, ok := a.(Abandon); ok && !q.Candidate(a.ID).Has(n) {
				keys = append(keys, a.Key())
			}
		}
		return keys
	}
	if was, is := given(before), given(w.q); !slices.Equal(was, is) {
		w.Fatalf("%T of %v gives up %v", ev, n, is)
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
	w.now = w.now.Add(time.Second)
	for n := Number(1); int(n) <= len(w.pulls); n++ {
		w.save()
		w.lookAt(w.pulls[n])
	}
	w.apply(Resumed{"ada", w.now}) // the looks may have brought a pause
	w.loseRun()
	for range 200 {
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
	for _, e := range w.q.Line() {
		if rs := conditions(e, w.p); len(rs) == 0 || !rs[0].Held {
			w.Fatalf("%v waits for nobody: %+v", e.Number, rs)
		}
	}
	for _, e := range w.q.Entries {
		if e.State != Landed {
			continue
		}
		if !slices.ContainsFunc(w.wrote, func(r Record) bool {
			return r.Number == e.Number && r.Kind == "landed" && strings.Contains(r.Text, e.Head.Short())
		}) {
			w.Fatalf("%v landed and the journal does not say so", e.Number)
		}
	}
	if !slices.Contains(w.trunk, w.q.Tip) || w.q.Tip != w.tip() {
		w.Fatalf("trunk stands on %s, seen as %s", w.tip(), w.q.Tip)
	}
}
