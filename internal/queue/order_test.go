package queue

import (
	"testing"
	"time"
)

func TestFirstApprovedFirstLanded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.p.Batch = 1
	for _, n := range []Number{1, 2, 3} {
		w.open(n)
	}
	w.approve(3, rita)
	w.approve(1, rita)
	w.approve(2, raj)
	w.line(3, 1, 2)
	w.waits(2, "behind")
	s, _ := w.q.Standing(2, w.now, w.p)
	if s.Position != 3 || len(s.Ahead) != 2 || s.Ahead[0] != 3 || s.Stage != StageWaiting {
		t.Fatalf("#2 stands at %d behind %v, %s", s.Position, s.Ahead, s.Stage)
	}
	w.settle()
	if w.q.Entry(3).Landing.Candidate != 1 || w.q.Entry(1).Landing.Candidate != 2 || w.q.Entry(2).Landing.Candidate != 3 {
		t.Fatal("they did not land in the order in which they were approved")
	}
}

func TestPriorityComesFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, n := range []Number{1, 2, 3, 4} {
		w.open(n)
		w.approve(n, rita)
	}
	w.say(4, rita, "p=1")
	w.say(3, rita, "p=1")
	w.say(1, rita, "p=-1")
	w.say(2, tom, "p=9") // may not
	w.line(3, 4, 2, 1)   // 3 asked before 4
	w.commented(2, rita, "land")
	w.pulls[2].Asks[len(w.pulls[2].Asks)-1].Priority = new(7)
	w.look(2)
	w.line(2, 3, 4, 1)
	w.plans("build 1 of #2, #3, #4 and #1 on f000f000")
}

func TestAHotfixDoesNotRestartWhatIsUnderTest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateTesting)
	w.open(2)
	w.approve(2, rita)
	w.say(2, rita, "p=9")
	w.line(1, 2)
	w.plans()
	w.apply(RunReported{1, 1, green(nil, 1), w.now})
	w.settle()
	if w.q.Entry(1).Landing.Candidate != 1 {
		t.Fatal("#1 was restarted by what came behind it")
	}
}

func TestAskedAgainItKeepsItsPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.open(2)
	w.approve(1, rita)
	w.approve(2, rita)
	w.say(1, rita, "land")
	w.approve(1, raj)
	w.line(1, 2)
	w.say(1, rita, "withdraw")
	w.say(1, rita, "land")
	w.line(2, 1)
}

func TestWhatKeepsAChangeWaiting(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set, clear func(s *Sight)
		code       string
	}{
		"draft": {func(s *Sight) { s.Draft = true }, func(s *Sight) { s.Draft = false }, "draft"},
		"fork":  {func(s *Sight) { s.Fork = true }, func(s *Sight) { s.Fork = false }, "fork"},
		"label": {func(s *Sight) { s.Labels = []string{"ui", "wip"} }, func(s *Sight) { s.Labels = []string{"ui"} }, "label"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.p.NoForks = true
			w.open(1)
			c.set(w.pulls[1])
			w.approve(1, rita)
			w.is(1, Queued)
			w.waits(1, c.code)
			w.plans()
			w.open(2)
			w.approve(2, rita)
			w.plans("build 1 of #2 on f000f000") // it blocks nobody
			w.forget()
			c.clear(w.pulls[1])
			w.wait(time.Second)
			w.look(1)
			w.says("#1 living waiting")
			w.plans("build 1 of #1 and #2 on f000f000")
			w.step()
			c.set(w.pulls[1])
			w.wait(time.Second)
			w.look(1)
			if plan := w.plan(); len(plan) != 1 || plan[0][:9] != "abandon 1" {
				t.Fatalf("plan is %q", plan)
			}
		})
	}
}

func TestLabelsInAnotherOrderAreTheSameLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.pulls[1].Labels = []string{"b", "a"}
	w.approve(1, rita)
	w.forget()
	w.pulls[1].Labels = []string{"a", "b"}
	w.wait(time.Second)
	w.look(1)
	w.says()
}

func TestAnOlderLookIsIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.reviewed(1, rita, ReviewApproved)
	old := w.sight(1)
	w.pushHead(1, 2)
	w.look(1)
	w.forget()
	before := text(w.q)
	w.apply(ChangeSeen{Sight: old})
	if text(w.q) != before {
		t.Fatal("an older look changed something")
	}
	w.is(1, Idle)
}

func TestAClosedPullRequestLeaves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(s *Sight)
		text   string
	}{
		"closed":     {func(s *Sight) { s.Open = false }, "closed on the forge"},
		"retargeted": {func(s *Sight) { s.Base = "dev" }, "it now asks to land on dev, not on main"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.upto(CandidateTesting)
			c.change(w.pulls[1])
			w.wait(time.Second)
			w.look(1)
			w.is(1, "none")
			w.plans("abandon 1: #1 left the queue")
			w.says("#1 living idle")
			w.noted(1, "closed")
			if got := w.wrote[len(w.wrote)-1].Text; got != c.text {
				t.Fatalf("journal says %q, want %q", got, c.text)
			}
			w.settle()
			if w.q.Entry(1) != nil {
				t.Fatal("it is still known after the save")
			}
		})
	}
}

func TestAReopenedPullRequestIsRemembered(t *testing.T) {
	t.Parallel()
	t.Run("its old words do not act again", func(t *testing.T) {
		w := newWorld(t)
		w.open(1)
		w.approve(1, rita)
		w.pulls[1].Open = false
		w.wait(time.Second)
		w.look(1)
		former := w.q.Entry(1)
		w.save()
		w.wait(time.Hour)
		w.pulls[1].Open = true
		w.apply(ChangeRemembered{former})
		w.look(1)
		w.is(1, Idle)
		w.approved(1, "rita")
		w.say(1, ann, "land")
		w.settle()
		w.is(1, Landed)
	})
	t.Run("what landed does not land twice", func(t *testing.T) {
		w := newWorld(t)
		w.open(1)
		w.approve(1, rita)
		w.settle()
		w.pulls[1].Open, w.pulls[1].Merged = false, true
		w.wait(time.Second)
		w.look(1)
		former := w.q.Entry(1)
		w.save()
		w.pulls[1].Open, w.pulls[1].Merged = true, false
		w.wait(time.Hour)
		w.apply(ChangeRemembered{former})
		w.look(1)
		w.is(1, Landed)
		w.forget()
		w.say(1, raj, "land")
		w.approve(1, raj)
		w.is(1, Landed)
		w.plans()
		w.save()
		if len(w.told) == 0 || w.told[0] != "#1 answer: it has landed already" {
			t.Fatalf("told %q", w.told)
		}
	})
	t.Run("an entry that is known is not overwritten", func(t *testing.T) {
		w := newWorld(t)
		w.open(1)
		former := w.q.Entry(1).clone()
		w.approve(1, rita)
		w.apply(ChangeRemembered{former})
		w.is(1, Queued)
		w.apply(ChangeRemembered{nil})
	})
	t.Run("queued when it was last stored, it comes back idle", func(t *testing.T) {
		w := newWorld(t)
		w.open(1)
		w.approve(1, rita)
		former := w.q.Entry(1)
		v := newWorld(t)
		v.apply(ChangeRemembered{former})
		v.is(1, Idle)
		if former.State != Queued {
			t.Fatal("the remembered entry was changed")
		}
	})
}

func TestAPullRequestThatTheForgeHidesWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidatePassed)
	w.apply(ChangeUnseen{1, w.now})
	w.waits(1, "unseen", "landing")
	w.plans("abandon 1: #1: the forge does not show it to lander any more")
	w.settle()
	w.is(1, Queued)
	w.wait(time.Second)
	w.look(1)
	w.plans("build 2 of #1 on f000f000")
}
