package queue

// landed moves trunk to a candidate and tells its members.
func (q *Queue) landed(ev LandingDone) {
	c := q.Candidate(ev.ID)
	if c == nil || c.State != CandidateLanding {
		return
	}
	q.end(c, CandidateLanded, "", ev.At)
	q.Trouble = nil
	q.Ledger.Tip, q.Ledger.Seq = c.Intent.Record.SHA, c.Intent.Seq
	if c.Apart == nil || c.Apart.Tested == "" {
		q.Sound = c.Built.SHA
	}
	from := q.Tip
	q.moved(Move{Kind: MoveLand, New: c.Built.SHA, At: ev.At, Candidate: c.ID, Record: q.Ledger.Tip, Seq: q.Ledger.Seq, Members: c.Members})
	q.carry(c, from)
	for _, m := range c.Members {
		l := &Landing{Candidate: c.ID, Head: m.Head, Tip: c.Built.SHA, At: ev.At}
		for _, bc := range c.Built.Commits {
			if bc.Member == m.Number {
				l.Commits = append(l.Commits, bc)
			}
		}
		e := q.Entry(m.Number)
		if e == nil {
			continue
		}
		past := *l
		q.edit(m.Number, func(e *Entry) { e.Past = append(e.Past, past) })
		if c.Apart != nil && c.Apart.Tested != "" {
			l.Tested, l.Areas = c.Apart.Tested, c.Apart.Areas
		}
		q.learnFate(e.Author.ID, true)
		if l.of(e.Head) {
			q.edit(m.Number, func(e *Entry) {
				e.State, e.Landing, e.Drop, e.HeldBy, e.Aside, e.Displaced = Landed, l, nil, 0, nil, ""
			})
			q.living(e, ev.At)
		}
		q.record(ev.At, m.Number, c.ID, "landed", recordLanded(m, l))
		n := Notice{
			Key: noticeKey("landed", m.Number, m.Head, c.ID), Kind: NoticeLanded, Number: m.Number, Head: m.Head, At: ev.At, Author: e.Author,
			Verdict: c.Verdict, Base: c.Base, Candidate: c.Built.SHA, ID: c.runID(), Run: c.Run, With: c.besides(m.Number), Landing: l, Ours: e.Ours,
		}
		if e.Head == m.Head { // else it was pushed to since the intent, and what is known is of the new head
			n.Approvers, n.Waited = e.approvers(), ev.At.Sub(e.AskedAt)
		}
		q.tell(n)
	}
}

// undone takes a landing back that can never come about. Where the push was refused or failed, it is tried later and later.
func (q *Queue) undone(ev LandingUndone) {
	c := q.Candidate(ev.ID)
	if c == nil || c.State != CandidateLanding {
		return
	}
	// It is green still: where trunk stands as it did, it is confirmed anew and landed; where not, the plan gives it up.
	q.move(c.ID, func(c *Candidate) { c.State, c.Since = CandidatePassed, ev.At })
	q.displace(c)
	q.livingAll(c, ev.At)
	if ev.Denied == "" && ev.Failed == "" {
		q.record(ev.At, 0, c.ID, "landing undone", sayUndone())
		return
	}
	reason := ev.Denied
	if reason == "" {
		reason = sayPushFailed(ev.Failed)
	}
	t := &Trouble{Reason: reason, At: ev.At, Tries: 1}
	if q.Trouble = q.Trouble.ofLanding(); q.Trouble != nil {
		t.Tries, t.Denied, t.Dropped = q.Trouble.Tries+1, q.Trouble.Denied, q.Trouble.Dropped
	}
	if ev.Denied == "" {
		q.record(ev.At, 0, c.ID, "landing failed", ev.Failed)
		if t.Tries >= failedTries { // it may be this change's own, as when it is too large for the server: others go ahead
			q.separate(c, sayPushFailed(ev.Failed), ev.At)
			q.Trouble = nil
			return
		}
		t.NotTill = ev.At.Add(backoff(t.Tries))
		q.Trouble = t
		return
	}
	q.record(ev.At, 0, c.ID, "landing denied", ev.Denied)
	t.Denied++
	// A server may refuse one change for what is in it, and then nobody else need wait for it. It may also refuse all: then at most
	// one change is dropped for it, and the lane waits for the operator.
	if t.Denied == deniedTries && len(c.Members) > 1 {
		q.separate(c, sayDenied(ev.Denied), ev.At)
		t.Tries, t.Denied = 1, 0
	}
	if t.Denied == deniedTries && t.Dropped == 0 {
		t.Tries, t.Denied, t.Dropped = 1, 0, c.Members[0].Number
		c = q.Candidate(c.ID)
		q.end(c, CandidateFailed, sayDenied(ev.Denied), ev.At)
		for _, m := range c.Members {
			if e := q.Entry(m.Number); e != nil && e.State == Queued && e.Head == m.Head {
				q.drop(m.Number, Drop{Code: DropDenied, At: ev.At, Reason: sayDenied(ev.Denied), Candidate: c.ID}, c)
			}
		}
	}
	t.NotTill = ev.At.Add(backoff(t.Tries))
	q.Trouble = t
}
