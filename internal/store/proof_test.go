package store_test

import (
	"testing"
	"time"

	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
)

var twoSteps = queue.Recipe{Steps: []queue.Step{{Name: "lint", Run: "make lint"}, {Name: "unit", Run: "make"}}}

// ran is a verdict of the steps that are named, in which one may have failed.
func ran(o queue.Outcome, steps ...queue.StepResult) *queue.Verdict {
	v := &queue.Verdict{Outcome: o, Steps: steps, Took: time.Second}
	if o != queue.Green {
		v.Step = steps[len(steps)-1].Name
	}
	return v
}

func step(name string, exit, run int) queue.StepResult {
	return queue.StepResult{Name: name, Exit: exit, Took: time.Second, Run: run}
}

// tested saves a candidate of two steps after runs of it, confirmed if the last was green.
func tested(t *testing.T, s *store.Store, q queue.Queue, c *queue.Candidate, runs ...*queue.Verdict) queue.Queue {
	t.Helper()
	return testedBy(t, s, q, c, twoSteps, runs...)
}

func testedBy(t *testing.T, s *store.Store, q queue.Queue, c *queue.Candidate, recipe queue.Recipe, runs ...*queue.Verdict) queue.Queue {
	t.Helper()
	c.Recipe = recipe
	p := policy
	p.Recipe = recipe
	q = save(t, s, queue.Save{Old: q, New: put(q, c), Policy: &p})
	for i, v := range runs {
		q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(c.ID), func(c *queue.Candidate) {
			c.State, c.Run, c.Verdict = queue.CandidateTesting, i+1, nil
		}))})
		state := map[queue.Outcome]queue.CandidateState{
			queue.Green: queue.CandidateConfirmed, queue.Red: queue.CandidateRed, queue.Infra: queue.CandidateBuilt,
		}[v.Outcome]
		q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(c.ID), func(c *queue.Candidate) { c.State, c.Verdict = state, v }))})
	}
	return q
}

