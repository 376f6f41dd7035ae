package queue

import (
	"slices"
	"strings"
	"time"
)

// State is where a pull request stands. Every open pull request that lander has seen has an entry.
type State string

const (
	Idle    State = "idle"    // nobody asked to land this head
	Queued  State = "queued"  // asked to land; whether it waits or is tested follows from the candidates
	Landed  State = "landed"  // this head is on trunk
	Dropped State = "dropped" // this head left the queue without landing
)

// Entry is what lander knows of one open pull request, pinned to one head.
type Entry struct {
	Change
	State      State
	SeenAt     time.Time  // forge's clock at the newest look
	HeadSince  time.Time  // forge's clock when this head was first seen
	AskedBy    Person     // who asked to land this head
	AskedAt    time.Time  // when; decides who comes first within a priority
	Priority   int        // higher lands first; 0 is usual
	Held       bool       // a reviewer said hold
	Cleared    bool       // it was in a red run that turned out to be the fault of others
	Alone      bool       // a reviewer asked that it lands in no batch
	After      Number     // it comes only after this change landed or left; 0: no such wish
	Areas      Areas      // that this head touches, by the rules MappedBy
	MappedBy   string     // digest of these; empty: nobody looked
	NotBefore  time.Time  // it lands no earlier; zero: no such wish
	Unseen     bool       // the forge does not show it any more
	Approvals  []Approval // of exactly this head, one per person
	Objections []Person   // who requested changes and has not taken it back
	Handled    []string   // ids of the reviews and asks that have acted
	HeldBy     Number     // conflicts with this change ahead, which may still leave; 0: none
	Aside      *Aside     // could not go on for a reason of its own; nil: never so far
	Drop       *Drop      // set while Dropped
	Landing    *Landing   // how this head came to trunk; set while Landed
	Past       []Landing  // every landing of this pull request, oldest first; none of their heads lands again
	Ours       []SHA      // commits that lander itself may have put onto its branch
	Displaced  SHA        // which of Ours its branch may hold instead of Head; empty: none
	Gone       bool       // closed on the forge: the entry leaves the Queue at the next save
}

// Change is a pull request at one head, as the forge describes it.
type Change struct {
	Number Number
	Head   SHA
	Branch string
	Fork   bool
	Draft  bool
	// HeadRepo is the "owner/name" that has the branch, empty when it is gone. Editable: lander may push to the branch.
	HeadRepo string
	Editable bool
	Title    string
	Body     string
	URL      string
	Author   Person
	Labels   []string
}

// Approval is one person's consent to land exactly one head.
type Approval struct {
	ID  string    `json:"id"`
	Who Person    `json:"who"`
	At  time.Time `json:"at"`
	Via string    `json:"via"` // "review" or "command"
}

// Aside is a fault that holds up one change and may pass. Others go ahead meanwhile; nothing is lost and nobody is dropped.
type Aside struct {
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
	Tries   int       `json:"tries"`
	NotTill time.Time `json:"not_till"`
	Trunk   bool      `json:"trunk,omitempty"`   // the fault is trunk's: over when that moves
	Machine bool      `json:"machine,omitempty"` // the fault is the machine's that runs its tests
}

// DropCode says why a change left the queue; people read the sentences made from it.
type DropCode string

const (
	DropFailed      DropCode = "failed"      // the suite is red on the candidate
	DropTimedOut    DropCode = "timed out"   // the suite hit a limit
	DropConflict    DropCode = "conflict"    // it does not apply on trunk
	DropUnbuildable DropCode = "unbuildable" // it can never be a candidate as it stands
	DropEmpty       DropCode = "empty"       // trunk has all of it
	DropInfra       DropCode = "infra"       // the machine failed it too often
	DropDenied      DropCode = "denied"      // the git server refuses to take it
)

// Drop is why and when a change left the queue without landing.
type Drop struct {
	Code      DropCode    `json:"code"`
	At        time.Time   `json:"at"`
	Reason    string      `json:"reason"`              // one sentence
	Files     []string    `json:"files,omitempty"`     // of a conflict
	Candidate CandidateID `json:"candidate,omitempty"` // whose run decided it
	With      Number      `json:"with,omitempty"`      // it is red only together with this one; 0: by itself
}

// Landing is how a change reached trunk.
type Landing struct {
	Candidate CandidateID   `json:"candidate"`
	Head      SHA           `json:"head"`    // that was approved
	Tip       SHA           `json:"tip"`     // trunk after the landing
	Commits   []BuiltCommit `json:"commits"` // this change's own
	At        time.Time     `json:"at"`
	// Tested and Areas are as the ledger's statement has them: set where another commit than Tip was tested, per area. Of an Entry's Past
	// they are not kept.
	Tested SHA   `json:"tested,omitempty"`
	Areas  Areas `json:"areas,omitempty"`
}

// of reports whether it was head that landed: as it was approved, or as lander itself puts it on the change's branch for its landing,
// where a push that is late can leave it.
func (l *Landing) of(head SHA) bool {
	return head == l.Head || len(l.Commits) > 0 && head == l.Commits[len(l.Commits)-1].SHA
}

// At reports whether a branch that stands at sha holds the head that lander knows of: itself, or what lander made of it.
func (e *Entry) At(sha SHA) bool { return sha == e.Head || slices.Contains(e.Ours, sha) }

// past is how head came to trunk, or nil: never.
func (e *Entry) past(head SHA) *Landing {
	for i := range e.Past {
		if e.Past[i].of(head) {
			l := e.Past[i]
			return &l
		}
	}
	return nil
}

// single reports whether a change is in no batch: because a reviewer wants it so, because it is urgent, or because it could not be gone
// on with before, and others are not to share that.
func (e *Entry) single() bool { return e.Alone || e.Aside.own() || e.Priority >= PriorityHotfix }

// own reports whether something is wrong with the change itself.
func (a *Aside) own() bool { return a != nil && !a.Trunk }

// turn decides who comes first within a priority: when it was asked for, or put aside.
func (e *Entry) turn() time.Time {
	if e.Aside.own() && e.Aside.At.After(e.AskedAt) {
		return e.Aside.At
	}
	return e.AskedAt
}

// waiting reports whether the entry has a place in the line.
func (e *Entry) waiting() bool { return e.State == Queued && !e.Gone }

func (e *Entry) handled(id string) bool { return slices.Contains(e.Handled, id) }

// named reports whether sha names the entry's head as a person would type it.
func (e *Entry) named(sha string) bool {
	return len(sha) >= 7 && strings.HasPrefix(string(e.Head), strings.ToLower(sha))
}

func (e *Entry) clone() *Entry {
	c := *e
	c.Labels = slices.Clone(e.Labels)
	c.Approvals = slices.Clone(e.Approvals)
	c.Objections = slices.Clone(e.Objections)
	c.Handled = slices.Clone(e.Handled)
	c.Past = slices.Clone(e.Past)
	c.Ours = slices.Clone(e.Ours)
	return &c
}
