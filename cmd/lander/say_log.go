package main

import (
	"fmt"

	"lander/internal/queue"
	"lander/internal/web"
)

const (
	shortLog    = "What the newest test run of pull request N wrote"
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
