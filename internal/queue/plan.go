package queue

import "time"

// Plan lists what the state asks for, the most urgent first: land what passed, cancel what is moot, start what is built, build
// what comes next. It is a function of its arguments alone; a state it has nothing to add to gives an empty plan.
func (q Queue) Plan(now time.Time, p Policy) []Action {
	var land, moot, run []Action
	flight := 0
	for _, c := range q.Candidates {
		if c.ended() {
			continue
		}
		flight++
		reason := q.moot(c, p)
		switch {
		case c.State == CandidateLanding:
			// The push may have left: who takes it up again reads before pushing, so this is also the recovery. No pause and no stop
			// keeps it from being resolved, but for a ledger that cannot be trusted.
			if (q.Stop == nil || !q.Stop.Ledger) && (q.Trouble == nil || !now.Before(q.Trouble.NotTill)) {
				land = append(land, Land{Candidate: c})
			}
		case reason != "":
			moot = append(moot, Abandon{ID: c.ID, Run: c.Run, Testing: c.State == CandidateTesting, Reason: reason})
		case c.State == CandidateBuilt:
			if !now.Before(c.NotTill) {
				run = append(run, StartRun{Candidate: c, Run: c.Run + 1})
			}
		case !q.moving(now, p), q.Ledger.Tip == "": // without a ledger nothing can be told from a push half made
		case c.State == CandidateConfirmed && fresh(c.Since, now):
			land = append(land, Land{Candidate: c})
		case c.State == CandidatePassed, c.State == CandidateConfirmed:
			land = append(land, Confirm{Candidate: c})
		}
	}
	plan := append(append(append(q.mend(now, p), land...), moot...), run...)
	if q.Tip != "" && q.Ledger.Tip == "" && q.moving(now, p) {
		return append(plan, Adopt{Statement: q.Adoption(now)})
	}
	if flight > 0 || len(moot) > 0 || q.Tip == "" || !q.moving(now, p) {
		return plan
	}
	e := q.next(now, p)
	if e == nil {
		return plan
	}
	return append(plan, Build{
		ID: q.Next + 1,
		Request: BuildRequest{
			Base: q.Tip, Style: p.style(), At: now.UTC().Truncate(time.Second),
			Members: []Member{{Number: e.Number, Head: e.Head, Message: sayMessage(e, p.style())}},
		},
	})
}

// mend puts right what lander left elsewhere.
func (q Queue) mend(now time.Time, p Policy) []Action {
	var plan []Action
	if q.Ledger.Mend && q.Stop == nil && (q.Trouble == nil || !now.Before(q.Trouble.NotTill)) {
		plan = append(plan, Mend{Tip: q.Ledger.Tip})
	}
	for _, e := range q.Entries {
		if e.Displaced == "" || e.HeadRepo == "" || e.Gone || e.State == Landed {
			continue
		}
		// Who is on the way to trunk is moved from there, and needs no way back.
		c := q.CandidateOf(e.Number)
		if c == nil || c.State != CandidateLanding && (!q.moving(now, p) || q.moot(c, p) != "") {
			plan = append(plan, PutBack{HeadMove{Number: e.Number, Repo: e.HeadRepo, Branch: e.Branch, From: e.Displaced, To: e.Head}})
		}
	}
	return plan
}

// next is the first in line that lacks nothing, or nil. With thousands waiting, looking for it is much cheaper than sorting them.
func (q Queue) next(now time.Time, p Policy) *Entry {
	var next *Entry
	for _, e := range q.Entries {
		if e.waiting() && (e.Aside == nil || !now.Before(e.Aside.NotTill)) && (next == nil || precedes(e, next) < 0) && len(conditions(e, p)) == 0 {
			next = e
		}
	}
	return next
}

// Wake is when Plan may say something new though no fact arrived; zero: never.
func (q Queue) Wake(now time.Time) time.Time {
	var wake time.Time
	consider := func(t time.Time) {
		if t.After(now) && (wake.IsZero() || t.Before(wake)) {
			wake = t
		}
	}
	if q.Pause != nil {
		consider(q.Pause.Until)
	}
	if q.Trouble != nil {
		consider(q.Trouble.NotTill)
	}
	for _, c := range q.Candidates {
		consider(c.NotTill)
	}
	for _, e := range q.Entries {
		if e.Aside != nil && e.State == Queued {
			consider(e.Aside.NotTill)
		}
	}
	return wake
}

// fresh reports whether a look made at since is good enough to push on. A clock that was set back makes none fresh again.
func fresh(since, now time.Time) bool {
	age := now.Sub(since)
	return age >= 0 && age < confirmFor
}

// moving reports whether anything may be built or landed now.
func (q Queue) moving(now time.Time, p Policy) bool {
	return q.Stop == nil && !q.PausedAt(now) && p.Problem == "" && !p.Recipe.Empty() &&
		(q.Trouble == nil || !now.Before(q.Trouble.NotTill))
}

// moot says why a candidate is of no more use; empty: it still is.
func (q Queue) moot(c *Candidate, p Policy) string {
	if c.Below == 0 && c.Base != q.Tip {
		return sayMootTrunk(q.Tip)
	}
	for _, m := range c.Members {
		e := q.Entry(m.Number)
		switch {
		case e == nil || e.Gone || e.State != Queued:
			return sayMootGone(m.Number)
		case e.Head != m.Head:
			return sayMootHead(m.Number)
		}
		if rs := conditions(e, p); len(rs) > 0 {
			return sayMootCondition(m.Number, rs[0])
		}
	}
	return ""
}

func (p Policy) style() Style {
	if p.Style == "" {
		return StyleRebase
	}
	return p.Style
}
