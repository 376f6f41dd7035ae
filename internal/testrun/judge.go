package testrun

import (
	"fmt"
	"time"

	"lander/internal/queue"
)

// Record is what is known of one started command of a run.
type Record struct {
	Ended  bool // the supervisor reported its end; what follows means nothing before
	Exit   int  // 128+n when signal n killed the shell itself
	Signal int  // n, likewise
	Fault  string
	Lost   bool // with Fault: the checkout is not there
	Took   time.Duration

	Failed  []string // the tests that failed, by its results
	Partial bool     // there may be more
	Asked   []string // the only tests that it is of; nil: it is of all
	Tests   int      // that its results tell of
	Skips   int
	Where   string // the first of Failed says that it failed; empty: it does not say
}

// fails reports whether results tell of a failure.
func (r Record) fails() bool { return len(r.Failed) > 0 }

// told takes in what results tell.
func (r *Record) told(t *tally) {
	if t == nil {
		return
	}
	r.Tests, r.Skips, r.Partial = t.tests, t.skips, t.partial
	for _, x := range t.failed {
		r.Failed = append(r.Failed, x.Name)
		if r.Where == "" && x.File != "" {
			r.Where = fmt.Sprintf("%s:%d", x.File, x.Line)
		}
	}
}

// How says how a run ended. The zero How is not known.
type How string

const (
	Finished   How = "finished"  // the supervisor reported to the end: commands over, no process left
	Stopped    How = "stopped"   // cancelled
	NotBegun   How = "not begun" // it waited for a slot longer than the recipe's Start
	OutOfTime  How = "timeout"   // the recipe's Timeout, or the step's
	WentQuiet  How = "quiet"     // the recipe's Quiet, or the step's
	WentOver   How = "limit"     // another limit of the run
	Faulted    How = "fault"     // the host failed
	Unreported How = "no report" // the supervisor died
)

// Ending is how a run ended, with what there is to say of it.
type Ending struct {
	How   How
	Fault string        // for Faulted and Unreported: what happened
	Limit time.Duration // for NotBegun, OutOfTime and WentQuiet
	Own   bool          // it is the limit of the step
	Over  Limit         // for WentOver: which
	Most  int64         // for WentOver: what it allows, in bytes or by number; for NotBegun: how many slots there are
	Tail  []string      // of the last started command's output
	Took  time.Duration
}

// Judge gives the verdict. records are the started commands in the recipe's order, setup first.
func Judge(recipe queue.Recipe, records []Record, end Ending) queue.Verdict {
	v := queue.Verdict{Took: end.Took}
	for i, r := range records {
		if !r.Ended || r.fails() && r.Exit == 0 {
			r.Exit = -1 // 0 would read as success
		}
		if r.Asked != nil {
			v.Asked = r.Asked
		}
		v.Steps = append(v.Steps, queue.StepResult{Name: part(recipe, i).name, Exit: r.Exit, Took: r.Took})
	}
	last := part(recipe, len(records)-1)
	if len(records) > 0 {
		v.Step, v.Tail = last.name, end.Tail
	}
	if end.How == OutOfTime || end.How == WentQuiet || end.How == WentOver {
		named(&v, records)
	}
	switch end.How {
	case Finished:
		judgeFinished(&v, recipe, records, last)
	case Stopped:
		v.Outcome, v.Reason = queue.Cancelled, sayCancelled
	case NotBegun:
		v.Outcome, v.Unstarted, v.Reason = queue.Infra, true, sayNotBegun(end.Limit, end.Most)
	case OutOfTime:
		v.Outcome, v.Reason = queue.TimedOut, sayTimeout(last, end.Limit, end.Own)
	case WentQuiet:
		v.Outcome, v.Reason = queue.TimedOut, sayQuiet(last, end.Limit, end.Own)
	case WentOver:
		v.Outcome, v.Reason = queue.Red, sayOver(last, end.Over, end.Most)
	case Faulted:
		v.Outcome, v.Reason = queue.Infra, end.Fault
	case Unreported:
		v.Outcome, v.Reason = queue.Infra, sayUnreported(end.Fault)
	default:
		v.Outcome, v.Reason = queue.Unmeasured, sayUnknown
	}
	return v
}

// named takes over what the results of the last command tell.
func named(v *queue.Verdict, records []Record) {
	if len(records) > 0 {
		r := records[len(records)-1]
		v.Failed, v.Partial = r.Failed, r.Partial
	}
}

// judgeFinished trusts nothing that the records do not say: green is what is left when every other reading is ruled out.
func judgeFinished(v *queue.Verdict, recipe queue.Recipe, records []Record, last label) {
	want := len(recipe.Setup) + len(recipe.Steps)
	for i, r := range records {
		failed := r.Fault != "" || r.Exit != 0 || r.fails()
		if !r.Ended || failed && i < len(records)-1 {
			v.Outcome, v.Reason = queue.Infra, sayGap(part(recipe, i))
			return
		}
	}
	if recipe.Empty() {
		v.Outcome, v.Reason, v.Step, v.Tail = queue.Unmeasured, sayNoSteps, "", nil
		return
	}
	if len(records) > want {
		v.Outcome, v.Reason = queue.Infra, sayGap(last)
		return
	}
	if len(records) > 0 {
		r := records[len(records)-1]
		switch {
		case r.Fault != "" && r.Lost && len(records) > 1: // else it never was there
			v.Outcome, v.Reason = queue.Red, sayCheckoutLost(last)
			return
		case r.Fault != "":
			v.Outcome, v.Reason = queue.Infra, sayNotStarted(last, r.Fault)
			return
		case r.Exit != 0:
			named(v, records)
			v.Outcome, v.Exit, v.Reason = queue.Red, r.Exit, sayExit(last, r.Exit, r.Signal)
			return
		case r.fails():
			named(v, records)
			v.Outcome, v.Reason = queue.Red, sayUnsaid(last)
			return
		}
	}
	if len(records) < want {
		v.Outcome, v.Reason = queue.Infra, sayGap(part(recipe, len(records)))
		return
	}
	v.Outcome, v.Step, v.Tail = queue.Green, "", nil
}

// label names a command of a recipe: name for machines ("setup" for all of setup), text for sentences.
type label struct{ name, text string }

// part names the i-th command of recipe, setup first.
func part(recipe queue.Recipe, i int) label {
	setup := len(recipe.Setup)
	switch {
	case i < 0:
		return label{"", "the run"}
	case i < setup:
		return label{"setup", "setup (" + firstLine(recipe.Setup[i]) + ")"}
	case i-setup < len(recipe.Steps):
		name := recipe.Steps[i-setup].Name
		if name == "" {
			name = fmt.Sprint("step ", i-setup+1)
		}
		return label{name, "step " + fmt.Sprintf("%q", name)}
	}
	return label{"", "a command that is not in the recipe"}
}

// commands are the recipe's commands in the order of running.
func commands(recipe queue.Recipe) []string {
	all := append([]string(nil), recipe.Setup...)
	for _, step := range recipe.Steps {
		all = append(all, step.Run)
	}
	return all
}
