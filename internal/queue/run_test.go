package queue

import (
	"strings"
	"testing"
	"time"
)

func TestARedRunDropsTheChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verdict Verdict
		code    DropCode
		reason  string
	}{
		{says(Red, "exit status 2"), DropFailed, "its tests failed: exit status 2"},
		{says(TimedOut, "30m0s passed"), DropTimedOut, "its tests hit a limit: 30m0s passed"},
	} {
		t.Run(string(c.code), func(t *testing.T) {
			w := newWorld(t)
			w.p.Batch = 1
			w.spoils(1, c.verdict)
			w.open(1)
			w.open(2)
			w.approve(1, rita)
			w.approve(2, rita)
			w.step()
			w.forget()
			w.step()
			w.is(1, Queued)
			w.waits(1, "red")
			w.plans("run 1/2") // it may have been chance
			w.step()
			w.plans("probe 1: f000f000") // it may be trunk's own
			w.step()
			w.is(1, Queued)
			w.forget()
			w.step()
			w.is(1, Dropped)
			w.waits(1, "dropped")
			w.says("#1 living dropped", "#1 dropped: "+c.reason, "#1 living dropped")
			if d := w.q.Entry(1).Drop; d.Code != c.code || d.Candidate != 1 || d.With != 0 {
				t.Fatalf("dropped as %+v", d)
			}
			w.plans("build 3 of #2 on f000f000") // the rest goes on
			w.suite = green
			w.settle()
			w.is(2, Landed)
			w.is(1, Dropped)
		})
	}
}

func TestATroubledHostIsTriedAgainLaterAndLater(t *testing.T) {
	t.Parallel()
	for _, outcome := range []Outcome{Infra, Unmeasured, "purple"} {
		t.Run("outcome "+string(outcome), func(t *testing.T) {
			w := newWorld(t)
			w.suite = func(*Candidate, int) Verdict { return says(outcome, "no space left on device") }
			w.open(1)
			w.approve(1, rita)
			w.settle()
			w.is(1, Queued)
			for _, wait := range []time.Duration{5 * time.Second, 10 * time.Second} {
				if wake := w.q.Wake(w.now); !wake.Equal(w.now.Add(wait)) {
					t.Fatalf("wakes at %v, want in %v", wake, wait)
				}
				w.wait(wait - time.Millisecond)
				w.plans()
				w.wait(time.Millisecond)
				w.settle()
			}
			// It is nobody's fault who is in the queue: it waits, longer each time, and is not dropped.
			for try, pause := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
				w.is(1, Queued)
				why := w.q.Why(1, w.now, w.p)[0]
				if why.Code != "machine" || why.Text != "the machine, not the change, failed its test run again and again: no space left on device" {
					t.Fatalf("it waits for %+v", why)
				}
				if wake := w.q.Wake(w.now); !wake.Equal(w.now.Add(pause)) {
					t.Fatalf("try %d: wakes at %v, want in %v", try, wake, pause)
				}
				for range infraTries {
					w.now = w.q.Wake(w.now)
					w.settle()
				}
			}
			if w.tip() != trunk(0) {
				t.Fatal("unknown was taken for green")
			}
			w.suite = green
			w.now = w.q.Wake(w.now)
			w.settle()
			w.is(1, Landed)
		})
	}
}

func TestOneBadRunOfTheHostIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.suite = func(c *Candidate, run int) Verdict {
		if run == 1 {
			return says(Infra, "no space left on device")
		}
		return green(c, run)
	}
	w.open(1)
	w.approve(1, rita)
	w.settle()
	w.waits(1, "starting")
	w.wait(time.Minute)
	w.settle()
	w.is(1, Landed)
}

func TestALostRunIsRunAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateTesting)
	w.apply(RunLost{1, 1, w.now})
	w.plans("run 1/2")
	w.apply(RunStarted{1, 1, w.now}) // the old one, told late
	w.plans("run 1/2")
	w.settle()
	w.is(1, Landed)
}

func TestACancelledRunIsRunAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateTesting)
	w.apply(RunReported{1, 1, says(Cancelled, "lander stops"), w.now})
	w.plans("run 1/2")
}

func TestALateVerdictIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateTesting)
	w.apply(RunLost{1, 1, w.now})
	w.apply(RunStarted{1, 2, w.now})
	before := text(w.q)
	for _, late := range []RunReported{
		{1, 1, green(nil, 1), w.now},        // an old run's
		{1, 3, green(nil, 3), w.now},        // of a run that never was
		{2, 2, green(nil, 2), w.now},        // of a candidate that never was
		{1, 0, says(Red, "nothing"), w.now}, // of no run
	} {
		w.apply(late)
	}
	if text(w.q) != before {
		t.Fatal("a late verdict changed something")
	}
	w.apply(RunReported{1, 2, says(Red, "exit status 1"), w.now})
	w.save()
	w.apply(RunReported{1, 2, green(nil, 2), w.now}) // a second opinion
	w.plans("run 1/3")
	w.spoils(1, says(Red, "exit status 1"))
	w.settle()
	w.is(1, Dropped)
	w.plans()
	before = text(w.q)
	w.apply(RunReported{1, 3, green(nil, 3), w.now})
	w.apply(RunReported{2, 1, says(Red, "exit status 1"), w.now}) // of the probe
	if text(w.q) != before {
		t.Fatal("a verdict that came after all was known changed something")
	}
}

