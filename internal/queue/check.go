package queue

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// RunPrefix begins the names of the branches to which candidates are pushed, for the checks that are run elsewhere.
const RunPrefix = "lander/run/"

// Check is a gating check of a recipe that is not run by lander but by an app of the forge, on the very commit. In a verdict it is one step
// among the others.
type Check struct {
	Name string `json:"name"`
	// App is whose word counts: the slug of a GitHub App, or @ and the login of a user who sets commit statuses.
	App     string        `json:"app"`
	Timeout time.Duration `json:"timeout,omitempty"` // from the push; 0 means an hour
}

// CheckRun is what was told of a check at one commit: a check run, or a commit status.
type CheckRun struct {
	CheckRef
	Name       string
	Commit     SHA    // that it is of
	Conclusion string // as the forge has it; empty: it is not over
	Began      time.Time
}

// CheckRef is one result of a check. It tells it from a later one.
type CheckRef struct {
	ID     int64     `json:"id"`
	App    string    `json:"app"`              // as Check has it
	Status bool      `json:"status,omitempty"` // it is a commit status, which nobody but who set it can have again
	Ended  time.Time `json:"ended,omitzero"`
	URL    string    `json:"url,omitempty"` // where people read of it
}

// Same reports whether two are one result, as often as it is read.
func (r CheckRef) Same(o CheckRef) bool {
	return r.ID == o.ID && r.Status == o.Status && r.Ended.Equal(o.Ended)
}

// check reports whether a name is that of a check.
func (r Recipe) check(name string) bool {
	return slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Name == name })
}

// gates names what has to be green: the steps, then the checks.
func (r Recipe) gates() []string {
	names := make([]string, 0, len(r.Steps)+len(r.Checks))
	for _, s := range r.Steps {
		names = append(names, s.Name)
	}
	for _, c := range r.Checks {
		names = append(names, c.Name)
	}
	return names
}

// past is the result that a run is to make up for: that of a check which was not green on the very same commit. Reading it again would tell
// nothing new.
func (q Queue) past(c *Candidate) *CheckRef {
	if k := q.caseOf(c.Of); k != nil {
		if c.Built.SHA == k.top() {
			return k.Red.Check
		}
		return nil
	}
	if c.Verdict != nil && c.Verdict.Check != nil { // after trouble elsewhere
		return c.Verdict.Check
	}
	if k := q.caseOf(c.ID); k != nil {
		return k.Red.Check
	}
	return nil
}

// RunBranch names the branch to which a candidate is pushed. It tells the commit, so that what stands under such a name is known to be
// lander's own.
func (l Lane) RunBranch(id CandidateID, sha SHA) string {
	return fmt.Sprintf("%s%d.%s", l.runPrefix(), id, shortOf(sha))
}

// RunOf is the candidate whose branch a branch of the lane is; ok is false where it is none of lander's.
func (l Lane) RunOf(branch string, at SHA) (id CandidateID, ok bool) {
	rest, ok := strings.CutPrefix(branch, l.runPrefix())
	number, short, cut := strings.Cut(rest, ".")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || !cut || err != nil || n < 1 || short != shortOf(at) || l.RunBranch(CandidateID(n), at) != branch {
		return 0, false
	}
	return CandidateID(n), true
}

// runPrefix has no dot but the last, and no slash after lander's own, whatever the trunk is called.
func (l Lane) runPrefix() string {
	var trunk strings.Builder
	for _, b := range []byte(l.Trunk) {
		if b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' {
			trunk.WriteByte(b)
		} else {
			fmt.Fprintf(&trunk, "_%02x", b)
		}
	}
	return RunPrefix + trunk.String() + "."
}

func shortOf(sha SHA) string { return string(sha[:min(len(sha), 12)]) }

// ErrUnwanted is why a run is cancelled whose result nobody waits for any more. A run that ends with lander has another reason: the next
// lander goes on with what it left.
var ErrUnwanted = errors.New("the result is no longer wanted")

// ErrHidden says that the forge answers, and does not show lander what was told of a commit.
var ErrHidden = errors.New("lander may not read it")

// ErrNoRerun says that nobody but its own app can run a check once more on the same commit.
var ErrNoRerun = errors.New("it cannot be run again from here")
