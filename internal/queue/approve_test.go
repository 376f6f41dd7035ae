package queue

import (
	"strings"
	"testing"
	"time"
)

func TestAnApprovingReviewLandsTheChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.is(1, Idle)
	w.plans()
	w.says()

	w.approve(1, rita)
	w.is(1, Queued)
	w.approved(1, "rita")
	w.says("#1 living waiting", "#1 living waiting")
	w.plans("build 1 of #1 on f000f000")
	w.step()
	w.plans("run 1/1")
	w.step()
	w.says("#1 living testing", "#1 living testing")
	w.plans("confirm 1")
	w.step()
	w.plans("land 1")
	w.step()
	w.is(1, Landed)
	w.says("#1 living landed", "#1 landed as c001c001")
	w.plans()
	if w.tip() != commit(1) || w.q.Tip != commit(1) {
		t.Fatalf("trunk stands on %s, seen as %s, want %s", w.tip(), w.q.Tip, commit(1))
	}
}

func TestWhoMayApproveByReview(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		who  Person
		want State
	}{{rita, Queued}, {ada, Queued}, {ann, Idle}, {tom, Idle}, {guy, Idle}, {robot, Idle}} {
		t.Run(c.who.Login, func(t *testing.T) {
			w := newWorld(t)
			w.open(1)
			w.approve(1, c.who)
			w.is(1, c.want)
			if c.want == Queued {
				w.approved(1, c.who.Login)
				return
			}
			w.approved(1)
			w.noted(1, "review without weight")
			w.plans()
		})
	}
}

func TestWhoMayLandByCommand(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		who      Person
		want     State
		approved []string
		waits    string
		told     string
	}{
		{rita, Queued, []string{"rita"}, "next", "#1 thumb"},
		{ann, Queued, nil, "approvals", "#1 thumb"}, // she may ask, but not approve her own
		{robot, Queued, nil, "approvals", "#1 thumb"},
		{tom, Idle, nil, "not asked approvals", `#1 answer: "land" needs the right to review, which tom does not have here`},
		{guy, Idle, nil, "not asked approvals", `#1 answer: "land" needs the right to review, which guy does not have here`},
	} {
		t.Run(c.who.Login, func(t *testing.T) {
			w := newWorld(t)
			w.open(1)
			w.say(1, c.who, "land")
			w.is(1, c.want)
			w.approved(1, c.approved...)
			if c.waits == "not asked approvals" {
				w.waits(1, "not asked", "approvals")
			} else {
				w.waits(1, c.waits)
			}
			w.save()
			if !strings.Contains(strings.Join(w.told, "\n"), c.told) {
				t.Fatalf("told %q, want %q among it", w.told, c.told)
			}
		})
	}
}

func TestAskedByTheAuthorItWaitsForSomebodyElsesApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.say(1, ann, "land")
	w.plans()
	w.approve(1, ann)
	w.plans()
	w.approve(1, raj)
	w.settle()
	w.is(1, Landed)
}

func TestTwoApprovalsOfTwoPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.p.Approvals = 2
	w.open(1)
	w.approve(1, rita)
	w.waits(1, "approvals")
	w.approve(1, rita)
	w.say(1, rita, "land")
	w.approved(1, "rita")
	w.waits(1, "approvals")
	w.approve(1, raj)
	w.approved(1, "rita", "raj")
	w.settle()
	w.is(1, Landed)
}

func TestAReviewOfAnOldHeadDoesNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.reviewed(1, rita, ReviewApproved)
	w.pushHead(1, 2)
	w.look(1)
	w.is(1, Idle)
	w.approved(1)
	w.plans()
	w.says("#1 voided: the approval by rita is for 01010101, but the head is now 01020102. lander does not land unreviewed commits: approve the new head.")
	w.noted(1, "approval of another head")
}

