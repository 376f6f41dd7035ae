package queue

import "time"

// What a change waits for that is not its own: others that come first, or a time. It holds up nobody but the change itself.

// waits are the reasons of that kind why a change that is in no candidate may not be in one now.
func (q Queue) waits(e *Entry, now time.Time, p Policy) []Reason {
	var rs []Reason
	if e.HeldBy != 0 && q.near(e.HeldBy, now, p) {
		rs = append(rs, sayHeldBy(e.HeldBy))
	}
	if first := q.first(e); first != nil && first.waiting() && q.CandidateOf(e.After) == nil {
		rs = append(rs, sayAfter(e.After))
	}
	if now.Before(e.NotBefore) {
		rs = append(rs, sayNotBefore(e.NotBefore))
	}
	return rs
}

// near reports whether a change is in a candidate, or may be in the next one.
func (q Queue) near(n Number, now time.Time, p Policy) bool {
	e := q.Entry(n)
	if e == nil || !e.waiting() {
		return false
	}
	return q.CandidateOf(n) != nil || e.HeldBy == 0 && (e.Aside == nil || !now.Before(e.Aside.NotTill)) && len(conditions(e, p)) == 0
}

// first is the change that has to come before e; nil: there is none any more.
func (q Queue) first(e *Entry) *Entry {
	if e.After == 0 {
		return nil
	}
	return q.Entry(e.After)
}

// premature is the first of those reasons that landing a candidate would not heed; its Text is empty when it heeds all.
func (q Queue) premature(c *Candidate, now time.Time) (n Number, r Reason) {
	var ahead map[Number]bool
	for _, m := range c.Members {
		e := q.Entry(m.Number)
		if e == nil || e.After == 0 && e.NotBefore.IsZero() {
			continue
		}
		if now.Before(e.NotBefore) {
			return m.Number, sayNotBefore(e.NotBefore)
		}
		if first := q.Entry(e.After); first == nil || !first.waiting() {
			continue
		}
		if ahead == nil {
			ahead = q.ahead(c)
		}
		if !ahead[e.After] || c.place(e.After) > c.place(m.Number) {
			return m.Number, sayAfter(e.After)
		}
	}
	return 0, Reason{}
}

// ahead are the members of a candidate and of those that it stands on.
func (q Queue) ahead(c *Candidate) map[Number]bool {
	ahead := map[Number]bool{}
	for _, d := range q.below(c) {
		for _, m := range d.Members {
			ahead[m.Number] = true
		}
	}
	return ahead
}

// place is where among its members n stands, -1 when it is none.
func (c *Candidate) place(n Number) int {
	for i, m := range c.Members {
		if m.Number == n {
			return i
		}
	}
	return -1
}

// askAfter orders a change after another one, or not before a time.
func (q *Queue) askAfter(e *Entry, a Ask) {
	if q.awaits(a.After, e.Number) {
		q.answer(e, a, sayRound(e.Number, a.After))
		return
	}
	q.edit(e.Number, func(e *Entry) {
		if a.After != 0 {
			e.After = a.After
		}
		if !a.NotBefore.IsZero() {
			e.NotBefore = a.NotBefore
		}
	})
	q.record(a.At, e.Number, 0, string(a.Verb), recordAfter(a))
	q.thumb(e, a)
}

// awaits reports whether n is to come after another, directly or through more of them, or is that one itself.
func (q Queue) awaits(n, other Number) bool {
	for range q.Entries {
		if n == 0 || n == other {
			return n == other
		}
		e := q.Entry(n)
		if e == nil {
			return false
		}
		n = e.After
	}
	return n == other
}
