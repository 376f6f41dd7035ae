package gate

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

var errCut = errors.New("connection reset")

func state(t *testing.T, k *Keeper, n queue.Number) queue.State {
	t.Helper()
	e := k.State().Entry(n)
	if e == nil {
		t.Fatalf("%v is not known", n)
	}
	return e.State
}

func TestApprovedChangeLandsAsTheTestedCommit(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.settle(k)
	if w.pushes != 0 {
		t.Fatal("trunk moved before anybody approved")
	}
	w.approve(1)
	w.settle(k)
	if state(t, k, 1) != queue.Landed || w.pushes != 1 {
		t.Fatalf("state %v after %d pushes", state(t, k, 1), w.pushes)
	}
	if w.tip != w.tested[0] {
		t.Fatalf("trunk is %s, tested was %s", w.tip, w.tested[0])
	}
	if !slices.Equal(w.kinds(1), []queue.NoticeKind{queue.NoticeLanded}) {
		t.Fatalf("told %v", w.kinds(1))
	}
}

func TestSecondIsTestedOnTopOfTheFirst(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	for n := queue.Number(1); n <= 3; n++ {
		w.open(n)
		w.approve(n)
	}
	w.verdicts[2] = queue.Verdict{Outcome: queue.Red, Step: "unit", Reason: "exit status 1"}
	w.settle(k)
	if got := []queue.State{state(t, k, 1), state(t, k, 2), state(t, k, 3)}; !slices.Equal(got, []queue.State{queue.Landed, queue.Dropped, queue.Landed}) {
		t.Fatal(got)
	}
	if w.parents[w.tested[1]] != w.tested[0] || w.parents[w.tip] != w.tested[0] {
		t.Fatal("the second and third were not tested on top of the first")
	}
	if !slices.Equal(w.kinds(2), []queue.NoticeKind{queue.NoticeDropped}) {
		t.Fatalf("told %v", w.kinds(2))
	}
}

// Each fault comes once, before or after the effect it belongs to, at every verb a landing uses. Whatever it was, a Keeper that
// tries again lands the change exactly once and says so exactly once.
func TestOneFaultAnywhereStillLandsOnce(t *testing.T) {
	for _, fault := range []string{
		"before view", "before fetch", "before tip", "before look", "before build", "before save", "before push", "before inbox",
		"before tell", "before append", "after save", "after push", "after append", "before move head", "after move head",
	} {
		for _, restart := range []bool{false, true} {
			name := fault
			if restart {
				name += ", then a restart"
			}
			t.Run(name, func(t *testing.T) {
				w := newWorld(t)
				k := w.keeper()
				w.open(1)
				w.approve(1)
				when, verb, _ := strings.Cut(fault, " ")
				if when == "before" {
					w.fail[verb] = errCut
				} else {
					w.cut[verb] = errCut
				}
				for range 20 {
					err := k.Settle(t.Context())
					if _, flushed := k.Flush(t.Context()); err == nil {
						err = flushed
					}
					if err != nil && restart {
						k.cancelRuns()
						k.runs.Wait()
						k = w.keeper()
					}
					k.runs.Wait()
					w.mu.Lock()
					w.now = w.now.Add(time.Minute)
					w.mu.Unlock()
				}
				if state(t, k, 1) != queue.Landed || w.pushes != 1 {
					t.Fatalf("%v after %d pushes", state(t, k, 1), w.pushes)
				}
				if got := w.kinds(1); !slices.Equal(got, []queue.NoticeKind{queue.NoticeLanded}) {
					t.Fatalf("told %v", got)
				}
			})
		}
	}
}

func TestHumanPushesPastDuringTheRun(t *testing.T) {
	w := newWorld(t)
	w.block = make(chan struct{})
	k := w.keeper()
	w.open(1)
	w.approve(1)
	if err := k.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	human := w.commit("by hand")
	close(w.block)
	w.settle(k)
	if state(t, k, 1) != queue.Landed || w.parents[w.tip] != human {
		t.Fatalf("%v; trunk's parent is %s", state(t, k, 1), w.parents[w.tip])
	}
	if !slices.Contains(w.tested, w.tip) {
		t.Fatal("what landed on the human's commit was not tested there")
	}
}

