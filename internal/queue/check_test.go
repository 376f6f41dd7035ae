package queue

import (
	"slices"
	"testing"
	"time"
)

var windows = Check{Name: "windows-ci", App: "github-actions"}

// redCheck is what a run says whose check was not green.
func redCheck(id int64) Verdict {
	return Verdict{Outcome: Red, Step: windows.Name, Reason: "it says why", Check: &CheckRef{ID: id, App: windows.App, Ended: noon}}
}

func TestChecksArePartOfTheRecipe(t *testing.T) {
	t.Parallel()
	with, without, patient := suite(), suite(), suite()
	with.Checks = []Check{windows}
	patient.Checks = []Check{{Name: windows.Name, App: windows.App, Timeout: time.Hour}}
	digests := []string{with.Digest(), without.Digest(), patient.Digest()}
	if with.same(without) || with.same(patient) || len(slices.Compact(slices.Sorted(slices.Values(digests)))) != 3 {
		t.Error("a recipe with a check is taken for one without, or with another")
	}
	if (Recipe{Checks: with.Checks}).Empty() {
		t.Error("nothing lands by checks alone")
	}
}

// What runs again of a recipe with checks: of a check elsewhere that one alone, and of a step no check.
func TestChecksRunAgainByThemselves(t *testing.T) {
	t.Parallel()
	r := Recipe{Setup: []string{"get"}, Steps: []Step{{Name: "unit"}, {Name: "lint"}}, Checks: []Check{windows, {Name: "mac-ci", App: "cirrus"}}}
	passed := []StepResult{{Name: "lint"}, {Name: "unit"}}
	for name, c := range map[string]struct {
		got                  Recipe
		setup, steps, checks int
	}{
		"a check elsewhere":                        {r.upTo("mac-ci"), 0, 0, 1},
		"a step elsewhere":                         {r.upTo("unit"), 1, 1, 0},
		"setup elsewhere":                          {r.upTo("setup"), 1, 2, 0},
		"a check here, and all steps have passed":  {r.from("mac-ci", passed), 0, 0, 2},
		"a check here, and one step has not":       {r.from("mac-ci", passed[:1]), 1, 2, 2},
		"a step here":                              {r.from("unit", nil), 1, 2, 2},
		"a check of a recipe that has only checks": {Recipe{Checks: r.Checks}.from("mac-ci", nil), 0, 0, 2},
	} {
		if len(c.got.Setup) != c.setup || len(c.got.Steps) != c.steps || len(c.got.Checks) != c.checks {
			t.Errorf("%s: %+v", name, c.got)
		}
	}
}

// A verdict is green only if it speaks of every check.
func TestACheckThatNoRunHasShownIsNotGreen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		steps []StepResult
		want  CandidateState
	}{
		"both":           {[]StepResult{{Name: "unit"}, {Name: windows.Name}}, CandidatePassed},
		"only the step":  {[]StepResult{{Name: "unit"}}, CandidateBuilt},
		"only the check": {[]StepResult{{Name: windows.Name}}, CandidateBuilt},
		"a red one":      {[]StepResult{{Name: "unit"}, {Name: windows.Name, Exit: 1}}, CandidateBuilt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := crew(t, 1, 1, 1)
			w.p.Recipe.Checks = []Check{windows}
			a := w.starts()
			w.runs(a, Verdict{Outcome: Green, Steps: c.steps})
			if is := w.q.Candidate(a.Candidate.ID); is.State != c.want {
				t.Errorf("it is %s: %+v", is.State, is.Verdict)
			}
		})
	}
}

