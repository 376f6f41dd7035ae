package queue

import "fmt"

// Action is a deed the state asks for. A deed with the same key done twice is done once.
type Action interface {
	// Key names the deed for ever within its lane.
	Key() string
	action()
}

type (
	// Build makes and checks a candidate. Outcome: CandidateMade or CandidateUnmade.
	Build struct {
		ID      CandidateID
		Below   CandidateID
		Request BuildRequest
		Apart   *Apart // where the lane has areas
	}

	// StartRun tests a candidate. RunStarted is saved before it begins; outcome: RunReported or RunLost.
	StartRun struct {
		Candidate *Candidate
		Run       int
		Recipe    Recipe // what is run: the candidate's recipe, or the part of it that failed
		Rerun     Rerun  // what of it, where tests have names
	}

	// Reuses takes over a green run of the same tree, in place of a run. Outcome: Reused.
	Reuses struct {
		ID    CandidateID
		Run   int // the number that it counts as
		Proof Proof
	}

	// Abandon gives a candidate up, cancelling its run if one is under way. Outcome: Abandoned.
	Abandon struct {
		ID      CandidateID
		Run     int
		Testing bool
		Reason  string
	}

	// Probe runs what failed again elsewhere. Outcome: ProbesMade.
	Probe struct {
		ID, Of CandidateID // ID: of the first
		Trials []Trial
	}

	// Join makes one candidate of a green one and all that it stands on. Outcome: Joined.
	Join struct{ ID, As CandidateID }

	// Map finds out which areas a change touches. Outcome: ChangeMapped.
	Map struct {
		Number Number
		Head   SHA
		Rules  AreaRules
	}

	// Combine puts a green candidate that was tested apart, with what it stands on, onto trunk as it is now. Outcome: Combined, or
	// Abandoned where it does not apply there.
	Combine struct {
		ID, As  CandidateID
		Request BuildRequest
	}

	// Confirm looks at every member again. Outcome: a ChangeSeen for each, then Confirmed.
	Confirm struct{ Candidate *Candidate }

	// Land moves trunk to the candidate. LandingBegun is saved before the push. When the candidate is landing already its push
	// may have left: what is to be done then, Resolve says. Outcome: LandingDone, LandingUndone or LandingHindered.
	Land struct{ Candidate *Candidate }

	// Adopt begins the lane's ledger. Outcome: LedgerSeen or LedgerDenied.
	Adopt struct{ Statement Statement }

	// Mend puts the known records of the ledger back where they are missing. Outcome: LedgerMended, LedgerSeen or LedgerDenied.
	Mend struct{ Tip SHA }

	// PutBack moves a pull request's branch back to the head that was approved, from where lander had put it for a landing that did
	// not come about. Outcome: HeadPutBack.
	PutBack struct{ Move HeadMove }
)

func (a Build) Key() string    { return fmt.Sprintf("build/%d", a.ID) }
func (a StartRun) Key() string { return fmt.Sprintf("run/%d/%d", a.Candidate.ID, a.Run) }
func (a Reuses) Key() string   { return fmt.Sprintf("reuse/%d/%d", a.ID, a.Run) }
func (a Abandon) Key() string  { return fmt.Sprintf("abandon/%d", a.ID) }
func (a Probe) Key() string    { return fmt.Sprintf("probe/%d/%d", a.Of, a.ID) }
func (a Join) Key() string     { return fmt.Sprintf("join/%d/%d", a.ID, a.As) }
func (a Map) Key() string      { return fmt.Sprintf("map/%d/%s/%s", a.Number, a.Head, a.Rules.Digest()) }
func (a Combine) Key() string  { return fmt.Sprintf("combine/%d/%d", a.ID, a.As) }
func (a Confirm) Key() string  { return fmt.Sprintf("confirm/%d", a.Candidate.ID) }
func (a Land) Key() string     { return fmt.Sprintf("land/%d", a.Candidate.ID) }
func (a Adopt) Key() string    { return "adopt" }
func (a Mend) Key() string     { return "mend/" + string(a.Tip) }
func (a PutBack) Key() string  { return fmt.Sprintf("put back/%d/%s", a.Move.Number, a.Move.From) }

func (Build) action()    {}
func (StartRun) action() {}
func (Reuses) action()   {}
func (Abandon) action()  {}
func (Confirm) action()  {}
func (Probe) action()    {}
func (Join) action()     {}
func (Map) action()      {}
func (Combine) action()  {}
func (Land) action()     {}
func (Adopt) action()    {}
func (Mend) action()     {}
func (PutBack) action()  {}
