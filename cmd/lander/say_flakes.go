package main

import (
	"fmt"

	"lander/internal/web"
)

const (
	shortFlakes = "Tests that fail by chance, the dearest first"
	longFlakes  = `Tests that fail by chance, the dearest first: what failed on a commit and passed on the
very same one, in the last 30 days. RATE is how often that was seen against the runs
of the whole step, COST the time of the runs that it took to find out.`

	sayNoFlakes = "Nothing was seen to fail by chance in the last 30 days."
)

// sayFlaky names a test, or a step that tells of none.
func sayFlaky(f web.FlakeView) string {
	if f.Test == "" {
		return "(the step as a whole)"
	}
	return clean(f.Test)
}

func sayChance(rate float64) string { return fmt.Sprintf("%.1f %%", 100*rate) }
