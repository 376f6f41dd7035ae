package queue

import (
	"slices"

	"pgregory.net/rapid"
)

// drawAreas gives some lanes areas. Two changes that share none have nothing to do with each other.
func (w *walker) drawAreas() {
	if rapid.IntRange(0, 2).Draw(w.T, "areas") > 0 {
		return
	}
	w.p.Areas = AreaRules{Areas: []Area{{Name: "api", Globs: []string{"api/**"}}, {Name: "web", Globs: []string{"web/**"}}}, Barrier: []string{"go.mod"}}
	w.areas = map[int]Areas{}
	for n := range most {
		w.areas[n+1] = rapid.SampledFrom([]Areas{{"api"}, {"web"}, {"docs"}, {"api", "web"}, {Everything}}).Draw(w.T, "touches")
	}
}

// combine puts a green candidate onto trunk as it is.
func (w *walker) combine(a Combine) {
	if w.chance(8, "does not apply on trunk") {
		w.apply(Abandoned{a.ID, "it says why", w.now})
		return
	}
	w.apply(Combined{a.ID, a.As, a.Request, w.built(a.Request.Base, a.Request.Members, a.Request.At), w.now})
}

// bornApart holds what a candidate is made of where there are areas: trunk, and everybody in flight who shares an area with it and does
// not stand on it, but for those that are red or ride alone.
func (w *walker) bornApart(before Queue, c *Candidate) {
	if c.Base != before.Tip {
		w.Fatalf("candidate %d stands on %s, which is not trunk", c.ID, c.Base)
	}
	for _, m := range c.Apart.Under {
		if d := before.CandidateOf(m.Number); d == nil || !d.Apart.Areas.meet(c.Apart.Areas) {
			w.Fatalf("candidate %d stands on %v, with which it has nothing to do", c.ID, m.Number)
		}
	}
	for _, d := range before.sturdy(before.apart()) {
		if !d.Apart.Areas.meet(c.Apart.Areas) || slices.ContainsFunc(d.Members, func(m Member) bool { return holds(c.Apart.Under, m) }) {
			continue
		}
		if !w.follows(before, d, c, nil) {
			w.Fatalf("candidate %d was made without %d, which is ahead of it", c.ID, d.ID)
		}
	}
}

// follows reports whether a candidate waits for a member of another one, itself or through others.
func (w *walker) follows(q Queue, d, c *Candidate, seen []CandidateID) bool {
	if slices.Contains(seen, d.ID) {
		return false
	}
	return slices.ContainsFunc(d.Awaits, func(u Member) bool {
		o := q.CandidateOf(u.Number)
		return c.Has(u.Number) || o != nil && w.follows(q, o, c, append(seen, d.ID))
	})
}

// bornOf holds what a candidate is that was put onto trunk as it is.
func (w *walker) bornOf(before Queue, c *Candidate, ev Combined) {
	top := before.Candidate(ev.ID)
	if is := w.q.Candidate(top.ID); is.State != CandidateJoined {
		w.Fatalf("candidate %d went into %d and is %s", top.ID, c.ID, is.State)
	}
	if c.Base != before.Tip || len(top.Awaits) > 0 || !slices.Equal(top.Members, c.Members) || c.Verdict != top.Verdict || c.Verdict.Outcome != Green {
		w.Fatalf("candidate %d was combined as %s", c.ID, text(c))
	}
}

// tested holds what is true of the commit that was tested in place of one that lands: it has all its members, and whatever it lacks of
// trunk, or has beside it, shares no area with them.
func (w *walker) tested(c *Candidate) {
	had, has := w.content[c.Apart.Tested], w.content[c.Built.SHA]
	for _, m := range c.Members {
		if !slices.Contains(had, int(m.Number)) {
			w.Fatalf("%s lands #%d, and %s was tested, which lacks it", c.Built.SHA, m.Number, c.Apart.Tested)
		}
	}
	mine := Areas{}
	for _, m := range c.Members {
		mine = mine.with(w.areas[int(m.Number)])
	}
	for _, n := range has {
		if !slices.Contains(had, n) && (n < 0 || w.areas[n].meet(mine)) {
			w.Fatalf("%s lands on #%d, which %s that was tested lacks", c.Built.SHA, n, c.Apart.Tested)
		}
	}
	for _, n := range had {
		if !slices.Contains(has, n) {
			w.Fatalf("%s was tested with #%d, which has not landed", c.Apart.Tested, n)
		}
	}
}
