package serve

import (
	"fmt"
	"strings"
	"time"
)

// What is said of runs on other machines.

func sayOnWorker(name string) string { return "on the worker " + name }

func sayLostWorker(name string, silence time.Duration) string {
	return fmt.Sprintf("nothing was heard of the worker %s for %s; the run begins again, and what that one may still say does not count", name, silence)
}

func sayGivenBack(name string) string {
	return fmt.Sprintf("the worker %s was stopped and gave the run back; it begins again", name)
}

const sayForgottenRun = "the run was called off while it was elsewhere; it begins again"

func sayManyLost(n int) string {
	return fmt.Sprintf("%d workers were lost while they ran it; see whether it is the tests that bring them down", n)
}

func sayNoVerdict(name string) string {
	return "what the worker " + name + " handed in is no verdict"
}

func sayTooLarge(most int64) string {
	return fmt.Sprintf("the candidate differs from trunk by more than %s, so it is not handed out to a worker", size(uint64(most)))
}

func sayStarved(runs int, sets []string) string {
	what := "any suite"
	var named []string
	for _, s := range sets {
		if s != "" {
			named = append(named, s)
		}
	}
	flag := ""
	if len(named) > 0 {
		what, flag = "suites with the labels "+strings.Join(named, " or "), " --labels "+named[0]
	}
	return fmt.Sprintf("%s under way cannot begin: no worker that is alive runs %s; start one with: lander worker%s", counted(runs), what, flag)
}

func counted(runs int) string {
	if runs == 1 {
		return "1 test run that is"
	}
	return fmt.Sprintf("%d test runs that are", runs)
}

// What a worker says.

func sayWorkerCannot(name, why string) string {
	return "the worker " + name + " could not run it: " + why
}

func errNoHostname(err error) error {
	return fmt.Errorf("this machine does not tell its name; give the worker one with --name: %w", err)
}

func errWorkerBare(why string) error {
	return fmt.Errorf("a worker runs what others send it, and there is no sandbox here: %s; mend that, or say sandbox: none to run tests as lander's own user", why)
}

// What the doctor says of workers.

func sayWorkers(names []string, slots int) string {
	verb := "runs"
	if len(names) > 1 {
		verb = "run"
	}
	return fmt.Sprintf("%s %s tests for this lander, %d at a time", listed(names), verb, slots)
}

const (
	sayNoWorkers          = "no worker is alive, and this lander runs no tests itself (workers: none): nothing can land"
	sayMendNoWorkers      = "Start one with: lander worker"
	sayMendForeignWorkers = "Run the same version of lander there as here, and a sandbox where there is one here."
	sayMendSilentWorkers  = "Start them again, or leave them: they are forgotten after a month."
)

func sayForeignWorkers(names []string) string {
	return listed(names) + " would not understand this lander, or would run without a sandbox what it keeps in one; nothing is handed to them"
}

func saySilentWorkers(names []string) string {
	return listed(names) + " went away without a word"
}

// listed is names with "and" before the last.
func listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
