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
	}

	// StartRun tests a candidate. RunStarted is saved before it begins; outcome: RunReported or RunLost.
	StartRun struct {
		Candidate *Candidate
		Run       int
	}

	// Abandon gives a candidate up, cancelling its run if one is under way. Outcome: Abandoned.
	Abandon struct {
		ID      CandidateID
		Run     int
		Testing bool
		Reason  string
	}

	// Confirm looks at every member again. Outcome: a ChangeSeen for each, then Confirmed.
	Confirm struct{ Candidate *Candidate }

	// Land moves trunk to the candidate. LandingBegun is saved before the push. When the candidate is landing already its push
	// may have left: look at trunk first, and push only if it is not there and Push says so. Outcome: LandingDone or
	// LandingUndone.
	Land struct {
		Candidate *Candidate
		Push      bool
	}
)

func (a Build) Key() string    { return fmt.Sprintf("build/%d", a.ID) }
func (a StartRun) Key() string { return fmt.Sprintf("run/%d/%d", a.Candidate.ID, a.Run) }
func (a Abandon) Key() string  { return fmt.Sprintf("abandon/%d", a.ID) }
func (a Confirm) Key() string  { return fmt.Sprintf("confirm/%d", a.Candidate.ID) }
func (a Land) Key() string     { return fmt.Sprintf("land/%d", a.Candidate.ID) }

func (Build) action()    {}
func (StartRun) action() {}
func (Abandon) action()  {}
func (Confirm) action()  {}
func (Land) action()     {}
