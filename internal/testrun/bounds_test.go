//go:build unix

package testrun

import (
	"path/filepath"
	"testing"
	"time"

	"lander/internal/queue"
)

func TestAStepHasLimitsOfItsOwn(t *testing.T) {
	t.Parallel()
	t.Run("timeout counts from its own beginning, and ends with it", func(t *testing.T) {
		t.Parallel()
		r, _ := newRunner(t)
		recipe := steps("sleep 0.6", "sleep 0.6", "while :; do echo; sleep 0.02; done", "true")
		recipe.Timeout = time.Minute
		recipe.Steps[0].Timeout, recipe.Steps[2].Timeout = time.Second, 400*time.Millisecond
		v := r.Run(t.Context(), jobOf(recipe))
		want(t, v, queue.TimedOut, `step "c" ran longer than its limit of 400ms (timeout of the step)`)
		if v.Step != "c" || len(v.Steps) != 3 || v.Steps[1].Exit != 0 || v.Steps[2].Exit != -1 || v.Took > 20*time.Second {
			t.Errorf("verdict %+v", v)
		}
	})
	t.Run("quiet is the step's while it runs, and then the suite's again", func(t *testing.T) {
		t.Parallel()
		r, _ := newRunner(t)
		recipe := steps("sleep 0.2", "sleep 0.8", "sleep 600")
		recipe.Quiet = 30 * time.Second
		recipe.Steps[0].Quiet, recipe.Steps[2].Quiet = 600*time.Millisecond, 300*time.Millisecond
		v := r.Run(t.Context(), jobOf(recipe))
		want(t, v, queue.TimedOut, `step "c" wrote nothing for 300ms, its limit for that (quiet of the step)`)
		if len(v.Steps) != 3 || v.Steps[1].Exit != 0 {
			t.Errorf("verdict %+v", v)
		}
	})
	t.Run("a rerun of some tests is held to it as a whole", func(t *testing.T) {
		t.Parallel()
		r, _ := newRunner(t)
		recipe := steps("sleep 600")
		recipe.Steps[0].Results.Format, recipe.Steps[0].Rerun, recipe.Steps[0].Timeout = queue.ResultsTAP, "sleep 0.3; true {{names}}", 900*time.Millisecond
		job := jobOf(recipe)
		job.Rerun = queue.Rerun{Step: "a", Names: []string{"x"}} // it does not tell of x, so that the whole step runs after all
		v := r.Run(t.Context(), job)
		want(t, v, queue.TimedOut, "limit of 900ms")
		if v.Took < 900*time.Millisecond {
			t.Errorf("took %v", v.Took)
		}
	})
}

// A run that finds no place to run in for too long is told as never started, and nothing is run.
func TestARunThatNeverStarts(t *testing.T) {
	t.Parallel()
	r, s := newRunner(t)
	r.Slots = NewSlots(1)
	r.Slots <- struct{}{}
	recipe := steps("touch begun")
	recipe.Start = 50 * time.Millisecond
	v := r.Run(t.Context(), jobOf(recipe))
	want(t, v, queue.Infra, "it never started: the one place for test runs was taken for 50ms, the limit for that (start)")
	if !v.Unstarted || len(v.Steps) != 0 || len(s.asked) != 0 || exists(filepath.Join(s.dir, "begun")) {
		t.Errorf("verdict %+v, asked for %v", v, s.asked)
	}
	<-r.Slots
	want(t, r.Run(t.Context(), jobOf(recipe)), queue.Green, "")
	if len(r.Slots) != 0 {
		t.Error("the slot was not given back")
	}
}
