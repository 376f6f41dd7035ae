package queue

import "slices"

// A run may leave out the steps that are known to pass on the very same commit. What it then shows is only a part: the verdict that a
// candidate passes by speaks of every step of its recipe, and names the run that each result is of.

// proves reports whether a green verdict shows every step of a recipe, each of them green.
func (v Verdict) proves(r Recipe) bool {
	return v.Outcome == Green &&
		!slices.ContainsFunc(v.Steps, func(s StepResult) bool { return s.Exit != 0 }) &&
		!slices.ContainsFunc(r.Steps, func(s Step) bool { return !v.shows(s.Name) })
}

// shows reports whether a verdict has a green result of a step.
func (v Verdict) shows(step string) bool {
	return slices.ContainsFunc(v.Steps, func(s StepResult) bool { return s.Name == step && s.Exit == 0 })
}

// completed is a green verdict with the results of the steps that its run left out, which an earlier run of the same commit has. Where
// they are not to be had it is green no more: what is not known is never green.
func (v Verdict) completed(r Recipe, first Verdict, run int) Verdict {
	if v.Outcome != Green {
		return v
	}
	var before []StepResult
	for _, s := range r.Steps {
		if v.shows(s.Name) {
			continue
		}
		i := slices.IndexFunc(first.Steps, func(f StepResult) bool { return f.Name == s.Name && f.Exit == 0 && f.Run == 0 })
		if i < 0 {
			v.Outcome, v.Reason = Unmeasured, sayUnproven(s.Name)
			return v
		}
		f := first.Steps[i]
		f.Run = run
		before = append(before, f)
	}
	v.Steps = append(before, v.Steps...)
	return v
}
