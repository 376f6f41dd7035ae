package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lander/internal/queue"
)

var red = queue.Verdict{Outcome: queue.Red, Step: "unit", Reason: "exit status 1", Steps: []queue.StepResult{{Name: "unit", Exit: 1}}}

// approved opens and approves changes 1 to n.
func (w *world) approved(n queue.Number) {
	for i := queue.Number(1); i <= n; i++ {
		w.open(i)
		w.approve(i)
	}
}

// states are those of changes 1 to n.
func states(t *testing.T, k *Keeper, n queue.Number) string {
	t.Helper()
	var all []queue.State
	for i := queue.Number(1); i <= n; i++ {
		all = append(all, state(t, k, i))
	}
	return fmt.Sprint(all)
}

// until settles as time goes by, for what is put off, until the condition holds.
func (w *world) until(k *Keeper, what string, true func() bool) {
	w.t.Helper()
	for range 200 {
		if w.settle(k); true() {
			return
		}
		w.now = w.now.Add(time.Second)
	}
	w.t.Fatalf("%s did not come true", what)
}

// settled settles until nothing more happens while the runs that are under way go on.
func (w *world) settled(k *Keeper) {
	w.t.Helper()
	for range 50 {
		synctest.Wait()
		before := k.State().Version
		if err := k.Settle(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		if k.State().Version == before {
			return
		}
	}
	w.t.Fatal("the lane never became quiet")
}

func TestAGreenRunLandsAllBelowIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.window, w.batch, w.block = 3, 2, make(chan struct{})
		k := w.keeper()
		var mu sync.Mutex
		var jobs []*queue.Candidate
		ended := map[queue.Outcome]int{}
		test := k.Test
		k.Test = func(ctx context.Context, c *queue.Candidate, run int, again queue.Rerun) queue.Verdict {
			v := queue.Verdict{Outcome: queue.Green, Steps: []queue.StepResult{{Name: "unit"}}}
			if len(c.Members) < 5 { // the newest is the quickest
				v = test(ctx, c, run, again)
			}
			mu.Lock()
			defer mu.Unlock()
			jobs = append(jobs, c)
			ended[v.Outcome]++
			return v
		}
		w.approved(5)
		w.settled(k)
		if got := states(t, k, 5); w.pushes != 1 || got != "[landed landed landed landed landed]" {
			t.Fatalf("%d pushes, %s", w.pushes, got)
		}
		if ended[queue.Green] != 1 || ended[queue.Cancelled] != 2 {
			t.Errorf("runs ended as %v", ended)
		}
		for _, c := range jobs {
			if c.Base != sha("root") {
				t.Errorf("%s was tested on %s, and trunk is %s", c.Built.SHA.Short(), c.Base.Short(), sha("root").Short())
			}
		}
		s := w.sealed[w.ledgerTip()]
		if len(s.Entries) != 5 || s.RunOf != 3 || s.Attempt != 4 || s.Old != sha("root") || s.New != w.tip || len(s.Entries[4].Commits) != 1 {
			t.Errorf("the ledger says %+v", s)
		}
	})
}

// A batch whose run is red is not taken apart: what failed, and only that, runs again, until it is known who broke it. The others land.
func TestOnlyWhoBrokeSomethingIsDropped(t *testing.T) {
	w := newWorld(t)
	w.window, w.batch = 4, 8
	k := w.keeper()
	full, parts := 0, 0
	test := k.Test
	k.ReadPolicy = func([]byte) (queue.Policy, error) {
		return queue.Policy{Approvals: 1, Window: 4, Batch: 8, Recipe: queue.Recipe{Steps: []queue.Step{{Name: "lint", Run: "lint"}, {Name: "unit", Run: "test", Needs: []string{}}}}}, nil
	}
	k.Test = func(ctx context.Context, c *queue.Candidate, run int, again queue.Rerun) queue.Verdict {
		w.mu.Lock()
		if len(c.Recipe.Steps) == 2 {
			full++
		} else {
			parts++
		}
		w.mu.Unlock()
		v := test(ctx, c, run, again)
		if v.Outcome == queue.Red && len(c.Recipe.Steps) == 2 {
			v.Steps = append([]queue.StepResult{{Name: "lint"}}, v.Steps...)
		}
		return v
	}
	w.verdicts[3] = red
	w.approved(6)
	w.until(k, "everybody's fate", func() bool { return states(t, k, 6) == "[landed landed dropped landed landed landed]" })
	if d := k.State().Entry(3).Drop; d.With != 0 || d.Code != queue.DropFailed || !slices.Equal(w.kinds(3), []queue.NoticeKind{queue.NoticeDropped}) {
		t.Errorf("#3 was dropped as %+v, told %v", d, w.kinds(3))
	}
	if len(k.State().Cases) != 0 || full > 9 || parts < 2 {
		t.Errorf("%d whole runs, %d of what failed, cases %v", full, parts, k.State().Cases)
	}
}

