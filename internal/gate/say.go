package gate

import (
	"fmt"

	"lander/internal/queue"
)

// Every sentence of this room that a person may read stands in this file.

func sayUnlooked() string {
	return "the forge does not answer when it is looked at once more before landing"
}

func sayNoHead(head queue.SHA) string {
	return fmt.Sprintf("the git server does not hand out its head %s", head)
}

func sayUnbuilt() string { return "git could not build or check its candidate; the log says why" }

func sayForgotten() string {
	return "this machine does not have the commit any more, so it is built again"
}

func sayUnder(n queue.Number) string {
	return fmt.Sprintf("it touches what %v touches, which no longer applies on trunk as it is", n)
}

func sayNoCombination(tip queue.SHA) string {
	return fmt.Sprintf("it was tested without what has landed since, and does not apply on %s; it is tested anew there", tip.Short())
}

func sayPolicyBroken(tip queue.SHA, problem error) string {
	return fmt.Sprintf("%s at %s is broken and the one before it is used: %v", queue.PolicyFile, tip.Short(), problem)
}

func sayPolicyDeleted() string {
	return fmt.Sprintf("it deletes %s, and then nothing could land any more", queue.PolicyFile)
}

func sayPolicyEmptied() string {
	return fmt.Sprintf("it takes the last step out of %s, and then nothing could land any more", queue.PolicyFile)
}

func sayPolicyBreaks(problem error) string {
	return fmt.Sprintf("it breaks %s: %v", queue.PolicyFile, problem)
}

func sayHindered(l queue.Lane, words string) string {
	return fmt.Sprintf("a landing is open, and the git server takes neither it nor a record on %s that gives it up: %s", l.LedgerBranch(), words)
}

func sayCannotGoOn(what string) string {
	return fmt.Sprintf("lander cannot go on here: %s; see its log, and run \"lander doctor\"", what)
}

func sayUnaudited(tries int) string {
	return fmt.Sprintf("what landed could not be proved %d times in a row, though landing goes on: run \"lander verify\" in a clone, and \"lander doctor\" here", tries)
}

func sayNoHeadMoves() string { return "this lander moves no branches of pull requests" }
