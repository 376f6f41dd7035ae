package gate

import (
	"context"
	"slices"
	"testing"
	"time"

	"lander/internal/queue"
)

// Whatever happens after a push has left, whoever comes next finds in the database what it was.
func TestAPushLeavesOnlyWhenItsIntentIsStored(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.approve(1)
	stored := func() *queue.Candidate {
		w.mu.Lock()
		defer w.mu.Unlock()
		if c := w.stored.CandidateOf(1); c != nil && c.State == queue.CandidateLanding {
			return c
		}
		return nil
	}
	push, move := k.Push, k.MoveHead
	k.Push = func(ctx context.Context, r queue.LandRequest) error {
		if c := stored(); c == nil || c.Base != r.Old || c.Built.SHA != r.New || c.Intent.Ledger != r.Ledger || c.Intent.Record.SHA != r.Record {
			t.Errorf("pushed %+v, and stored is %+v", r, c)
		}
		return push(ctx, r)
	}
	k.MoveHead = func(ctx context.Context, m queue.HeadMove) error {
		if c := stored(); c == nil || !slices.Contains(c.Intent.Heads, m) {
			t.Errorf("moved %+v, and stored is %+v", m, c)
		}
		return move(ctx, m)
	}
	w.settle(k)
	w.expect(k, queue.Landed, 1, queue.DecisionAdopt, queue.DecisionLand)
}

func TestWhatTheSecondCheckRefusesIsNeitherTestedNorLanded(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.approve(1)
	w.fail["check"] = &queue.MismatchError{Candidate: sha("forged"), Paths: []string{"a.txt"}}
	w.settle(k)
	w.expect(k, queue.Dropped, 0, queue.DecisionAdopt)
	if len(w.tested) != 0 {
		t.Fatalf("it was tested as %s", w.tested[0])
	}
	if e := k.State().Entry(1); !slices.Equal(e.Drop.Files, []string{"a.txt"}) {
		t.Fatalf("dropped as %+v", e.Drop)
	}
}

// The forge shows that an approval was dismissed, and no webhook says so: the look before the landing must find it.
func TestAnApprovalThatWasTakenBackUnheardIsMissed(t *testing.T) {
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
	s.Reviews = slices.Clone(s.Reviews)
	s.Reviews[0].State = queue.ReviewDismissed
	w.pulls[1] = s
	w.now = w.now.Add(time.Second)
	w.mu.Unlock()
	close(w.block)
	w.settle(k)
	w.expect(k, queue.Queued, 0, queue.DecisionAdopt)
}

// moves remembers what was written into the trunk log.
type moves struct {
	*world
	all []queue.MoveKind
}

func (m *moves) Save(ctx context.Context, s queue.Save) (queue.Queue, error) {
	q, err := m.world.Save(ctx, s)
	for _, move := range s.New.Moves {
		m.all = append(m.all, move.Kind)
	}
	return q, err
}

// A landing that the database has forgotten is trunk's move all the same, and nobody's bypass.
func TestWhatTheLedgerSaysLandedIsNoBypass(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	w.open(1)
	w.settle(k)
	backup := w.stored
	w.approve(1)
	w.settle(k)
	w.expect(k, queue.Landed, 1, queue.DecisionAdopt, queue.DecisionLand)
	w.stored = backup
	log := &moves{world: w}
	k = w.keeper()
	k.Store = log
	if err := k.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(log.all, []queue.MoveKind{queue.MoveLand}) {
		t.Fatalf("the trunk log says %v", log.all)
	}
}
