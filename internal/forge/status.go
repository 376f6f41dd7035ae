package forge

import "lander/internal/queue"

// StatusContext is the name of lander's commit status.
const StatusContext = "lander"

// mostDescription is what GitHub takes, in characters.
const mostDescription = 140

// Status is the commit status on a change's head: one of pending, success, failure and error, with at most 140 characters.
func Status(s queue.Standing) (state, description string) {
	reason := ""
	if len(s.Reasons) > 0 {
		reason = s.Reasons[0].Text
	}
	switch s.Stage {
	case queue.StageLanded:
		state, description = "success", sayLanded(landedAs(s), 0)
	case queue.StageDropped:
		state = "failure"
		if s.Drop != nil {
			reason = s.Drop.Reason
			if s.Drop.Code == queue.DropInfra {
				state = "error"
			}
		}
		description = sayNotLanded(reason)
	case queue.StageHeld:
		state, description = "pending", sayHeldFor(reason)
	case queue.StageTesting:
		state, description = "pending", sayTesting(s.Candidate.Short(), s.Base.Short(), s.With, moment(s.Since), s.Run)
		if n := len(s.Reasons); n > 0 && (s.Reasons[0].Code == "starting" || s.Again || s.State == queue.CandidateRed) {
			description = capital(s.Reasons[n-1].Text)
		}
	case queue.StageLanding:
		state, description = "pending", sayLanding(s.Candidate.Short())
	case queue.StageWaiting:
		state, description = "pending", sayPlace(s.Position, s.Ahead)
		if r := s.Reasons; len(r) > 0 && r[0].Code != "behind" && r[0].Code != "next" {
			description = sayWaitsFor(reason)
		}
	default:
		state, description = "pending", sayIdle(reason)
	}
	return state, clip(oneLine(description), mostDescription)
}

func landedAs(s queue.Standing) string {
	switch {
	case s.Landing == nil:
		return s.Head.Short()
	case len(s.Landing.Commits) > 0:
		return s.Landing.Commits[len(s.Landing.Commits)-1].SHA.Short()
	}
	return s.Landing.Tip.Short()
}
