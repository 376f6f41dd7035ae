package queue

import "time"

// CandidateID numbers a lane's candidates from 1. It is never used twice.
type CandidateID int64

// CandidateState is how far a candidate in flight has come. Ended candidates leave the Queue.
type CandidateState string

const (
	CandidateBuilt     CandidateState = "built"     // made and checked; its run has not started
	CandidateTesting   CandidateState = "testing"   // a run is under way
	CandidateRed       CandidateState = "red"       // its run failed; whose fault that is, a case finds out
	CandidatePassed    CandidateState = "passed"    // green
	CandidateConfirmed CandidateState = "confirmed" // green, and every member was looked at again since
	CandidateLanding   CandidateState = "landing"   // the intent: its push may have left
	CandidateLanded    CandidateState = "landed"    // ended: trunk stood on it
	CandidateJoined    CandidateState = "joined"    // ended: it lands as part of a candidate above it
	CandidateFailed    CandidateState = "failed"    // ended: its verdict is not green
	CandidateAbandoned CandidateState = "abandoned" // ended: what it assumed is no longer so
)

// Candidate is the exact commit that is tested and, if green, landed.
type Candidate struct {
	ID      CandidateID
	Base    SHA         // what it stands on
	Below   CandidateID // the candidate it was built on; 0: trunk
	Of      CandidateID // it is none, but a commit that the case of this one tests; 0: it is one
	Trial   Trial       // of a case, where Of is set
	Via     CandidateID // whose run its verdict is, for it is the same commit; 0: its own
	Members []Member
	Apart   *Apart   // where the lane has areas; nil: it stands in a train
	Awaits  []Member // of those that an Apart one stands on, who has not landed yet
	Ground  SHA      // the tip of trunk on which an Apart one still counts; empty: on none
	Style   Style
	At      time.Time // committer date of what was built
	Built   Built
	Recipe  Recipe // as the base says
	State   CandidateState
	Run     int       // number of its newest run, from 1; 0: none started
	Since   time.Time // when State began
	NotTill time.Time // earliest start of the next run, after trouble of the host
	Verdict *Verdict  // of run number Run; written once
	Reason  string    // why it ended, when failed or abandoned
	Intent  *Intent   // the newest; nil before the first
}

// Has reports whether n is a member.
func (c *Candidate) Has(n Number) bool {
	for _, m := range c.Members {
		if m.Number == n {
			return true
		}
	}
	return false
}

// Numbers lists the members in landing order.
func (c *Candidate) Numbers() []Number {
	ns := make([]Number, len(c.Members))
	for i, m := range c.Members {
		ns[i] = m.Number
	}
	return ns
}

// besides lists the other members, in landing order.
func (c *Candidate) besides(n Number) []Number {
	var others []Number
	for _, m := range c.Members {
		if m.Number != n {
			others = append(others, m.Number)
		}
	}
	return others
}

func (c *Candidate) clone() *Candidate {
	d := *c
	return &d
}

func (c *Candidate) green() bool { return c.State == CandidatePassed || c.State == CandidateConfirmed }
