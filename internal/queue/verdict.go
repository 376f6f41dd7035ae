package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// Outcome is what a test run says of a candidate. The zero Outcome is Unmeasured: unknown is never green.
type Outcome string

const (
	Unmeasured Outcome = ""          // nothing trustworthy is known
	Green      Outcome = "green"     // every step ran and exited 0
	Red        Outcome = "red"       // a step failed, or hit a limit that the suite itself is bound by
	TimedOut   Outcome = "timed out" // the run outlived its recipe's timeout or quiet limit
	Infra      Outcome = "infra"     // the host failed, not the change: worth another run
	Cancelled  Outcome = "cancelled" // stopped because its result was no longer wanted
)

// Verdict is an outcome with the facts people need to understand it.
type Verdict struct {
	Outcome  Outcome      `json:"outcome"`
	Reason   string       `json:"reason,omitempty"`   // one sentence; empty when green, unless nothing had to run
	Step     string       `json:"step,omitempty"`     // the step that decided it: its name, or "setup"
	Exit     int          `json:"exit,omitempty"`     // its exit status; 128+n when signal n killed it
	Tail     []string     `json:"tail,omitempty"`     // the last lines of its output, control bytes stripped
	Steps    []StepResult `json:"steps,omitempty"`    // every step that was started, in order; before them those of an earlier run
	Optional []StepResult `json:"optional,omitempty"` // the same of the steps that gate nothing
	// Failed names the tests of Step that failed, where its results tell them. Of the tests that a run was asked for it also has those
	// that were not seen to pass.
	Failed  []string `json:"failed,omitempty"`
	Partial bool     `json:"partial,omitempty"` // more may have failed than Failed names
	Asked   []string `json:"asked,omitempty"`   // the only tests of a step that it is of; nil: it is of whole steps
	// Unstarted says of an Infra verdict that there was no room to begin the run. It says nothing of the change, however often.
	Unstarted bool          `json:"unstarted,omitempty"`
	Check     *CheckRef     `json:"check,omitempty"` // where Step is a check: its result; without an ID where there was none
	Took      time.Duration `json:"took"`
	// Environment is the digest of what it ran in; empty: not known.
	Environment string `json:"environment,omitempty"`
	Reused      *Reuse `json:"reused,omitempty"` // nil: it was found out by a run of its own
}

// failed names what failed, and all of it: tests, or else the step.
func (v Verdict) failed() []string {
	switch {
	case v.Outcome == Green:
		return nil
	case len(v.Failed) > 0 && !v.Partial:
		return v.Failed
	}
	return []string{v.Step}
}

// fails reports whether a test is among those that failed, or a step is the one that did.
func (v Verdict) fails(name string) bool {
	return v.Outcome != Green && (v.Step == name || slices.Contains(v.Failed, name))
}

// about is a verdict without the tests that failed for another reason.
func (v *Verdict) about(names []string) *Verdict {
	own := slices.DeleteFunc(slices.Clone(v.Failed), func(n string) bool { return !slices.Contains(names, n) })
	if len(own) == 0 || len(own) == len(v.Failed) {
		return v
	}
	is := *v
	is.Failed = own
	return &is
}

// Digest identifies the verdict: what the ledger names is what the database holds.
func (v Verdict) Digest() string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// StepResult is one step of a run that was started, or was not needed.
type StepResult struct {
	Name string        `json:"name"`
	Exit int           `json:"exit"` // -1: it was interrupted, or its results tell of failures though it exited with 0
	Took time.Duration `json:"took"`
	Run  int           `json:"run,omitempty"` // the earlier run of the same candidate that it is of; 0: the verdict's own
	// Skipped says that it was not needed and did not run, and why. Its Exit is then 0.
	Skipped string `json:"skipped,omitempty"`
	Why     string `json:"why,omitempty"` // of an optional step: why it did not pass
}
