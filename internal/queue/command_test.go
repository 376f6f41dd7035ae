package queue

import (
	"fmt"
	"testing"
	"time"
)

func TestLandWithoutSHAMeansTheHeadThatWasSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.pushHead(1, 2)
	w.commented(1, rita, "land")
	w.look(1) // the first look that sees the new head, but it was pushed before the command
	w.is(1, Queued)
	w.approved(1, "rita")
}

func TestLandWithoutSHAAroundAPushIsRefused(t *testing.T) {
	t.Parallel()
	unsure := `#1 answer: commits were pushed around the time of this command, so it is not certain which head was meant. Say "land 01020102" to mean the head as it is now, or approve it with a review.`
	for name, play := range map[string]func(w *world){
		"pushed just after": func(w *world) {
			w.commented(1, rita, "land")
			w.pushHead(1, 2)
		},
		"pushed in the same second": func(w *world) {
			w.pushHead(1, 2)
			w.pulls[1].Asks = append(w.pulls[1].Asks, w.command(rita, "land"))
			w.pulls[1].PushedAt = w.now
		},
		"push time unknown": func(w *world) {
			w.pushHead(1, 2)
			w.pulls[1].PushedAt = time.Time{}
			w.commented(1, rita, "land")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(1)
			play(w)
			w.wait(time.Second)
			w.look(1)
			w.is(1, Idle)
			w.approved(1)
			w.says(unsure)
			w.say(1, rita, "land 01020102")
			w.is(1, Queued)
			w.approved(1, "rita")
		})
	}
}

func TestLandWithASHAMeansThatHeadOnly(t *testing.T) {
	t.Parallel()
	h := string(head(1, 2))
	for _, c := range []struct {
		sha  string
		want State
	}{
		{h, Queued}, {h[:7], Queued}, {"0102010", Queued}, {h[:6], Idle}, {h + "0", Idle}, {string(head(1, 1)), Idle}, {"main", Idle}, {"--all", Idle},
	} {
		t.Run(c.sha, func(t *testing.T) {
			w := newWorld(t)
			w.open(1)
			w.commented(1, rita, "land "+c.sha)
			w.pushHead(1, 2) // a named head is sure, whenever it was pushed
			w.look(1)
			w.is(1, c.want)
			if c.want == Idle {
				w.approved(1)
				w.says(fmt.Sprintf("#1 answer: %s is not the head of this pull request, which is %s. Nothing was queued.", c.sha, h))
			}
		})
	}
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	for _, state := range []CandidateState{CandidateBuilt, CandidateTesting, CandidatePassed, CandidateConfirmed} {
		t.Run(string(state), func(t *testing.T) {
			w := newWorld(t)
			w.upto(state)
			w.say(1, ann, "withdraw") // her own, so no right is needed
			w.is(1, Idle)
			w.plans("abandon 1: #1 left the queue")
			w.says("#1 living idle", "#1 thumb", "#1 living idle")
			w.settle()
			w.plans()
			if w.tip() != trunk(0) {
				t.Fatal("it landed after it was withdrawn")
			}
		})
	}
	t.Run("too late", func(t *testing.T) {
		w := newWorld(t)
		w.upto(CandidateLanding)
		w.say(1, rita, "withdraw")
		w.is(1, Queued)
		w.says("#1 answer: too late: it passed, and its push to trunk has begun")
		w.settle()
		w.is(1, Landed)
		w.forget()
		w.say(1, rita, "withdraw")
		w.says("#1 answer: it has landed already")
	})
	t.Run("not queued", func(t *testing.T) {
		w := newWorld(t)
		w.open(1)
		w.say(1, rita, "withdraw")
		w.says("#1 answer: it is not in the queue")
	})
	t.Run("by somebody else", func(t *testing.T) {
		w := newWorld(t)
		w.upto(CandidateTesting)
		w.say(1, tom, "withdraw")
		w.is(1, Queued)
		w.says(`#1 answer: "withdraw" needs the right to review, which tom does not have here`)
	})
}

func TestWithdrawTakesACommandsApprovalBackButNotAReview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.p.Approvals = 2
	w.open(1)
	w.say(1, rita, "land")
	w.approve(1, raj)
	w.approved(1, "rita", "raj")
	w.say(1, rita, "withdraw")
	w.approved(1, "raj")
	w.say(1, ann, "land")
	w.waits(1, "approvals")
}

func TestRetryRunsTheSameHeadAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.spoils(1, says(Red, "exit status 1"))
	w.open(1)
	w.approve(1, rita)
	w.settle()
	w.is(1, Dropped)
	w.forget()
	w.say(1, guy, "retry")
	w.is(1, Dropped)
	w.says(`#1 answer: "retry" needs the right to try, which guy does not have here`)

	w.suite = green
	w.say(1, tom, "retry")
	w.is(1, Queued)
	w.approved(1, "rita")
	if by := w.q.Entry(1).AskedBy; by != rita {
		t.Fatalf("asked by %v, want rita, who approved it", by)
	}
	w.say(1, tom, "retry")
	w.says("#1 living waiting", "#1 thumb", "#1 living waiting", "#1 answer: it is in the queue already")
	w.settle()
	w.is(1, Landed)
}

