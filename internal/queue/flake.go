package queue

import (
	"slices"
	"time"
)

// Flake is one observation of chance: something that failed on a commit and passed on the very same one.
type Flake struct {
	At        time.Time     `json:"at"`
	Step      string        `json:"step"`
	Test      string        `json:"test,omitempty"` // empty: the step tells of no tests, and failed as a whole
	Candidate CandidateID   `json:"candidate"`      // whose run showed that it passes
	Run       int           `json:"run"`
	Commit    SHA           `json:"commit"`
	Cost      time.Duration `json:"cost"` // its share of the run that it took to find out
}

// flaked takes in that some names of a case passed on the commit on which they had failed, in a run of a candidate or of a trial.
func (q *Queue) flaked(k *Case, c *Candidate, v Verdict, names []string, at time.Time) {
	for _, n := range names {
		f := Flake{
			At: at, Step: k.Red.Step, Test: n, Candidate: c.ID, Run: c.Run, Commit: k.top(), Cost: v.Took / time.Duration(len(names)),
		}
		if n == k.Red.Step {
			f.Test = ""
		}
		q.Flakes = append(slices.Clip(q.Flakes), f)
	}
}

// cleared are those of a case's names of which a red run of the same step shows that they pass.
func (k *Case) cleared(v Verdict) (names []string) {
	if v.Outcome != Red || v.Step != k.Red.Step || v.Partial || len(v.Failed) == 0 {
		return nil
	}
	for _, n := range k.Names {
		if n != v.Step && !v.fails(n) && (v.Asked == nil || slices.Contains(v.Asked, n)) {
			names = append(names, n)
		}
	}
	return names
}
