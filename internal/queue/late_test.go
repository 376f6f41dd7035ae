package queue

import (
	"slices"
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

// Who is on the way to trunk again is moved from where lander left the branch, and not put back first: that may not succeed, and then
// the forge would not show it as merged. While nothing lands the branch is put back.
func TestABranchOnItsWayIsNotPutBack(t *testing.T) {
	t.Parallel()
	for name, paused := range map[string]bool{"landing goes on": false, "landing is paused": true} {
		t.Run(name, func(t *testing.T) {
			w := showMerged(t)
			w.approve(1, rita)
			for w.q.Candidate(1) == nil || w.q.Candidate(1).State != CandidateConfirmed {
				w.step()
			}
			c := w.begin(1)
			if !w.moveHead(c.Intent.Heads[0]) {
				t.Fatal("its branch was not moved")
			}
			if paused {
				w.apply(Paused{By: "ada", At: w.now})
			}
			w.apply(LandingUndone{ID: 1, At: w.now})
			w.look(1)
			if e := w.q.Entry(1); e.Displaced != c.Intent.Heads[0].To {
				t.Fatalf("where its branch stands is not known: %q", e.Displaced)
			}
			back := slices.ContainsFunc(w.q.Plan(w.now, w.p), func(a Action) bool { _, ok := a.(PutBack); return ok })
			if back != paused {
				t.Fatalf("put back: %v", back)
			}
		})
	}
}
