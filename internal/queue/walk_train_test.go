package queue

import "slices"

// trains holds what is true of all trains, and of what is planned for them.
func (w *walker) trains(plan []Action) {
	in := map[Number]CandidateID{}
	testing := 0
	for _, c := range w.q.Candidates {
		if c.ended() {
			continue
		}
		if c.State == CandidateTesting {
			testing++
		}
		if c.Of != 0 && c.State != CandidateBuilt && c.State != CandidateTesting {
			w.Fatalf("the trial %d is %s", c.ID, c.State)
		}
		if c.State == CandidateLanding && c.Base != w.q.Tip {
			w.Fatalf("candidate %d is landing on %s, and trunk is known at %s", c.ID, c.Base, w.q.Tip)
		}
		for _, m := range c.Members {
			if other := in[m.Number]; other != 0 {
				w.Fatalf("%v is a member of %d and of %d", m.Number, other, c.ID)
			}
			in[m.Number] = c.ID
		}
	}
	starting := 0
	for _, a := range plan {
		switch a := a.(type) {
		case StartRun:
			starting++
		case Build:
			w.inOrder(a)
		case Land:
			if a.Candidate.Of != 0 {
				w.Fatalf("the plan lands the trial %d", a.Candidate.ID)
			}
		}
	}
	if starting > 0 && testing+starting > w.p.window() {
		w.Fatalf("%d runs are under way, %d more are planned, and there is room for %d", testing, starting, w.p.window())
	}
}

// inOrder holds that nobody of the same priority is passed over who could have come along.
func (w *walker) inOrder(b Build) {
	last := map[int]*Entry{} // by priority, who of the group has waited least
	in := map[Number]bool{}
	for _, m := range b.Request.Members {
		e := w.q.Entry(m.Number)
		if in[m.Number] = true; last[e.Priority] == nil || precedes(last[e.Priority], e) < 0 {
			last[e.Priority] = e
		}
	}
	suspects := w.suspects()
	for _, e := range w.q.Line() {
		can := w.q.CandidateOf(e.Number) == nil && len(conditions(e, w.p)) == 0 && len(w.q.waits(e, w.now, w.p)) == 0 && !suspects[e.Number] && (e.Aside == nil || !w.now.Before(e.Aside.NotTill))
		if b.Apart != nil {
			can = can && e.MappedBy == b.Apart.Rules
			if can && !in[e.Number] && slices.ContainsFunc(b.Request.Members, func(m Member) bool {
				o := w.q.Entry(m.Number)
				return o.Priority == e.Priority && o.Areas.meet(e.Areas) && precedes(e, o) < 0
			}) {
				w.Fatalf("%v could have come before somebody of %s, with whom it shares an area", e.Number, deed(b))
			}
			continue
		}
		if can && !in[e.Number] && last[e.Priority] != nil && precedes(e, last[e.Priority]) < 0 {
			w.Fatalf("%v could have come before %v", e.Number, last[e.Priority].Number)
		}
	}
}

// born holds what a new candidate is made of.
func (w *walker) born(before Queue, c *Candidate, ev Event) {
	switch ev := ev.(type) {
	case CandidateMade:
		train := before.train()
		if c.Apart != nil {
			w.bornApart(before, c)
		} else if c.Base != before.Tip && (len(train) == 0 || c.Base != train[len(train)-1].Built.SHA) {
			w.Fatalf("candidate %d stands on %s, neither trunk nor the end of the train", c.ID, c.Base)
		}
		for _, m := range c.Members {
			if e := before.Entry(m.Number); e == nil || e.State != Queued || e.Head != m.Head || before.CandidateOf(m.Number) != nil {
				w.Fatalf("candidate %d was made of %+v, entry %+v", c.ID, m, e)
			}
		}
	case Combined:
		w.bornOf(before, c, ev)
	case Joined:
		top := before.Candidate(ev.ID)
		var members []Member
		for _, d := range before.below(top) {
			members = append(members, d.Members...)
			if is := w.q.Candidate(d.ID); is.State != CandidateJoined {
				w.Fatalf("candidate %d went into %d and is %s", d.ID, c.ID, is.State)
			}
		}
		if c.Base != before.Tip || c.Built.SHA != top.Built.SHA || !slices.Equal(members, c.Members) || c.Verdict != top.Verdict || c.Verdict.Outcome != Green {
			w.Fatalf("candidate %d was joined as %s", c.ID, text(c))
		}
	case ProbesMade:
		if c.Of != ev.Of || before.caseOf(c.Of) == nil || len(c.Members) > 0 {
			w.Fatalf("the trial %s has no case", text(c))
		}
	default:
		w.Fatalf("candidate %d was made by %T", c.ID, ev)
	}
}