// A run of what failed is no proof of what it left out. Together with the run before it, it is, if that one says so itself.
func TestOnlyAllStepsOfTheRecipeTogetherAreAProof(t *testing.T) {
	t.Parallel()
	red := ran(queue.Red, step("lint", 0, 0), step("unit", 1, 0))
	for name, c := range map[string]struct {
		runs []*queue.Verdict
		want string
	}{
		"one whole run":               {[]*queue.Verdict{ran(queue.Green, step("lint", 0, 0), step("unit", 0, 0))}, ""},
		"both runs together":          {[]*queue.Verdict{red, ran(queue.Green, step("lint", 0, 1), step("unit", 0, 0))}, ""},
		"both, with a lost run":       {[]*queue.Verdict{red, ran(queue.Infra, step("unit", -1, 0)), ran(queue.Green, step("lint", 0, 1), step("unit", 0, 0))}, ""},
		"the rest alone":              {[]*queue.Verdict{red, ran(queue.Green, step("unit", 0, 0))}, "candidates_intent_proven"},
		"no steps at all":             {[]*queue.Verdict{ran(queue.Green)}, "candidates_intent_proven"},
		"green, and a step is not":    {[]*queue.Verdict{ran(queue.Green, step("lint", 0, 0), step("unit", 0, 0), step("unit", 1, 0))}, "candidates_intent_proven"},
		"a step that never ran":       {[]*queue.Verdict{ran(queue.Red, step("lint", 1, 0)), ran(queue.Green, step("lint", 0, 0), step("unit", 0, 1))}, "candidates_intent_proven"},
		"a step that failed there":    {[]*queue.Verdict{red, ran(queue.Green, step("unit", 0, 1), step("lint", 0, 0))}, "candidates_intent_proven"},
		"a run that was not":          {[]*queue.Verdict{ran(queue.Green, step("lint", 0, 7), step("unit", 0, 0))}, "candidates_intent_proven"},
		"itself as the run before":    {[]*queue.Verdict{ran(queue.Green, step("lint", 0, 1), step("unit", 0, 1))}, "candidates_intent_proven"},
		"word of mouth of run before": {[]*queue.Verdict{red, ran(queue.Red, step("lint", 0, 1), step("unit", 1, 0)), ran(queue.Green, step("lint", 0, 2), step("unit", 0, 0))}, "candidates_intent_proven"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, storetest.New(t))
			q := start(t, s, lane)
			q = tested(t, s, q, candidate(1, q.Tip, sha("c"), q.Entries[0]), c.runs...)
			_, err := s.Save(t.Context(), queue.Save{Old: q, New: begin(q, 1)})
			if got := constraint(err); got != c.want || (err == nil) != (c.want == "") {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
}

// Checks that are run elsewhere are as much part of the proof as steps, and a recipe may have nothing else.
func TestNothingLandsWithoutItsChecks(t *testing.T) {
	t.Parallel()
	checks := []queue.Check{{Name: "windows-ci", App: "github-actions"}}
	both, alone := queue.Recipe{Steps: twoSteps.Steps, Checks: checks}, queue.Recipe{Checks: checks}
	lint, unit, ci := step("lint", 0, 0), step("unit", 0, 0), step("windows-ci", 0, 0)
	for name, c := range map[string]struct {
		recipe queue.Recipe
		runs   []*queue.Verdict
		want   string
	}{
		"all":                      {both, []*queue.Verdict{ran(queue.Green, lint, unit, ci)}, ""},
		"steps alone":              {both, []*queue.Verdict{ran(queue.Green, lint, unit)}, "candidates_intent_proven"},
		"checks alone":             {both, []*queue.Verdict{ran(queue.Green, ci)}, "candidates_intent_proven"},
		"nothing but checks":       {alone, []*queue.Verdict{ran(queue.Green, ci)}, ""},
		"none of them":             {alone, []*queue.Verdict{ran(queue.Green)}, "candidates_intent_proven"},
		"a red one":                {alone, []*queue.Verdict{ran(queue.Green, step("windows-ci", 1, 0))}, "candidates_intent_proven"},
		"steps before, then check": {both, []*queue.Verdict{ran(queue.Red, lint, unit, step("windows-ci", 1, 0)), ran(queue.Green, step("lint", 0, 1), step("unit", 0, 1), ci)}, ""},
		"a check of before":        {alone, []*queue.Verdict{ran(queue.Red, step("windows-ci", 1, 0)), ran(queue.Green, step("windows-ci", 0, 1))}, "candidates_intent_proven"},
		"nothing at all":           {queue.Recipe{}, []*queue.Verdict{ran(queue.Green, ci)}, "candidates_intent_policy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, storetest.New(t))
			q := start(t, s, lane)
			q = testedBy(t, s, q, candidate(1, q.Tip, sha("c"), q.Entries[0]), c.recipe, c.runs...)
			_, err := s.Save(t.Context(), queue.Save{Old: q, New: begin(q, 1)})
			if got := constraint(err); got != c.want || (err == nil) != (c.want == "") {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
}

// train is #1 under test and #2 on top of it with a run; joined makes one candidate of both that has the top one's verdict.
func train(t *testing.T, s *store.Store, runs ...*queue.Verdict) queue.Queue {
	t.Helper()
	q := start(t, s, lane)
	q = tested(t, s, q, candidate(1, q.Tip, sha("c"), q.Entries[0]))
	top := candidate(2, sha("c"), sha("d"), q.Entries[1])
	top.Below = 1
	return tested(t, s, q, top, runs...)
}

func joined(q queue.Queue, change func(top, whole *queue.Candidate)) queue.Queue {
	below, top := q.Candidate(1), q.Candidate(2)
	whole := with(top, func(c *queue.Candidate) {
		c.ID, c.Base, c.Below, c.Via, c.State = 3, q.Tip, 0, 2, queue.CandidatePassed
		c.Members = append(below.Members[:1:1], top.Members...)
		c.Built.Commits = append(below.Built.Commits[:1:1], top.Built.Commits...)
	})
	top = with(top, func(c *queue.Candidate) { c.State = queue.CandidateJoined })
	if change != nil {
		change(top, whole)
	}
	q = put(q, with(below, func(c *queue.Candidate) { c.State = queue.CandidateJoined }))
	return put(put(q, top), whole)
}

// What is joined lands by the run of the very same commit, and by nothing else.
func TestATrainLandsByTheRunOfItsLastCommit(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	whole := ran(queue.Green, step("lint", 0, 0), step("unit", 0, 0))
	q := train(t, s, whole)
	n := joined(q, nil)
	n.Sound = sha("a")
	q = save(t, s, queue.Save{Old: q, New: n})
	same(t, load(t, s, lane), q)
	if c := q.Candidate(3); c == nil || c.Verdict == nil || len(q.Candidates) != 1 {
		t.Fatalf("in flight are %+v", q.Candidates)
	}
	q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(3), func(c *queue.Candidate) { c.State = queue.CandidateConfirmed }))})
	q = save(t, s, queue.Save{Old: q, New: begin(q, 3)})
	q = save(t, s, queue.Save{Old: q, New: landed(q, 3, noon)})
	same(t, load(t, s, lane), q)
	if q.Tip != sha("d") || q.Entry(1).State != queue.Landed || q.Entry(2).State != queue.Landed {
		t.Errorf("the lane is %+v", q)
	}
	runs, err := s.Runs(t.Context(), lane, 0, 2, 10)
	if err != nil || len(runs) != 1 || runs[0].Candidate != 2 {
		t.Errorf("runs %+v, %v", runs, err)
	}
}

func TestNoOtherRunWillDo(t *testing.T) {
	t.Parallel()
	whole := ran(queue.Green, step("lint", 0, 0), step("unit", 0, 0))
	for name, c := range map[string]struct {
		runs []*queue.Verdict
		make func(top, whole *queue.Candidate)
		want string
	}{
		"the run of another commit":              {[]*queue.Verdict{whole}, func(_, c *queue.Candidate) { c.Built.SHA = sha("e") }, "candidates_via_proven"},
		"of another tree":                        {[]*queue.Verdict{whole}, func(_, c *queue.Candidate) { c.Built.Tree = sha("e") }, "candidates_via_proven"},
		"by another recipe":                      {[]*queue.Verdict{whole}, func(_, c *queue.Candidate) { c.Recipe = policy.Recipe }, "candidates_via_proven"},
		"of a candidate that is still in flight": {[]*queue.Verdict{whole}, func(top, _ *queue.Candidate) { top.State = queue.CandidateConfirmed }, "candidates_via_proven"},
		"a red one":                              {[]*queue.Verdict{ran(queue.Red, step("lint", 1, 0))}, nil, "candidates_pass_green"},
		"a red one that is called green":         {[]*queue.Verdict{ran(queue.Red, step("lint", 1, 0))}, func(_, c *queue.Candidate) { c.Verdict = whole }, "candidates_outcome_of_run"},
		"a part of one":                          {[]*queue.Verdict{ran(queue.Red, step("lint", 0, 0), step("unit", 1, 0)), ran(queue.Green, step("unit", 0, 0))}, nil, "candidates_via_proven"},
		"an earlier one":                         {[]*queue.Verdict{whole, ran(queue.Red, step("lint", 1, 0))}, func(_, c *queue.Candidate) { c.Run, c.Verdict = 1, whole }, "candidates_via_proven"},
		"its own":                                {[]*queue.Verdict{whole}, func(_, c *queue.Candidate) { c.Via = 3 }, "candidates_via"},
		"a later one":                            {[]*queue.Verdict{whole}, func(_, c *queue.Candidate) { c.Via = 4 }, "candidates_via"},
		"one that has no run":                    {[]*queue.Verdict{whole}, func(_, c *queue.Candidate) { c.Via = 1 }, "candidates_outcome_of_run"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, storetest.New(t))
			q := train(t, s, c.runs...)
			if _, err := s.Save(t.Context(), queue.Save{Old: q, New: joined(q, c.make)}); constraint(err) != c.want {
				t.Errorf("want %s, got %v", c.want, err)
			}
			same(t, load(t, s, lane), q)
		})
	}
	t.Run("that of a probe", func(t *testing.T) {
		t.Parallel()
		s := open(t, storetest.New(t))
		q := train(t, s)
		probe := with(q.Candidate(2), func(c *queue.Candidate) {
			c.ID, c.Of, c.Trial, c.Below, c.Members = 3, 1, queue.Trial{Base: sha("c"), Member: c.Members[0]}, 0, nil
		})
		q = save(t, s, queue.Save{Old: q, New: put(q, probe)})
		q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(3), func(c *queue.Candidate) {
			c.State, c.Run = queue.CandidateTesting, 1
		}))})
		q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(3), func(c *queue.Candidate) {
			c.State, c.Verdict = queue.CandidateFailed, whole
		}))})
		n := put(q, with(q.Candidate(2), func(c *queue.Candidate) {
			c.ID, c.Via, c.Below, c.Base, c.Run, c.Verdict, c.State = 4, 3, 0, q.Tip, 1, whole, queue.CandidatePassed
		}))
		if _, err := s.Save(t.Context(), queue.Save{Old: q, New: n}); constraint(err) != "candidates_via_proven" {
			t.Errorf("a probe's verdict was taken: %v", err)
		}
	})
}

