package gate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
)

// cut brings a change to an open intent whose push was cut off before it arrived, and ends the Keeper.
func cut(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.approve(1)
	w.killPush = true
	for w.zombie == nil {
		_ = k.Settle(t.Context()) // the push of it fails
		k.runs.Wait()
	}
	if c := k.State().CandidateOf(1); c == nil || c.State != queue.CandidateLanding {
		t.Fatalf("no intent is open: %+v", c)
	}
	return w
}

// decisions is the ledger in words.
func (w *world) decisions() (all []queue.Decision) {
	for _, r := range w.ledger {
		all = append(all, r.Statement.Decision)
	}
	return all
}

func (w *world) expect(k *Keeper, state queue.State, pushes int, ledger ...queue.Decision) {
	w.t.Helper()
	if got := k.State().Entry(1).State; got != state || w.pushes != pushes || !slices.Equal(w.decisions(), ledger) {
		w.t.Fatalf("%v after %d pushes, ledger %v; want %v after %d, %v", got, w.pushes, w.decisions(), state, pushes, ledger)
	}
}

func TestAPushThatWasCutOffIsMadeAgain(t *testing.T) {
	w := cut(t)
	w.settle(w.keeper())
	k := w.keeper()
	w.settle(k)
	w.expect(k, queue.Landed, 1, queue.DecisionAdopt, queue.DecisionLand)
	if err := w.zombie(); !errors.Is(err, queue.ErrMoved) {
		t.Fatalf("the push that was cut off was taken too: %v", err)
	}
}

func TestAPushThatArrivesLateIsFoundOut(t *testing.T) {
	w := cut(t)
	if err := w.zombie(); err != nil {
		t.Fatal(err)
	}
	k := w.keeper()
	w.settle(k)
	w.expect(k, queue.Landed, 1, queue.DecisionAdopt, queue.DecisionLand)
	if got := w.kinds(1); !slices.Equal(got, []queue.NoticeKind{queue.NoticeLanded}) {
		t.Fatalf("told %v", got)
	}
}

// What is given up is made impossible first: the push that is still under way somewhere is refused when it arrives.
func TestAnAttemptThatWasGivenUpNeverLands(t *testing.T) {
	w := cut(t)
	w.order(queue.Paused{By: "ada", Reason: "incident", At: w.now})
	k := w.keeper()
	w.settle(k)
	w.expect(k, queue.Queued, 0, queue.DecisionAdopt, queue.DecisionAbort)
	if err := w.zombie(); !errors.Is(err, queue.ErrMoved) {
		t.Fatalf("it landed while landing was paused: %v", err)
	}
	if head := w.pulls[1].Head; head != sha("head#1") {
		t.Fatalf("the branch was left at %s", head)
	}
	w.order(queue.Resumed{By: "ada", At: w.now.Add(time.Second)})
	w.settle(k)
	w.expect(k, queue.Landed, 1, queue.DecisionAdopt, queue.DecisionAbort, queue.DecisionLand)
	if got := w.kinds(1); !slices.Equal(got, []queue.NoticeKind{queue.NoticeLanded}) {
		t.Fatalf("told %v: lander's own push voids nothing", got)
	}
}

// The other side of the race: the push arrives between the reading and the burn.
func TestAPushThatOvertakesTheBurnHasLanded(t *testing.T) {
	w := cut(t)
	w.order(queue.Paused{By: "ada", Reason: "incident", At: w.now})
	k := w.keeper()
	ledger := k.Ledger
	k.Ledger = overtaken{ledger, func() {
		if err := w.zombie(); err != nil && w.pushes == 0 {
			t.Error(err)
		}
	}}
	w.settle(k)
	w.expect(k, queue.Landed, 1, queue.DecisionAdopt, queue.DecisionLand)
}

func TestAServerThatTakesNothingLeavesTheIntentOpen(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.approve(1)
	w.settle(k) // it lands, which begins the ledger
	w.open(2)
	w.approve(2)
	denied := &queue.DeniedError{Output: "the repository is archived"}
	w.fail["push"], w.fail["append"] = denied, denied
	w.settle(k)
	c := k.State().CandidateOf(2)
	if c == nil || c.State != queue.CandidateLanding || k.State().Trouble == nil {
		t.Fatalf("candidate %+v, trouble %v", c, k.State().Trouble)
	}
	for range 2 { // it is made impossible, and after a while tried anew
		w.now = w.now.Add(time.Minute)
		w.settle(k)
	}
	if state(t, k, 2) != queue.Landed || k.State().Trouble != nil {
		t.Fatalf("%v, trouble %v", state(t, k, 2), k.State().Trouble)
	}
}