func TestPauseStopsAndResumeGoesOn(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.approve(1)
	w.order(queue.Paused{By: "ada", Reason: "incident", At: w.now})
	w.settle(k)
	if w.pushes != 0 || state(t, k, 1) != queue.Queued {
		t.Fatal("moved while paused")
	}
	k = w.keeper() // a pause survives a restart
	w.settle(k)
	if w.pushes != 0 {
		t.Fatal("moved while paused, after a restart")
	}
	w.order(queue.Resumed{By: "ada", At: w.now.Add(time.Minute)})
	w.settle(k)
	if w.pushes != 1 {
		t.Fatal("did not go on")
	}
}

func TestPauseDuringTheRunHoldsTheLanding(t *testing.T) {
	w := newWorld(t)
	w.block = make(chan struct{})
	k := w.keeper()
	w.open(1)
	w.approve(1)
	if err := k.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.order(queue.Paused{By: "ada", At: w.now})
	close(w.block)
	w.settle(k)
	if w.pushes != 0 {
		t.Fatal("landed while paused")
	}
	w.order(queue.Resumed{By: "ada", At: w.now.Add(time.Minute)})
	w.settle(k)
	if w.pushes != 1 || len(w.tested) != 1 {
		t.Fatalf("%d pushes, %d runs: the green run should have been used", w.pushes, len(w.tested))
	}
}

func TestHeadPushedAfterApprovalNeverLands(t *testing.T) {
	w := newWorld(t)
	w.block = make(chan struct{})
	k := w.keeper()
	w.open(1)
	w.approve(1)
	if err := k.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	// No webhook tells of the push: the look before the landing must find it.
	w.mu.Lock()
	s := w.pulls[1]
	s.Head = sha("unreviewed")
	w.pulls[1] = s
	w.now = w.now.Add(time.Second)
	w.mu.Unlock()
	close(w.block)
	w.settle(k)
	if w.pushes != 0 || state(t, k, 1) != queue.Idle {
		t.Fatalf("%v after %d pushes", state(t, k, 1), w.pushes)
	}
	if got := w.kinds(1); !slices.Equal(got, []queue.NoticeKind{queue.NoticeVoided}) {
		t.Fatalf("told %v", got)
	}
}

func TestTheServerRefusesThePush(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.approve(1)
	w.fail["push"] = &queue.DeniedError{Output: "protected branch"}
	w.settle(k)
	if k.State().Trouble == nil || state(t, k, 1) != queue.Queued {
		t.Fatal("a refusal is trouble of the lane, not a fault of the change")
	}
	w.now = w.now.Add(time.Minute)
	w.settle(k)
	if w.pushes != 1 || k.State().Trouble != nil || len(w.tested) != 1 {
		t.Fatalf("%d pushes, %d runs, trouble %v", w.pushes, len(w.tested), k.State().Trouble)
	}
}

func TestPolicyFile(t *testing.T) {
	t.Run("none: nothing lands untested", func(t *testing.T) {
		w := newWorld(t)
		w.files[w.tip] = ""
		k := w.keeper()
		w.open(1)
		w.approve(1)
		w.settle(k)
		if w.pushes != 0 || k.State().Why(1, w.now, w.policy)[0].Code != "no recipe" {
			t.Fatalf("%d pushes; %v", w.pushes, k.State().Why(1, w.now, w.policy))
		}
	})
	t.Run("broken on trunk: the last good one is kept", func(t *testing.T) {
		w := newWorld(t)
		k := w.keeper()
		w.settle(k)
		w.files[w.commit("breaks it")] = "broken"
		w.inbox = append(w.inbox, queue.Item{ID: 77, Trunk: true})
		w.settle(k)
		if w.policy.Warning == "" {
			t.Fatal("nobody is told")
		}
		w.open(1)
		w.approve(1)
		w.settle(k)
		if w.pushes != 1 {
			t.Fatalf("%d pushes", w.pushes)
		}
	})
	t.Run("broken by a change: refused", func(t *testing.T) {
		w := newWorld(t)
		k := w.keeper()
		w.open(1)
		w.settle(k)
		w.approve(1)
		k.Mirror = breaking{w}
		w.settle(k)
		if w.pushes != 0 || state(t, k, 1) != queue.Dropped || !strings.Contains(k.State().Entry(1).Drop.Reason, "breaks .lander.yml") {
			t.Fatalf("%v: %+v", state(t, k, 1), k.State().Entry(1).Drop)
		}
	})
}

// breaking is a mirror in which every candidate breaks the policy file.
type breaking struct{ *world }

