package queue

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Apply records a fact and returns the state that follows. It accepts every event in every state: what no longer matters
// (a late verdict, an old look, a second copy) changes nothing.
func (q Queue) Apply(ev Event) Queue {
	switch ev := ev.(type) {
	case ChangeSeen:
		q.seen(ev.Sight, ev.Anew)
	case ChangeUnseen:
		if e := q.Entry(ev.Number); e != nil && !e.Gone && !e.Unseen {
			q.edit(ev.Number, func(e *Entry) { e.Unseen = true })
			q.record(ev.At, ev.Number, 0, "unseen", sayUnseen().Text)
		}
	case ChangeStuck:
		if e := q.Entry(ev.Number); e != nil && !e.Gone && e.State == Queued && e.Head == ev.Head && (e.Aside == nil || e.Aside.At.Before(ev.At)) {
			q.putAside(ev)
		}
	case ChangeRemembered:
		if e := ev.Entry; e != nil && q.Entry(e.Number) == nil {
			e = e.clone()
			e.Gone = false
			if e.State == Queued {
				e.State = Idle
			}
			q.enter(e)
		}
	case ChangeRecalled:
		if q.Entry(ev.Sight.Number) == nil && len(ev.Past) > 0 {
			q.recallChange(ev)
		}
	case ChangeAsked:
		if e := q.Entry(ev.Number); e != nil && !e.Gone && !e.handled(ev.Ask.ID) {
			q.ask(ev.Number, ev.Ask, time.Time{})
			if now := q.Entry(ev.Number); shows(e, now) {
				q.living(now, ev.Ask.At)
			}
		}
	case TrunkSeen:
		q.trunk(ev)
	case CandidateMade:
		q.made(ev)
	case CandidateUnmade:
		q.unmade(ev)
	case Joined:
		q.joined(ev)
	case ChangeMapped:
		q.mapped(ev)
	case Combined:
		q.combined(ev)
	case ProbesMade:
		q.probed(ev)
		q.settleCases(ev.At)
	case CaseForgotten:
		q.forget(ev)
	case RunStarted:
		if c := q.Candidate(ev.ID); c != nil && (c.State == CandidateBuilt || c.State == CandidateRed) && ev.Run == c.Run+1 {
			q.move(ev.ID, func(c *Candidate) {
				c.State, c.Run, c.Since, c.NotTill, c.Verdict = CandidateTesting, ev.Run, ev.At, time.Time{}, nil
			})
			q.record(ev.At, 0, ev.ID, "run started", recordRunStarted(c, ev.Run))
			q.livingAll(c, ev.At)
		}
	case Reused:
		q.reused(ev)
		q.settleCases(ev.At)
	case RunReported:
		q.reported(ev)
		q.settleCases(ev.At)
	case RunLost:
		if c := q.Candidate(ev.ID); c != nil && c.State == CandidateTesting && c.Run == ev.Run {
			q.lost(c, ev)
		}
	case RunMoved:
		if c := q.Candidate(ev.ID); c != nil && c.State == CandidateTesting && c.Run == ev.Run {
			q.record(ev.At, 0, ev.ID, "run moved", recordRunMoved(ev.Run, ev.Reason))
		}
	case Confirmed:
		if c := q.Candidate(ev.ID); c != nil && (c.State == CandidatePassed || c.State == CandidateConfirmed) {
			q.move(ev.ID, func(c *Candidate) { c.State, c.Since = CandidateConfirmed, ev.At })
		}
	case LandingBegun:
		q.begun(ev)
	case LandingDone:
		q.landed(ev)
		q.settleCases(ev.At)
	case LandingUndone:
		q.undone(ev)
	case LandingHindered:
		if c := q.Candidate(ev.ID); c != nil && c.State == CandidateLanding {
			q.hindered(ev.Reason, ev.At)
		}
	case LedgerSeen:
		q.ledgerSeen(ev)
	case LedgerMended:
		q.Ledger.Mend = false
	case LedgerDenied:
		q.hindered(sayLedgerDenied(q.Lane, ev.Reason), ev.At)
	case Hindered:
		q.halted(ev)
	case Eased:
		q.eased(ev)
	case HeadPutBack:
		q.putBack(ev)
	case DeliveryMissed:
		q.record(ev.At, ev.Number, 0, "delivery missed", recordMissed())
	case Breached:
		q.breached(ev)
	case Abandoned:
		if c := q.Candidate(ev.ID); c != nil && !c.ended() && c.State != CandidateLanding {
			q.end(c, CandidateAbandoned, ev.Reason, ev.At)
			q.livingAll(c, ev.At)
		}
	case Paused:
		if q.Pause == nil || !q.Pause.At.Equal(ev.At) || q.Pause.By != ev.By || q.Pause.Reason != ev.Reason {
			q.Pause = &Pause{By: ev.By, Reason: ev.Reason, At: ev.At, Until: ev.Until}
			q.record(ev.At, 0, 0, "paused", sayPaused(q.Pause).Text)
			q.livingLine(ev.At)
		}
	case Resumed:
		// A comment's command may be seen long after it was given: it lifts only what its giver could know of. The forge's times are
		// whole seconds, hence the one in doubt.
		knew := func(since time.Time) bool { return ev.At.Add(time.Second).After(since) }
		was := q
		if q.Pause != nil && knew(q.Pause.At) {
			q.Pause = nil
		}
		if q.Stop != nil && knew(q.Stop.At) {
			q.Ledger.Mend = q.Ledger.Mend || q.Stop.Ledger
			q.Stop = nil
		}
		if q.Trouble != nil && knew(q.Trouble.At) {
			q.Trouble = nil
		}
		if q.Pause != was.Pause || q.Stop != was.Stop || q.Trouble != was.Trouble {
			q.record(ev.At, 0, 0, "resumed", recordResumed(ev.By))
			q.livingLine(ev.At)
		}
	}
	return q
}

