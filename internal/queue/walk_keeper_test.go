package queue

import (
	"fmt"
	"reflect"
	"slices"

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
		w.starts(a)
	case Abandon:
		w.apply(Abandoned{a.ID, a.Reason, w.now})
	case Probe:
		w.probe(a)
	case Join:
		w.apply(Joined{a.ID, a.As, w.now})
	case Map:
		w.apply(ChangeMapped{a.Number, a.Head, a.Rules.Digest(), w.areas[int(a.Number)]})
	case Combine:
		w.combine(a)
	case Confirm:
		for _, n := range a.Candidate.Numbers() {
			w.lookAt(w.pulls[n])
		}
		w.apply(Confirmed{a.Candidate.ID, w.now})
	case Land:
		w.land(a)
	case Adopt:
		w.add("", seal("", a.Statement))
		w.seeTrunk()
	case Mend:
		if w.q.Ledger.Tip == a.Tip {
			w.mend(a.Tip)
			w.apply(LedgerMended{w.now})
			w.seeTrunk()
		}
	case PutBack:
		w.moveHead(a.Move)
		w.apply(HeadPutBack{Number: a.Move.Number, From: a.Move.From, At: w.now})
	}
}

// land is the keeper's: the intent, the members' branches, the push, the resolution. It may stop between any two.
func (w *walker) land(a Land) {
	c := w.q.Candidate(a.Candidate.ID)
	switch {
	case c == nil:
		return
	case c.State == CandidateLanding:
		if w.q.Stop == nil || !w.q.Stop.Ledger {
			w.resolve(c.ID, "")
		}
		return
	case !slices.ContainsFunc(w.q.Plan(w.now, w.p), func(a Action) bool { l, ok := a.(Land); return ok && l.Candidate.ID == c.ID }):
		return
	}
	w.apply(begun(w.q, c.ID, w.now, w.p))
	if c = w.q.Candidate(c.ID); c.State != CandidateLanding {
		return
	}
	w.judge(c)
	w.save()
	if w.chance(5, "stops before anything left") {
		return
	}
	for _, m := range c.Intent.Heads {
		w.moveHead(m)
	}
	if w.chance(5, "stops before the push") {
		return
	}
	taken, denied, stops := w.pushes(c)
	switch {
	case stops:
	case taken:
		w.apply(LandingDone{c.ID, w.now})
		w.seeTrunk()
	default:
		w.resolve(c.ID, denied)
	}
}

// pushes sends the push of an intent. It may be refused for good, arrive later than anybody waits for it, or be all that its lander
// did.
func (w *walker) pushes(c *Candidate) (taken bool, denied string, stops bool) {
	switch {
	case w.chance(6, "denied"):
		return false, "protected branch", false
	case w.chance(5, "delayed"):
		w.flying = append(w.flying, c)
		return false, "", w.chance(2, "stops after the push left")
	case w.single && w.chance(5, "half"):
		if w.ledgerTip() == c.Intent.Ledger {
			w.add(c.Intent.Ledger, c.Intent.Record)
		}
		return false, "", w.chance(2, "stops between the branches")
	}
	taken = w.arrives(c)
	return taken && !w.chance(4, "the reply is lost"), "", w.chance(4, "stops after the push")
}

// arrives is a push at the git server. Nothing lands unless its intent is open, nor what landed before.
func (w *walker) arrives(c *Candidate) bool {
	push := w.push
	if w.single {
		push = w.pushSingly
	}
	if !push(c.Base, c.Built.SHA, c.Intent) {
		return false
	}
	is := w.q.Candidate(c.ID)
	if open := is != nil && is.State == CandidateLanding && is.Intent.Record.SHA == c.Intent.Record.SHA; !open && !w.lost[c.Intent.Record.SHA] {
		w.Fatalf("candidate %d reached trunk though its landing had been given up", c.ID)
	}
	for _, m := range c.Members {
		what := fmt.Sprintf("%v at %s", m.Number, m.Head)
		if w.landed[what]++; w.landed[what] > 1 {
			w.Fatalf("%s landed twice", what)
		}
		if p := w.pulls[m.Number]; p.Head == c.last(m.Number) {
			p.Open, p.Merged = false, true
		}
	}
	return true
}

