package queue

import "time"

// Event is a fact: something that happened and cannot be argued with. Applying one twice changes nothing.
type Event interface{ event() }

type (
	// ChangeSeen is a look at a pull request.
	ChangeSeen struct{ Sight Sight }

	// ChangeUnseen says that the forge knows no such pull request, or shows it to lander no longer.
	ChangeUnseen struct {
		Number Number
		At     time.Time
	}

	// ChangeStuck says that lander cannot go on with a change for a reason that may pass, and that others need not wait for it.
	ChangeStuck struct {
		Number Number
		Head   SHA
		Reason string
		At     time.Time
	}

	// ChangeRemembered brings back what was known of a pull request that had left, before a look at it after its return: what
	// it was told is not done again, and what landed does not land twice.
	ChangeRemembered struct{ Entry *Entry }

	// ChangeAsked is a command that came another way than by a comment: from the CLI or a page.
	ChangeAsked struct {
		Number Number
		Ask    Ask
	}

	// TrunkSeen is a look at the trunk branch, or at what moved it.
	TrunkSeen struct {
		Tip     SHA
		Rewound bool // the tip seen before is not an ancestor of Tip
		At      time.Time
	}

	// CandidateMade is the outcome of a Build deed that succeeded.
	CandidateMade struct {
		ID      CandidateID
		Request BuildRequest
		Built   Built
		Recipe  Recipe
		At      time.Time
	}

	// CandidateUnmade is the outcome of a Build deed that found a member that cannot be in the candidate.
	CandidateUnmade struct {
		ID     CandidateID
		Base   SHA
		Below  CandidateID
		Member Member // the one at fault
		Code   DropCode
		Reason string
		Files  []string
		At     time.Time
	}

	// RunStarted says that a run was handed to the runner, or is about to be.
	RunStarted struct {
		ID  CandidateID
		Run int
		At  time.Time
	}

	// RunReported carries a run's verdict. Only the newest run's counts.
	RunReported struct {
		ID      CandidateID
		Run     int
		Verdict Verdict
		At      time.Time
	}

	// RunLost says that a run ended without a verdict, as when lander was killed.
	RunLost struct {
		ID  CandidateID
		Run int
		At  time.Time
	}

	// Confirmed says that every member of a passed candidate was looked at again.
	Confirmed struct {
		ID CandidateID
		At time.Time
	}

	// LandingBegun is the intent: from here on the push may have left.
	LandingBegun struct {
		ID CandidateID
		At time.Time
	}

	// LandingDone says that trunk was read back and holds the candidate.
	LandingDone struct {
		ID  CandidateID
		Tip SHA // what was read back
		At  time.Time
	}

	// LandingUndone says that the push did not happen and that trunk was read back without the candidate.
	LandingUndone struct {
		ID     CandidateID
		Denied string // the git server's reason; empty: trunk moved
		At     time.Time
	}

	// Abandoned is the outcome of an Abandon deed.
	Abandoned struct {
		ID     CandidateID
		Reason string
		At     time.Time
	}

	// Paused stops landing on the lane.
	Paused struct {
		By     string
		Reason string
		Until  time.Time // zero: until Resumed
		At     time.Time
	}

	// Resumed starts it again, and acknowledges a stop.
	Resumed struct {
		By string
		At time.Time
	}
)

func (ChangeSeen) event()       {}
func (ChangeRemembered) event() {}
func (ChangeUnseen) event()     {}
func (ChangeStuck) event()      {}
func (ChangeAsked) event()      {}
func (TrunkSeen) event()        {}
func (CandidateMade) event()    {}
func (CandidateUnmade) event()  {}
func (RunStarted) event()       {}
func (RunReported) event()      {}
func (RunLost) event()          {}
func (Confirmed) event()        {}
func (LandingBegun) event()     {}
func (LandingDone) event()      {}
func (LandingUndone) event()    {}
func (Abandoned) event()        {}
func (Paused) event()           {}
func (Resumed) event()          {}