// A train that stands on a change of the recipe was tested in the old way.
func TestWhatWasTestedInAnotherWayDoesNotLand(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := ready(t, s, lane)
	p := policy
	p.Recipe = twoSteps
	if _, err := s.Save(t.Context(), queue.Save{Old: q, New: begin(q, 1), Policy: &p}); constraint(err) != "candidates_intent_recipe" {
		t.Errorf("by the recipe of an older trunk: %v", err)
	}
}

func TestWhatIsToComeLaterDoesNotLandNow(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	for name, c := range map[string]struct {
		change func(*queue.Entry)
		want   string
	}{
		"not before one o'clock":       {func(e *queue.Entry) { e.NotBefore = noon.Add(time.Hour) }, "candidates_intent_wanted"},
		"after #2, which waits":        {func(e *queue.Entry) { e.After = 2 }, "candidates_intent_wanted"},
		"after #9, which nobody knows": {func(e *queue.Entry) { e.After = 9 }, ""},
		"not before noon, which it is": {func(e *queue.Entry) { e.NotBefore = noon }, ""},
	} {
		q := ready(t, s, queue.Lane{Repo: "acme/app", Trunk: name})
		_, err := s.Save(t.Context(), queue.Save{Old: q, New: edit(begin(q, 1), 1, c.change)})
		if constraint(err) != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s: want %q, got %v", name, c.want, err)
		}
	}
}