// In a batch the change that breaks a check is found as one that breaks a step is, and only it is dropped.
func TestWhoBreaksACheckIsFound(t *testing.T) {
	t.Parallel()
	for name, recipe := range map[string]Recipe{
		"checks alone":     {Checks: []Check{windows}},
		"a suite and them": {Steps: suite().Steps, Checks: []Check{windows, {Name: "mac-ci", App: "cirrus"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := crew(t, 2, 0, 6)
			w.p.Recipe = recipe
			w.spoils(4, redCheck(7))
			w.rounds()
			w.landsAllBut(6, 4)
			if d := w.q.Entry(4).Drop; d.Code != DropFailed || d.Reason != "its tests failed: it says why" {
				t.Errorf("%+v", d)
			}
		})
	}
}

// A check that fails on trunk as well is nobody's fault.
func TestACheckThatFailsOnTrunkDropsNobody(t *testing.T) {
	t.Parallel()
	w := crew(t, 1, 0, 2)
	w.p.Recipe = Recipe{Checks: []Check{windows}}
	w.suite = func(*Candidate, int) Verdict { return redCheck(7) }
	for range 5 {
		w.settle()
		w.wait(time.Minute)
	}
	for n := Number(1); n <= 2; n++ {
		if e := w.q.Entry(n); e.State != Queued || e.Aside == nil {
			t.Errorf("%v is %s: %+v", n, e.State, e.Drop)
		}
	}
}

// What was red on a commit does not count there again, and on another commit nothing is past.
func TestARunOfTheSameCommitAsksForAResultAnew(t *testing.T) {
	t.Parallel()
	w := crew(t, 1, 0, 2)
	w.p.Recipe = Recipe{Checks: []Check{windows}}
	first := w.starts()
	if first.Rerun.Past != nil {
		t.Errorf("the first run has %+v behind it", first.Rerun.Past)
	}
	w.runs(first, redCheck(7))

	again := w.starts()
	if p := again.Rerun.Past; again.Candidate.ID != first.Candidate.ID || p == nil || p.ID != 7 {
		t.Errorf("run %d of %d has %+v behind it", again.Run, again.Candidate.ID, p)
	}
	w.apply(RunStarted{again.Candidate.ID, again.Run, w.now})
	w.apply(RunLost{again.Candidate.ID, again.Run, w.now})
	w.wait(time.Minute)
	lost := w.starts()
	if p := lost.Rerun.Past; p == nil || p.ID != 7 {
		t.Errorf("after a run that was lost it is %+v", p)
	}
	w.runs(lost, redCheck(8))
	trial := w.starts()
	if trial.Candidate.Of == 0 || trial.Rerun.Past != nil || len(trial.Recipe.Checks) != 1 {
		t.Errorf("elsewhere it is %+v by %+v", trial.Rerun, trial.Recipe)
	}
}

// What was stopped there, by nobody's fault, is asked for anew.
func TestARunAfterTroubleElsewhereAsksForAResultAnew(t *testing.T) {
	t.Parallel()
	w := crew(t, 1, 1, 1)
	w.p.Recipe = Recipe{Checks: []Check{windows}}
	v := redCheck(7)
	v.Outcome = Infra
	w.runs(w.starts(), v)
	w.wait(time.Minute)
	if p := w.starts().Rerun.Past; p == nil || p.ID != 7 {
		t.Errorf("it is %+v", p)
	}
}

// Only what bears the commit in its name is lander's own.
func TestTheBranchOfACandidateIsKnownAgain(t *testing.T) {
	t.Parallel()
	sha := commit(7)
	main, release := Lane{"acme/app", "main"}, Lane{"acme/app", "release/1.2"}
	for _, l := range []Lane{main, release} {
		if id, ok := l.RunOf(l.RunBranch(7, sha), sha); !ok || id != 7 {
			t.Errorf("%s is of %d", l.RunBranch(7, sha), id)
		}
	}
	if b := release.RunBranch(7, sha); b != "lander/run/release_2f1_2e2.7.c007c007c007" {
		t.Error(b)
	}
	for name, is := range map[string]struct {
		branch string
		at     SHA
	}{
		"another lane's":      {release.RunBranch(7, sha), sha},
		"another commit":      {main.RunBranch(7, sha), commit(8)},
		"somebody's":          {"lander/run/mine", sha},
		"no number":           {"lander/run/main.x.c007c007c007", sha},
		"an odd number":       {"lander/run/main.+7.c007c007c007", sha},
		"nobody's number":     {"lander/run/main.0.c007c007c007", sha},
		"no commit":           {"lander/run/main.7", sha},
		"something more":      {"lander/run/main.7.c007c007c007.x", sha},
		"not lander's at all": {"main", sha},
	} {
		if id, ok := main.RunOf(is.branch, is.at); ok {
			t.Errorf("%s: %s is taken for that of %d", name, is.branch, id)
		}
	}
}
