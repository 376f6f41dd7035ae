package queue

import (
	"slices"
	"time"
)

// Case is the search for whose fault a red run is. What failed, and only that, runs again: on the very commit, for it may have been
// chance, and on commits between it and trunk. The first commit on which a test fails names who broke it. That one is then tested
// without those ahead of it: if it passes alone, it and one of them are red only together, and the same search among them tells which.
//
// A case outlives its candidate: what it finds out is worth knowing also when the train goes on without it.
type Case struct {
	ID      CandidateID `json:"id"`             // of the candidate whose run was red
	Names   []string    `json:"names"`          // what failed
	Recipe  Recipe      `json:"recipe"`         // what runs again
	Chain   []Boundary  `json:"chain"`          // from trunk, which has no member, to the candidate's last member
	Results []Result    `json:"results"`        // of trials
	Sure    bool        `json:"sure"`           // it failed on the same commit again
	Red     Verdict     `json:"red"`            // of the candidate's newest red run
	Run     int         `json:"run"`            // which one that is
	Reds    int         `json:"reds,omitempty"` // red runs of it after the first
	// Passed is what has been green on the very commit, and in which run: a run of what failed need not show it again.
	Passed []StepResult `json:"passed,omitempty"`
	Apart  bool         `json:"apart,omitempty"` // other candidates hold the same changes as other commits
	At     time.Time    `json:"at"`
}

// Boundary is a commit up to which some of a train's members are on trunk, and the newest of these.
type Boundary struct {
	Member Member `json:"member"`
	SHA    SHA    `json:"sha"`
}

// Trial is one thing to test: a commit as it is, or with one member more on top of it.
type Trial struct {
	Base   SHA    `json:"base"`
	Member Member `json:"member,omitzero"`
}

// open begins the case of a candidate whose run was red.
func (q *Queue) open(c *Candidate, v Verdict, at time.Time) {
	k := &Case{ID: c.ID, Names: v.failed(), At: at, Chain: []Boundary{{SHA: q.Tip}}, Sure: c.Recipe.retries() == 0}
	k.passed(c.Run, v)
	k.Recipe = c.Recipe.from(v.Step, k.Passed)
	below := q.below(c)
	if c.Apart != nil {
		below = []*Candidate{q.Whole(c)}
		k.Apart, k.Chain[0].SHA = true, c.Base
	}
	for _, d := range below {
		last := map[Number]SHA{}
		for _, bc := range d.Built.Commits {
			last[bc.Member] = bc.SHA
		}
		for _, m := range d.Members {
			if sha := last[m.Number]; sha != "" {
				k.Chain = append(k.Chain, Boundary{m, sha})
			}
		}
	}
	q.Cases = append(slices.Clip(q.Cases), k)
}

func (q Queue) caseOf(id CandidateID) *Case {
	for _, k := range q.Cases {
		if k.ID == id {
			return k
		}
	}
	return nil
}

func (q *Queue) editCase(id CandidateID, change func(*Case)) {
	for i, k := range q.Cases {
		if k.ID == id {
			d := *k
			d.Results = slices.Clone(d.Results)
			change(&d)
			q.Cases = slices.Clone(q.Cases)
			q.Cases[i] = &d
			return
		}
	}
}

func (q *Queue) closeCase(id CandidateID) {
	q.Cases = slices.DeleteFunc(slices.Clone(q.Cases), func(k *Case) bool { return k.ID == id })
}

// acquit ends the case of a candidate that is green after all.
func (q *Queue) acquit(c *Candidate, v Verdict, at time.Time) {
	if k := q.caseOf(c.ID); k != nil {
		q.flaked(k, c, v, k.Names, at)
		q.closeCase(c.ID)
		q.learnRed(false)
	}
}

// suspect takes in a red run: the first opens a case, and as many more on the same commit as the recipe says make it sure.
func (q *Queue) suspect(c *Candidate, v Verdict, at time.Time) {
	q.move(c.ID, func(c *Candidate) { c.State, c.Since, c.Verdict = CandidateRed, at, &v })
	if k := q.caseOf(c.ID); k == nil {
		q.open(c, v, at)
	} else {
		q.flaked(k, c, v, k.cleared(v), at)
		q.editCase(k.ID, func(k *Case) { k.again(c, v) })
		q.learnRed(true)
	}
	q.livingAll(c, at)
}

// again takes in one more red run of the same commit. Sure is only what fails every time: what failed once may have been chance, unless
// it is always something else.
func (k *Case) again(c *Candidate, v Verdict) {
	var names []string
	if v.Step == k.Red.Step {
		names = slices.DeleteFunc(slices.Clone(k.Names), func(name string) bool { return !v.fails(name) })
	}
	k.passed(c.Run, v)
	k.Reds++
	retries := c.Recipe.retries()
	if k.Sure = len(names) > 0 && k.Reds >= retries || c.Run >= max(sureRuns, retries+1); len(names) == 0 {
		names = v.failed()
	}
	if r := c.Recipe.from(v.Step, k.Passed); !r.same(k.Recipe) {
		k.Recipe, k.Results = r, nil // what was run elsewhere has not come to that step, or not begun before it
	}
	k.Names = names
}