// Fill completes what notices say from the state as it is now: living comments get their Standing, answers to why their text.
func (q Queue) Fill(now time.Time, p Policy) Queue {
	if len(q.Outbox) == 0 {
		return q
	}
	out := slices.Clone(q.Outbox)
	line := sync.OnceValue(q.places)
	for i := range out {
		switch {
		case out[i].Kind == NoticeLiving:
			if s, ok := q.standing(out[i].Number, now, p, line); ok {
				out[i].Standing = &s
			}
		case out[i].Kind == NoticeAnswer && out[i].Text == "":
			out[i].Text = sayReasons(q.why(out[i].Number, now, p, line))
		}
	}
	q.Outbox = out
	return q
}

func (q *Queue) trunk(ev TrunkSeen) {
	if reason := sayTrunkGone(q.Lane, q.Tip); ev.Gone && (q.Stop == nil || !strings.Contains(q.Stop.Reason, reason)) {
		q.stop(Stop{Reason: reason, At: ev.At}, "trunk gone")
	}
	if ev.Gone {
		return
	}
	if ev.Tip == q.Tip || ev.Tip == "" {
		return
	}
	for _, c := range q.Candidates {
		if c.State == CandidateLanding {
			return // it may be our own push; its resolution reads trunk again
		}
	}
	m := Move{Kind: MoveBypass, New: ev.Tip, At: ev.At}
	switch {
	case q.Tip == "":
		m.Kind = MoveAdopt
		q.record(ev.At, 0, 0, "adopted", recordAdopted(q.Lane, ev.Tip))
	case ev.Rewound:
		m.Kind = MoveRewind
		q.stop(Stop{Reason: sayRewound(q.Tip, ev.Tip), At: ev.At}, "rewound")
	default:
		q.record(ev.At, 0, 0, "bypass", sayBypass(q.Tip, ev.Tip))
	}
	q.moved(m)
}

// stop holds the whole lane until an admin resumes it.
func (q *Queue) stop(s Stop, kind string) {
	if kind != "" {
		q.record(s.At, 0, 0, kind, s.Reason)
	}
	if q.Stop != nil { // one thing more does not make the other good
		s.Ledger = s.Ledger || q.Stop.Ledger
		s.Reason = saySecond(q.Stop.Reason, s.Reason)
	}
	q.Stop = &s
	q.livingLine(s.At)
}