// A run that is red by chance is green when what failed runs again, and its candidate lands by both runs together.
func TestAFlakeThrowsNobodyOut(t *testing.T) {
	w := newWorld(t)
	w.window, w.batch = 1, 8
	k := w.keeper()
	k.ReadPolicy = func([]byte) (queue.Policy, error) {
		return queue.Policy{Approvals: 1, Batch: 8, Recipe: queue.Recipe{Steps: []queue.Step{{Name: "lint", Run: "lint"}, {Name: "unit", Run: "test", Needs: []string{}}}}}, nil
	}
	test := k.Test
	k.Test = func(ctx context.Context, c *queue.Candidate, run int, again queue.Rerun) queue.Verdict {
		if run == 1 {
			return queue.Verdict{Outcome: queue.Red, Step: "unit", Steps: []queue.StepResult{{Name: "lint"}, {Name: "unit", Exit: 1}}}
		}
		if len(c.Recipe.Steps) != 1 {
			t.Errorf("run %d is of %v", run, c.Recipe.Steps)
		}
		return test(ctx, c, run, again)
	}
	w.approved(2)
	w.settle(k)
	if got := states(t, k, 2); got != "[landed landed]" || w.pushes != 1 {
		t.Fatalf("%s, %d pushes", got, w.pushes)
	}
	for _, n := range w.told {
		if n.Kind != queue.NoticeLanded {
			continue
		}
		if steps := n.Verdict.Steps; len(steps) != 2 || steps[0].Name != "lint" || steps[0].Run != 1 || steps[1].Run != 0 {
			t.Errorf("it landed by %+v", steps)
		}
	}
}

// Which tests run again is said to whoever runs them: on the very commit for a proof, and elsewhere to see who broke them.
func TestOnlyTheTestsThatFailedRunAgain(t *testing.T) {
	w := newWorld(t)
	w.window, w.batch = 2, 8
	k := w.keeper()
	v := red
	v.Failed = []string{"TestA", "TestB"}
	w.verdicts[2] = v
	w.approved(3)
	w.until(k, "everybody's fate", func() bool { return states(t, k, 3) == "[landed dropped landed]" })
	proofs, trials := 0, 0
	for _, again := range w.again {
		switch {
		case len(again.Names) == 0:
			continue
		case again.Step != "unit" || !slices.Equal(again.Names, v.Failed):
			t.Errorf("%+v runs again", again)
		case again.Proof:
			proofs++
		default:
			trials++
		}
	}
	if proofs != 1 || trials == 0 {
		t.Errorf("%d proofs, %d trials: %+v", proofs, trials, w.again)
	}
}

func TestWhoIsRedOnlyTogetherIsToldWithWhom(t *testing.T) {
	w := newWorld(t)
	w.window, w.batch = 2, 8
	w.together = [][2]queue.Number{{2, 4}}
	k := w.keeper()
	w.approved(5)
	w.until(k, "everybody's fate", func() bool { return states(t, k, 5) == "[landed landed landed dropped landed]" })
	if d := k.State().Entry(4).Drop; d.With != 2 {
		t.Errorf("#4 was dropped as %+v", d)
	}
}