// A case goes on from where it was, whoever takes the lane over, and a closed one is forgotten in time.
func TestACaseIsKeptUntilItIsClosed(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	s, admin := open(t, url), sql(t, url)
	q := train(t, s, ran(queue.Red, step("lint", 0, 0), step("unit", 1, 0)))
	n := q
	n.Cases = []*queue.Case{{
		ID: 2, Names: []string{"unit"}, Recipe: policy.Recipe, Passed: []queue.StepResult{step("lint", 0, 1)}, At: noon,
		Chain: []queue.Boundary{{SHA: sha("a")}, {Member: queue.Member{Number: 1, Head: sha("1")}, SHA: sha("c")}},
	}}
	q = save(t, s, queue.Save{Old: q, New: n})
	same(t, load(t, s, lane), q)
	n = q
	n.Cases = []*queue.Case{with(q.Cases[0], func(k *queue.Case) {
		k.Sure, k.Results = true, []queue.Result{{Trial: queue.Trial{Base: sha("a")}, Failed: []string{"unit"}}}
	})}
	q = save(t, s, queue.Save{Old: q, New: n})
	same(t, load(t, s, lane), q)
	if err := s.Prune(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	n = q
	n.Cases = nil
	q = save(t, s, queue.Save{Old: q, New: n})
	same(t, load(t, s, lane), q)
	if open := ask[int](t, admin, "select count(*) from cases where closed_at is null"); open != 0 {
		t.Errorf("%d cases are open", open)
	}
	if err := s.Prune(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if left := ask[int](t, admin, "select count(*) from cases"); left != 0 {
		t.Errorf("%d cases are left", left)
	}
}
