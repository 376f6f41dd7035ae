package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"time"
)

// What a suite says of a commit follows from the changes that it has.

// puts notes which changes the commits of a candidate have.
func (w *world) puts(base SHA, b Built) {
	w.holds = maps.Clone(w.holds) // a copy of a world goes its own way
	at := base
	for _, c := range b.Commits {
		if has := w.holds[at]; at != c.SHA && !slices.Contains(has, c.Member) {
			w.holds[c.SHA] = append(slices.Clip(has), c.Member)
		}
		at = c.SHA
	}
}

// probed builds trials.
func (w *world) probed(ts []Trial) []Probed {
	var all []Probed
	for _, t := range ts {
		built := Built{SHA: t.Base, Tree: t.Base}
		switch {
		case w.trial != nil && w.trial(t).SHA == "":
			built = Built{}
		case t.Member.Number != 0:
			sum := sha256.Sum256([]byte(text(t)))
			sha := SHA(hex.EncodeToString(sum[:20]))
			built = Built{SHA: sha, Tree: sha, Commits: []BuiltCommit{{SHA: sha, Member: t.Member.Number, From: t.Member.Head}}}
			w.puts(t.Base, built)
		}
		all = append(all, Probed{t, built})
	}
	return all
}

// fault is a test that fails where all of some changes are.
type fault struct {
	test string
	by   []Number // none: it fails on trunk, too
}

// fails is the suite of a world with faults.
func (w *world) fails(faults ...fault) {
	w.suite = func(c *Candidate, _ int) Verdict { return w.verdict(c, faults) }
}

func (w *world) verdict(c *Candidate, faults []fault) Verdict {
	var names []string
	for _, f := range faults {
		if !slices.ContainsFunc(f.by, func(n Number) bool { return !slices.Contains(w.holds[c.Built.SHA], n) }) {
			names = append(names, f.test)
		}
	}
	if len(names) == 0 {
		return green(c, 0)
	}
	v := says(Red, "exit status 1")
	v.Failed = names
	return v
}

// whole is a verdict with the results of the steps that a recipe's run must have come to before it.
func (v Verdict) whole(r Recipe) Verdict {
	if v.Outcome != Green && v.Outcome != Red && v.Outcome != TimedOut {
		return v
	}
	v.Steps = nil
	for _, s := range r.Steps {
		is := StepResult{Name: s.Name, Took: time.Second}
		if v.Outcome != Green && s.Name == v.Step {
			is.Exit = 1
		}
		if v.Steps = append(v.Steps, is); is.Exit != 0 {
			return v
		}
	}
	for _, c := range r.Checks {
		is := StepResult{Name: c.Name, Took: time.Second}
		if v.Outcome != Green && c.Name == v.Step {
			is.Exit = 1
		}
		v.Steps = append(v.Steps, is)
	}
	return v
}

// of is what a run of some tests says where a whole one would say v.
func (v Verdict) of(r Rerun) Verdict {
	if len(r.Names) == 0 || v.Outcome != Green && v.Step != r.Step || v.Outcome != Green && v.Outcome != Red && v.Outcome != TimedOut {
		return v
	}
	failed := slices.DeleteFunc(slices.Clone(r.Names), func(n string) bool { return !v.fails(n) && (v.Outcome == Green || v.Failed != nil) })
	switch {
	case len(failed) > 0:
		v.Failed = failed
	case !r.Proof:
		v = green(nil, 0)
	}
	v.Asked = r.Names
	return v
}

// spoils is a suite that says v wherever a change is.
func (w *world) spoils(n Number, v Verdict) {
	w.suite = func(c *Candidate, run int) Verdict {
		if slices.Contains(w.holds[c.Built.SHA], n) {
			return v
		}
		return green(c, run)
	}
}