// breached stops the lane for what an audit found. Each finding is a line of the journal, by which the next audit knows it.
func (q *Queue) breached(ev Breached) {
	if len(ev.Findings) == 0 || q.Stop != nil && strings.Contains(q.Stop.Reason, sayBreach(q.Lane, ev.Findings)) {
		return
	}
	for _, f := range ev.Findings {
		q.record(ev.At, 0, 0, RecordBreach, f)
	}
	q.stop(Stop{Reason: sayBreach(q.Lane, ev.Findings), At: ev.At}, "")
}

func (q *Queue) made(ev CandidateMade) {
	below := CandidateID(0)
	if ev.Apart != nil {
		if ev.Request.Base != q.Tip || !q.aligned(ev) {
			return
		}
	} else if ev.Request.Base != q.Tip {
		train := q.train()
		if len(train) == 0 || train[len(train)-1].Built.SHA != ev.Request.Base {
			return
		}
		below = train[len(train)-1].ID
	}
	if ev.ID != q.Next+1 || len(ev.Request.Members) == 0 {
		return
	}
	for i, m := range ev.Request.Members {
		if e := q.Entry(m.Number); e == nil || e.Gone || e.State != Queued || e.Head != m.Head || q.CandidateOf(m.Number) != nil ||
			slices.ContainsFunc(ev.Request.Members[:i], func(o Member) bool { return o.Number == m.Number }) {
			return
		}
	}
	c := &Candidate{
		ID: ev.ID, Base: ev.Request.Base, Below: below, Members: ev.Request.Members, Style: ev.Request.Style, At: ev.Request.At,
		Built: ev.Built, Recipe: ev.Recipe, State: CandidateBuilt, Since: ev.At, Apart: ev.Apart,
	}
	if c.Apart != nil {
		c.Ground, c.Awaits = q.Tip, c.Apart.Under
	}
	q.Next = ev.ID
	q.Candidates = append(slices.Clip(q.Candidates), c)
	for _, m := range c.Members {
		if q.Entry(m.Number).HeldBy != 0 {
			q.edit(m.Number, func(e *Entry) { e.HeldBy = 0 })
		}
	}
	q.record(ev.At, 0, c.ID, "candidate built", recordBuilt(c))
}

func (q *Queue) unmade(ev CandidateUnmade) {
	e := q.Entry(ev.Member.Number)
	if ev.ID != q.Next+1 || ev.Base != q.Tip && ev.Below == 0 || e == nil || e.Gone || e.State != Queued || e.Head != ev.Member.Head {
		return
	}
	q.Next = ev.ID
	if ev.With != 0 {
		// What is in its way may still leave the queue, so it waits for that instead of being sent back to its author.
		with := ev.With
		q.edit(e.Number, func(e *Entry) { e.HeldBy = with })
		q.record(ev.At, e.Number, 0, "held", sayHeldBy(with).Text)
		q.living(e, ev.At)
		return
	}
	q.drop(e.Number, Drop{Code: ev.Code, At: ev.At, Reason: ev.Reason, Files: ev.Files}, &Candidate{Base: ev.Base})
}

func (q *Queue) reported(ev RunReported) {
	c := q.Candidate(ev.ID)
	if c == nil || c.State != CandidateTesting || c.Run != ev.Run || c.Verdict != nil {
		return
	}
	v := ev.Verdict
	if c.Of == 0 {
		v = v.completed(c.Recipe, q.caseOf(c.ID))
	}
	q.record(ev.At, 0, c.ID, "run ended", recordVerdict(ev.Run, v))
	if c.Of != 0 {
		q.probeReported(c, v, ev.At)
		return
	}
	switch v.Outcome {
	case Green:
		if c.Run == 1 {
			q.learnRun(v)
		}
		q.prove(c, v, ev.At)
		q.acquit(c, v, ev.At)
		q.mends(c, ev.At)
		q.move(c.ID, func(c *Candidate) { c.State, c.Since, c.Verdict = CandidatePassed, ev.At, &v })
		q.livingAll(c, ev.At)
	case Red, TimedOut:
		if !q.grounded(c) && q.caseOf(c.ID) == nil {
			// Red on a trunk that is no more says nothing of the change on the one that is.
			q.move(c.ID, func(c *Candidate) { c.Verdict = &v })
			q.end(c, CandidateAbandoned, sayMootTrunk(q.Tip), ev.At)
			q.livingAll(c, ev.At)
			return
		}
		q.suspect(c, v, ev.At)
	case Cancelled:
		q.move(c.ID, func(c *Candidate) { c.State, c.Since, c.Verdict = CandidateBuilt, ev.At, &v })
	default:
		if c.Run >= infraTries && !v.Unstarted {
			q.troubled(c, v, ev.At)
			return
		}
		q.move(c.ID, func(c *Candidate) {
			c.State, c.Since, c.Verdict, c.NotTill = CandidateBuilt, ev.At, &v, ev.At.Add(backoff(c.Run))
		})
		q.livingAll(c, ev.At)
	}
}

