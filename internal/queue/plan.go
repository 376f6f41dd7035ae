package queue

import (
	"slices"
	"time"
)

// Plan lists what the state asks for, the most urgent first: land what passed, cancel what is moot, start what is built, build
// what comes next. It is a function of its arguments alone; a state it has nothing to add to gives an empty plan.
func (q Queue) Plan(now time.Time, p Policy) []Action {
	rules := p.Areas.Digest()
	train := q.train()
	free := p.window()
	for _, c := range q.Candidates {
		if !c.ended() && c.State == CandidateTesting {
			free--
		}
	}
	top, areas := q.landable(train, p), !p.Areas.Off()
	if areas {
		top, train = q.landableApart(), q.apart()
	}
	cases := q.findings(max(free, probeWays))
	suspects := q.suspects(cases, func(n Number) bool { return q.near(n, now, p) })
	var land, moot, run []Action
	for _, c := range q.Candidates {
		if c.ended() {
			continue
		}
		reason := ""
		if c.Of != 0 {
			reason = cases.moot(c)
		} else {
			// Whether a red run was chance is worth knowing in any case.
			if f := cases.of(c.ID); f == nil || f.Sure || len(f.names) == 0 {
				reason = q.mootBy(c, now, p, rules)
			}
		}
		for _, m := range c.Members {
			if reason == "" && suspects[m.Number] {
				reason = sayMootSuspect(m.Number)
			}
		}
		switch {
		case c.State == CandidateLanding:
			// The push may have left: who takes it up again reads before pushing, so this is also the recovery. No pause and no stop
			// keeps it from being resolved, but for a ledger that cannot be trusted.
			if (q.Stop == nil || !q.Stop.Ledger) && (q.Trouble == nil || !now.Before(q.Trouble.NotTill)) {
				land = append(land, Land{Candidate: c})
			}
		case reason != "":
			moot = append(moot, Abandon{ID: c.ID, Run: c.Run, Testing: c.State == CandidateTesting, Reason: reason})
		case c.State == CandidateRed:
			f := cases.of(c.ID)
			switch {
			case free <= 0 || now.Before(c.NotTill):
			case f == nil: // another case has explained what failed, and it stands there still: it is tested anew
				free--
				run = append(run, StartRun{Candidate: c, Run: c.Run + 1, Recipe: c.Recipe})
			case !f.Sure && len(f.names) > 0:
				free--
				again := StartRun{Candidate: c, Run: c.Run + 1, Recipe: f.Recipe, Rerun: f.rerun(true)}
				again.Rerun.Past = q.past(c)
				run = append(run, again)
			}
		case c.State == CandidateBuilt:
			if is := q.spares(c, now, p); is != nil {
				run = append(run, Reuses{ID: c.ID, Run: c.Run + 1, Proof: *is})
			} else if free > 0 && !now.Before(c.NotTill) {
				free--
				run = append(run, q.begin(c))
			}
		case c != top, !q.moving(now, p), q.Ledger.Tip == "": // without a ledger nothing can be told from a push half made
		case c.Apart != nil && q.combine(c) != nil:
			land = append(land, *q.combine(c))
		case c.Base != q.Tip:
			if below := q.below(c); !slices.ContainsFunc(below, func(c *Candidate) bool { return c.State == CandidateLanding }) {
				land = append(land, Join{ID: c.ID, As: q.Next + 1})
			}
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
	if len(moot) > 0 || q.Tip == "" || !q.moving(now, p) {
		return plan
	}
	if areas {
		if maps := q.unmapped(now, p); len(maps) > 0 {
			return append(plan, maps...)
		}
	}
	line := q.line(now, p, suspects)
	waiting := len(line)
	if !areas {
		line = q.sober(q.inTurn(line, cases), now)
	}
	if free <= 0 {
		if c := q.yields(train); c != nil && len(line) > 0 && line[0].Priority >= PriorityHotfix {
			plan = append(plan, Abandon{ID: c.ID, Run: c.Run, Testing: true, Reason: sayMootHotfix(line[0].Number)})
		}
		return plan
	}
	if probe := q.nextProbe(cases); probe != nil {
		return append(plan, *probe)
	}
	if areas {
		if b := q.nextApart(line, q.doubted(cases), now, p, free); b != nil && len(land) == 0 {
			plan = append(plan, *b)
		}
		return plan
	}
	if !q.accepts(train) {
		return plan
	}
	group := q.group(line, waiting, p, free, train)
	if len(group) == 0 || len(land) > 0 && len(train) == 0 {
		return plan
	}
	r := BuildRequest{Base: q.Tip, Style: p.style(), At: now.UTC().Truncate(time.Second)}
	below := CandidateID(0)
	if n := len(train); n > 0 {
		r.Base, below = train[n-1].Built.SHA, train[n-1].ID
	}
	for _, e := range group {
		r.Members = append(r.Members, Member{Number: e.Number, Head: e.Head, Message: sayMessage(e, p.style())})
	}
	return append(plan, Build{ID: q.Next + 1, Below: below, Request: r})
}

// landable is the last of a train that is green and lands all that it stands on; nil: none. Where the policy asks that each change be
// tested by itself, or somebody asked it of one, all that must be green below it are.
func (q Queue) landable(train []*Candidate, p Policy) *Candidate {
	var top *Candidate
	for i, c := range train {
		switch {
		case c.green():
			top = c
		case p.TestEach == TestChange, q.alone(c), i+1 < len(train) && q.alone(train[i+1]):
			return top
		}
	}
	return top
}

// alone reports whether somebody asked that a candidate's only member be in no batch.
func (q Queue) alone(c *Candidate) bool {
	return slices.ContainsFunc(c.Members, func(m Member) bool {
		e := q.Entry(m.Number)
		return e != nil && e.Alone
	})
}

// accepts reports whether others may stand on a train: no candidate of it is red, and none could not be gone on with before.
func (q Queue) accepts(train []*Candidate) bool {
	return !slices.ContainsFunc(train, func(c *Candidate) bool {
		return q.caseOf(c.ID) != nil || slices.ContainsFunc(c.Members, func(m Member) bool {
			e := q.Entry(m.Number)
			return e != nil && e.Aside.own()
		})
	})
}

// nextProbe is the next round of a case, or nil.
func (q Queue) nextProbe(cases findings) *Probe {
	for _, parted := range []bool{false, true} { // first what others wait for
		for _, f := range cases {
			if f.parted == parted && len(f.want) > 0 && !q.probing(f.ID) {
				return &Probe{ID: q.Next + 1, Of: f.ID, Trials: f.want}
			}
		}
	}
	return nil
}

// line lists who waits to be in a candidate, in order.
func (q Queue) line(now time.Time, p Policy, not map[Number]bool) []*Entry {
	flight := map[Number]bool{}
	for _, c := range q.Candidates {
		if !c.ended() && c.Of == 0 {
			for _, m := range c.Members {
				flight[m.Number] = true
			}
		}
	}
	var line []*Entry
	for _, e := range q.Entries {
		if e.waiting() && !flight[e.Number] && !not[e.Number] && (e.Aside == nil || !now.Before(e.Aside.NotTill)) && len(conditions(e, p)) == 0 && len(q.waits(e, now, p)) == 0 {
			line = append(line, e)
		}
	}
	slices.SortFunc(line, precedes)
	return line
}

// group is who of the line comes next into one candidate: the first, as many as it takes to spread all who wait over most of the free
// runs. Nobody: a long train is not made longer for so few.
// Where that is a single run, who was in a red one for the fault of others is not in one with many new ones again: it must land at some
// time.
func (q Queue) group(line []*Entry, waiting int, p Policy, free int, train []*Candidate) []*Entry {
	if len(line) == 0 {
		return nil
	}
	if p.TestEach == TestChange {
		return line[:1]
	}
	members := 0
	for _, c := range train {
		members += len(c.Members)
	}
	groups := max(min((free*spread+99)/100, mostTrain-len(train)), 1)
	size := min((waiting+groups-1)/groups, p.batch())
	if size < min(p.batch(), members/pace) && line[0].Priority < PriorityHotfix {
		return nil
	}
	size = min(size, len(line))
	for i, e := range line[:size] {
		if e.single() || i > 0 && groups == 1 && len(train) == 0 && line[i-1].Cleared && !e.Cleared && q.Estimates.anyBad(line[i:size]) > risky {
			return line[:max(i, 1)]
		}
	}
	return line[:size]
}

// yields is the candidate that gives its run up to a hotfix: the one that everything else stands below, and never the head of the
// queue. nil: none does.
func (q Queue) yields(train []*Candidate) *Candidate {
	for i := len(train) - 1; i > 0; i-- {
		c := train[i]
		urgent := slices.ContainsFunc(c.Members, func(m Member) bool {
			e := q.Entry(m.Number)
			return e != nil && e.Priority >= PriorityHotfix
		})
		if urgent || q.caseOf(c.ID) != nil {
			return nil
		}
		if c.State == CandidateTesting {
			return c
		}
	}
	return nil
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
		if c == nil || c.State != CandidateLanding && (!q.moving(now, p) || q.moot(c, now, p) != "") {
			plan = append(plan, PutBack{HeadMove{Number: e.Number, Repo: e.HeadRepo, Branch: e.Branch, From: e.Displaced, To: e.Head}})
		}
	}
	return plan
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
	if red := q.RedTrunk(); red != nil {
		consider(red.NotTill)
	}
	for _, c := range q.Candidates {
		consider(c.NotTill)
	}
	for _, e := range q.Entries {
		if e.Aside != nil && e.State == Queued {
			consider(e.Aside.NotTill)
		}
		if e.State == Queued {
			consider(e.NotBefore)
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
func (q Queue) moot(c *Candidate, now time.Time, p Policy) string {
	return q.mootBy(c, now, p, p.Areas.Digest())
}

// mootBy is moot, with the digest of the policy's areas at hand.
func (q Queue) mootBy(c *Candidate, now time.Time, p Policy, rules string) string {
	if !q.grounded(c) {
		if c.Below == 0 {
			return sayMootTrunk(q.Tip)
		}
		return sayMootBelow(c.Below)
	}
	if c.Apart != nil && q.forsaken(c, now, p) {
		return sayMootUnder()
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
	if n, r := q.premature(c, now); r.Text != "" {
		return sayMootCondition(n, r)
	}
	if c.Of == 0 && c.Apart.otherwise(rules) {
		return sayMootAreas()
	}
	if !p.Recipe.Empty() && c.Of == 0 && !c.Recipe.same(p.Recipe) {
		return sayMootRecipe() // the change that changed it has landed, and what stands on it was tested as before that
	}
	return ""
}

func (p Policy) style() Style {
	if p.Style == "" {
		return StyleRebase
	}
	return p.Style
}

// window is how many runs a lane may have at a time.
func (p Policy) window() int { return max(p.Window, 1) }

// batch is how many members a candidate may have.
func (p Policy) batch() int {
	if p.Batch < 1 {
		return mostMembers
	}
	return p.Batch
}
