package gate

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"lander/internal/queue"
)

// A trial may be of a commit that is a candidate's too, whose run goes on: its changes are there once.
func TestATrialIsToldOfEachChangeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.window, w.batch = 4, 2
		k := w.keeper()
		first := make(chan struct{})
		var mu sync.Mutex
		tried := map[string]bool{}
		test := k.Test
		k.Test = func(ctx context.Context, c *queue.Candidate, run int, again queue.Rerun) queue.Verdict {
			mu.Lock()
			tried[fmt.Sprint(c.Numbers())] = c.Of != 0
			mu.Unlock()
			if c.Of == 0 && len(c.Members) == 2 {
				select {
				case <-first:
				case <-ctx.Done():
				}
			}
			return test(ctx, c, run, again)
		}
		w.verdicts[3] = red
		w.approved(4)
		w.settled(k)
		if !tried["[#1 #2]"] {
			t.Errorf("tried were %v", tried)
		}
		close(first)
		w.until(k, "everybody's fate", func() bool { return states(t, k, 4) == "[landed landed dropped landed]" })
	})
}
