package queue

import "slices"

// Rerun is the tests of a step that are to run again. The zero Rerun: all are.
type Rerun struct {
	Step  string   // of the recipe
	Names []string // as an earlier run of the step named them
	// Proof asks for more where they pass: for as much of the step as shows, together with the run in which they failed, that all of it
	// passes on this commit.
	Proof bool
	// Past is a result that does not count, where there is a newer one to be had: that of a check which was not green on this commit before.
	Past *CheckRef
}

// begin is a run of what is built. A trial is of what failed only.
func (q Queue) begin(c *Candidate) StartRun {
	a := StartRun{Candidate: c, Run: c.Run + 1, Recipe: c.Recipe}
	if k := q.caseOf(c.Of); k != nil {
		a.Recipe, a.Rerun = c.Recipe.upTo(k.Red.Step), k.rerun(false)
	}
	a.Rerun.Past = q.past(c)
	return a
}

// Result is what was found out by a trial.
type Result struct {
	Trial
	Failed  []string `json:"failed,omitempty"`
	Asked   []string `json:"asked,omitempty"`   // of which tests it tells; nil: of all
	Verdict *Verdict `json:"verdict,omitempty"` // nil: nothing failed, or it could not be built
}

// tells is what a result says of a name. What could not be built does not pass, and what was not asked for is not known.
func (r Result) tells(name string) Outcome {
	switch {
	case r.Verdict != nil && r.Verdict.fails(name), r.Verdict == nil && len(r.Failed) > 0, slices.Contains(r.Failed, name):
		return Red
	case r.Asked == nil || slices.Contains(r.Asked, name):
		return Green
	}
	return Unmeasured
}

// rerun is what of a case's recipe runs again: its names, if they are tests.
func (k *Case) rerun(proof bool) Rerun {
	if len(k.Red.Failed) == 0 || slices.Contains(k.Names, k.Red.Step) {
		return Rerun{}
	}
	return Rerun{Step: k.Red.Step, Names: k.Names, Proof: proof}
}