func TestRetryNeverExtendsAnApproval(t *testing.T) {
	t.Parallel()
	t.Run("to a new head", func(t *testing.T) {
		w := newWorld(t)
		w.spoils(1, says(Red, "exit status 1"))
		w.open(1)
		w.approve(1, rita)
		w.settle()
		w.pushHead(1, 2)
		w.look(1)
		w.forget()
		w.say(1, rita, "retry")
		w.is(1, Idle)
		w.approved(1)
		w.says("#1 answer: this head was not dropped from the queue, so there is nothing to retry")
	})
	t.Run("past its dismissal", func(t *testing.T) {
		w := newWorld(t)
		w.spoils(1, says(Red, "exit status 1"))
		w.open(1)
		w.approve(1, rita)
		w.settle()
		w.pulls[1].Reviews[0].State = ReviewDismissed
		w.say(1, tom, "retry")
		w.is(1, Queued)
		w.waits(1, "approvals")
		w.plans()
	})
}

func TestACommandActsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.say(1, rita, "land")
	w.say(1, rita, "withdraw")
	w.is(1, Idle)
	w.forget()
	for range 3 {
		w.wait(time.Minute)
		w.look(1)
	}
	w.is(1, Idle)
	w.says()

	// One that the forge lists twice, as when a page shifts under the reader.
	ping := w.command(guy, "retry")
	w.pulls[1].Asks = append(w.pulls[1].Asks, ping, ping)
	w.suite = func(*Candidate, int) Verdict { return says(Red, "exit status 1") }
	w.wait(time.Second)
	w.look(1)
	w.says(`#1 answer: "retry" needs the right to try, which guy does not have here`)
}

func TestCommandsOfOneLookActInTheOrderTheyWereGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.commented(1, rita, "land")
	w.commented(1, rita, "withdraw")
	w.reviewed(1, raj, ReviewApproved)
	w.commented(1, rita, "p=3")
	w.look(1)
	w.is(1, Queued)
	w.approved(1, "raj")
	if e := w.q.Entry(1); e.Priority != 3 || e.AskedBy != raj {
		t.Fatalf("priority %d, asked by %v", e.Priority, e.AskedBy)
	}
}

func TestHoldKeepsItsPlaceWithoutLanding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateTesting)
	w.say(1, raj, "hold")
	w.plans("abandon 1: #1: a reviewer put it on hold")
	w.settle()
	w.is(1, Queued)
	w.waits(1, "hold")
	w.open(2)
	w.approve(2, rita)
	w.line(1, 2)
	w.plans("build 2 of #2 on f000f000") // held, it stands in nobody's way
	w.say(1, raj, "unhold")
	w.plans("build 2 of #1 and #2 on f000f000")
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.say(1, guy, "ping")
	w.says("#1 answer: pong")
	w.say(1, guy, "help")
	w.says("#1 answer: commands, one to a line: land [SHA] [p=N | hotfix] [alone], withdraw, retry, p=N, hold, unhold, after #N, after TIME, why, help, ping; for admins: pause REASON, resume")
	w.say(1, guy, "why")
	w.says("#1 answer: nobody has asked to land 01010101 (since 2026-03-14 12:00:01 UTC). Who can lift it: people who may review. Then: an approving review, or the command land, puts it into the queue.\n" +
		"it needs an approval of 01010101. Who can lift it: people who may review, other than the author. Then: it takes its place in the queue.")
	// why is answered from the state after everything that the same look brought.
	w.commented(1, guy, "why")
	w.reviewed(1, rita, ReviewApproved)
	w.look(1)
	w.says("#1 answer: it is next (since 2026-03-14 12:00:10 UTC). Who can lift it: nobody need act. Then: it is rebased onto trunk and tested.",
		"#1 living waiting", "#1 living waiting")
	w.pulls[1].Asks = append(w.pulls[1].Asks, Ask{ID: "x", Comment: 9, Who: guy, Role: RoleNone, At: w.now, Problem: `"lnad" is not a command; did you mean land?`})
	w.look(1)
	w.says(`#1 answer: "lnad" is not a command; did you mean land?`)
}

func TestTwoPullRequestsMayUseTheSameIDForTheirCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.open(2)
	ping := w.command(guy, "ping")
	w.pulls[1].Asks, w.pulls[2].Asks = []Ask{ping}, []Ask{ping}
	w.wait(time.Second)
	w.look(1)
	w.look(2)
	keys := map[string]bool{}
	for _, n := range w.q.Outbox {
		keys[n.Key] = true
	}
	if len(w.q.Outbox) != 2 || len(keys) != 2 {
		t.Fatalf("answers %v share a key, so that only one is sent", keys)
	}
}

func TestOrdersFromElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(ChangeAsked{1, w.command(rita, "land")}) // not known: nothing to act on
	w.open(1)
	w.wait(time.Second)
	order := w.command(rita, "land")
	order.Comment = 0
	w.apply(ChangeAsked{1, order})
	w.is(1, Queued)
	w.approved(1, "rita")
	w.says("#1 living waiting", "#1 living waiting") // no comment, so nothing to put a thumb on
	w.look(1)
	w.approved(1, "rita")

	hold := w.command(raj, "hold")
	hold.Comment = 0
	w.apply(ChangeAsked{1, hold})
	w.says("#1 living held")
	w.waits(1, "hold")
}