func TestAPushAfterTheApprovalVoidsIt(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"review", "command"} {
		t.Run(how, func(t *testing.T) {
			w := newWorld(t)
			w.open(1)
			if how == "review" {
				w.approve(1, rita)
			} else {
				w.say(1, rita, "land")
			}
			w.is(1, Queued)
			w.forget()
			w.pushHead(1, 2)
			w.look(1)
			w.is(1, Idle)
			w.approved(1)
			w.plans()
			w.says("#1 voided: new commits were pushed: 01010101 was approved by rita, and 01020102 is not. It left the queue; an approval of the new head puts it back.", "#1 living idle")

			w.approve(1, rita)
			w.approved(1, "rita")
			w.settle()
			w.is(1, Landed)
			if got := w.q.Entry(1).Landing.Commits[0].From; got != head(1, 2) {
				t.Fatalf("landed %s, want the head that was approved, %s", got, head(1, 2))
			}
		})
	}
}

func TestAPushWhileItIsTestedGivesTheCandidateUp(t *testing.T) {
	t.Parallel()
	for _, state := range []CandidateState{CandidateBuilt, CandidateTesting, CandidatePassed, CandidateConfirmed} {
		t.Run(string(state), func(t *testing.T) {
			w := newWorld(t)
			w.upto(state)
			w.pushHead(1, 2)
			w.look(1)
			w.plans("abandon 1: #1 left the queue")
			w.begin(1)
			if got := w.q.Candidate(1).State; got != state {
				t.Fatalf("an intent for an unreviewed head was taken: %s", got)
			}
			w.settle()
			w.is(1, Idle)
			if w.tip() != trunk(0) {
				t.Fatal("the old head landed")
			}
		})
	}
}

func TestADismissedReviewAndALostRightStopCounting(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world){
		"dismissed":       func(w *world) { w.pulls[1].Reviews[0].State = ReviewDismissed },
		"right lost":      func(w *world) { w.pulls[1].Reviews[0].Role = RoleTry },
		"changed my mind": func(w *world) { w.reviewed(1, rita, ReviewObjected) },
		"not known role":  func(w *world) { w.pulls[1].Reviews[0].Role = "owner of the universe" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.upto(CandidateConfirmed)
			change(w)
			w.wait(time.Second)
			w.look(1)
			w.approved(1)
			if plan := w.plan(); len(plan) != 1 || !strings.HasPrefix(plan[0], "abandon 1: #1: it needs an approval") {
				t.Fatalf("plan is %q", plan)
			}
			w.settle()
			w.is(1, Queued)
		})
	}
}

func TestACommandOfSomebodyWhoLostTheRightStopsCounting(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.say(1, rita, "land")
	w.approved(1, "rita")
	w.pulls[1].Asks[0].Role = RoleNone
	w.wait(time.Second)
	w.look(1)
	w.approved(1)
	w.waits(1, "approvals")
	w.plans()
}

func TestACommentingReviewTakesNothingBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.approve(1, rita)
	w.reviewed(1, rita, ReviewCommented)
	w.look(1)
	w.approved(1, "rita")
}

func TestObjectionsHoldUntilTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.approve(1, rita)
	w.forget()
	w.reviewed(1, raj, ReviewObjected)
	w.reviewed(1, guy, ReviewObjected) // has no right, so no say
	w.look(1)
	w.waits(1, "objections")
	w.plans()
	w.says("#1 living held")

	w.pushHead(1, 2) // an objection outlives a push, an approval does not
	w.approve(1, rita)
	w.waits(1, "objections")
	w.approve(1, raj)
	w.approved(1, "rita", "raj")
	w.settle()
	w.is(1, Landed)
}

func TestCommandAndReviewOfOnePersonAreOneApprovalInAnyOrder(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"review", "command"} {
		t.Run(first+" first", func(t *testing.T) {
			w := newWorld(t)
			w.open(1)
			if first == "review" {
				w.approve(1, rita)
				w.say(1, rita, "land")
			} else {
				w.say(1, rita, "land")
				w.approve(1, rita)
			}
			w.approved(1, "rita")
			w.say(1, ann, "withdraw")
			w.approved(1, "rita") // the review still stands
			w.is(1, Idle)
			w.plans()
		})
	}
}
