package queue

import (
	"testing"
	"time"
)

// The author leaves the head whose landing is open and comes back to it in time for a push of the branch that was meant for it and is
// late. What stands there then has landed, and does not land again: not even when trunk was rewound, so that nothing shows it.
func TestWhatALatePushLeavesOnABranchHasLanded(t *testing.T) {
	t.Parallel()
	for name, seenFirst := range map[string]bool{"seen when it is known to have landed": false, "seen before": true} {
		t.Run(name, func(t *testing.T) {
			w := showMerged(t)
			w.approve(1, rita)
			for w.q.Candidate(1) == nil || w.q.Candidate(1).State != CandidateConfirmed {
				w.step()
			}
			c := w.begin(1)
			w.pushHead(1, 2)
			w.look(1)
			if !w.pushed(c) {
				t.Fatal("the push was not taken")
			}
			late := func() {
				w.pushHead(1, 1)
				if !w.moveHead(c.Intent.Heads[0]) {
					t.Fatal("the late push of its branch was not taken")
				}
				w.look(1)
			}
			if seenFirst {
				late()
				w.approve(1, raj)
				w.is(1, Queued)
			}
			w.apply(LandingDone{1, w.now})
			w.rewind(1)
			w.seeTrunk()
			if !seenFirst {
				late()
				w.approve(1, raj)
			}
			w.is(1, Landed)
			w.wait(time.Second)
			w.apply(Resumed{By: "ada", At: w.now})
			w.plans()
			w.settle()
			w.is(1, Landed)
			w.ledgerSays("adopt", "land")
			w.pushHead(1, 3) // what nobody landed yet may
			w.approve(1, rita)
			w.settle()
			w.is(1, Landed)
			w.ledgerSays("adopt", "land", "land")
		})
	}
	t.Run("from the ledger alone", func(t *testing.T) {
		w := showMerged(t)
		w.approve(1, rita)
		w.settle()
		w.is(1, Landed) // its branch was moved
		w.q = Queue{Lane: w.q.Lane}
		w.look(1)
		w.approve(1, raj)
		w.is(1, Queued)
		w.seeTrunk()
		w.is(1, Landed)
		w.plans()
	})
}
