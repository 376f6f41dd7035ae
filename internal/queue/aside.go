package queue

import "time"

// separate has the members of a batch tried again each on its own.
func (q *Queue) separate(c *Candidate, reason string, at time.Time) {
	for _, m := range c.Members {
		if e := q.Entry(m.Number); e != nil && e.State == Queued && e.Head == m.Head {
			q.putAside(ChangeStuck{Number: m.Number, Head: m.Head, Reason: reason, At: at})
		}
	}
}

// putAside lets others go ahead of a change that lander cannot go on with now.
func (q *Queue) putAside(ev ChangeStuck) {
	c, e := q.CandidateOf(ev.Number), q.Entry(ev.Number)
	if e == nil || c != nil && c.State == CandidateLanding {
		return // it has left, or its push may have: first that is resolved
	}
	a := &Aside{Reason: ev.Reason, At: ev.At, Tries: 1}
	if e.Aside != nil {
		a.Tries = e.Aside.Tries + 1
	}
	a.NotTill = ev.At.Add(backoff(a.Tries))
	q.edit(ev.Number, func(e *Entry) { e.Aside = a })
	q.record(ev.At, ev.Number, 0, "put aside", ev.Reason)
	if c != nil {
		q.end(c, CandidateAbandoned, ev.Reason, ev.At)
		q.livingAll(c, ev.At)
		return
	}
	q.living(q.Entry(ev.Number), ev.At)
}
