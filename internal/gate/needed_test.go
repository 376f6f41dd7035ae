package gate

import (
	"context"
	"errors"
	"slices"
	"testing"

	"lander/internal/queue"
)

// needy is a keeper of a train of two, by a recipe of which some steps may not be needed.
func needy(t *testing.T, unneeded func(r queue.Recipe) (queue.Unneeded, error)) (*world, *Keeper, *[]queue.SHA) {
	w := newWorld(t)
	w.window, w.batch = 2, 1
	k := w.keeper()
	k.ReadPolicy = func([]byte) (queue.Policy, error) {
		none := []string{}
		return queue.Policy{Approvals: 1, Window: 2, Batch: 1, Recipe: queue.Recipe{Steps: []queue.Step{
			{Name: "unit", Run: "test"}, {Name: "web", Run: "web", Needs: none, Paths: []string{"web/**"}},
		}}}, nil
	}
	var bases []queue.SHA
	k.Unneeded = func(_ context.Context, r queue.Recipe, base, _ queue.SHA) (queue.Unneeded, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		bases = append(bases, base)
		return unneeded(r)
	}
	return w, k, &bases
}

// What need not run is held against trunk, whatever a candidate stands on, does not run, and stands in the verdict and in the ledger.
func TestAStepThatIsNotNeeded(t *testing.T) {
	w, k, bases := needy(t, func(queue.Recipe) (queue.Unneeded, error) { return queue.Unneeded{"web": "not needed: no"}, nil })
	test := k.Test
	k.Test = func(ctx context.Context, c *queue.Candidate, run int, again queue.Rerun) queue.Verdict {
		if len(c.Recipe.Steps) != 1 || c.Recipe.Steps[0].Name != "unit" {
			t.Errorf("run of %+v", c.Recipe.Steps)
		}
		return test(ctx, c, run, again)
	}
	w.approved(2)
	w.until(k, "both to land", func() bool { return states(t, k, 2) == "[landed landed]" })
	if len(*bases) < 2 || slices.ContainsFunc(*bases, func(b queue.SHA) bool { return b != sha("root") }) {
		t.Errorf("held against %v, and trunk stood at %s", *bases, sha("root"))
	}
	for _, n := range w.told {
		if n.Kind == queue.NoticeLanded {
			if s := n.Verdict.Steps; len(s) != 2 || s[0] != (queue.StepResult{Name: "unit"}) || s[1] != (queue.StepResult{Name: "web", Skipped: "not needed: no"}) {
				t.Errorf("it landed by %+v", s)
			}
		}
	}
	if s := w.sealed[w.ledgerTip()]; !slices.Equal(s.Unneeded, []string{"web"}) {
		t.Errorf("the ledger says %+v", s)
	}
	if es := k.State().Estimates; es == nil || len(es.Run) != 0 || len(es.Steps["web"]) != 0 || len(es.Steps["unit"]) == 0 {
		t.Errorf("what did not run counts as quick: %+v", es)
	}
}

// A change for which no step is needed lands without a run of anything, and says so.
func TestNoStepIsNeeded(t *testing.T) {
	w, k, _ := needy(t, func(queue.Recipe) (queue.Unneeded, error) { return queue.Unneeded{"web": "no", "unit": "no"}, nil })
	w.approved(1)
	w.until(k, "it to land", func() bool { return states(t, k, 1) == "[landed]" })
	if len(w.tested) != 0 {
		t.Errorf("tested %v", w.tested)
	}
	for _, n := range w.told {
		if n.Kind == queue.NoticeLanded && (n.Verdict.Reason != "no step was needed: nothing that any of them depends on differs from trunk" || len(n.Verdict.Steps) != 2) {
			t.Errorf("it landed by %+v", n.Verdict)
		}
	}
}

// Where git cannot tell what differs, all steps run.
func TestWhatIsNotKnownIsNeeded(t *testing.T) {
	w, k, _ := needy(t, func(queue.Recipe) (queue.Unneeded, error) { return nil, errors.New("git is gone") })
	w.approved(1)
	w.until(k, "it to land", func() bool { return states(t, k, 1) == "[landed]" })
	if s := w.sealed[w.ledgerTip()]; s.Unneeded != nil || len(w.tested) != 1 {
		t.Errorf("the ledger says %+v, tested %v", s, w.tested)
	}
}

// What failed on a commit is run there again, and trials run it, whatever they touch.
func TestWhatFailedIsNeeded(t *testing.T) {
	out := 0
	w, k, _ := needy(t, func(r queue.Recipe) (queue.Unneeded, error) {
		if out++; out > 1 {
			return queue.Unneeded{"web": "no"}, nil
		}
		return nil, nil
	})
	runs := 0
	k.Test = func(_ context.Context, c *queue.Candidate, _ int, _ queue.Rerun) queue.Verdict {
		w.mu.Lock()
		defer w.mu.Unlock()
		i := slices.IndexFunc(c.Recipe.Steps, func(s queue.Step) bool { return s.Name == "web" })
		if i < 0 {
			t.Errorf("run of %+v", c.Recipe.Steps)
		}
		if runs++; c.Of != 0 && !c.Has(1) {
			return queue.Verdict{Outcome: queue.Green, Steps: []queue.StepResult{{Name: "web"}}}
		}
		return queue.Verdict{Outcome: queue.Red, Step: "web", Exit: 1, Steps: []queue.StepResult{{Name: "unit"}, {Name: "web", Exit: 1}}}
	}
	w.approved(1)
	w.until(k, "it to be dropped", func() bool { return states(t, k, 1) == "[dropped]" })
	if runs < 2 {
		t.Errorf("%d runs", runs)
	}
}
