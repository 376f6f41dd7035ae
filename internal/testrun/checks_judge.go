package testrun

import (
	"strings"
	"time"

	"lander/internal/queue"
)

// DefaultCheckTimeout is how long after the push a check may take where the recipe does not say.
const DefaultCheckTimeout = time.Hour

// Waiting is what there is to know of a wait for checks, besides what was told of them.
type Waiting struct {
	For   time.Duration   // since the candidate was pushed
	Past  *queue.CheckRef // a result that does not count, for a newer one was asked for; nil: each counts
	Final bool            // Past counts after all: nobody here can have a newer one
}

// standing is how a check stands at a commit; of two the higher one counts. The zero standing: nothing was told of it.
type standing int

const (
	checkMissing standing = iota
	checkGreen
	checkPending
	checkStopped // by nobody's fault that is known
	checkTimedOut
	checkRed
)

// JudgeChecks gives the verdict on the checks of a commit; over is false while some are waited for. Green is only what the newest result
// of each check says, told by its own app and of this very commit: success. What ended otherwise is red, also as neutral or skipped, for
// then it has shown nothing; timed_out is the app's own limit; cancelled, stale and startup_failure, a status of error, and a word that is
// not known, say nothing of the change and are the host's fault; action_required is waited for.
func JudgeChecks(checks []queue.Check, commit queue.SHA, told []queue.CheckRun, w Waiting) (v queue.Verdict, over bool) {
	var lacking []string
	first, late := queue.Check{}, false
	var decides *queue.CheckRun
	worst := checkGreen
	name := queue.Check{}
	for _, c := range checks {
		is, run, foreign := stands(c, commit, told, w)
		switch is {
		case checkMissing, checkPending:
			if first.Name == "" {
				first = c
			}
			lacking = append(lacking, sayLacking(c, is == checkPending, foreign))
			late = late || w.For >= orDefault(c.Timeout, DefaultCheckTimeout)
			continue
		case checkGreen:
			v.Steps = append(v.Steps, result(c, run, 0))
			continue
		}
		v.Steps = append(v.Steps, result(c, run, -1))
		if is > worst {
			decides, worst, name = run, is, c
		}
	}
	switch {
	case decides != nil:
		ref := decides.CheckRef
		v.Step, v.Check, v.Reason = name.Name, &ref, sayChecked(name, decides.Conclusion, w.Final && w.Past != nil && ref.Same(*w.Past))
		v.Outcome = map[standing]queue.Outcome{checkRed: queue.Red, checkTimedOut: queue.TimedOut, checkStopped: queue.Infra}[worst]
		return v, true
	case len(lacking) == 0 && len(checks) > 0:
		v.Outcome = queue.Green
		return v, true
	case late:
		v.Outcome, v.Step, v.Reason = queue.TimedOut, first.Name, sayChecksLate(lacking, w.For)
		v.Check = &queue.CheckRef{App: first.App}
		return v, true
	}
	v.Reason = strings.Join(lacking, "; ")
	return v, false
}

// stands is how one check stands: by the newest check run and the newest commit status of its name and app, the worse of both. foreign
// are other apps that told of one of that name.
func stands(c queue.Check, commit queue.SHA, told []queue.CheckRun, w Waiting) (is standing, run *queue.CheckRun, foreign []string) {
	var newest [2]*queue.CheckRun
	for i := range told {
		t := &told[i]
		if t.Commit != commit || t.Name != c.Name {
			continue
		}
		if !strings.EqualFold(t.App, c.App) {
			foreign = union(foreign, []string{t.App})
			continue
		}
		kind := 0
		if t.Status {
			kind = 1
		}
		if newest[kind] == nil || t.ID > newest[kind].ID {
			newest[kind] = t
		}
	}
	for _, t := range newest {
		if t == nil {
			continue
		}
		s := concluded(t.Conclusion)
		if w.Past != nil && !w.Final && t.Same(*w.Past) {
			s = checkPending
		}
		if s > is {
			is, run = s, t
		}
	}
	return is, run, foreign
}

func concluded(as string) standing {
	switch as {
	case "", "action_required":
		return checkPending
	case "success":
		return checkGreen
	case "failure", "neutral", "skipped":
		return checkRed
	case "timed_out":
		return checkTimedOut
	}
	return checkStopped
}

func result(c queue.Check, run *queue.CheckRun, exit int) queue.StepResult {
	return queue.StepResult{Name: c.Name, Exit: exit, Took: max(run.Ended.Sub(run.Began), 0)}
}

// join makes one verdict of those on the suite and on the checks. Of two that are not green the one counts that came first, for it ended
// the other.
func join(suite, checks, first queue.Verdict) queue.Verdict {
	v := first
	if suite.Outcome == queue.Green && checks.Outcome == queue.Green {
		v = suite
	}
	v.Steps = append(append([]queue.StepResult(nil), suite.Steps...), checks.Steps...)
	return v
}