// Who conflicts with a change ahead waits for it, in the same batch and in a train, and only a conflict with trunk is one's own.
func TestAConflictIsWithSomebody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, batch := range map[string]int{"in a batch": 8, "in a train": 1} {
			w := newWorld(t)
			w.window, w.batch, w.block = 8, batch, make(chan struct{})
			w.clash = [][2]queue.Number{{2, 5}, {0, 4}}
			k := w.keeper()
			w.approved(6)
			w.settled(k)
			if e := k.State().Entry(5); e.State != queue.Queued || e.HeldBy != 2 {
				t.Errorf("%s: #5 is %s, held by %v", name, e.State, e.HeldBy)
			}
			if e := k.State().Entry(4); e.State != queue.Dropped || e.Drop.Code != queue.DropConflict {
				t.Errorf("%s: #4 is %s, %+v", name, e.State, e.Drop)
			}
			for _, n := range []queue.Number{1, 2, 3, 6} {
				if k.State().CandidateOf(n) == nil {
					t.Errorf("%s: %v is in no candidate", name, n)
				}
			}
			close(w.block)
			w.settled(k)
			if got := states(t, k, 6); got != "[landed landed landed dropped dropped landed]" {
				t.Errorf("%s: %s", name, got)
			}
		}
	})
}

func TestABatchIsNotRefusedForOneMember(t *testing.T) {
	w := newWorld(t)
	w.batch = 8
	k := w.keeper()
	build := w.Build
	k.Builder = &builders{world: w, build: func(ctx context.Context, r queue.BuildRequest) (queue.Built, error) {
		built, err := build(ctx, r)
		for _, c := range built.Commits {
			if w.files[c.SHA] = w.files[w.parents[c.SHA]]; c.Member == 2 {
				w.files[c.SHA] = "broken"
			}
			if w.files[c.SHA] == "" {
				delete(w.files, c.SHA)
			}
		}
		return built, err
	}, check: func(r queue.BuildRequest) error {
		if slices.ContainsFunc(r.Members, func(m queue.Member) bool { return m.Number == 3 }) {
			return &queue.MismatchError{Paths: []string{"x"}}
		}
		return nil
	}}
	w.approved(4)
	w.settle(k)
	if got := states(t, k, 4); got != "[landed dropped dropped landed]" {
		t.Fatal(got)
	}
}

// builders is a Builder of functions.
type builders struct {
	*world
	build func(context.Context, queue.BuildRequest) (queue.Built, error)
	check func(queue.BuildRequest) error
}

func (b *builders) Build(ctx context.Context, r queue.BuildRequest) (queue.Built, error) {
	return b.build(ctx, r)
}

func (b *builders) Check(_ context.Context, r queue.BuildRequest, _ queue.Built) error {
	return b.check(r)
}

// Whatever happens under a train, what lands was tested as it lands, and everybody lands.
func TestWhatHappensUnderATrain(t *testing.T) {
	for name, happens := range map[string]func(w *world, k *Keeper) *Keeper{
		"a crash": func(w *world, k *Keeper) *Keeper {
			k.cancelRuns()
			synctest.Wait()
			return w.keeper()
		},
		"a push past lander": func(w *world, k *Keeper) *Keeper {
			w.commit("by hand")
			return k
		},
		"a pause": func(w *world, k *Keeper) *Keeper {
			w.order(queue.Paused{By: "ada", At: w.now})
			w.settled(k)
			if w.block = nil; k.State().Pause == nil {
				w.t.Error("it is not paused")
			}
			w.order(queue.Resumed{By: "ada", At: w.now})
			return k
		},
		"a save that is stale": func(w *world, k *Keeper) *Keeper {
			w.fail["save"] = queue.ErrStale
			w.approve(1)
			_ = k.Settle(w.t.Context())
			return k
		},
		"the withdrawal of one": func(w *world, k *Keeper) *Keeper {
			w.order(queue.ChangeAsked{Number: 3, Ask: queue.Ask{ID: "x", Who: queue.Person{ID: 1}, Role: queue.RoleAdmin, At: w.now, Verb: queue.VerbWithdraw}})
			w.settled(k)
			w.order(queue.ChangeAsked{Number: 3, Ask: queue.Ask{ID: "y", Who: queue.Person{ID: 1}, Role: queue.RoleAdmin, At: w.now.Add(time.Second), Verb: queue.VerbLand, SHA: string(sha("head#3"))}})
			return k
		},
		"commits that are gone": func(w *world, k *Keeper) *Keeper {
			for _, c := range k.State().Candidates {
				w.lost[c.Built.SHA] = true
			}
			k.cancelRuns()
			synctest.Wait()
			w.now = w.now.Add(time.Second) // else what is built anew is the same again
			return w.keeper()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				block := make(chan struct{})
				w.window, w.batch, w.block = 5, 2, block
				k := w.keeper()
				w.approved(7)
				w.settled(k)
				if len(k.State().Candidates) < 4 {
					t.Fatalf("%d candidates are in flight", len(k.State().Candidates))
				}
				k = happens(w, k)
				close(block)
				w.mu.Lock()
				w.block = nil
				w.mu.Unlock()
				w.until(k, "everybody's landing", func() bool { return states(t, k, 7) == "[landed landed landed landed landed landed landed]" })
				if !slices.Contains(w.tested, w.tip) {
					t.Error("trunk stands on what was not tested")
				}
			})
		})
	}
}