func TestAVerdictOfAChangeThatMovedOnDropsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateTesting)
	w.pushHead(1, 2)
	w.approve(1, rita)
	w.apply(RunReported{1, 1, says(Red, "exit status 1"), w.now})
	w.suite = func(c *Candidate, run int) Verdict {
		if c.Has(1) && c.Members[0].Head == head(1, 2) {
			return green(c, run)
		}
		return w.verdict(c, []fault{{"old", []Number{1}}})
	}
	w.settle()
	w.is(1, Landed)
	if got := w.q.Entry(1).Landing.Head; got != head(1, 2) {
		t.Fatalf("landed at %s", got)
	}
}

func TestWhatCannotBeBuiltIsDropped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code   DropCode
		reason string
		files  []string
	}{
		{DropConflict, SayConflict([]string{"a.go"}), []string{"a.go"}},
		{DropEmpty, SayEmpty(), nil},
		{DropUnbuildable, "it has no common history with trunk", nil},
	} {
		t.Run(string(c.code), func(t *testing.T) {
			w := newWorld(t)
			w.build = func(w *world, b Build) Event {
				if b.Request.Members[0].Number != 1 {
					return made(w, b)
				}
				return CandidateUnmade{ID: b.ID, Base: b.Request.Base, Member: b.Request.Members[0], Code: c.code, Reason: c.reason, Files: c.files, At: w.now}
			}
			w.open(1)
			w.open(2)
			w.approve(1, rita)
			w.approve(2, rita)
			w.forget()
			first := w.q.Plan(w.now, w.p)[0].Key()
			w.step()
			w.is(1, Dropped)
			w.says("#1 dropped: "+c.reason, "#1 living dropped")
			if second := w.q.Plan(w.now, w.p)[0].Key(); first == second {
				t.Fatalf("two builds share the key %s", first)
			}
			w.settle()
			w.is(2, Landed)
		})
	}
}

func TestAConflictWithWhatIsAheadWaitsForIt(t *testing.T) {
	t.Parallel()
	held := func(t *testing.T) *world {
		w := newWorld(t)
		w.upto(CandidateTesting)
		w.open(2)
		w.approve(2, rita)
		w.forget()
		w.apply(CandidateUnmade{ID: 2, Base: commit(1), Below: 1, Member: Member{Number: 2, Head: head(2, 1)}, With: 1, Code: DropConflict, Reason: SayConflict([]string{"a.go"}), Files: []string{"a.go"}, At: w.now})
		w.is(2, Queued)
		w.waits(2, "conflict ahead")
		w.says("#2 living waiting")
		return w
	}
	t.Run("until it lands", func(t *testing.T) {
		w := held(t)
		w.apply(RunReported{1, 1, green(nil, 1), w.now})
		w.step()
		w.step()
		w.is(1, Landed)
		w.plans("build 3 of #2 on c001c001")
	})
	t.Run("until it leaves", func(t *testing.T) {
		w := held(t)
		w.spoils(1, says(Red, "exit status 1"))
		w.apply(RunReported{1, 1, says(Red, "exit status 1"), w.now})
		for w.state(1) != string(Dropped) {
			w.waits(2, "conflict ahead")
			w.step()
		}
		w.plans("build 4 of #2 on f000f000")
	})
	t.Run("a new head does not wait", func(t *testing.T) {
		w := held(t)
		w.pushHead(2, 2)
		w.approve(2, rita)
		w.waits(2, "behind")
	})
	t.Run("what is ahead has left meanwhile", func(t *testing.T) {
		w := newWorld(t)
		w.open(2)
		w.approve(2, rita)
		w.apply(CandidateUnmade{ID: 1, Base: w.q.Tip, Below: 7, Member: Member{Number: 2, Head: head(2, 1)}, Code: DropConflict, Reason: "conflict", At: w.now})
		w.is(2, Dropped)
	})
}

func TestABuildThatCameTooLateIsThrownAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.approve(1, rita)
	b := w.q.Plan(w.now, w.p)[0].(Build)
	for name, change := range map[string]func(v *world){
		"head moved":    func(v *world) { v.pushHead(1, 2); v.look(1) },
		"trunk moved":   func(v *world) { v.bypass(1); v.seeTrunk() },
		"withdrawn":     func(v *world) { v.say(1, rita, "withdraw") },
		"built already": func(v *world) { v.step() },
	} {
		v := *w
		s := *w.pulls[1]
		v.pulls = map[Number]*Sight{1: &s}
		change(&v)
		n := len(v.q.Candidates)
		v.apply(made(&v, b))
		v.apply(CandidateUnmade{ID: b.ID, Base: b.Request.Base, Member: b.Request.Members[0], Code: DropConflict, Reason: "conflict", At: v.now})
		if len(v.q.Candidates) != n || v.state(1) == string(Dropped) {
			t.Errorf("%s: the late build counted", name)
		}
	}
}

func TestTheStylesOfCommit(t *testing.T) {
	t.Parallel()
	for style, want := range map[Style]string{
		"":          "",
		StyleRebase: "",
		StyleSquash: "Change 1 (#1)\n\nLine one\nline two\n",
		StyleMerge:  "Merge #1: Change 1\n\nLine one\nline two\n",
	} {
		w := newWorld(t)
		w.p.Style = style
		w.open(1)
		w.pulls[1].Body = "Line one\r\nline two\r\n\r\n"
		w.approve(1, rita)
		w.wait(time.Second / 3)
		r := w.q.Plan(w.now, w.p)[0].(Build).Request
		if r.Members[0].Message != want || r.Style == "" {
			t.Errorf("style %q gives %q in style %q, want %q", style, r.Members[0].Message, r.Style, want)
		}
		if r.At.Nanosecond() != 0 || r.At.Location() != time.UTC {
			t.Errorf("committer date %v is not to the second in UTC", r.At)
		}
	}
}

func TestRedOnATrunkThatIsNoMoreDropsNobody(t *testing.T) {
	q := Queue{Lane: Lane{Repo: "acme/app", Trunk: "main"}}
	at := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	base, moved, head := SHA(strings.Repeat("1", 40)), SHA(strings.Repeat("2", 40)), SHA(strings.Repeat("3", 40))
	q = q.Apply(TrunkSeen{Tip: base, At: at})
	q = q.Apply(ChangeSeen{Sight: Sight{
		Number: 1, At: at, Open: true, Base: "main", Head: head, Author: Person{ID: 1, Login: "noor"},
		Reviews: []Review{{ID: "r1", Who: Person{ID: 2, Login: "maya"}, Role: RoleReview, Head: head, State: ReviewApproved, At: at}},
	}})
	request := BuildRequest{Base: base, Members: []Member{{Number: 1, Head: head}}, At: at}
	q = q.Apply(CandidateMade{ID: 1, Request: request, Built: Built{SHA: SHA(strings.Repeat("4", 40))}, At: at})
	q = q.Apply(RunStarted{ID: 1, Run: 1, At: at})
	q = q.Apply(TrunkSeen{Tip: moved, At: at})
	q = q.Apply(RunReported{ID: 1, Run: 1, Verdict: Verdict{Outcome: Red, Reason: "exit status 1"}, At: at})
	if e := q.Entry(1); e.State != Queued {
		t.Fatalf("%s: %+v", e.State, e.Drop)
	}
	if q.CandidateOf(1) != nil {
		t.Fatal("the candidate on the old trunk is still in flight")
	}
}

func TestResumeLiftsOnlyWhatItsGiverCouldKnow(t *testing.T) {
	at := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	q := Queue{Lane: Lane{Repo: "acme/app", Trunk: "main"}}
	q = q.Apply(Paused{By: "ada", Reason: "incident", At: at})
	q = q.Apply(Resumed{By: "bob", At: at.Add(-time.Minute)})
	if q.Pause == nil {
		t.Fatal("a resume from before the pause lifted it")
	}
	if q = q.Apply(Resumed{By: "bob", At: at.Add(time.Minute)}); q.Pause != nil {
		t.Fatal("a resume after the pause did not lift it")
	}
}

// That there was no room to begin a run is nobody's fault, however often.
func TestARunThatNeverStartsDropsNobody(t *testing.T) {
	t.Parallel()
	w := crew(t, 1, 0, 1)
	for run := range 2 * infraTries {
		a := w.starts()
		w.runs(a, Verdict{Outcome: Infra, Unstarted: true, Reason: "it never started: all 2 places were taken"})
		if e := w.q.Entry(1); e.State != Queued {
			t.Fatalf("after run %d it is %s: %+v", run+1, e.State, e.Drop)
		}
		if rs := w.q.Why(1, w.now, w.p); len(rs) == 0 || !strings.Contains(rs[0].Text, "could not begin: it never started") || !strings.HasPrefix(rs[0].Next, "it is run again at ") {
			t.Errorf("why: %+v", rs)
		}
		w.wait(backoff(run + 1))
	}
	w.runs(w.starts(), green(nil, 0))
	if c := w.q.Candidates[0]; c.State != CandidatePassed {
		t.Errorf("it is %s", c.State)
	}
}
