package queue

import (
	"fmt"
	"testing"
	"time"
)

func TestNothingLandsBeforeItWasLookedAtAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidatePassed)
	w.plans("confirm 1")
	w.begin(1) // not yet
	w.plans("confirm 1")
	w.apply(Confirmed{1, w.now})
	w.plans("land 1")
	w.wait(confirmFor - time.Millisecond)
	w.plans("land 1")
	w.wait(time.Millisecond) // as after a crash
	w.plans("confirm 1")
}

func TestTheLastLookFindsANewHead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidatePassed)
	w.pushHead(1, 2) // and the webhook was lost
	w.settle()
	w.is(1, Idle)
	if w.tip() != trunk(0) {
		t.Fatal("an unreviewed head landed")
	}
}

func TestACrashAfterTheIntentLandsItAgain(t *testing.T) {
	t.Parallel()
	t.Run("the push had arrived", func(t *testing.T) {
		w := newWorld(t)
		c := w.upto(CandidateLanding)
		w.pushed(c)
		w.seeTrunk() // our own push is no bypass
		w.plans("resolve 1")
		w.settle()
		w.is(1, Landed)
		for _, r := range w.wrote {
			if r.Kind == "bypass" {
				t.Fatalf("journal calls our own push a bypass: %s", r.Text)
			}
		}
	})
	t.Run("the push had not left", func(t *testing.T) {
		w := newWorld(t)
		w.upto(CandidateLanding)
		w.plans("resolve 1")
		w.settle()
		w.is(1, Landed)
		w.ledgerSays("adopt", "land")
	})
	t.Run("somebody else was first", func(t *testing.T) {
		w := newWorld(t)
		w.upto(CandidateLanding)
		w.bypass(1)
		w.plans("resolve 1")
		w.settle()
		w.ledgerSays("adopt", "abort", "land")
		w.is(1, Landed)
		if got := w.q.Entry(1).Landing; got.Candidate != 2 {
			t.Fatalf("landed by candidate %d, which stood on the old trunk", got.Candidate)
		}
		w.noted(0, "bypass")
	})
	t.Run("and somebody pushed on top before it was read back", func(t *testing.T) {
		w := newWorld(t)
		w.pushed(w.upto(CandidateLanding))
		w.bypass(5)
		w.settle()
		w.is(1, Landed)
		if w.q.Entry(1).Landing.Tip != commit(1) || w.q.Tip != trunk(5) {
			t.Fatalf("landed as %s on trunk %s", w.q.Entry(1).Landing.Tip, w.q.Tip)
		}
		w.noted(0, "bypass")
	})
}

func TestPausedDuringLandingItIsFinishedOrGivenUpForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.upto(CandidateLanding)
	w.apply(Paused{By: "ada", Reason: "release", At: w.now})
	w.plans("resolve 1")
	v := *w
	v.pushed(c) // it had left before the pause
	v.settle()
	v.is(1, Landed)

	w.settle()
	w.is(1, Queued)
	w.plans()
	w.ledgerSays("adopt", "abort")
	if w.pushed(c) {
		t.Fatal("a push that was given up arrived late, and was taken")
	}
	if w.tip() != trunk(0) {
		t.Fatal("trunk moved while landing was paused")
	}
	w.apply(Resumed{By: "ada", At: w.now})
	w.settle()
	w.is(1, Landed)
}

func TestNoIntentWhileSomethingStandsAgainstIt(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(w *world){
		"paused":      func(w *world) { w.apply(Paused{By: "ada", At: w.now}) },
		"rewound":     func(w *world) { w.trunk = []SHA{trunk(9)}; w.seeTrunk() },
		"trunk moved": func(w *world) { w.bypass(9); w.seeTrunk() },
		"withdrawn":   func(w *world) { w.say(1, ann, "withdraw") },
		"held":        func(w *world) { w.say(1, raj, "hold") },
		"draft":       func(w *world) { w.pulls[1].Draft = true; w.wait(time.Second); w.look(1) },
		"closed":      func(w *world) { w.pulls[1].Open = false; w.wait(time.Second); w.look(1) },
		"given up":    func(w *world) { w.apply(Abandoned{1, "trunk moved", w.now}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.upto(CandidateConfirmed)
			before(w)
			w.begin(1)
			if got := w.q.Candidate(1).State; got == CandidateLanding {
				t.Fatal("the intent was taken")
			}
		})
	}
}

func TestADeniedPushIsTriedAgainLaterAndLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateConfirmed)
	for _, wait := range []time.Duration{5 * time.Second, 10 * time.Second} {
		w.plans("land 1")
		w.denies = "protected branch"
		w.step()
		w.denies = ""
		w.is(1, Queued)
		w.waits(1, "trouble", "landing")
		w.plans()
		if wake := w.q.Wake(w.now); !wake.Equal(w.now.Add(wait)) {
			t.Fatalf("wakes at %v, want in %v", wake, wait)
		}
		w.wait(wait)
		w.plans("confirm 1")
		w.step()
		w.plans("land 1")
	}
	w.settle()
	w.is(1, Landed)
	if w.q.Trouble != nil {
		t.Fatal("the trouble is still shown after the landing")
	}
	w.noted(0, "landing denied")
	w.ledgerSays("adopt", "abort", "abort", "land")
}