// A case whose commits this machine lost is given up, and nobody is blamed.
func TestACaseThatCannotGoOnBlamesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.window, w.batch = 1, 8
		w.verdicts[2] = red
		k := w.keeper()
		w.approved(3)
		if err := k.Settle(t.Context()); err != nil { // run 1
			t.Fatal(err)
		}
		synctest.Wait()
		w.block = make(chan struct{})
		if err := k.Settle(t.Context()); err != nil { // it was red, and what failed runs again
			t.Fatal(err)
		}
		synctest.Wait()
		if len(k.State().Cases) != 1 {
			t.Fatalf("cases %v", k.State().Cases)
		}
		w.lost[k.State().Cases[0].Chain[1].SHA] = true
		k.cancelRuns()
		synctest.Wait()
		w.now = w.now.Add(time.Second)
		delete(w.verdicts, 2)
		close(w.block)
		w.block = nil
		k = w.keeper()
		w.until(k, "everybody's landing", func() bool { return states(t, k, 3) == "[landed landed landed]" })
		if len(k.State().Cases) != 0 {
			t.Fatalf("cases %v", k.State().Cases)
		}
	})
}

func TestNoMoreRunsThanWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.window, w.batch, w.block = 8, 1, make(chan struct{})
		k := w.keeper()
		k.Workers = func(queue.Policy) int { return 2 }
		w.approved(6)
		w.settled(k)
		if n := len(w.tested); n != 2 {
			t.Errorf("%d runs are under way", n)
		}
		close(w.block)
		w.settled(k)
	})
}

// What runs for a candidate elsewhere goes with a run that nobody waits for, and stays when it is lander that ends.
func TestARunKnowsWhyItIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := w.keeper()
		why := make(chan error, 1)
		k.Test = func(ctx context.Context, _ *queue.Candidate, _ int, _ queue.Rerun) queue.Verdict {
			<-ctx.Done()
			why <- context.Cause(ctx)
			return queue.Verdict{Outcome: queue.Cancelled}
		}
		w.approved(1)
		if err := k.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		k.cancelRuns()
		if err := <-why; errors.Is(err, queue.ErrUnwanted) {
			t.Errorf("when lander ends: %v", err)
		}
		synctest.Wait()

		w = newWorld(t)
		test := k.Test
		k = w.keeper()
		k.Test = test
		w.approved(1)
		if err := k.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.order(queue.ChangeAsked{Number: 1, Ask: queue.Ask{ID: "x", Verb: queue.VerbWithdraw, Who: queue.Person{ID: 2, Login: "rita"}, Role: queue.RoleReview, At: w.clock()}})
		if err := k.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-why; !errors.Is(err, queue.ErrUnwanted) {
			t.Errorf("when the change is withdrawn: %v", err)
		}
		synctest.Wait()
	})
}

// Whose checks are run elsewhere may have more in flight than this machine has room for.
func TestChecksNeedNoRoomHere(t *testing.T) {
	t.Parallel()
	k := &Keeper{Workers: func(queue.Policy) int { return 1 }, policy: queue.Policy{Window: 4, Recipe: queue.Recipe{Steps: []queue.Step{{Name: "unit"}}}}}
	if w := k.within().Window; w != 1 {
		t.Errorf("a suite has %d", w)
	}
	k.policy.Recipe.Checks = []queue.Check{{Name: "ci", App: "github-actions"}}
	if w := k.within().Window; w != 4 {
		t.Errorf("checks have %d", w)
	}
}
