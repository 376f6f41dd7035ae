package queue

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// What keeps lander itself from going on is told to everybody who waits, holds nothing up by itself, and is forgotten once it is over.
func TestALanderThatCannotGoOnSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.approve(1, rita)
	w.step()
	before := w.q.Plan(w.now, w.p)
	w.apply(Hindered{Reason: "the disk is full; make room", At: w.now})
	w.waits(1, "trouble", "starting")
	if rs := w.q.Why(1, w.now, w.p); rs[0].Text != "the disk is full; make room" || rs[0].Who != "the operator" || strings.Contains(rs[0].Next, "00:00") {
		t.Errorf("%+v", rs)
	}
	if !slices.ContainsFunc(w.q.Outbox, func(n Notice) bool { return n.Kind == NoticeLiving && n.Number == 1 }) {
		t.Error("its living comment does not say so")
	}
	if now := w.q.Plan(w.now, w.p); len(now) != len(before) {
		t.Errorf("planned %v, and before %v", now, before)
	}
	since, lines := w.q.Trouble.At, len(w.q.Journal)
	w.wait(time.Minute)
	w.apply(Hindered{Reason: "the disk is full; make room", At: w.now})
	if len(w.q.Journal) != lines {
		t.Error("it is told twice")
	}
	w.apply(Hindered{Reason: "nobody answers", At: w.now})
	if !w.q.Trouble.At.Equal(since) || w.q.Trouble.Reason != "nobody answers" {
		t.Errorf("%+v", w.q.Trouble)
	}
	w.apply(Eased{At: w.now})
	if w.q.Trouble != nil {
		t.Errorf("%+v", w.q.Trouble)
	}
	w.noted(0, "hindered")
	w.noted(0, "eased")
}

// The trouble of landing, with all that is counted of it, outlives what hindered lander meanwhile.
func TestWhatHindersLanderHidesTheTroubleOfLanding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateConfirmed)
	w.plans("land 1")
	w.denies = "protected branch"
	w.step()
	w.denies = ""
	was := w.q.Trouble
	if was == nil || was.Denied != 1 {
		t.Fatalf("%+v", was)
	}
	w.apply(Hindered{Reason: "the disk is full", At: w.now})
	if w.q.Trouble.Reason != "the disk is full" || !w.q.Wake(w.now).Equal(was.NotTill) {
		t.Errorf("%+v wakes at %v", w.q.Trouble, w.q.Wake(w.now))
	}
	w.plans()
	w.apply(Eased{At: w.now})
	if w.q.Trouble != was {
		t.Errorf("%+v, want %+v", w.q.Trouble, was)
	}
	w.apply(Hindered{Reason: "the disk is full", At: w.now})
	w.wait(5 * time.Second)
	w.denies = "protected branch"
	w.step()
	w.step()
	w.denies = ""
	if tr := w.q.Trouble; tr == nil || tr.Host || tr.Denied != 2 {
		t.Errorf("a push that came to an end shows that lander goes on again: %+v", tr)
	}
}
