package forge

import (
	"fmt"
	"strings"

	"lander/internal/queue"
)

// What is said of the steps of a run.

func sayStep(r queue.StepResult) string {
	if r.Skipped != "" {
		return code(clip(r.Name, 100)) + " (not needed)"
	}
	s := code(clip(r.Name, 100)) + " " + duration(r.Took)
	switch {
	case r.Exit < 0:
		s += " (did not pass)"
	case r.Exit > 0:
		s += fmt.Sprintf(" (exit status %d)", r.Exit)
	}
	if r.Run != 0 {
		s += fmt.Sprintf(" (in run %d)", r.Run)
	}
	return s
}

func saySteps(steps []string) string { return "Steps: " + strings.Join(steps, ", ") + "." }

// sayOptional tells of steps that gate nothing; empty: all of them passed.
func sayOptional(results []queue.StepResult) string {
	var failed []string
	for i, r := range results {
		if r.Exit == 0 {
			continue
		}
		if i == mostSteps {
			failed = append(failed, sayMore(len(results)-i))
			break
		}
		failed = append(failed, sayStep(r))
	}
	switch len(failed) {
	case 0:
		return ""
	case 1:
		return "An optional step did not pass, which holds nothing up: " + failed[0] + "."
	}
	return "Optional steps did not pass, which holds nothing up: " + strings.Join(failed, ", ") + "."
}

// sayPassed says which steps of a green run passed.
func sayPassed(results []queue.StepResult) string {
	if sayUnneeded(results) != "" {
		return "every step that ran passed"
	}
	return "every step passed"
}

// sayUnneeded tells of steps that did not run; empty: all did.
func sayUnneeded(results []queue.StepResult) string {
	var names []string
	for _, r := range results {
		if r.Skipped != "" {
			names = append(names, code(clip(r.Name, 100)))
		}
	}
	switch {
	case len(names) == 0:
		return ""
	case len(names) == len(results):
		return "No step had to run: nothing that any of them depends on differs from trunk."
	case len(names) == 1:
		return "Step " + names[0] + " was not needed, and did not run: nothing that it depends on differs from trunk."
	}
	if more := len(names) - mostSteps; more > 0 {
		names = append(names[:mostSteps], fmt.Sprintf("%d more", more))
	}
	return "Steps " + list(names) + " were not needed, and did not run: nothing that they depend on differs from trunk."
}