func (b breaking) Show(ctx context.Context, commit queue.SHA, path string) ([]byte, error) {
	if commit != b.tip {
		return []byte("broken"), nil
	}
	return b.world.Show(ctx, commit, path)
}

func TestPullRequestThatVanishesDoesNotBlockTheNext(t *testing.T) {
	w := newWorld(t)
	w.block = make(chan struct{})
	k := w.keeper()
	w.open(1)
	w.approve(1)
	w.open(2)
	w.approve(2)
	if err := k.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone := w.pulls[1]
	w.mu.Lock()
	delete(w.pulls, 1)
	w.mu.Unlock()
	close(w.block)
	w.settle(k)
	if state(t, k, 1) != queue.Queued || state(t, k, 2) != queue.Landed || w.pushes != 1 {
		t.Fatalf("%v and %v after %d pushes", state(t, k, 1), state(t, k, 2), w.pushes)
	}
	w.pulls[1] = gone
	w.hint(1)
	w.settle(k)
	if state(t, k, 1) != queue.Landed {
		t.Fatal("seen again, it did not go on")
	}
}

func TestSomebodyElseSaved(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.settle(k)
	w.stored.Version++
	w.open(1)
	if err := k.Settle(t.Context()); !errors.Is(err, queue.ErrStale) {
		t.Fatalf("got %v", err)
	}
	w.approve(1)
	w.settle(k)
	if w.pushes != 1 {
		t.Fatal("did not go on from what the other saved")
	}
}

func TestReopenedPullRequestDoesNotActAgain(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.approve(1)
	w.settle(k)
	s := w.pulls[1]
	for _, open := range []bool{false, true} {
		w.now = w.now.Add(time.Minute)
		s.Open = open
		w.pulls[1] = s
		w.hint(1)
		w.settle(k)
	}
	if w.pushes != 1 || state(t, k, 1) != queue.Landed {
		t.Fatalf("%v after %d pushes", state(t, k, 1), w.pushes)
	}
}

// With no webhook at all the poll alone lands everything; with nothing to do the loop sleeps.
func TestThePollAloneSuffices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := w.keeper()
		k.Now = time.Now
		k.Hold = func(context.Context) (func(), <-chan struct{}, error) { return func() {}, nil, nil }
		w.now = time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = k.Run(ctx) })
		time.Sleep(time.Second)
		w.mu.Lock()
		w.open(1)
		w.approve(1)
		w.inbox = nil
		w.mu.Unlock()
		time.Sleep(2 * k.Every)
		synctest.Wait()
		w.mu.Lock()
		if w.pushes != 1 {
			t.Errorf("%d pushes", w.pushes)
		}
		w.mu.Unlock()
		cancel()
		running.Wait()
	})
}

func TestAKeeperThatLosesItsLockStopsAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := w.keeper()
		k.Now = time.Now
		w.now = time.Now()
		w.block = make(chan struct{})
		lost := make(chan struct{})
		holds := 0
		k.Hold = func(context.Context) (func(), <-chan struct{}, error) {
			holds++
			if holds == 1 {
				return func() {}, lost, nil
			}
			return func() {}, nil, nil
		}
		w.open(1)
		w.approve(1)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = k.Run(ctx) })
		synctest.Wait()
		close(lost) // its run must end with it
		synctest.Wait()
		close(w.block)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		w.mu.Lock()
		if holds < 2 || w.pushes != 1 || len(w.tested) != 2 {
			t.Errorf("held %d times, %d pushes, %d runs", holds, w.pushes, len(w.tested))
		}
		w.mu.Unlock()
		cancel()
		running.Wait()
	})
}

// The look before the landing must be newer than what is known, or it proves nothing.
func TestALookFromAClockThatIsBehindConfirmsNothing(t *testing.T) {
	w := newWorld(t)
	w.block = make(chan struct{})
	k := w.keeper()
	w.open(1)
	w.approve(1)
	if err := k.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	s := w.pulls[1]
	s.Head = sha("unreviewed")
	w.pulls[1] = s
	w.behind = 3 * time.Second
	w.mu.Unlock()
	close(w.block)
	k.runs.Wait()
	if err := k.Settle(t.Context()); err == nil || w.pushes != 0 {
		t.Fatalf("settled with %v after %d pushes", err, w.pushes)
	}
	w.behind = 0
	w.now = w.now.Add(time.Minute)
	w.settle(k)
	if w.pushes != 0 || state(t, k, 1) != queue.Idle {
		t.Fatalf("%v after %d pushes", state(t, k, 1), w.pushes)
	}
}

