package queue

import (
	"reflect"
	"slices"
	"testing"
)

// starts takes the next run of the plan, and does nothing of it yet.
func (w *world) starts() StartRun {
	w.t.Helper()
	for range 100 {
		plan := w.q.Plan(w.now, w.p)
		if len(plan) == 0 {
			w.t.Fatal("nothing is planned")
		}
		if a, ok := plan[0].(StartRun); ok {
			return a
		}
		w.do(plan[0])
	}
	w.t.Fatal("no run is planned")
	return StartRun{}
}

func (w *world) runs(a StartRun, v Verdict) {
	w.apply(RunStarted{a.Candidate.ID, a.Run, w.now})
	w.apply(RunReported{a.Candidate.ID, a.Run, v, w.now})
}

func redOf(step string, failed ...string) Verdict {
	return Verdict{Outcome: Red, Step: step, Failed: failed, Reason: "it says why"}
}

func TestOnlyTheTestsThatFailedRunAgain(t *testing.T) {
	t.Parallel()
	w := crew(t, 1, 0, 3)
	none := []string{}
	w.p.Recipe = Recipe{Steps: []Step{{Name: "lint", Run: "make lint", Needs: none}, {Name: "unit", Run: "make", Needs: none}, {Name: "e2e", Run: "make e2e", Needs: none}}}
	first := w.starts()
	if !reflect.DeepEqual(first.Rerun, Rerun{}) || !first.Recipe.same(w.p.Recipe) {
		t.Fatalf("the first run is of %+v", first)
	}
	w.runs(first, redOf("unit", "a", "b").whole(first.Recipe))

	again := w.starts()
	if !reflect.DeepEqual(again.Rerun, Rerun{Step: "unit", Names: []string{"a", "b"}, Proof: true}) {
		t.Errorf("on the same commit %+v runs again", again.Rerun)
	}
	if len(again.Recipe.Steps) != 2 { // e2e has not run there
		t.Errorf("by %+v", again.Recipe)
	}
	v := redOf("unit", "b")
	v.Asked = again.Rerun.Names
	w.runs(again, v)

	trial := w.starts()
	if trial.Candidate.Of == 0 || !reflect.DeepEqual(trial.Rerun, Rerun{Step: "unit", Names: []string{"b"}}) {
		t.Errorf("elsewhere %+v runs again", trial.Rerun)
	}
	if len(trial.Recipe.Steps) != 1 || trial.Recipe.Steps[0].Name != "unit" {
		t.Errorf("by %+v", trial.Recipe)
	}
}

// Where the results do not name all that failed, it is the step that is searched for.
func TestAStepFailsAsAWhole(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]Verdict{
		"nothing named":     redOf("unit"),
		"not all are named": {Outcome: Red, Step: "unit", Failed: []string{"a"}, Partial: true},
		"out of time":       {Outcome: TimedOut, Step: "unit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := crew(t, 1, 0, 3)
			w.runs(w.starts(), v)
			if a := w.starts(); len(a.Rerun.Names) > 0 || !slices.Equal(w.q.Cases[0].Names, []string{"unit"}) {
				t.Errorf("%+v runs again, the case is about %q", a.Rerun, w.q.Cases[0].Names)
			}
		})
	}
}

// Green is only what speaks of all that had failed.
func TestARunOfSomeTestsProvesNoOther(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		asked []string
		want  CandidateState
	}{
		"all that failed": {[]string{"a", "b"}, CandidatePassed},
		"whole steps":     {nil, CandidatePassed},
		"one of two":      {[]string{"b"}, CandidateBuilt},
		"others":          {[]string{"c"}, CandidateBuilt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := crew(t, 1, 0, 2)
			w.runs(w.starts(), redOf("unit", "a", "b"))
			again := w.starts()
			v := green(nil, 0)
			v.Asked = c.asked
			w.runs(again, v)
			if is := w.q.Candidate(again.Candidate.ID); is.State != c.want {
				t.Errorf("it is %s: %+v", is.State, is.Verdict)
			}
		})
	}
	t.Run("without a red run before", func(t *testing.T) {
		t.Parallel()
		w := crew(t, 1, 0, 2)
		a := w.starts()
		v := green(nil, 0)
		v.Asked = []string{"a"}
		w.runs(a, v)
		if is := w.q.Candidate(a.Candidate.ID); is.State != CandidateBuilt {
			t.Errorf("it is %s", is.State)
		}
	})
}

// A trial that was begun for one test says nothing of another one that came up meanwhile.
func TestATrialTellsOfWhatItWasAskedOnly(t *testing.T) {
	t.Parallel()
	k := &Case{Names: []string{"a", "b"}, Red: redOf("unit", "a", "b")}
	for _, c := range []struct {
		r    Result
		name string
		want Outcome
	}{
		{Result{Asked: []string{"a"}}, "a", Green},
		{Result{Asked: []string{"a"}}, "b", Unmeasured},
		{Result{}, "b", Green},
		{Result{Asked: []string{"a"}, Failed: []string{"a"}, Verdict: &Verdict{Outcome: Red, Step: "unit", Failed: []string{"a"}}}, "a", Red},
		{Result{Asked: []string{"a"}, Failed: []string{"a"}, Verdict: &Verdict{Outcome: Red, Step: "unit", Failed: []string{"a"}}}, "b", Unmeasured},
		{Result{Failed: []string{"unit"}, Verdict: &Verdict{Outcome: Red, Step: "unit"}}, "unit", Red},
		{Result{Failed: []string{"a"}, Verdict: &Verdict{Outcome: Red, Step: "unit", Failed: []string{"a"}}}, "unit", Red}, // the step failed, whatever it names
		{Result{Failed: []string{"a"}}, "b", Red}, // it does not even apply there
	} {
		if got := c.r.tells(c.name); got != c.want {
			t.Errorf("%+v tells of %s: %q, want %q", c.r, c.name, got, c.want)
		}
	}
	if r := k.rerun(false); !slices.Equal(r.Names, k.Names) {
		t.Errorf("%+v", r)
	}
}

// Setup that fails on a trial says nothing of the tests that come after it.
func TestATrialThatDoesNotComeToItsTests(t *testing.T) {
	t.Parallel()
	w := crew(t, 1, 0, 3)
	w.fails(fault{"TestA", []Number{2}})
	truth, hiccups := w.suite, 0
	w.suite = func(c *Candidate, run int) Verdict {
		if c.Of != 0 && c.Trial.Base == trunk(0) && hiccups < 2 {
			hiccups++
			return redOf("setup")
		}
		return truth(c, run)
	}
	for range 20 {
		w.settle()
		w.wait(backoff(9))
	}
	w.landsAllBut(3, 2)
	if hiccups != 2 {
		t.Errorf("%d hiccups", hiccups)
	}
}

// Each is told of what it broke itself, though both failed in the run that shows it.
func TestEachIsToldOfItsOwnTests(t *testing.T) {
	t.Parallel()
	w := crew(t, 1, 0, 6)
	w.fails(fault{"TestA", []Number{2}}, fault{"TestB", []Number{5}}, fault{"TestC", []Number{5}})
	w.rounds()
	w.landsAllBut(6, 2, 5)
	for n, want := range map[Number]string{2: `its tests failed: exit status 1: "TestA"`, 5: `its tests failed: exit status 1: "TestB" and "TestC"`} {
		if d := w.q.Entry(n).Drop; d.Reason != want {
			t.Errorf("%v: %s, want %s", n, d.Reason, want)
		}
	}
}
