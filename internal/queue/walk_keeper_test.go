package queue

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// think plans now what may be carried out much later.
func (w *walker) think() {
	w.deeds = append(w.deeds, w.q.Plan(w.now, w.p)...)
	if len(w.deeds) > 6 {
		w.deeds = w.deeds[len(w.deeds)-6:]
	}
}

// act carries out a deed of some earlier plan, as a keeper does that was slow, or crashed and came back.
func (w *walker) act() {
	if len(w.deeds) > 0 {
		w.do(rapid.SampledFrom(w.deeds).Draw(w.T, "deed"))
	}
}

// actNow carries out the plan's first deed.
func (w *walker) actNow() {
	if plan := w.q.Plan(w.now, w.p); len(plan) > 0 {
		w.do(plan[0])
	}
}

// chance is true one time in n while faults happen.
func (w *walker) chance(n int, of string) bool {
	return w.faults && rapid.IntRange(1, n).Draw(w.T, of) == 1
}

func (w *walker) do(a Action) {
	w.log = append(w.log, happened{w.now, a})
	switch a := a.(type) {
	case Build:
		w.make(a)
	case StartRun:
		w.apply(RunStarted{a.Candidate.ID, a.Run, w.now})
		if w.chance(4, "lander stops") {
			return
		}
		w.now = w.now.Add(5 * time.Second)
		v := green(nil, 0)
		if w.faults {
			v = says(rapid.SampledFrom([]Outcome{Green, Green, Green, Green, Red, TimedOut, Infra, Cancelled, Unmeasured}).Draw(w.T, "outcome"), "it says why")
		}
		w.apply(RunReported{a.Candidate.ID, a.Run, v, w.now})
	case Abandon:
		w.apply(Abandoned{a.ID, a.Reason, w.now})
	case Confirm:
		for _, n := range a.Candidate.Numbers() {
			w.lookAt(w.pulls[n])
		}
		w.apply(Confirmed{a.Candidate.ID, w.now})
	case Land:
		w.land(a)
	}
}

func (w *walker) make(b Build) {
	if w.faults {
		code := rapid.SampledFrom([]DropCode{"", "", "", "", "", DropConflict, DropEmpty, DropUnbuildable}).Draw(w.T, "build")
		if code != "" {
			w.apply(CandidateUnmade{ID: b.ID, Base: b.Request.Base, Below: b.Below, Member: b.Request.Members[0], Code: code, Reason: "it says why", At: w.now})
			return
		}
	}
	w.apply(CandidateMade{b.ID, b.Request, builtOf(b), suite(), w.now})
}

// land is the keeper's: the intent, the push, the look. It may stop between any two.
func (w *walker) land(a Land) {
	c := w.q.Candidate(a.Candidate.ID)
	if c == nil {
		return
	}
	push := a.Push
	if c.State != CandidateLanding {
		w.apply(LandingBegun{c.ID, w.now})
		if c = w.q.Candidate(c.ID); c.State != CandidateLanding {
			return
		}
		if w.chance(4, "stops before the push") {
			return
		}
	} else {
		// Who comes back to an intent asks the state now, not an old plan.
		push = slices.ContainsFunc(w.q.Plan(w.now, w.p), func(a Action) bool { l, ok := a.(Land); return ok && l.Candidate.ID == c.ID && l.Push })
	}
	if !slices.Contains(w.trunk, c.Built.SHA) && push && w.tip() == c.Base {
		if w.chance(6, "denied") {
			w.apply(LandingUndone{c.ID, "protected branch", w.now})
			return
		}
		w.judge(c)
		w.trunk = append(slices.Clone(w.trunk), c.Built.SHA)
		if w.chance(4, "stops after the push") {
			return
		}
	}
	if slices.Contains(w.trunk, c.Built.SHA) {
		w.apply(LandingDone{c.ID, w.tip(), w.now})
	} else {
		w.apply(LandingUndone{ID: c.ID, At: w.now})
		w.seeTrunk()
	}
}

