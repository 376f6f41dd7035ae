package queue

import (
	"strings"
	"testing"
	"time"
)

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.apply(Paused{By: "ada", Reason: "release", At: w.now})
	w.approve(1, rita)
	w.waits(1, "paused")
	w.plans()
	w.forget()
	w.apply(Resumed{By: "ada", At: w.now})
	w.says("#1 living waiting")
	w.plans("build 1 of #1 on f000f000")
	w.noted(0, "paused")
	w.noted(0, "resumed")
	before := text(w.q)
	w.apply(Resumed{By: "ada", At: w.now.Add(time.Hour)})
	if text(w.q) != before {
		t.Fatal("resuming what goes on changed something")
	}
}

func TestAPauseLetsRunsGoOnButLandsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateTesting)
	w.apply(Paused{By: "ada", At: w.now})
	w.plans()
	w.apply(RunReported{1, 1, green(nil, 1), w.now})
	w.plans()
	w.apply(Confirmed{1, w.now})
	w.plans()
	w.apply(Resumed{By: "ada", At: w.now})
	w.settle()
	w.is(1, Landed)
	if w.q.Entry(1).Landing.Candidate != 1 {
		t.Fatal("the run was thrown away")
	}
}

func TestAPauseWithAnEndEndsByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.approve(1, rita)
	end := w.now.Add(time.Hour)
	w.apply(Paused{By: "ada", At: w.now, Until: end})
	w.plans()
	if wake := w.q.Wake(w.now); !wake.Equal(end) {
		t.Fatalf("wakes at %v, want %v", wake, end)
	}
	w.now = end.Add(-1)
	w.plans()
	w.now = end
	w.plans("build 1 of #1 on f000f000")
	w.waits(1, "next")
	if wake := w.q.Wake(w.now); !wake.IsZero() {
		t.Fatalf("wakes at %v for nothing", wake)
	}
}

func TestPauseByComment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.say(1, rita, "pause release day")
	if w.q.Pause != nil {
		t.Fatal("a reviewer paused the lane")
	}
	w.says(`#1 answer: "pause" needs the right to admin, which rita does not have here`)
	w.say(1, ada, "pause release day")
	if p := w.q.Pause; p == nil || p.By != "ada" || p.Reason != "release day" {
		t.Fatalf("paused as %+v", p)
	}
	w.says("#1 thumb")
	w.say(1, ada, "resume")
	if w.q.Pause != nil {
		t.Fatal("still paused")
	}
}

func TestARewindStopsTheLaneUntilAnAdminHasLooked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidatePassed)
	w.trunk = []SHA{trunk(7)}
	w.seeTrunk()
	w.waits(1, "stopped", "landing")
	w.says("#1 living testing")
	w.settle() // the candidate on the old trunk is given up, and that is all
	w.plans()
	w.noted(0, "rewound")
	w.bypass(8)
	w.seeTrunk() // it moves on, but nobody has looked yet
	w.plans()
	w.apply(Resumed{By: "ada", At: w.now})
	w.plans("build 2 of #1 on f008f008")
}

func TestABypassIsNotedAndBuiltUpon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateTesting)
	w.bypass(1)
	w.seeTrunk()
	w.noted(0, "bypass")
	w.plans("abandon 1: trunk moved to f001f001")
	w.step()
	w.plans("build 2 of #1 on f001f001")
	w.apply(RunReported{1, 1, green(nil, 1), w.now}) // of the one that was given up
	w.plans("build 2 of #1 on f001f001")
	w.settle()
	w.is(1, Landed)
}

func TestNothingIsBuiltBeforeTrunkWasSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.q.Tip = ""
	w.open(1)
	w.approve(1, rita)
	w.plans()
	w.apply(TrunkSeen{Tip: "", At: w.now}) // an answer that names no tip
	w.plans()
	w.seeTrunk()
	w.apply(TrunkSeen{Tip: "", At: w.now})
	w.plans("build 1 of #1 on f000f000")
}

func TestNothingLandsUntested(t *testing.T) {
	t.Parallel()
	for code, p := range map[string]Policy{
		"no recipe": {Approvals: 1},
		"policy":    {Approvals: 1, Recipe: suite(), Problem: "line 3: unknown key"},
	} {
		t.Run(code, func(t *testing.T) {
			w := newWorld(t)
			w.upto(CandidatePassed)
			w.p = p
			w.waits(1, code, "landing")
			w.plans()
		})
	}
}

func TestWhyOfWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if rs := w.q.Why(9, w.now, w.p); rs != nil {
		t.Fatalf("why of an unknown change: %v", rs)
	}
	if _, ok := w.q.Standing(9, w.now, w.p); ok {
		t.Fatal("an unknown change stands somewhere")
	}
}

func TestFillGivesEachLivingCommentItsStanding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.open(2)
	w.approve(1, rita)
	w.approve(2, rita)
	before := text(w.q)
	filled := w.q.Fill(w.now, w.p)
	if text(w.q) != before {
		t.Fatal("Fill changed the queue it was called on")
	}
	positions := map[Number]int{}
	for _, n := range filled.Outbox {
		if n.Kind != NoticeLiving {
			continue
		}
		if n.Standing == nil {
			t.Fatalf("%v has no standing", n.Number)
		}
		positions[n.Number] = n.Standing.Position
	}
	if positions[1] != 1 || positions[2] != 2 {
		t.Fatalf("positions %v", positions)
	}
	s, _ := filled.Standing(1, w.now, w.p)
	if s.AskedBy != "rita" || strings.Join(s.Approvers, " ") != "rita" || !s.AskedAt.Equal(at(3)) {
		t.Fatalf("standing is %+v", s)
	}
	if empty := w.q.Saved(5).Fill(w.now, w.p); empty.Outbox != nil || empty.Version != 5 {
		t.Fatalf("saved queue is %+v", empty)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for s, ok := range map[string]bool{"acme/app:main": true, "acme/app:release/1.2": true, "acme/app": false, "app:main": false, "/app:main": false, "acme/:main": false, "acme/app:": false, "a/b/c:main": false, "acme/app:a b": false, "": false} {
		l, err := ParseLane(s)
		if (err == nil) != ok || ok && l.String() != s {
			t.Errorf("ParseLane(%q) = %v, %v", s, l, err)
		}
	}
	for s, ok := range map[string]bool{
		string(head(1, 1)): true, strings.Repeat("ab", 32): true, strings.Repeat("AB", 20): false, "abc": false, "--upload-pack=x": false,
		strings.Repeat("g", 40): false, "": false,
	} {
		if sha, err := ParseSHA(s); (err == nil) != ok || ok && string(sha) != s {
			t.Errorf("ParseSHA(%q) = %v, %v", s, sha, err)
		}
	}
	for _, c := range []struct {
		have, need Role
		want       bool
	}{{RoleAdmin, RoleReview, true}, {RoleReview, RoleReview, true}, {RoleTry, RoleReview, false}, {"", RoleNone, false}, {RoleAdmin, "", false}, {"god", RoleTry, false}} {
		if c.have.Allows(c.need) != c.want {
			t.Errorf("%q allows %q: want %v", c.have, c.need, c.want)
		}
	}
	a := Recipe{Steps: []Step{{Name: "unit", Run: "make"}}}
	if b := (Recipe{Steps: []Step{{Name: "unit", Run: "make test"}}}); a.Digest() == b.Digest() || len(a.Digest()) != 64 {
		t.Error("digests do not tell recipes apart")
	}
}
