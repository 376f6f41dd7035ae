package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Recipe is how a repository's candidates are tested, as its policy file at the base says.
type Recipe struct {
	Setup   []string      `json:"setup,omitempty"` // shell commands, in order, before the steps
	Steps   []Step        `json:"steps,omitempty"` // shell commands, in order; the first that fails ends the run
	Timeout time.Duration `json:"timeout"`         // from the start of the run; 0 means 30 minutes
	Quiet   time.Duration `json:"quiet"`           // longest time without output; 0 means 15 minutes
	Start   time.Duration `json:"start,omitzero"`  // longest wait for a place to run in; 0 means an hour
	// Optional are steps that tell something and gate nothing. They are no part of what has to be green, and of what runs again.
	Optional []Step            `json:"optional,omitempty"`
	Env      map[string]string `json:"env,omitempty"`    // environment of all commands
	Checks   []Check           `json:"checks,omitempty"` // run elsewhere, beside the steps or instead of them; each has to be green
	// Retries is how often what failed runs again on the same commit before it counts; 0 means once, below 0: not at all.
	Retries int `json:"retries,omitempty"`
	// Reuse is how long a green run counts for the same tree when that comes up again; 0 means a week, below 0: not at all.
	Reuse time.Duration `json:"reuse,omitempty"`
	// Labels are what a worker must have to run it, as ParseLabels gives them.
	Labels []string `json:"labels,omitempty"`
}

// Step is one gating command of a recipe.
type Step struct {
	Name string `json:"name"`
	Run  string `json:"run"` // handed to sh -c in the root of the checkout
	// Needs are the steps before it that it builds on. nil means all of them, and an empty list none: it can run in a checkout as it is.
	Needs   []string `json:"needs,omitzero"`
	Results Results  `json:"results,omitzero"`
	// Rerun runs only the tests that failed. Empty: the whole step runs again, unless Run is such that it can be worked out.
	Rerun string `json:"rerun,omitempty"`
	// Network says that it may reach the network, as setup may.
	Network bool `json:"network,omitempty"`
	// Timeout and Quiet bound it beside the recipe's own. 0: these alone do.
	Timeout time.Duration `json:"timeout,omitzero"`
	Quiet   time.Duration `json:"quiet,omitzero"`
	// Paths are globs of the files that it depends on, from the root of the repository; nil: it may depend on any.
	Paths []string `json:"paths,omitempty"`
	// Env is more environment for it.
	Env map[string]string `json:"env,omitempty"`
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// EnvName reports whether a recipe may set a variable of that name: lander's own are not for it to set.
func EnvName(name string) bool {
	return envName.MatchString(name) && !strings.HasPrefix(name, "LANDER_") && name != "HOME" && name != "TMPDIR"
}

// Results say where a step tells which of its tests failed. The zero Results: nowhere, and the step fails as a whole.
type Results struct {
	Format ResultFormat `json:"format"`
	Files  string       `json:"files,omitempty"` // of JUnit: the reports, as a pattern of paths in the checkout, where ** is any directories
}

// ResultFormat is a way to tell of tests.
type ResultFormat string

const (
	ResultsGo    ResultFormat = "go-json" // what "go test -json" writes, in the step's output
	ResultsJUnit ResultFormat = "junit"   // XML files that the step writes
	ResultsTAP   ResultFormat = "tap"     // the Test Anything Protocol, in the step's output
)

func (s Step) same(o Step) bool {
	return s.Name == o.Name && s.Run == o.Run && s.Results == o.Results && s.Rerun == o.Rerun && s.Network == o.Network &&
		s.Timeout == o.Timeout && s.Quiet == o.Quiet && maps.Equal(s.Env, o.Env) && slices.Equal(s.Paths, o.Paths) &&
		(s.Needs == nil) == (o.Needs == nil) && slices.Equal(s.Needs, o.Needs)
}

// retries is how often what failed runs again before it counts.
func (r Recipe) retries() int {
	if r.Retries == 0 {
		return 1
	}
	return max(r.Retries, 0)
}

// Empty reports that the recipe tests nothing, so that nothing may land by it.
func (r Recipe) Empty() bool { return len(r.Steps) == 0 && len(r.Checks) == 0 }

// same reports whether two recipes test the same in the same way.
func (r Recipe) same(o Recipe) bool {
	return r.Timeout == o.Timeout && r.Quiet == o.Quiet && r.Start == o.Start && r.Retries == o.Retries && r.Reuse == o.Reuse && slices.Equal(r.Setup, o.Setup) && slices.EqualFunc(r.Steps, o.Steps, Step.same) &&
		slices.EqualFunc(r.Optional, o.Optional, Step.same) && maps.Equal(r.Env, o.Env) && slices.Equal(r.Checks, o.Checks) && slices.Equal(r.Labels, o.Labels)
}

// from is the recipe without what need not run again when a step failed: the steps before it, but for those that it and the steps
// after it build on. Steps and checks run side by side: where it is a check that failed, the steps are left out if all of them have passed.
func (r Recipe) from(step string, passed []StepResult) Recipe {
	r.Optional = nil
	if r.check(step) {
		if !slices.ContainsFunc(r.Steps, func(s Step) bool {
			return !slices.ContainsFunc(passed, func(p StepResult) bool { return p.Name == s.Name })
		}) {
			r.Setup, r.Steps = nil, nil
		}
		return r
	}
	i := slices.IndexFunc(r.Steps, func(s Step) bool { return s.Name == step })
	if i < 0 {
		return r
	}
	need := make(map[string]bool, len(r.Steps))
	for j := len(r.Steps) - 1; j >= 0; j-- {
		s := r.Steps[j]
		switch {
		case j < i && !need[s.Name]:
			continue
		case s.Needs == nil:
			return r.with(need, j)
		}
		need[s.Name] = true
		for _, n := range s.Needs {
			need[n] = true
		}
	}
	return r.with(need, -1)
}

// with is the recipe with the steps up to a place, and of the others those that are needed.
func (r Recipe) with(need map[string]bool, upTo int) Recipe {
	var steps []Step
	for j, s := range r.Steps {
		if j <= upTo || need[s.Name] {
			steps = append(steps, s)
		}
	}
	r.Steps = steps
	return r
}

// upTo is the recipe without what comes after a step, which is all that it takes to see whether that one passes. Of a check it is that one
// alone.
func (r Recipe) upTo(step string) Recipe {
	r.Optional = nil
	if i := slices.IndexFunc(r.Checks, func(c Check) bool { return c.Name == step }); i >= 0 {
		r.Setup, r.Steps, r.Checks = nil, nil, r.Checks[i:i+1:i+1]
		return r
	}
	r.Checks = nil
	if i := slices.IndexFunc(r.Steps, func(s Step) bool { return s.Name == step }); i >= 0 {
		r.Steps = r.Steps[: i+1 : i+1]
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
