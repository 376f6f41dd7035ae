package queue

import "time"

// infraTries is how often a candidate is run in vain through the host's fault before its change is put aside, so that one entry
// that kills every machine cannot block the rest. It is dropped for that never.
const infraTries = 3

// deniedTries is how often a push is tried that the git server refuses, before its change is dropped so that the next may try.
const deniedTries = 3

// failedTries is how often a landing is tried whose push ends in an error that is no refusal, before its change is put aside.
const failedTries = 5

// lostRuns is after how many runs of one candidate that ended without a verdict its change is put aside.
const lostRuns = 5

// lateOrder is how old a comment's pause may be when it is first seen. An old one is about an incident that is long over.
const lateOrder = 10 * time.Minute

// confirmFor is how long a look at the members of a passed candidate is good for: long enough for the push to begin, short enough
// that a lander that comes back after a crash looks again.
const confirmFor = 10 * time.Second

// backoff is the wait after the nth failure in a row: 5 s doubling up to 5 minutes.
func backoff(n int) time.Duration {
	d := 5 * time.Second
	for ; n > 1 && d < 5*time.Minute; n-- {
		d *= 2
	}
	return min(d, 5*time.Minute)
}

// redWait is the wait after trunk was found red for the nth time at one commit: a minute doubling up to a quarter of an hour.
func redWait(n int) time.Duration {
	d := time.Minute
	for ; n > 1 && d < 15*time.Minute; n-- {
		d *= 2
	}
	return min(d, 15*time.Minute)
}

// machineWait is the wait after the nth time that a change was put aside for the machine: a minute doubling up to half an hour.
func machineWait(n int) time.Duration {
	d := time.Minute
	for ; n > 1 && d < 30*time.Minute; n-- {
		d *= 2
	}
	return min(d, 30*time.Minute)
}

// mostMembers is how many members a candidate may have where the policy does not say.
const mostMembers = 64

// spread is over which share of the free runs, in percent, those who wait are spread. The rest is for who comes next and for finding
// out whose fault a red run is.
const spread = 40

// mostTrain is over how many candidates at most those who wait are spread. In a longer train the upper ones hardly ever land, since one
// below them is red; they only cost runs.
const mostTrain = 12

// mostProofs is how many green runs are remembered for when their tree comes up again, and mostReuse for how long at most.
const (
	mostProofs = 100
	mostReuse  = 30 * 24 * time.Hour
)

// sureRuns is after how many red runs of one commit that never had a failure in common it is not chance any more.
const sureRuns = 4

// pace is how much of a train's members at least, as one part of so many, wait until another candidate is put on top of it: in a train
// that is long anyway a run for each one who comes would tell hardly anything.
const pace = 20

// probeWays is how many commits at least are looked at at a time, where there are so many: a rerun is short, and a round costs more than
// one. probePart is how much of the free runs, in percent, the search for partners may have: nobody waits for it but who needs them to fail.
const (
	probeWays = 5
	probePart = 30
)

// PriorityHotfix is the priority from which a change is tested at once and in no batch.
const PriorityHotfix = 1000

// risky is from which probability of a bad one among them new changes are kept out of a single run with others.
const risky = 0.25