func TestAnAuthorWhoPushesInTheMiddleOfALandingIsHeard(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.approve(1)
	move := k.MoveHead
	k.MoveHead = func(ctx context.Context, m queue.HeadMove) error {
		w.mu.Lock()
		s := w.pulls[1]
		s.Head, s.PushedAt = sha("newer"), w.now
		w.pulls[1] = s
		w.now = w.now.Add(time.Second)
		w.mu.Unlock()
		return move(ctx, m)
	}
	w.settle(k)
	w.expect(k, queue.Idle, 0, queue.DecisionAdopt, queue.DecisionAbort)
	if got := w.kinds(1); !slices.Equal(got, []queue.NoticeKind{queue.NoticeVoided}) {
		t.Fatalf("told %v", got)
	}
}

// A database that was lost, or restored from a backup, learns from the ledger what landed; and nothing of it lands again.
func TestADatabaseThatForgotLearnsFromTheLedger(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.approve(1)
	if err := k.Settle(t.Context()); err != nil { // up to its run
		t.Fatal(err)
	}
	k.runs.Wait()
	backup := w.stored
	w.settle(k)
	w.expect(k, queue.Landed, 1, queue.DecisionAdopt, queue.DecisionLand)
	for name, restored := range map[string]queue.Queue{"lost": {Lane: lane}, "backup": backup} {
		t.Run(name, func(t *testing.T) {
			w.t, w.stored, w.outbox, w.gone = t, restored, nil, map[queue.Number]*queue.Entry{}
			s := w.pulls[1] // somebody put the branch back and asks again
			s.Head = sha("head#1")
			w.pulls[1] = s
			w.approve(1)
			k := w.keeper()
			w.settle(k)
			if w.pushes != 1 || k.State().Tip != w.tip || k.State().Ledger.Seq != 2 {
				t.Fatalf("%d pushes, tip %s, ledger %+v", w.pushes, k.State().Tip, k.State().Ledger)
			}
			for _, m := range k.State().Moves {
				if m.Kind == queue.MoveBypass {
					t.Fatal("its own landing is called a bypass")
				}
			}
		})
	}
}

func TestALedgerThatWasDeletedStopsTheLaneAndIsPutBack(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.approve(1)
	w.settle(k)
	w.ledger = nil
	if err := k.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if k.State().Stop == nil || !k.State().Stop.Ledger {
		t.Fatal("the lane goes on without its ledger")
	}
	w.now = w.now.Add(time.Second)
	w.order(queue.Resumed{By: "ada", At: w.now})
	w.settle(k)
	w.open(2)
	w.approve(2)
	w.settle(k)
	if state(t, k, 2) != queue.Landed {
		t.Fatalf("%v, stop %+v", state(t, k, 2), k.State().Stop)
	}
	w.expect(k, queue.Landed, 2, queue.DecisionAdopt, queue.DecisionLand, queue.DecisionLand)
}

func TestWhatWasTestedIsToldWhenItHasLanded(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	var told []queue.SHA
	k.Landed = func(tested queue.SHA) { told = append(told, tested) }
	w.verdicts[1] = queue.Verdict{Outcome: queue.Red, Step: "unit", Reason: "no"}
	for n := range queue.Number(3) {
		w.open(n + 1)
		w.approve(n + 1)
		w.settle(k)
		if tip := k.State().Tip; n == 0 && len(told) > 0 || n > 0 && (len(told) != int(n) || told[n-1] != tip) {
			t.Fatalf("after change %d trunk is %s, and told was %v", n+1, tip, told)
		}
	}
}

func TestABreachStopsTheLaneOnce(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	found := []string{"trunk holds a tree that was never tested"}
	k.Audit = func(context.Context, queue.SHA, Tips) ([]string, error) { return slices.Clone(found), nil }
	w.open(1)
	w.approve(1)
	w.settle(k)
	if s := k.State().Stop; s == nil || !strings.Contains(s.Reason, found[0]) {
		t.Fatalf("the lane goes on after a breach: %+v", s)
	}
	w.order(queue.Resumed{By: "ada", At: w.now.Add(time.Second)})
	w.open(2)
	w.approve(2)
	w.settle(k)
	if state(t, k, 2) != queue.Landed || k.State().Stop != nil {
		t.Fatalf("an admin has seen it, and yet %v, stop %+v", state(t, k, 2), k.State().Stop)
	}
	found = append(found, "record 3 was never sealed by lander")
	w.open(3)
	w.approve(3)
	w.settle(k)
	if s := k.State().Stop; s == nil || !strings.Contains(s.Reason, found[1]) || strings.Contains(s.Reason, found[0]) {
		t.Fatalf("another breach: %+v", s)
	}
}