// arriveLate lets a push arrive that nobody waits for any more.
func (w *walker) arriveLate() {
	if len(w.flying) > 0 {
		i := rapid.IntRange(0, len(w.flying)-1).Draw(w.T, "push")
		c := w.flying[i]
		w.flying = slices.Delete(slices.Clone(w.flying), i, i+1)
		w.log = append(w.log, happened{w.now, fmt.Sprintf("the push of %d arrives, taken: %v", c.ID, w.arrives(c))})
	}
}

// moveHead moves the branch of a pull request, if it stands where it is thought to.
func (w *walker) moveHead(m HeadMove) {
	p := w.pulls[m.Number]
	if p.Head != m.From {
		return
	}
	if author := w.authored(m.From); m.To != author {
		w.ours[m.To] = author
	}
	p.Head = m.To
}

// authored is the head that the author had left where a branch holds what lander put there.
func (w *walker) authored(head SHA) SHA {
	if author, ok := w.ours[head]; ok && !w.forgot[head] {
		return author
	}
	return head
}

func (w *walker) landing() bool {
	return slices.ContainsFunc(w.q.Candidates, func(c *Candidate) bool { return c.State == CandidateLanding })
}

// resolve brings an intent to its end, or stops on the way.
func (w *walker) resolve(id CandidateID, denied string) {
	for tries, round := 0, 0; round < 30; round++ {
		if w.chance(8, "stops while it resolves") {
			return
		}
		c := w.q.Candidate(id)
		r := w.read(c)
		r.Tries = tries
		what := w.q.Resolve(id, r, w.now, w.p)
		if what == ResolvePush && denied != "" {
			what = ResolveBurn
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
			if len(r.Above) == 0 { // else its record stands already, and trunk is only to follow
				w.judge(c)
			}
			var taken, stops bool
			if taken, denied, stops = w.pushes(c); stops || !taken && denied == "" {
				return // the loop comes back to it
			}
		case ResolveBurn:
			if w.chance(4, "burn denied") {
				w.apply(LandingHindered{id, "protected branch", w.now})
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
	w.Fatalf("no end of the landing of %d", id)
}

// judge asks, when a push is decided on and by what is known outside the queue, whether it may be.
func (w *walker) judge(c *Candidate) {
	if w.q.PausedAt(w.now) || w.q.Stop != nil {
		w.Fatalf("candidate %d was pushed while landing is paused or stopped", c.ID)
	}
	if c.Verdict == nil || c.Verdict.Outcome != Green {
		w.Fatalf("candidate %d was pushed with verdict %+v", c.ID, c.Verdict)
	}
	if c.Base != w.q.Tip {
		w.Fatalf("candidate %d is pushed from %s, and trunk is known at %s", c.ID, c.Base, w.q.Tip)
	}
	w.proven(c)
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
		// What lander itself made of that head is the same change, also to a database that does not know any more that it was lander.
		if a.Via == viaCommand && p.meant[a.ID] != e.Head && p.meant[a.ID] != w.ours[e.Head] {
			w.Fatalf("%v at %s counts a command that was meant for %s", e.Number, e.Head, p.meant[a.ID])
		}
		if a.Via == viaReview && !slices.ContainsFunc(p.Reviews, func(r Review) bool { return r.ID == a.ID && r.Head == e.Head }) {
			w.Fatalf("%v at %s counts a review of another head: %+v", e.Number, e.Head, a)
		}
	}
}

// whole holds what must be true of any queue, however it came about.
func (w *walker) whole() {
	before := text(w.q)
	plan := w.q.Plan(w.now, w.p)
	if !reflect.DeepEqual(plan, w.q.Plan(w.now, w.p)) {
		w.Fatalf("two plans of one state differ")
	}
	if is := text(w.q); is != before {
		w.Fatalf("planning changed the queue from %s to %s", before, is)
	}
	keys := map[string]bool{}
	for _, a := range plan {
		if keys[a.Key()] {
			w.Fatalf("the plan has %s twice", a.Key())
		}
		keys[a.Key()] = true
		l, ok := a.(Land)
		if ok && l.Candidate.State != CandidateLanding && (w.q.PausedAt(w.now) || w.q.Stop != nil) {
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
		if c.ID > w.q.Next || (len(c.Members) == 0) != (c.Of != 0) {
			w.Fatalf("candidate %+v, newest %d", c, w.q.Next)
		}
	}
	w.trains(plan)
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
		if (e.State == Landed) != (e.Landing != nil && e.Landing.of(e.Head)) || (e.State == Dropped) != (e.Drop != nil) {
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