// Another machine takes over, or the data directory is lost: what is not here is made again, and nobody is dropped for it.
func TestACandidateThatThisMachineDoesNotHaveIsBuiltAgain(t *testing.T) {
	for _, push := range []bool{false, true} {
		w := newWorld(t)
		w.block = make(chan struct{})
		k := w.keeper()
		w.open(1)
		w.approve(1)
		if err := k.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		first := w.stored.Candidates[0].Built.SHA
		if push { // it went down in the middle of a landing that did not happen
			close(w.block)
			k.runs.Wait()
			w.fail["push"] = errCut
			if err := k.Settle(t.Context()); err == nil {
				t.Fatal("the push did not fail")
			}
		} else {
			k.cancelRuns()
			k.runs.Wait()
			close(w.block)
		}
		w.lost[first] = true
		w.now = w.now.Add(time.Minute)
		k = w.keeper()
		w.settle(k)
		if state(t, k, 1) != queue.Landed || w.pushes != 1 || w.tip == first || !slices.Contains(w.tested, w.tip) {
			t.Fatalf("%v after %d pushes", state(t, k, 1), w.pushes)
		}
	}
}

func TestNudgesDoNotStarveThePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.now = time.Now()
		k := w.keeper()
		k.Now = time.Now
		k.Hold = func(context.Context) (func(), <-chan struct{}, error) { return func() {}, nil, nil }
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = k.Run(ctx) })
		for range 100 {
			time.Sleep(29 * time.Second)
			k.Nudge()
		}
		synctest.Wait()
		w.mu.Lock()
		if w.polls < 40 {
			t.Errorf("%d polls in %s", w.polls, 100*29*time.Second)
		}
		w.mu.Unlock()
		cancel()
		running.Wait()
	})
}

func TestAChangeThatTakesOutTheLastStepIsRefused(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	k.ReadPolicy = func(text []byte) (queue.Policy, error) {
		if string(text) == "broken" {
			return queue.Policy{Approvals: 1}, nil
		}
		return queue.Policy{Approvals: 1, Recipe: queue.Recipe{Steps: []queue.Step{{Name: "unit", Run: string(text)}}}}, nil
	}
	k.Mirror = breaking{w}
	w.open(1)
	w.approve(1)
	w.settle(k)
	if w.pushes != 0 || state(t, k, 1) != queue.Dropped || !strings.Contains(k.State().Entry(1).Drop.Reason, "last step") {
		t.Fatalf("%v: %+v", state(t, k, 1), k.State().Entry(1).Drop)
	}
}

func TestOneChangeThatCannotBeBuiltLetsTheNextGoAhead(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.approve(1)
	w.open(2)
	w.approve(2)
	w.fail["build"] = errCut
	w.settle(k)
	if state(t, k, 1) != queue.Queued || state(t, k, 2) != queue.Landed {
		t.Fatalf("%v and %v", state(t, k, 1), state(t, k, 2))
	}
	w.now = w.now.Add(time.Minute)
	w.settle(k)
	if state(t, k, 1) != queue.Landed {
		t.Fatal("tried again, it did not land")
	}
}

// One answer from a clock that is far ahead must not outdate all that come after it.
func TestAForgeWhoseClockWasAheadIsHeardAgain(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.behind = -24 * time.Hour
	w.open(1)
	w.settle(k)
	w.behind = 0
	w.approve(1)
	for range 40 {
		_ = k.Settle(t.Context())
		k.runs.Wait()
		w.now = w.now.Add(5 * time.Second)
	}
	if state(t, k, 1) != queue.Landed {
		t.Fatalf("%v: what the forge says is not heard any more", state(t, k, 1))
	}
}

// What a stopped lander was saying may arrive after its successor has said it, about a change that nobody looks at any more.
func TestAKeeperThatIsStoppedWhileItTellsLooksWhetherItSaidItTwice(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.approve(1)
	for range 5 {
		if err := k.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		k.runs.Wait()
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.telling = cancel
	w.looked = nil
	if _, err := k.Flush(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("it ended with %v", err)
	}
	if !slices.Equal(w.looked, []queue.Number{1}) {
		t.Errorf("it looked at %v", w.looked)
	}
}
