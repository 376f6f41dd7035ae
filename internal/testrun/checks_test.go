package testrun

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lander/internal/queue"
)

// yard is a repository on a forge, as far as checks go there.
type yard struct {
	mu       sync.Mutex
	branches map[string]queue.SHA
	pushes   int
	told     []queue.CheckRun
	again    []int64 // check runs that were asked for again
	noRerun  bool
	down     error // what everything answers
	refuses  error // what pushes answer
	blind    error // what looks answer
	looks    int
}

func (y *yard) Offer(_ context.Context, branch string, sha queue.SHA) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	if err := errors.Join(y.down, y.refuses); err != nil || y.branches[branch] == sha {
		return err
	}
	if y.branches == nil {
		y.branches = map[string]queue.SHA{}
	}
	y.branches[branch] = sha
	y.pushes++
	return nil
}

func (y *yard) Retract(_ context.Context, branch string, _ queue.SHA) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	delete(y.branches, branch)
	return y.down
}

func (y *yard) CheckRuns(context.Context, queue.SHA) ([]queue.CheckRun, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.looks++
	return slices.Clone(y.told), errors.Join(y.down, y.blind)
}

func (y *yard) RunAgain(_ context.Context, r queue.CheckRef) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.noRerun {
		return queue.ErrNoRerun
	}
	y.again = append(y.again, r.ID)
	return y.down
}

func (y *yard) do(f func()) {
	y.mu.Lock()
	defer y.mu.Unlock()
	f()
}

// checked is a runner whose checks are run at a yard, and a job that asks for one.
func checked(t *testing.T) (*Runner, *yard, Job) {
	t.Helper()
	r, _ := newRunner(t)
	y := &yard{}
	r.Elsewhere = y
	job := jobOf(queue.Recipe{Checks: []queue.Check{windows}})
	job.Branch = "lander/run/main.7.aaaaaaaaaaaa"
	return r, y, job
}

// begin runs a job beside the test.
func begin(ctx context.Context, r *Runner, job Job) <-chan queue.Verdict {
	done := make(chan queue.Verdict, 1)
	go func() { done <- r.Run(ctx, job) }()
	return done
}

func TestACandidateIsPushedAndItsCheckWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, y, job := checked(t)
		done := begin(context.Background(), r, job)
		synctest.Wait()
		if y.branches[job.Branch] != candidate || r.Resting() != 1 {
			t.Fatalf("branches %v, resting %d", y.branches, r.Resting())
		}
		y.do(func() { y.told = []queue.CheckRun{of(windows, 1, "")} })
		time.Sleep(10 * time.Minute)
		y.do(func() { y.told = []queue.CheckRun{of(windows, 1, "success")} })
		began := time.Now()
		r.Nudge()
		v := <-done
		want(t, v, queue.Green, "")
		if !time.Now().Equal(began) || v.Took != 10*time.Minute || len(v.Steps) != 1 || v.Steps[0].Took != time.Minute {
			t.Errorf("it took %v and %v: %+v", time.Since(began), v.Took, v)
		}
		if y.branches[job.Branch] != candidate || y.pushes != 1 {
			t.Errorf("after the verdict the branch is not there, or was pushed %d times", y.pushes)
		}
		log := readLog(t, r, job.ID)
		for _, line := range []string{"pushed to " + job.Branch, `waiting: check "windows-ci" of github-actions is missing`, "is not over"} {
			if strings.Count(log, line) != 1 {
				t.Errorf("the log says %q %d times:\n%s", line, strings.Count(log, line), log)
			}
		}
	})
}

// The poll alone suffices, at its pace.
func TestChecksAreLookedAtWithoutBeingTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, y, job := checked(t)
		r.Pace = func(every time.Duration) time.Duration { return 4 * every }
		done := begin(context.Background(), r, job)
		time.Sleep(time.Minute)
		y.do(func() { y.told = []queue.CheckRun{of(windows, 1, "success")} })
		began := time.Now()
		want(t, <-done, queue.Green, "")
		if time.Since(began) != time.Minute || y.looks != 2 {
			t.Errorf("after %v and %d looks", time.Since(began), y.looks)
		}
	})
}

func TestWhatIsMissingIsNamedWhenTheTimeIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _, job := checked(t)
		began := time.Now()
		v := r.Run(context.Background(), job)
		want(t, v, queue.TimedOut, `check "windows-ci" of github-actions is missing, 1h after the push (timeout)`)
		if time.Since(began) != time.Hour {
			t.Errorf("after %v", time.Since(began))
		}
	})
}

// A forge that does not answer says nothing of the change, however long that lasts.
func TestAForgeThatIsDownIsWaitedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, y, job := checked(t)
		down := errors.New("no route to host")
		y.down = down
		done := begin(context.Background(), r, job)
		time.Sleep(3 * time.Hour)
		y.do(func() { y.down = nil })
		time.Sleep(time.Minute)
		synctest.Wait()
		if y.pushes != 1 {
			t.Fatalf("pushed %d times", y.pushes)
		}
		y.do(func() { y.down = down })
		time.Sleep(3 * time.Hour) // the limit has passed, and nobody knows of what
		select {
		case v := <-done:
			t.Fatalf("while the forge is down: %+v", v)
		default:
		}
		y.do(func() { y.down, y.told = nil, []queue.CheckRun{of(windows, 1, "success")} })
		want(t, <-done, queue.Green, "")
		if log := readLog(t, r, job.ID); strings.Count(log, down.Error()) != 2 {
			t.Errorf("the log:\n%s", log)
		}
	})
}

