package fleet

// The steps of a landing at which the grid strikes.
const (
	deliveryStored = "delivery stored"
	factApplied    = "fact applied"
	candidateBuilt = "candidate built"
	runStarted     = "run started"
	verdictStored  = "verdict stored"
	intentStored   = "intent stored"
	headPushed     = "head pushed"
	trunkPushed    = "trunk pushed"
	readBack       = "read back"
	landedStored   = "landed stored"
	commentSent    = "comment sent"
)

var allSteps = []string{
	deliveryStored, factApplied, candidateBuilt, runStarted, verdictStored, intentStored, headPushed, trunkPushed, readBack, landedStored,
	commentSent,
}

// saved are the steps that a save takes, by what its journal says.
var saved = map[string]string{
	"queued": factApplied, "run started": runStarted, "run ended": verdictStored, "landing begun": intentStored, "landed": landedStored,
}

// often is how many times at least a world comes to a step, whatever its seed.
func often(step string, trains bool) int {
	switch step {
	case factApplied, readBack:
		return 1 // several facts may be one save
	case candidateBuilt, runStarted:
		if trains {
			return 4 // seven changes, of which no candidate has more than two
		}
	case deliveryStored, commentSent:
	default:
		if trains {
			return 1 // all may land with one push
		}
	}
	return 2
}
