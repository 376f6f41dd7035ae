package gate

import (
	"context"
	"slices"
	"testing"

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
