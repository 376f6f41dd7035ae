package queue

import "slices"

// A step may say of which files it depends. Where none of these differs between trunk and what would be trunk, it would say what it says of
// trunk, and is not run. What counts is trunk as it is, and not the candidate below: that one may never land, and a green run lands all that
// it stands on, so that all of it has to be in the difference. On trunk in turn the step passed, or was not needed, when that landed.

// Unneeded are the steps of a recipe that a run leaves out, and a sentence for each that says why.
type Unneeded map[string]string

// Keep has a step run after all, if there is one of that name, and everything that a step which runs names in its needs.
func (u Unneeded) Keep(r Recipe, step string) {
	delete(u, step)
	for _, s := range slices.Backward(slices.Concat(r.Steps, r.Optional)) { // needs name steps before
		if u[s.Name] == "" {
			for _, n := range s.Needs {
				delete(u, n)
			}
		}
	}
}

// Without is the recipe that is left. Where nothing gates any more, nothing is.
func (r Recipe) Without(u Unneeded) Recipe {
	left := func(steps []Step) []Step {
		return slices.DeleteFunc(slices.Clone(steps), func(s Step) bool { return u[s.Name] != "" })
	}
	if r.Steps = left(r.Steps); r.Empty() {
		return Recipe{}
	}
	r.Optional = left(r.Optional)
	return r
}

// Tell adds to a verdict, by what was left of a recipe, the steps that were left out.
func (u Unneeded) Tell(r Recipe, v Verdict) Verdict {
	v.Steps, v.Optional = slices.Clip(v.Steps), slices.Clip(v.Optional)
	for _, s := range r.Steps {
		if why := u[s.Name]; why != "" {
			v.Steps = append(v.Steps, StepResult{Name: s.Name, Skipped: why})
		}
	}
	for _, s := range r.Optional {
		if why := u[s.Name]; why != "" {
			v.Optional = append(v.Optional, StepResult{Name: s.Name, Skipped: why})
		}
	}
	return v
}

// Verdict is that of a run of which nothing is left.
func (u Unneeded) Verdict(r Recipe) Verdict {
	return u.Tell(r, Verdict{Outcome: Green, Reason: sayUnneeded()})
}

// unneeded names the steps that did not run because they were not needed.
func (v Verdict) unneeded() (names []string) {
	for _, s := range v.Steps {
		if s.Skipped != "" {
			names = append(names, s.Name)
		}
	}
	return names
}
