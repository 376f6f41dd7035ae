package main

import (
	"fmt"
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