// probed begins trials.
func (q *Queue) probed(ev ProbesMade) {
	k := q.caseOf(ev.Of)
	if k == nil || ev.ID != q.Next+1 || q.probing(ev.Of) {
		return
	}
	for _, p := range ev.Probes {
		if p.Built.SHA == "" { // it does not even apply there
			if k.tried(p.Trial) {
				continue
			}
			q.editCase(k.ID, func(k *Case) { k.Results = append(k.Results, Result{Trial: p.Trial, Failed: k.Names}) })
			continue
		}
		q.Next++
		q.Candidates = append(slices.Clip(q.Candidates), &Candidate{
			ID: q.Next, Base: p.Trial.Base, Of: ev.Of, Trial: p.Trial, At: ev.At, Built: p.Built, Recipe: k.Recipe, State: CandidateBuilt, Since: ev.At,
		})
	}
}

// forget gives a case up. Nobody is to blame then: who was in its candidate is tested anew.
func (q *Queue) forget(ev CaseForgotten) {
	if q.caseOf(ev.ID) == nil {
		return
	}
	q.closeCase(ev.ID)
	q.record(ev.At, 0, ev.ID, "case given up", sayForgotten())
	if c := q.Candidate(ev.ID); c != nil && c.State == CandidateRed {
		q.end(c, CandidateAbandoned, sayForgotten(), ev.At)
		q.livingAll(c, ev.At)
	}
}

// probing reports whether trials of a case are under way.
func (q Queue) probing(of CandidateID) bool {
	return slices.ContainsFunc(q.Candidates, func(c *Candidate) bool { return c.Of == of && !c.ended() })
}

// probeReported takes in what failed in a trial.
func (q *Queue) probeReported(c *Candidate, v Verdict, at time.Time) {
	k := q.caseOf(c.Of)
	switch {
	case k != nil && !c.Recipe.same(k.Recipe):
		q.end(c, CandidateAbandoned, "", at) // something else is looked for by now
	case v.Outcome == Green, (v.Outcome == Red || v.Outcome == TimedOut) && (k == nil || v.Step == k.Red.Step || v.shows(k.Red.Step)):
		q.move(c.ID, func(c *Candidate) { c.Verdict = &v })
		q.end(q.Candidate(c.ID), CandidateFailed, "", at)
		q.editCase(c.Of, func(k *Case) {
			r := Result{Trial: c.Trial, Asked: v.Asked}
			if v.Outcome != Green {
				r.Failed, r.Verdict = v.failed(), &v
			}
			k.Results = append(k.Results, r)
		})
		if r := (Result{Trial: c.Trial, Asked: v.Asked, Failed: v.failed(), Verdict: &v}); k != nil && c.Trial == (Trial{Base: k.top()}) {
			passed := slices.DeleteFunc(slices.Clone(k.Names), func(n string) bool { return r.tells(n) != Green })
			q.flaked(k, c, v, passed, at)
		}
		q.doubt(c.Of)
	case v.Outcome == Cancelled:
		q.move(c.ID, func(c *Candidate) { c.State, c.Since = CandidateBuilt, at })
	case c.Run >= infraTries && !v.Unstarted:
		q.vain(c, v.Reason, at)
	default:
		q.move(c.ID, func(c *Candidate) { c.State, c.Since, c.NotTill = CandidateBuilt, at, at.Add(backoff(c.Run)) })
	}
}

// doubt takes back that a candidate is surely red, where nothing of what failed did so when it ran once more: its own run shall tell.
func (q *Queue) doubt(id CandidateID) {
	k := q.caseOf(id)
	if k == nil || !k.Sure {
		return
	}
	i := slices.IndexFunc(k.Results, func(r Result) bool { return r.Trial == Trial{Base: k.top()} })
	if i < 0 || slices.ContainsFunc(k.Names, func(n string) bool { return k.Results[i].tells(n) != Green }) {
		return
	}
	if c := q.Candidate(id); c == nil || c.ended() {
		q.closeCase(id)
		return
	}
	q.editCase(id, func(k *Case) { k.Sure, k.Results = false, slices.Delete(k.Results, i, i+1) })
}

// vain gives a case up that a trial cannot be run for. Who was in its candidate is tried again each alone, which needs no case.
func (q *Queue) vain(c *Candidate, reason string, at time.Time) {
	q.end(c, CandidateAbandoned, reason, at)
	top := q.Candidate(c.Of)
	q.forget(CaseForgotten{ID: c.Of, At: at})
	if top != nil && top.State == CandidateRed {
		q.separate(top, reason, at)
	}
}

// tried reports whether the result of a trial is known.
func (k *Case) tried(t Trial) bool {
	return slices.ContainsFunc(k.Results, func(r Result) bool { return r.Trial == t })
}

// of is the member of a case's chain with that number.
func (k *Case) of(n Number) (m Member) {
	for _, b := range k.Chain {
		if b.Member.Number == n {
			m = b.Member
		}
	}
	return m
}

// top is the commit that was red.
func (k *Case) top() SHA { return k.Chain[len(k.Chain)-1].SHA }

// evidence is the verdict that shows what failed at a commit, or nil.
func (k *Case) evidence(sha SHA) *Verdict {
	for _, r := range k.Results {
		if r.Trial == (Trial{Base: sha}) {
			return r.Verdict
		}
	}
	return nil
}