// A forge that answers, and refuses, is a matter for whoever gave lander its permissions, who is told.
func TestAForgeThatDoesNotShowChecks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, y, job := checked(t)
		y.blind = queue.ErrHidden
		done := begin(context.Background(), r, job)
		time.Sleep(4 * time.Minute)
		y.do(func() { y.blind = nil })
		time.Sleep(time.Minute)
		y.do(func() { y.blind = queue.ErrHidden })
		began := time.Now()
		want(t, <-done, queue.Infra, "the forge does not show lander the checks: ")
		if d := time.Since(began); d < 5*time.Minute || d > 6*time.Minute {
			t.Errorf("after %v", d)
		}
	})
}

// timed is what a forge answers that wants no requests for a while.
type timed struct{ till time.Time }

func (l timed) Error() string    { return "wait" }
func (l timed) Until() time.Time { return l.till }

func TestAForgeThatAsksToWaitIsNotAskedBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, y, job := checked(t)
		y.down = timed{time.Now().Add(20 * time.Minute)}
		done := begin(context.Background(), r, job)
		time.Sleep(19 * time.Minute)
		synctest.Wait()
		if y.looks != 0 || r.Resting() != 1 {
			t.Errorf("looked %d times, resting %d", y.looks, r.Resting())
		}
		y.do(func() { y.down, y.told = nil, []queue.CheckRun{of(windows, 1, "success")} })
		want(t, <-done, queue.Green, "")
	})
}

// A branch that cannot be pushed is the host's fault, and told.
func TestACandidateThatCannotBePushed(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"refused": &queue.DeniedError{Output: "no such branches here"}, "somebody's": queue.ErrMoved} {
		r, y, job := checked(t)
		y.refuses = err
		if v := r.Run(context.Background(), job); v.Outcome != queue.Infra || !strings.Contains(v.Reason, err.Error()) {
			t.Errorf("%s: %+v", name, v)
		}
	}
	r, _, job := checked(t)
	r.Elsewhere = nil
	want(t, r.Run(context.Background(), job), queue.Infra, sayNowhere)
}

// A run that nobody waits for takes its branch along; a lander that ends leaves it to the next, which does not push again.
func TestTheBranchOfARunThatIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, y, job := checked(t)
		ctx, stop := context.WithCancelCause(context.Background())
		done := begin(ctx, r, job)
		synctest.Wait()
		stop(nil)
		want(t, <-done, queue.Cancelled, "")
		if y.branches[job.Branch] != candidate {
			t.Fatal("the branch went with lander")
		}
		next, _ := newRunner(t)
		next.Elsewhere = y
		ctx, stop = context.WithCancelCause(context.Background())
		done = begin(ctx, next, job)
		synctest.Wait()
		if y.pushes != 1 {
			t.Errorf("pushed %d times", y.pushes)
		}
		stop(queue.ErrUnwanted)
		want(t, <-done, queue.Cancelled, "")
		if len(y.branches) != 0 {
			t.Error("the branch is still there")
		}
	})
}

// What was red on the same commit does not count again: it is asked for anew, or, where that is not to be had, red without a wait.
func TestAResultThatIsPast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, y, job := checked(t)
		red := of(windows, 1, "failure")
		y.told, job.Rerun.Past = []queue.CheckRun{red}, &red.CheckRef
		done := begin(context.Background(), r, job)
		synctest.Wait()
		if !slices.Equal(y.again, []int64{1}) {
			t.Errorf("asked for %v", y.again)
		}
		y.do(func() { y.told = append(y.told, of(windows, 2, "success")) })
		r.Nudge()
		want(t, <-done, queue.Green, "")

		y.do(func() { y.told, y.noRerun = y.told[:1], true })
		began := time.Now()
		v := r.Run(context.Background(), job)
		want(t, v, queue.Red, "nobody but its app can run it again on the same commit")
		if time.Since(began) != 0 || v.Check == nil || v.Check.ID != 1 {
			t.Errorf("after %v: %+v", time.Since(began), v.Check)
		}
	})
}

func TestASuiteAndChecksAreOneVerdict(t *testing.T) {
	t.Parallel()
	green, red := []queue.CheckRun{of(windows, 1, "success")}, []queue.CheckRun{of(windows, 1, "failure")}
	for name, c := range map[string]struct {
		run    string
		told   []queue.CheckRun
		want   queue.Outcome
		step   string
		passed []string
	}{
		"both are green":               {"true", green, queue.Green, "", []string{"a", windows.Name}},
		"the suite is red":             {"false", green, queue.Red, "a", nil},
		"the check is red":             {"sleep 600", red, queue.Red, windows.Name, nil},
		"the suite is red, and nobody": {"false", nil, queue.Red, "a", nil},
	} {
		r, y, job := checked(t)
		y.told = c.told
		job.Recipe.Steps = steps(c.run).Steps
		v := r.Run(context.Background(), job)
		if v.Outcome != c.want || v.Step != c.step {
			t.Errorf("%s: %s of %q, %q", name, v.Outcome, v.Step, v.Reason)
		}
		var passed []string
		for _, s := range v.Steps {
			if s.Exit == 0 {
				passed = append(passed, s.Name)
			}
		}
		if c.passed != nil && !slices.Equal(passed, c.passed) || c.want != queue.Green && slices.Contains(passed, c.step) {
			t.Errorf("%s: passed are %q", name, passed)
		}
		if log := readLog(t, r, job.ID); !strings.Contains(log, "recipe") || !strings.Contains(log, job.Branch) {
			t.Errorf("%s: the log:\n%s", name, log)
		}
	}
}