// ahead holds that nothing which happens to a change, or to a run, restarts what does not stand on it: only whose assumption was
// refuted is given up.
func (w *walker) ahead(before Queue, ev Event) {
	var touched func(c *Candidate) bool
	switch ev := ev.(type) {
	case ChangeSeen:
		touched = func(c *Candidate) bool { return w.with(c, ev.Sight.Number) }
	case ChangeAsked:
		touched = func(c *Candidate) bool { return w.with(c, ev.Number) }
	case ChangeUnseen:
		touched = func(c *Candidate) bool { return w.with(c, ev.Number) }
	case CandidateUnmade:
		touched = func(c *Candidate) bool { return w.with(c, ev.Member.Number) }
	case RunStarted, RunReported, RunLost, ProbesMade, Confirmed:
		suspects := w.suspects()
		touched = func(c *Candidate) bool {
			return slices.ContainsFunc(c.Members, func(m Member) bool {
				e := w.q.Entry(m.Number)
				return suspects[m.Number] || e != nil && e.State == Dropped || e != nil && e.Aside != nil && e.Aside.At.Equal(w.now)
			})
		}
	default:
		return
	}
	given := func(q Queue) map[CandidateID]bool {
		ids := map[CandidateID]bool{}
		for _, a := range q.Plan(w.now, w.p) {
			if a, ok := a.(Abandon); ok {
				ids[a.ID] = true
			}
		}
		return ids
	}
	was, is := given(before), given(w.q)
	caseless := before // what was kept only to find out whose fault it is
	caseless.Cases = nil
	for id := range is {
		c := w.q.Candidate(id)
		if c.Of != 0 || was[id] || given(caseless)[id] || w.yields(c) || w.standsOn(c, func(d *Candidate) bool {
			old := before.Candidate(d.ID)
			return touched(d) || was[d.ID] || d.ended() && old != nil && !old.ended()
		}) {
			continue
		}
		w.Fatalf("%T %s gives up %d", ev, text(ev), id)
	}
}

// with reports whether a change is a member of a candidate, or one of these is to come after it.
func (w *walker) with(c *Candidate, n Number) bool {
	return slices.ContainsFunc(c.Members, func(m Member) bool {
		e := w.q.Entry(m.Number)
		return m.Number == n || e != nil && e.After == n
	})
}

// yields reports whether a candidate is not the head of the queue, and gives its run up to a hotfix.
func (w *walker) yields(c *Candidate) bool {
	train := w.q.train()
	if c.Apart != nil {
		train = w.q.apart()
	}
	return len(train) > 0 && c != train[0] && slices.ContainsFunc(w.q.Entries, func(e *Entry) bool {
		return e.waiting() && e.Priority >= PriorityHotfix && w.q.CandidateOf(e.Number) == nil
	})
}

// standsOn reports whether something is so of a candidate, or of any that it was built upon.
func (w *walker) standsOn(c *Candidate, so func(*Candidate) bool) bool {
	if c.Apart != nil {
		// What it stands on counts also after the candidate that brought it has left.
		return so(&Candidate{Members: c.Apart.Under}) || slices.ContainsFunc(w.q.Candidates, func(d *Candidate) bool {
			return (d.ID == c.ID || slices.ContainsFunc(d.Members, func(m Member) bool { return holds(c.Apart.Under, m) })) && so(d)
		})
	}
	for range len(w.q.Candidates) + 1 {
		if so(c) {
			return true
		}
		i := slices.IndexFunc(w.q.Candidates, func(d *Candidate) bool { return d.Of == 0 && d.ID != c.ID && d.Built.SHA == c.Base })
		if i < 0 {
			return false
		}
		c = w.q.Candidates[i]
	}
	return false
}

// suspects are who is kept out of trains.
func (w *walker) suspects() map[Number]bool {
	return w.q.suspects(w.q.findings(probeWays), func(n Number) bool { return w.q.near(n, w.now, w.p) })
}
