package main

import (
	"fmt"

	"lander/internal/queue"
	"lander/internal/web"
)

const (
	shortLog    = "What the newest test run of pull request N wrote"
	shortRepro  = "Do test run RUN once more, here: the same commit and recipe, as \"show\" lists them"
	usageFollow = "go on until the run ends; exit status 0 only if it is green"
)

func errNoLog(r web.RunView) error {
	return fmt.Errorf("there is no log of run %d.%d there: another lander ran it, or it was deleted", r.Candidate, r.Run)
}

func errNoRun(n queue.Number) error { return fmt.Errorf("%v has not been tested yet", n) }

func errNotGreen(r web.RunView) error {
	if r.Verdict == nil {
		return fmt.Errorf("run %d.%d ended without a verdict", r.Candidate, r.Run)
	}
	if r.Verdict.Reason == "" {
		return fmt.Errorf("run %d.%d is %s", r.Candidate, r.Run, r.Verdict.Outcome)
	}
	return fmt.Errorf("run %d.%d is %s: %s", r.Candidate, r.Run, r.Verdict.Outcome, clean(r.Verdict.Reason))
}

func errRunID(given string) error {
	return fmt.Errorf("%q is no run; name it as \"lander show\" does, as in 12.1", given)
}

func errNotGreenHere(v queue.Verdict) error {
	return fmt.Errorf("it is %s here: %s", v.Outcome, clean(v.Reason))
}
