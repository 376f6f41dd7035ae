package queue

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Member is one change inside a candidate, pinned to the head that was approved.
type Member struct {
	Number  Number `json:"number"`
	Head    SHA    `json:"head"`
	Message string `json:"message,omitempty"` // commit message for squash and merge; unused by rebase
}

// BuildRequest says which commit to make. Equal requests give equal commit ids on every machine.
type BuildRequest struct {
	Base    SHA       // required: the trunk tip, or the candidate below
	Under   []Member  // changes ahead that come first and are not its own, where the lane has areas
	Members []Member  // required: in landing order
	Style   Style     // empty means StyleRebase
	At      time.Time // required: committer date of every commit made, to the second
}

// All are the members of the commit, those that are not the candidate's own first.
func (r BuildRequest) All() []Member { return slices.Concat(r.Under, r.Members) }

// Built is a candidate as made: SHA is the very commit that is tested and, if green, landed.
type Built struct {
	SHA     SHA           `json:"sha"`
	Tree    SHA           `json:"tree"`
	Commits []BuiltCommit `json:"commits"` // from the base (exclusive) to SHA, oldest first
}

// BuiltCommit is one commit of a candidate and where it came from.
type BuiltCommit struct {
	SHA    SHA    `json:"sha"`
	Member Number `json:"member"`
	From   SHA    `json:"from,omitempty"` // the author's own commit; empty for a squash or merge commit
	Title  string `json:"title"`          // first line of the message, valid UTF-8
}

// LandRequest moves trunk from Old to New and its ledger from Ledger to Record, both or none, and nothing to anywhere else.
type LandRequest struct {
	Trunk  string // required: branch name
	Old    SHA    // required: where trunk must stand
	New    SHA    // required: a strict descendant of Old
	Ledger SHA    // required: where the ledger must stand
	Record SHA    // required: the record that follows it
	Single bool   // the git server cannot move both at once: the ledger goes first, and trunk follows
}

// ConflictError says that a member does not apply on what lies below it.
type ConflictError struct {
	Member Number
	Commit SHA      // the member's own commit that does not apply
	Files  []string // every path in conflict, sorted
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("build candidate: %v conflicts in %s", e.Member, strings.Join(e.Files, ", "))
}

// UnbuildableError says that a member can never become a candidate as it stands. Reason is written for its author.
type UnbuildableError struct {
	Member Number
	Reason string
}

func (e *UnbuildableError) Error() string {
	return fmt.Sprintf("build candidate: %v: %s", e.Member, e.Reason)
}

// EmptyError says that all that a member changes is on the base already.
type EmptyError struct{ Member Number }

func (e *EmptyError) Error() string {
	return fmt.Sprintf("build candidate: %v changes nothing that the base does not have", e.Member)
}

// MismatchError is the second check's alarm: a built candidate's diff is not what its members' own diffs say.
type MismatchError struct {
	Candidate SHA
	Paths     []string // where they differ, sorted
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("check candidate %s: differs from its members' own changes in %s", e.Candidate.Short(), strings.Join(e.Paths, ", "))
}

// ErrMoved says that trunk no longer stands where a landing expected it; nothing was changed.
var ErrMoved = errors.New("trunk moved")

// DeniedError says that the git server refuses the push for a reason of its own (permission, protection, a hook).
// Output is the server's own words, control bytes stripped.
type DeniedError struct{ Output string }

func (e *DeniedError) Error() string { return "push denied by the git server: " + e.Output }
