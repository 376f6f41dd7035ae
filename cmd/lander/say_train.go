package main

import (
	"fmt"
	"slices"
	"strings"

	"lander/internal/queue"
	"lander/internal/web"
)

// Of trains and red runs.

// sayStage is where a change stands, in a word.
func sayStage(s queue.Standing) string {
	if s.State == queue.CandidateRed {
		return "red"
	}
	return string(s.Stage)
}

// sayTogether names the other changes of a candidate.
func sayTogether(others []queue.Number) string {
	words := make([]string, len(others))
	for i, n := range others {
		words[i] = n.String()
	}
	return "with " + strings.Join(words, ", ")
}

func sayTrial(r web.RunView) string {
	if r.With != 0 {
		return fmt.Sprintf("trial of %v: ", r.With)
	}
	return "trial: "
}

// sayReused says of a run that it was spared, and by which.
func sayReused(candidate queue.CandidateID, run int) string {
	return fmt.Sprintf(", taken over from run %d.%d of the same tree", candidate, run)
}

// sayTests names a few tests that failed.
func sayTests(failed []string, partial bool) string {
	const most = 5
	words := slices.Clone(failed[:min(len(failed), most)])
	if more := len(failed) - len(words); more > 0 {
		words = append(words, fmt.Sprintf("%d more", more))
	}
	if partial {
		words = append(words, "perhaps others")
	}
	return ": " + strings.Join(words, ", ")
}

// sayOptional tells of a step that gates nothing and did not pass.
func sayOptional(s queue.StepResult) string {
	if s.Why != "" {
		return "; optional, and holds nothing up: " + s.Why
	}
	return "; optional, and holds nothing up: " + s.Name + " did not pass"
}
