package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// Recipe is how a repository's candidates are tested, as its policy file at the base says.
type Recipe struct {
	Setup   []string      `json:"setup,omitempty"` // shell commands, in order, before the steps
	Steps   []Step        `json:"steps,omitempty"` // shell commands, in order; the first that fails ends the run
	Timeout time.Duration `json:"timeout"`         // from the start of the run; 0 means 30 minutes
	Quiet   time.Duration `json:"quiet"`           // longest time without output; 0 means 15 minutes
}

// Step is one gating command of a recipe.
type Step struct {
	Name string `json:"name"`
	Run  string `json:"run"` // handed to sh -c in the root of the checkout
}

// Empty reports that the recipe tests nothing, so that nothing may land by it.
func (r Recipe) Empty() bool { return len(r.Steps) == 0 }

// same reports whether two recipes test the same in the same way.
func (r Recipe) same(o Recipe) bool {
	return r.Timeout == o.Timeout && r.Quiet == o.Quiet && slices.Equal(r.Setup, o.Setup) && slices.Equal(r.Steps, o.Steps)
}

// from is the recipe without the steps that come before one: what a run still has to show when those passed.
func (r Recipe) from(step string) Recipe {
	if i := slices.IndexFunc(r.Steps, func(s Step) bool { return s.Name == step }); i > 0 {
		r.Steps = r.Steps[i:]
	}
	return r
}

// Digest identifies the recipe: equal recipes have equal digests, and a verdict names the one it was reached under.
func (r Recipe) Digest() string {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and durations always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
