package queue

import "time"

// hindered is a fault outside lander that keeps the whole lane from going on; it is tried again later and later.
func (q *Queue) hindered(reason string, at time.Time) {
	q.Trouble = q.Trouble.ofLanding()
	if q.Trouble != nil && !q.Trouble.At.Before(at) {
		return // heard before
	}
	t := &Trouble{Reason: reason, At: at, Tries: 1}
	if q.Trouble != nil {
		t.Tries, t.Denied, t.Dropped = q.Trouble.Tries+1, q.Trouble.Denied, q.Trouble.Dropped
	}
	t.NotTill = at.Add(backoff(t.Tries))
	if q.Trouble == nil || q.Trouble.Reason != reason {
		q.record(at, 0, 0, "hindered", reason)
	}
	q.Trouble = t
	q.livingLine(at)
}

// halted is a fault that keeps lander from doing anything for the lane. It lies on top of the trouble that landing had.
func (q *Queue) halted(ev Hindered) {
	t := &Trouble{Reason: ev.Reason, At: ev.At, Tries: 1, Host: true, Under: q.Trouble.ofLanding()}
	if was := q.Trouble; was != nil && was.Host {
		if was.Reason == ev.Reason {
			return
		}
		t.At, t.Tries = was.At, was.Tries+1
	}
	if t.Under != nil {
		t.NotTill = t.Under.NotTill
	}
	q.record(ev.At, 0, 0, "hindered", ev.Reason)
	q.Trouble = t
	q.livingLine(ev.At)
}

func (q *Queue) eased(ev Eased) {
	if t := q.Trouble; t != nil && t.Host && !ev.At.Before(t.At) {
		q.Trouble = t.Under
		q.record(ev.At, 0, 0, "eased", recordEased())
		q.livingLine(ev.At)
	}
}

// ofLanding is the trouble without what hinders lander itself.
func (t *Trouble) ofLanding() *Trouble {
	if t != nil && t.Host {
		return t.Under
	}
	return t
}