// As when it is too large for what stands before the git server.
func TestAChangeThatCannotBePushedLetsOthersGoAhead(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	push, tries := k.Push, 0
	k.Push = func(ctx context.Context, r queue.LandRequest) error {
		if c := k.State().CandidateOf(1); c != nil && c.State == queue.CandidateLanding {
			tries++
			return errors.New("HTTP 413")
		}
		return push(ctx, r)
	}
	w.open(1)
	w.approve(1)
	w.open(2)
	w.approve(2)
	for range 500 {
		_ = k.Settle(t.Context()) // what fails is tried again
		k.runs.Wait()
		if state(t, k, 2) == queue.Landed {
			break
		}
		w.now = w.now.Add(2 * time.Second)
	}
	e := k.State().Entry(1)
	if state(t, k, 2) != queue.Landed || e.State != queue.Queued || e.Aside == nil || !strings.Contains(e.Aside.Reason, "HTTP 413") {
		t.Fatalf("#2 %v; #1 %v, aside %+v, trouble %+v", state(t, k, 2), e.State, e.Aside, k.State().Trouble)
	}
	if head := w.pulls[1].Head; tries < 5 || head != sha("head#1") {
		t.Errorf("pushed %d times, branch left at %s", tries, head)
	}
}

func TestABranchThatOthersCountOnStaysAsItIs(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	k.MayMove = func(_ context.Context, m queue.HeadMove) error {
		if m.Number == 1 {
			return errors.New("#7 asks to land on it")
		}
		return nil
	}
	w.open(1)
	w.approve(1)
	w.open(2)
	w.approve(2)
	w.settle(k)
	if state(t, k, 1) != queue.Landed || state(t, k, 2) != queue.Landed {
		t.Fatalf("#1 %v, #2 %v", state(t, k, 1), state(t, k, 2))
	}
	if w.pulls[1].Head != sha("head#1") || w.pulls[2].Head == sha("head#2") {
		t.Errorf("branch of #1 %s, of #2 %s; their heads were %s, %s", w.pulls[1].Head, w.pulls[2].Head, sha("head#1"), sha("head#2"))
	}
}

// overtaken does something right before each append.
type overtaken struct {
	Ledger
	first func()
}

func (o overtaken) Append(ctx context.Context, trunk string, old, record queue.SHA) error {
	o.first()
	return o.Ledger.Append(ctx, trunk, old, record)
}

func TestRebuildBringsBackWhatLedgerAndForgeKnow(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.approve(1)
	w.settle(k)
	s := w.pulls[1]
	s.Open, s.Merged = false, true
	w.pulls[1] = s
	w.open(2)
	w.stored, w.inbox, w.gone = queue.Queue{Lane: lane}, nil, map[queue.Number]*queue.Entry{}
	k = w.keeper()
	r, err := k.Rebuild(t.Context())
	if err != nil || r != (Rebuilt{Landings: 1, Changes: 1, Open: 1}) {
		t.Fatalf("%+v, %v", r, err)
	}
	if e := w.gone[1]; e == nil || e.State != queue.Landed || e.Title != "change #1" || e.Landing.Tip != w.tip {
		t.Fatalf("brought back %+v", e)
	}
	if k.State().Ledger.Seq != 2 || k.State().Tip != w.tip || w.pushes != 1 {
		t.Fatalf("ledger %+v, tip %s", k.State().Ledger, k.State().Tip)
	}
	if again, err := w.keeper().Rebuild(t.Context()); err != nil || again.Landings != 0 {
		t.Fatalf("a second time: %+v, %v", again, err)
	}
}

// A forge that is slow to say who uses a branch holds up no landing for longer than a look is good for.
func TestASlowForgeKeepsBranchesWhereTheyAre(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	asked := 0
	k.MayMove = func(context.Context, queue.HeadMove) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		asked++
		w.now = w.now.Add(3 * time.Second)
		return errors.New("no answer")
	}
	w.commit("by hand")
	w.open(1)
	w.approve(1)
	w.settle(k)
	if state(t, k, 1) != queue.Landed || w.pulls[1].Head != sha("head#1") || asked != 1 {
		t.Fatalf("%v, branch at %s, asked %d times", state(t, k, 1), w.pulls[1].Head, asked)
	}
}
