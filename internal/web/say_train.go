package web

import (
	"fmt"

	"lander/internal/queue"
)

// What the pages say of red runs.

// sayFailed tells of a candidate whose run was red; empty: it was not.
func sayFailed(c CandidateView) string {
	if len(c.Failed) == 0 {
		return ""
	}
	what := list(fewWords(c.Failed, 3))
	switch {
	case c.Sure:
		return fmt.Sprintf("%s failed twice; whose fault that is is being found out. Only who broke it leaves the queue.", what)
	case c.State == queue.CandidateTesting:
		return what + " failed, and runs again on the same commit, for it may have been chance."
	}
	return what + " failed, and is about to run again on the same commit, for it may have been chance."
}

// sayTrial names what a run was of that was to explain a failure.
func sayTrial(r RunView) string {
	if r.With != 0 {
		return fmt.Sprintf("a trial of %v", r.With)
	}
	return "a trial"
}

// sayProbe says what a probe tries out.
func sayProbe(p ProbeView) string {
	on := "trunk as it is"
	if p.Upto != 0 {
		on = fmt.Sprintf("trunk with all up to %v", p.Upto)
	}
	what := "what failed runs again on " + on
	if p.With != 0 {
		what = fmt.Sprintf("what failed runs again with %v on %s", p.With, on)
	}
	if p.State == queue.CandidateBuilt {
		return what + ", soon"
	}
	return what
}

func fewWords(words []string, most int) []string {
	if len(words) <= most {
		return words
	}
	return append(words[:most:most], fmt.Sprintf("%d more", len(words)-most))
}
