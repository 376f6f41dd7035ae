package testrun

import (
	"fmt"
	"slices"
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

// Judge gives the verdict. records are the started commands in the recipe's order, setup first and optional steps last.
func Judge(recipe queue.Recipe, records []Record, end Ending) queue.Verdict {
	v := queue.Verdict{Took: end.Took}
	var extra []Record
	gating := len(recipe.Setup) + len(recipe.Steps)
	if len(records) > gating && len(records) <= gating+len(recipe.Optional) {
		records, extra = records[:gating], records[gating:]
	}
	for i, r := range records {
		if r.Asked != nil {
			v.Asked = r.Asked
		}
		v.Steps = append(v.Steps, resultOf(part(recipe, i), r))
	}
	last := part(recipe, len(records)-1)
	if len(records) > 0 {
		v.Step, v.Tail = last.name, end.Tail
	}
	if len(extra) > 0 && (end.How == OutOfTime || end.How == WentQuiet || end.How == WentOver) {
		// What the run was ended for is no more than what an optional step came to.
		v.Optional = optionals(recipe, extra, limited(part(recipe, gating+len(extra)-1), end))
		end.How, extra = Finished, nil
	}
	if end.How == OutOfTime || end.How == WentQuiet || end.How == WentOver {
		named(&v, records)
	}
	switch end.How {
	case Finished:
		judgeFinished(&v, recipe, records, last)
		if v.Optional == nil && v.Outcome == queue.Green {
			v.Optional = optionals(recipe, extra, "")
		}
	case Stopped:
		v.Outcome, v.Reason = queue.Cancelled, sayCancelled
	case NotBegun:
		v.Outcome, v.Unstarted, v.Reason = queue.Infra, true, sayNotBegun(end.Limit, end.Most)
	case OutOfTime, WentQuiet:
		v.Outcome, v.Reason = queue.TimedOut, limited(last, end)
	case WentOver:
		v.Outcome, v.Reason = queue.Red, limited(last, end)
	case Faulted:
		v.Outcome, v.Reason = queue.Infra, end.Fault
	case Unreported:
		v.Outcome, v.Reason = queue.Infra, sayUnreported(end.Fault)
	default:
		v.Outcome, v.Reason = queue.Unmeasured, sayUnknown
	}
	return v
}

func resultOf(l label, r Record) queue.StepResult {
	if !r.Ended || r.fails() && r.Exit == 0 {
		r.Exit = -1 // 0 would read as success
	}
	return queue.StepResult{Name: l.name, Exit: r.Exit, Took: r.Took}
}

// optionals are the results of optional steps; limit is the sentence for the last one, if the run was ended for it.
func optionals(recipe queue.Recipe, records []Record, limit string) (all []queue.StepResult) {
	from := len(recipe.Setup) + len(recipe.Steps)
	for i, r := range records {
		l := part(recipe, from+i)
		s := resultOf(l, r)
		switch {
		case limit != "" && i == len(records)-1:
			s.Exit, s.Why = -1, limit
		case !r.Ended:
			s.Why = sayGap(l)
		case r.Fault != "":
			s.Exit, s.Why = -1, sayNotStarted(l, r.Fault)
		case r.Exit != 0:
			s.Why = sayExit(l, r.Exit, r.Signal) + sayFailed(r)
		case r.fails():
			s.Why = sayUnsaid(l) + sayFailed(r)
		}
		all = append(all, s)
	}
	for i := len(records); i < len(recipe.Optional); i++ {
		l := part(recipe, from+i)
		all = append(all, queue.StepResult{Name: l.name, Exit: -1, Why: sayNotReached(l)})
	}
	return all
}

// limited says which limit a command hit.
func limited(l label, end Ending) string {
	switch end.How {
	case OutOfTime:
		return sayTimeout(l, end.Limit, end.Own)
	case WentQuiet:
		return sayQuiet(l, end.Limit, end.Own)
	}
	return sayOver(l, end.Over, end.Most)
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

// stepAt is the step of a recipe's i-th command; nil: it is none.
func stepAt(recipe queue.Recipe, i int) (s *queue.Step, optional bool) {
	i -= len(recipe.Setup)
	switch {
	case i >= 0 && i < len(recipe.Steps):
		return &recipe.Steps[i], false
	case i >= len(recipe.Steps) && i-len(recipe.Steps) < len(recipe.Optional):
		return &recipe.Optional[i-len(recipe.Steps)], true
	}
	return nil, false
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
	}
	if s, optional := stepAt(recipe, i); s != nil {
		name, kind := s.Name, "step "
		if name == "" {
			name = fmt.Sprint("step ", i-setup+1)
		}
		if optional {
			kind = "optional step "
		}
		return label{name, kind + fmt.Sprintf("%q", name)}
	}
	return label{"", "a command that is not in the recipe"}
}

// commands are the recipe's commands in the order of running.
func commands(recipe queue.Recipe) []string {
	all := append([]string(nil), recipe.Setup...)
	for _, step := range slices.Concat(recipe.Steps, recipe.Optional) {
		all = append(all, step.Run)
	}
	return all
}
