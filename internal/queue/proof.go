package queue

import "slices"

// A run may leave out the steps that are known to pass on the very same commit. What it then shows is only a part: the verdict that a
// candidate passes by speaks of every step of its recipe, and names the run that each result is of.

// shows reports whether a verdict has a green result of a step.
func (v Verdict) shows(step string) bool {
	return slices.ContainsFunc(v.Steps, func(s StepResult) bool { return s.Name == step && s.Exit == 0 })
}

// completed is a green verdict with the results of the steps that its run left out, as earlier runs of the same commit have them; k is
// the case of that commit, or nil. Where they are not to be had it is green no more: what is not known is never green.
func (v Verdict) completed(r Recipe, k *Case) Verdict {
	if v.Outcome != Green {
		return v
	}
	var passed, before []StepResult
	if k != nil {
		passed = k.Passed
	}
	if v.Asked != nil && (k == nil || !covers(v.Asked, k.Names)) {
		v.Outcome, v.Reason = Unmeasured, sayUnasked()
		return v
	}
	for _, name := range r.gates() {
		if v.shows(name) {
			continue
		}
		i := slices.IndexFunc(passed, func(p StepResult) bool { return p.Name == name })
		if i < 0 {
			v.Outcome, v.Reason = Unmeasured, sayUnproven(name)
			return v
		}
		before = append(before, passed[i])
	}
	v.Steps = append(before, v.Steps...)
	return v
}

// passed takes in a red run, and what was green in it.
func (k *Case) passed(run int, v Verdict) {
	k.Red, k.Run, k.Passed = v, run, slices.Clone(k.Passed)
	for _, s := range v.Steps {
		if s.Exit != 0 || s.Run != 0 || v.Asked != nil && !covers(v.Asked, k.Names) {
			continue
		}
		s.Run = run
		if i := slices.IndexFunc(k.Passed, func(p StepResult) bool { return p.Name == s.Name }); i >= 0 {
			k.Passed[i] = s
		} else {
			k.Passed = append(k.Passed, s)
		}
	}
}

// covers reports whether all of some names are among others.
func covers(all, some []string) bool {
	return !slices.ContainsFunc(some, func(n string) bool { return !slices.Contains(all, n) })
}