// judge asks, at the moment of the push and by what is known outside the queue, whether it may happen.
func (w *walker) judge(c *Candidate) {
	if w.q.PausedAt(w.now) || w.q.Stop != nil {
		w.Fatalf("candidate %d was pushed while landing is paused or stopped", c.ID)
	}
	if c.Verdict == nil || c.Verdict.Outcome != Green {
		w.Fatalf("candidate %d was pushed with verdict %+v", c.ID, c.Verdict)
	}
	for _, m := range c.Members {
		p, s := w.pulls[m.Number], w.seen[m.Number]
		var people []int64
		for _, r := range s.Reviews {
			if r.State == ReviewApproved && r.Head == m.Head && r.Role.Allows(RoleReview) && !r.Who.Bot && r.Who.ID != p.Author.ID {
				people = append(people, r.Who.ID)
			}
		}
		e := w.q.Entry(m.Number)
		for id, meant := range p.meant {
			// Whether it was withdrawn meanwhile is the queue's to know; who gave it for which head is not.
			if i := slices.IndexFunc(e.Approvals, func(a Approval) bool { return a.ID == id }); i >= 0 && meant == m.Head {
				people = append(people, e.Approvals[i].Who.ID)
			}
		}
		slices.Sort(people)
		if people = slices.Compact(people); len(people) < w.p.Approvals || slices.Contains(people, p.Author.ID) || slices.Contains(people, robot.ID) {
			w.Fatalf("%v lands at %s with the approval of %v", m.Number, m.Head, people)
		}
		if !s.Open || s.Base != "main" || s.Head != m.Head || s.Draft || slices.Contains(s.Labels, "wip") || e.Held || e.State != Queued {
			w.Fatalf("%v lands though it was seen as %+v, entry %+v", m.Number, s, e)
		}
		stay := fmt.Sprintf("%v %s since %v", m.Number, m.Head, e.HeadSince)
		if w.landed[stay]++; w.landed[stay] > 1 {
			w.Fatalf("%s landed twice", stay)
		}
	}
}

// check holds what is true of every state.
func (w *walker) check() {
	for _, e := range w.q.Entries {
		w.checkEntry(e)
	}
	w.whole()
}

// checkEntry holds that approvals are of people who may give them, of exactly this head.
func (w *walker) checkEntry(e *Entry) {
	p := w.pulls[e.Number]
	for i, a := range e.Approvals {
		if a.Who.ID == p.Author.ID || a.Who.Bot || approvedBy(e.Approvals[:i], a.Who) {
			w.Fatalf("%v has the approval %+v", e.Number, a)
		}
		if a.Via == viaCommand && p.meant[a.ID] != e.Head {
			w.Fatalf("%v at %s counts a command that was meant for %s", e.Number, e.Head, p.meant[a.ID])
		}
		if a.Via == viaReview && !slices.ContainsFunc(p.Reviews, func(r Review) bool { return r.ID == a.ID && r.Head == e.Head }) {
			w.Fatalf("%v at %s counts a review of another head: %+v", e.Number, e.Head, a)
		}
	}
}

// whole holds what must be true of any queue, however it came about.
func (w *walker) whole() {
	plan := w.q.Plan(w.now, w.p)
	if !reflect.DeepEqual(plan, w.q.Plan(w.now, w.p)) {
		w.Fatalf("two plans of one state differ")
	}
	keys := map[string]bool{}
	for _, a := range plan {
		if keys[a.Key()] {
			w.Fatalf("the plan has %s twice", a.Key())
		}
		keys[a.Key()] = true
		l, ok := a.(Land)
		if ok && l.Push && (w.q.PausedAt(w.now) || w.q.Stop != nil) {
			w.Fatalf("the plan pushes %d while landing is paused or stopped", l.Candidate.ID)
		}
		if b, ok := a.(Build); ok && (w.q.PausedAt(w.now) || b.ID <= w.q.Next) {
			w.Fatalf("the plan builds %+v", b)
		}
	}
	landing := 0
	for _, c := range w.q.Candidates {
		if c.State == CandidateLanding {
			landing++
		}
		green := c.Verdict != nil && c.Verdict.Outcome == Green
		if slices.Contains([]CandidateState{CandidatePassed, CandidateConfirmed, CandidateLanding, CandidateLanded}, c.State) && !green {
			w.Fatalf("candidate %d is %s with verdict %+v", c.ID, c.State, c.Verdict)
		}
		if c.ID > w.q.Next || len(c.Members) == 0 {
			w.Fatalf("candidate %+v, newest %d", c, w.q.Next)
		}
	}
	if landing > 1 {
		w.Fatalf("%d candidates are landing at once", landing)
	}
	line := w.q.Line()
	for i, e := range w.q.Entries {
		if i > 0 && w.q.Entries[i-1].Number >= e.Number {
			w.Fatalf("entries are out of order")
		}
		if in := slices.Contains(line, e); in != (e.State == Queued && !e.Gone) {
			w.Fatalf("%v is %s, gone %v, in line %v", e.Number, e.State, e.Gone, in)
		}
		if (e.State == Landed) != (e.Landing != nil && e.Landing.Head == e.Head) || (e.State == Dropped) != (e.Drop != nil) {
			w.Fatalf("%v is %s with drop %v and landing %v", e.Number, e.State, e.Drop, e.Landing)
		}
		s, ok := w.q.Standing(e.Number, w.now, w.p)
		if !ok || (s.Position > 0) != (e.State == Queued) || e.State != Landed && len(s.Reasons) == 0 || s.Position > 0 && s.Position <= len(line) && line[s.Position-1] != e {
			w.Fatalf("%v stands as %+v in a line of %d", e.Number, s, len(line))
		}
		if sayReasons(s.Reasons) == "" {
			w.Fatalf("no reasons in words for %v", e.Number)
		}
	}
	w.q.Fill(w.now, w.p)
}
