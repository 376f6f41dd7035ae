package queue

import "time"

// Event is a fact: something that happened and cannot be argued with. Applying one twice changes nothing.
type Event interface{ event() }

type (
	// ChangeSeen is a look at a pull request.
	ChangeSeen struct {
		Sight Sight
		Anew  bool // it counts though a look before it bears a later time: the forge's clock was wrong then
	}

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

	// ChangeRecalled is a look at a pull request that landed before this database began.
	ChangeRecalled struct {
		Sight Sight
		Past  []Landing // oldest first
	}

	// ChangeAsked is a command that came another way than by a comment: from the CLI or a page.
	ChangeAsked struct {
		Number Number
		Ask    Ask
	}

	// TrunkSeen is a look at the trunk branch, or at what moved it.
	TrunkSeen struct {
		Tip     SHA
		Rewound bool // the tip seen before is not an ancestor of Tip
		Gone    bool // the git server has no such branch; Tip says nothing
		At      time.Time
	}

	// CandidateMade is the outcome of a Build deed that succeeded.
	CandidateMade struct {
		ID      CandidateID
		Request BuildRequest
		Built   Built
		Recipe  Recipe
		At      time.Time
		Apart   *Apart // where the lane has areas
	}

	// ChangeMapped says which areas a change touches, by the rules of that digest.
	ChangeMapped struct {
		Number Number
		Head   SHA
		Rules  string
		Areas  Areas
	}

	// Combined is the outcome of a Combine deed that succeeded.
	Combined struct {
		ID, As  CandidateID
		Request BuildRequest
		Built   Built
		At      time.Time
	}

	// CandidateUnmade is the outcome of a Build deed that found a member that cannot be in the candidate.
	CandidateUnmade struct {
		ID     CandidateID
		Base   SHA
		Below  CandidateID
		Member Member // the one at fault
		With   Number // the change ahead without which it could be in one; 0: none, it is trunk that is in its way
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

	// Reused says that a green run of the same tree counts as a run of this candidate.
	Reused struct {
		ID    CandidateID
		Run   int
		Proof Proof
		At    time.Time
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

	// RunMoved says that a run begins again on another worker, which is nobody's fault and costs nobody anything.
	RunMoved struct {
		ID     CandidateID
		Run    int
		Reason string
		At     time.Time
	}

	// Joined makes one candidate of a green one and all that it stands on.
	Joined struct {
		ID, As CandidateID
		At     time.Time
	}

	// ProbesMade is the outcome of a Probe deed. What could not be built has no SHA.
	ProbesMade struct {
		ID, Of CandidateID
		Probes []Probed
		At     time.Time
	}

	// Probed is a trial and the commit that it tests.
	Probed struct {
		Trial Trial
		Built Built
	}

	// CaseForgotten says that a case cannot be gone on with: what it is about is not on this machine any more, or cannot be built there.
	CaseForgotten struct {
		ID CandidateID
		At time.Time
	}

	// Confirmed says that every member of a passed candidate was looked at again.
	Confirmed struct {
		ID CandidateID
		At time.Time
	}

	// LandingBegun is the intent: from here on the push may have left.
	LandingBegun struct {
		ID     CandidateID
		Intent Intent
		Policy Policy // what it was planned by; its conditions are checked again
		At     time.Time
	}

	// LandingDone says that the ledger was read back and holds the intent's record. Where trunk stands is a TrunkSeen of its own.
	LandingDone struct {
		ID CandidateID
		At time.Time
	}

	// LandingUndone says that the ledger was read back and that the intent's record can never be part of it.
	LandingUndone struct {
		ID     CandidateID
		Denied string // why the git server refused the push; empty: it did not
		Failed string // how else the push ended; empty too: trunk moved, or landing was not wanted any more
		At     time.Time
	}

	// LandingHindered says that an intent is open and can be neither finished nor given up now.
	LandingHindered struct {
		ID     CandidateID
		Reason string
		At     time.Time
	}

	// LedgerSeen is a look at the lane's ledger.
	LedgerSeen struct {
		Tip     SHA       // empty: there is none
		Above   []Written // above what was known, oldest first
		Single  bool      // the git server cannot move two branches at once
		Problem *LedgerError
		At      time.Time
	}

	// LedgerMended says that the records that were missing are back.
	LedgerMended struct{ At time.Time }

	// LedgerDenied says that the git server refuses to take records.
	LedgerDenied struct {
		Reason string
		At     time.Time
	}

	// Hindered says that lander has not been able to go on with the lane for a while, whatever it does there. It is tried all the time.
	Hindered struct {
		Reason string // what happened, and what to do
		At     time.Time
	}

	// Eased says that it can again.
	Eased struct{ At time.Time }

	// HeadPutBack is the outcome of a PutBack deed.
	HeadPutBack struct {
		Number  Number
		From    SHA
		Problem string // why it stays as it is; empty: it was put back
		At      time.Time
	}

	// DeliveryMissed says that a poll found what a webhook should have told.
	DeliveryMissed struct {
		Number Number
		At     time.Time
	}

	// Breached says that an audit found trunk or the ledger not to be what lander left there.
	Breached struct {
		Findings []string // a sentence each, the same at every audit
		At       time.Time
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
func (ChangeRecalled) event()   {}
func (ChangeUnseen) event()     {}
func (ChangeStuck) event()      {}
func (ChangeAsked) event()      {}
func (TrunkSeen) event()        {}
func (CandidateMade) event()    {}
func (CandidateUnmade) event()  {}
func (RunStarted) event()       {}
func (Reused) event()           {}
func (RunReported) event()      {}
func (RunLost) event()          {}
func (RunMoved) event()         {}
func (Confirmed) event()        {}
func (Joined) event()           {}
func (ProbesMade) event()       {}
func (ChangeMapped) event()     {}
func (Combined) event()         {}
func (CaseForgotten) event()    {}
func (LandingBegun) event()     {}
func (LandingDone) event()      {}
func (LandingUndone) event()    {}
func (Abandoned) event()        {}
func (LandingHindered) event()  {}
func (LedgerSeen) event()       {}
func (LedgerMended) event()     {}
func (LedgerDenied) event()     {}
func (Hindered) event()         {}
func (Eased) event()            {}
func (HeadPutBack) event()      {}
func (Breached) event()         {}
func (DeliveryMissed) event()   {}
func (Paused) event()           {}
func (Resumed) event()          {}
