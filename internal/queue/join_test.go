package queue

import "testing"

func TestAGreenRunLandsAllBelowIt(t *testing.T) {
	t.Parallel()
	w := crew(t, 4, 1, 4)
	w.busy()
	w.train("1: #1 testing", "2: #2 testing", "3: #3 testing", "4: #4 testing")
	w.forget()
	w.ends(3, green(nil, 1))
	w.plans("join 3 as 5")
	w.step()
	w.train("5: #1, #2 and #3 passed", "4: #4 testing")
	w.line(1, 2, 3, 4)
	w.noted(0, "joined")
	w.settle()
	w.all(Landed, 1, 2, 3)
	w.is(4, Queued)
	if w.tip() != commit(3) {
		t.Fatalf("trunk stands on %s, and what was tested is %s", w.tip().Short(), commit(3).Short())
	}
	w.ledgerSays("adopt", "land")
	for i, n := range upTo(3) {
		if l := w.q.Entry(n).Landing; l.Tip != commit(3) || len(l.Commits) != 1 || l.Commits[0].SHA != commit(CandidateID(i+1)) {
			t.Fatalf("%v landed as %+v", n, l)
		}
	}
	before := text(w.q)
	w.apply(RunReported{1, 1, says(Red, "too late"), w.now}) // the runs below were not needed any more
	w.apply(RunReported{2, 1, green(nil, 1), w.now})
	if text(w.q) != before {
		t.Fatal("a run of what has landed changed something")
	}
	w.train("4: #4 testing") // on what is trunk now
	w.ends(4, green(nil, 1))
	w.settle()
	w.is(4, Landed)
	if w.tip() != commit(4) || w.q.Next != 5 {
		t.Fatalf("#4 was built again: trunk is %s, the newest candidate %d", w.tip().Short(), w.q.Next)
	}
}

// Who is joined is looked at like anybody else before it lands.
func TestWhoIsJoinedIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world){
		"withdrawn": func(w *world) { w.commented(1, ann, "withdraw") },
		"held":      func(w *world) { w.commented(1, raj, "hold") },
		"new head":  func(w *world) { w.pushHead(1, 2) },
		"closed":    func(w *world) { w.pulls[1].Open = false },
	} {
		t.Run(name, func(t *testing.T) {
			w := crew(t, 2, 1, 2)
			w.busy()
			w.ends(2, green(nil, 1))
			change(w) // and nobody has heard of it
			w.settle()
			w.busy()
			if got := w.state(1); got == string(Landed) {
				t.Fatal("#1 landed")
			}
			w.is(2, Landed) // tested anew without it
			if w.tip() == commit(2) {
				t.Fatal("what was tested with #1 landed")
			}
		})
	}
}

func TestAPauseBetweenJoiningAndLanding(t *testing.T) {
	t.Parallel()
	w := crew(t, 2, 1, 2)
	w.busy()
	w.ends(2, green(nil, 1))
	w.step()
	w.apply(Paused{By: "ada", At: w.now})
	w.plans()
	w.refuses(3, CandidatePassed)
	w.apply(Resumed{By: "ada", At: w.now})
	w.settle()
	w.all(Landed, 1, 2)
}

// refuses holds that an intent for a candidate is refused.
func (w *world) refuses(id CandidateID, state CandidateState) {
	w.t.Helper()
	if got := w.begin(id).State; got != state {
		w.t.Fatalf("after the intent candidate %d is %s", id, got)
	}
}

// An intent is for what stands on trunk itself: what is below must not land by the way.
func TestNoIntentInTheMiddleOfATrain(t *testing.T) {
	t.Parallel()
	w := crew(t, 2, 1, 2)
	w.busy()
	w.ends(2, green(nil, 1))
	w.apply(Confirmed{2, w.now})
	w.refuses(2, CandidateConfirmed)
	if plan := w.plan(); plan[0] != "join 2 as 3" {
		t.Fatalf("plan is %q", plan)
	}
}

func TestWhatCannotBeJoined(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(w *world)
		ev     Joined
	}{
		"what is under test":    {func(*world) {}, Joined{ID: 2, As: 4}},
		"what is red":           {func(w *world) { w.ends(2, says(Red, "exit status 1")) }, Joined{ID: 2, As: 4}},
		"what stands on trunk":  {func(w *world) { w.ends(1, green(nil, 1)) }, Joined{ID: 1, As: 4}},
		"as an old number":      {func(w *world) { w.ends(2, green(nil, 1)) }, Joined{ID: 2, As: 3}},
		"as a number left out":  {func(w *world) { w.ends(2, green(nil, 1)) }, Joined{ID: 2, As: 5}},
		"what is not there":     {func(*world) {}, Joined{ID: 9, As: 4}},
		"on a trunk that moved": {func(w *world) { w.ends(2, green(nil, 1)); w.bypass(1); w.seeTrunk() }, Joined{ID: 2, As: 4}},
		"over one that is landing": {func(w *world) {
			w.ends(1, green(nil, 1))
			w.apply(Confirmed{1, w.now})
			w.begin(1)
			w.ends(2, green(nil, 1))
		}, Joined{ID: 2, As: 4}},
		"over one that is gone": {func(w *world) { w.ends(2, green(nil, 1)); w.apply(Abandoned{1, "any reason", w.now}) }, Joined{ID: 2, As: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			w := crew(t, 3, 1, 3)
			w.busy()
			c.before(w)
			c.ev.At = w.now
			before := text(w.q)
			w.apply(c.ev)
			if text(w.q) != before {
				t.Fatalf("it was joined:\n%s", w.journal())
			}
		})
	}
}