// A server that refuses one change for what is in it must not keep the others waiting; one that refuses all must not have them all
// dropped.
func TestAPushThatIsAlwaysDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateConfirmed)
	w.open(2)
	w.approve(2, rita)
	deny := func(id CandidateID) {
		w.denies = "file too large"
		if plan := w.plan(); plan[0] != fmt.Sprintf("land %d", id) {
			t.Fatalf("plan is %q", plan)
		}
		w.step()
		w.denies = ""
		w.wait(w.q.Trouble.NotTill.Sub(w.now))
	}
	for range deniedTries - 1 {
		deny(1)
		w.step()
	}
	deny(1)
	w.is(1, Dropped)
	w.is(2, Queued)
	if d := w.q.Entry(1).Drop; d.Code != DropDenied {
		t.Fatalf("dropped as %+v", d)
	}
	for w.q.Candidate(2) == nil || w.q.Candidate(2).State != CandidateConfirmed {
		w.step()
	}
	for range 10 {
		deny(2)
		w.step()
		w.is(2, Queued)
	}
	w.settle()
	w.is(2, Landed)
	if w.q.Trouble != nil {
		t.Fatal("the trouble is still shown after a landing")
	}
}

func TestALookThatFailsForOneChangeLetsTheNextGoAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidatePassed)
	w.open(2)
	w.approve(2, rita)
	w.apply(ChangeStuck{Number: 1, Head: head(1, 1), Reason: "the forge answers 500 for it", At: w.now})
	w.is(1, Queued)
	w.waits(1, "aside")
	w.settle()
	w.is(2, Landed)
	w.wait(5 * time.Second)
	w.settle()
	w.is(1, Landed)
}

func TestARunThatTakesLanderDownIsPutAsideInTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateBuilt)
	w.open(2)
	w.approve(2, rita)
	for run := 1; run <= lostRuns; run++ {
		w.apply(RunStarted{1, run, w.now})
		w.apply(RunLost{1, run, w.now})
		w.wait(backoff(run))
	}
	w.is(1, Queued)
	if w.q.Candidate(1) != nil && !w.q.Candidate(1).ended() {
		t.Fatal("the candidate is still in flight")
	}
	w.noted(1, "put aside")
}

func TestAnOldIntentIsNotPushedWithoutALook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateLanding)
	for name, age := range map[string]time.Duration{"after an hour": time.Hour, "by a clock that was set back": -time.Hour} {
		v := *w
		v.wait(age)
		v.do(v.q.Plan(v.now, v.p)[0])
		v.ledgerSays("adopt", "abort")
		v.is(1, Queued)
		if v.tip() != trunk(0) {
			t.Fatalf("it was pushed %s", name)
		}
	}
	w.do(w.q.Plan(w.now, w.p)[0])
	w.is(1, Landed)
}

func TestAHeadThatLandedAndComesBackIsLanded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateConfirmed)
	w.settle()
	w.is(1, Landed)
	w.pushHead(1, 2)
	w.look(1)
	w.is(1, Idle)
	w.pushHead(1, 1)
	w.look(1)
	w.is(1, Landed)
	w.say(1, raj, "land")
	w.is(1, Landed)
	w.plans()
}

func TestAnOldPauseIsNotCarriedOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.commented(1, ada, "pause incident")
	w.wait(time.Hour)
	w.look(1)
	if w.q.Pause != nil {
		t.Fatal("a pause from an hour ago was carried out")
	}
}

func TestTheWaitGrowsToFiveMinutes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]time.Duration{0: 5 * time.Second, 1: 5 * time.Second, 2: 10 * time.Second, 6: 160 * time.Second, 7: 5 * time.Minute, 1 << 40: 5 * time.Minute} {
		if got := backoff(n); got != want {
			t.Errorf("backoff(%d) = %v, want %v", n, got, want)
		}
	}
}

func TestTrunkMovedBeforeThePush(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateConfirmed)
	w.bypass(1) // and nobody has noticed
	w.forget()
	w.step()
	w.noted(0, "landing undone")
	w.plans("abandon 1: trunk moved to f001f001")
	w.step()
	w.plans("build 2 of #1 on f001f001")
	w.settle()
	w.is(1, Landed)
}

func TestAHeadPushedWhileItsOldOneLands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.upto(CandidateLanding)
	w.pushHead(1, 2)
	w.approve(1, raj)
	w.plans("resolve 1") // nothing more is done for the old head, but it may be on trunk already
	w.pushed(c)
	w.forget()
	for _, a := range w.q.Plan(w.now, w.p) {
		w.do(a)
	}
	w.is(1, Queued)
	var landed *Notice
	for _, n := range w.q.Outbox {
		if n.Kind == NoticeLanded {
			landed = &n
		}
	}
	if landed == nil || landed.Head != head(1, 1) || len(landed.Approvers) > 0 || landed.Waited != 0 {
		t.Fatalf("told %+v: the old head landed, and what was said of the new one is not of it", landed)
	}
	w.plans("build 2 of #1 on c001c001")
}

func TestClosedWhileItsPushMayHaveLeft(t *testing.T) {
	t.Parallel()
	for _, merged := range []bool{true, false} {
		t.Run(map[bool]string{true: "shown as merged", false: "closed by hand"}[merged], func(t *testing.T) {
			w := newWorld(t)
			c := w.upto(CandidateLanding)
			w.pulls[1].Open, w.pulls[1].Merged = false, merged
			w.wait(time.Second)
			w.look(1)
			w.save()
			w.plans("resolve 1")
			v := *w
			v.pushed(c) // it had left
			v.forget()
			v.settle()
			v.is(1, Landed)
			v.says("#1 living landed", "#1 landed as c001c001")
			v.wait(time.Second)
			v.look(1)
			v.is(1, "none")
			if merged {
				return
			}
			w.settle() // it had not
			w.plans()
			w.wait(time.Second)
			w.look(1)
			w.is(1, "none")
			if w.tip() != trunk(0) {
				t.Fatal("a closed pull request landed")
			}
		})
	}
}
