//go:build unix

package testrun

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"lander/internal/queue"
)

// Runs of two repositories share one slot: the second begins when the first has ended, and one that is no longer wanted waits no more.
func TestARunWaitsForASlot(t *testing.T) {
	t.Parallel()
	a, at := newRunner(t)
	b, bt := newRunner(t)
	a.Slots = NewSlots(1)
	b.Slots = a.Slots
	first, second := make(chan queue.Verdict, 1), make(chan queue.Verdict, 1)
	go func() {
		first <- a.Run(t.Context(), jobOf(steps("touch begun; while [ ! -e go ]; do sleep 0.01; done")))
	}()
	until(t, "the first run", func() bool { return exists(filepath.Join(at.dir, "begun")) })
	go func() { second <- b.Run(t.Context(), jobOf(steps("touch begun"))) }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	want(t, b.Run(ctx, jobOf(steps("touch begun"))), queue.Cancelled, "no longer wanted")
	if exists(filepath.Join(bt.dir, "begun")) || len(second) != 0 {
		t.Fatal("two runs are under way")
	}
	if err := os.WriteFile(filepath.Join(at.dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, <-first, queue.Green, "")
	want(t, <-second, queue.Green, "")
}