// lost lets a run that ended without a verdict be run again. A suite that takes lander or its machine down with it must not do so
// for ever, nor keep the others waiting.
func (q *Queue) lost(c *Candidate, ev RunLost) {
	q.record(ev.At, 0, c.ID, "run lost", recordRunLost(ev.Run))
	if ev.Run >= lostRuns && c.Of != 0 {
		q.vain(c, sayLost(ev.Run), ev.At)
		return
	}
	if ev.Run >= lostRuns {
		for _, m := range c.Members {
			q.putAside(ChangeStuck{Number: m.Number, Head: m.Head, Reason: sayLost(ev.Run), At: ev.At})
		}
		if c = q.Candidate(c.ID); c.ended() {
			return
		}
	}
	q.move(c.ID, func(c *Candidate) {
		c.State, c.Since = CandidateBuilt, ev.At
		if ev.Run > 1 {
			c.NotTill = ev.At.Add(backoff(ev.Run - 1))
		}
	})
}

// troubled puts a candidate's changes aside whose runs the machine fails again and again. It may be something in them that it fails by, so
// each is tried again alone, later and later, and others go ahead; but nobody is dropped for what the machine did.
func (q *Queue) troubled(c *Candidate, v Verdict, at time.Time) {
	q.move(c.ID, func(c *Candidate) { c.Verdict = &v })
	c = q.Candidate(c.ID)
	q.end(c, CandidateFailed, sayMachine(v), at)
	for _, m := range c.Members {
		if e := q.Entry(m.Number); e != nil && e.State == Queued && e.Head == m.Head {
			q.putAside(ChangeStuck{Number: m.Number, Head: m.Head, Reason: sayMachine(v), At: at})
			q.edit(m.Number, func(e *Entry) {
				a := *e.Aside
				a.Machine, a.NotTill = true, at.Add(machineWait(a.Tries))
				e.Aside = &a
			})
		}
	}
}

// end takes a candidate out of flight.
func (q *Queue) end(c *Candidate, state CandidateState, reason string, at time.Time) {
	q.move(c.ID, func(c *Candidate) { c.State, c.Reason, c.Since = state, reason, at })
	if state == CandidateAbandoned {
		q.record(at, 0, c.ID, "candidate abandoned", reason)
	}
	if k := q.caseOf(c.ID); k != nil && !k.Sure {
		q.closeCase(c.ID) // nothing will ever tell any more whether it was chance
	}
	if state == CandidateJoined {
		return // its members are on their way still
	}
	for _, e := range q.Entries {
		if e.HeldBy != 0 && c.Has(e.HeldBy) {
			q.edit(e.Number, func(e *Entry) { e.HeldBy = 0 })
		}
	}
}

// drop takes an entry out of the queue without landing and tells its author why.
func (q *Queue) drop(n Number, d Drop, c *Candidate) {
	q.edit(n, func(e *Entry) { e.State, e.Drop, e.HeldBy = Dropped, &d, 0 })
	e := q.Entry(n)
	q.record(d.At, n, c.ID, "dropped", d.Reason)
	q.tell(Notice{
		Key: noticeKey("dropped", n, e.Head, q.Next) + "/" + d.At.UTC().Format("20060102T150405.000000"), Kind: NoticeDropped, Number: n, Head: e.Head, At: d.At, Author: e.Author,
		Drop: &d, Verdict: c.Verdict, Base: c.Base, Candidate: c.Built.SHA, ID: c.ID, Run: c.Run, With: c.besides(n), Approvers: e.approvers(),
	})
	q.living(e, d.At)
}
