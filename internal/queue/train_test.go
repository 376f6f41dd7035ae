package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// crew is a lane with many changes, approved in the order of their numbers.
func crew(t testing.TB, window, batch, changes int) *world {
	w := newWorld(t)
	w.p.Window, w.p.Batch = window, batch
	for n := 1; n <= changes; n++ {
		w.open(Number(n))
	}
	for n := 1; n <= changes; n++ {
		w.approve(Number(n), rita)
	}
	w.forget()
	return w
}

// busy carries out all that is planned, but no run comes to its end.
func (w *world) busy() {
	w.t.Helper()
	for range 1000 {
		plan := w.q.Plan(w.now, w.p)
		if len(plan) == 0 {
			return
		}
		if a, ok := plan[0].(StartRun); ok {
			w.apply(RunStarted{a.Candidate.ID, a.Run, w.now})
			continue
		}
		w.do(plan[0])
	}
	w.t.Fatalf("no end of deeds: %v", w.plan())
}

// ends is the end of a candidate's run.
func (w *world) ends(id CandidateID, v Verdict) {
	w.t.Helper()
	c := w.q.Candidate(id)
	w.wait(time.Minute)
	w.apply(RunReported{id, c.Run, v.whole(c.Recipe), w.now})
}

// train compares the candidates in flight, nearest trunk first.
func (w *world) train(want ...string) {
	w.t.Helper()
	var got []string
	for _, c := range w.q.train() {
		got = append(got, fmt.Sprintf("%d: %s %s", c.ID, numbers(c.Numbers(), 99), c.State))
	}
	if !slices.Equal(got, want) {
		w.t.Fatalf("the train is\n  %s\nwant\n  %s\njournal:\n%s", strings.Join(got, "\n  "), strings.Join(want, "\n  "), w.journal())
	}
}

// all says that each of some changes is in a state.
func (w *world) all(want State, ns ...Number) {
	w.t.Helper()
	for _, n := range ns {
		w.is(n, want)
	}
}

func upTo(n int) (ns []Number) {
	for i := range n {
		ns = append(ns, Number(i+1))
	}
	return ns
}

func TestThoseWhoWaitAreSpreadOverTheFreeRuns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ waiting, window, batch int }{{1, 1, 0}, {1, 8, 0}, {2, 2, 0}, {5, 1, 0}, {7, 3, 0}, {7, 3, 1}, {12, 4, 2}, {12, 4, 5}, {30, 8, 0}, {100, 3, 0}} {
		t.Run(fmt.Sprintf("%d waiting, %d runs, %d in a batch", c.waiting, c.window, c.batch), func(t *testing.T) {
			w := crew(t, c.window, c.batch, c.waiting)
			w.busy()
			train := w.q.train()
			if len(train) == 0 || len(train) != len(w.q.Candidates) || len(train) > c.window {
				t.Fatalf("%d candidates for %d runs", len(train), c.window)
			}
			var ns []Number
			base := trunk(0)
			for _, d := range train {
				if d.Base != base || d.State != CandidateTesting || len(d.Members) > w.p.batch() {
					t.Fatalf("%d of %v stands on %s and is %s", d.ID, d.Numbers(), d.Base.Short(), d.State)
				}
				base, ns = d.Built.SHA, append(ns, d.Numbers()...)
			}
			if all := upTo(c.waiting); !slices.Equal(ns, all[:len(ns)]) || len(ns) < c.waiting && c.window*w.p.batch() >= c.waiting {
				t.Fatalf("on their way are %v", ns)
			}
			w.settle()
			for i := range train {
				if c := w.q.Candidate(train[i].ID); c != nil { // saved it is not there any more, unless it is in flight
					w.ends(c.ID, green(nil, 1))
				}
			}
			w.settle()
			w.all(Landed, upTo(c.waiting)...)
		})
	}
}

func TestWhatLandsFromBelowLeavesTheTrainAsItIs(t *testing.T) {
	t.Parallel()
	w := crew(t, 3, 1, 3)
	w.busy()
	w.ends(1, green(nil, 1))
	w.settle()
	w.is(1, Landed)
	w.train("2: #2 testing", "3: #3 testing")
	w.ends(2, green(nil, 1))
	w.ends(3, green(nil, 1))
	w.settle()
	w.all(Landed, 2, 3)
	w.ledgerSays("adopt", "land", "land")
	if w.tip() != commit(3) {
		t.Fatalf("trunk is %s", w.tip().Short())
	}
}

func TestTrunkMovedUnderATrain(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]func(w *world){
		"all under test":     func(*world) {},
		"the first is green": func(w *world) { w.ends(1, green(nil, 1)) },
		"the last is green":  func(w *world) { w.ends(3, green(nil, 1)) },
		"joined":             func(w *world) { w.ends(3, green(nil, 1)); w.step() },
		"one is red":         func(w *world) { w.ends(2, says(Red, "exit status 1")) },
		"one is surely red": func(w *world) {
			w.ends(2, says(Red, "exit status 1"))
			w.busy()
			w.ends(2, says(Red, "exit status 1"))
			w.busy()
		},
	} {
		for kind, move := range map[string]func(w *world){"by a push": func(w *world) { w.bypass(1) }, "by a rewind": func(w *world) { w.trunk = []SHA{trunk(8)} }} {
			t.Run(name+", "+kind, func(t *testing.T) {
				w := crew(t, 3, 1, 3)
				w.busy()
				state(w)
				old := w.q.Candidates
				move(w)
				w.seeTrunk()
				w.busy()
				w.apply(Resumed{By: "ada", At: w.now})
				w.busy()
				for _, c := range old {
					if is := w.q.Candidate(c.ID); is != nil && !is.ended() {
						t.Errorf("candidate %d on the old trunk is still %s", c.ID, is.State)
					}
					w.apply(RunReported{c.ID, c.Run, says(Red, "told late"), w.now})
				}
				w.all(Queued, 1, 2, 3)
				if len(w.q.train()) != 3 || w.q.train()[0].Base != w.tip() {
					t.Fatalf("the new train is %+v", w.q.train())
				}
				for _, c := range w.q.train() {
					w.ends(c.ID, green(nil, 1))
				}
				w.settle()
				w.all(Landed, 1, 2, 3)
			})
		}
	}
}

func TestAPauseWithATrainInFlight(t *testing.T) {
	t.Parallel()
	w := crew(t, 3, 1, 3)
	w.busy()
	w.ends(1, green(nil, 1))
	w.apply(Paused{By: "ada", Reason: "release", At: w.now})
	w.plans()
	w.ends(3, green(nil, 1))
	w.plans() // nothing is joined either
	w.ends(2, says(Red, "exit status 1"))
	w.plans("run 2/2") // whether it was chance is found out meanwhile
	w.busy()
	w.ends(2, green(nil, 2))
	w.plans()
	if w.tip() != trunk(0) {
		t.Fatal("trunk moved while landing is paused")
	}
	w.apply(Resumed{By: "ada", At: w.now})
	w.settle()
	w.all(Landed, 1, 2, 3)
	if w.q.Next != 4 || w.tip() != commit(3) {
		t.Fatalf("what was green when it was paused was not what landed: %s of %d", w.tip().Short(), w.q.Next)
	}
}

func TestAMemberThatLeavesTakesOnlyWhatStandsOnItDown(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(w *world){
		"withdrawn": func(w *world) { w.say(2, ann, "withdraw") },
		"held":      func(w *world) { w.say(2, raj, "hold") },
		"new head":  func(w *world) { w.pushHead(2, 2); w.look(2) },
		"closed":    func(w *world) { w.pulls[2].Open = false; w.wait(time.Second); w.look(2) },
		"draft":     func(w *world) { w.pulls[2].Draft = true; w.wait(time.Second); w.look(2) },
		"stuck":     func(w *world) { w.apply(ChangeStuck{Number: 2, Head: head(2, 1), Reason: "a fault", At: w.now}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := crew(t, 4, 1, 4)
			w.busy()
			leave(w)
			w.busy()
			train := w.q.train()
			if len(train) < 2 || train[0].ID != 1 || train[0].Run != 1 || train[0].State != CandidateTesting || train[1].Base != commit(1) {
				t.Fatalf("the train is %s", text(train))
			}
			var behind []Number
			for _, c := range train[1:] {
				behind = append(behind, c.Numbers()...)
			}
			if !slices.Equal(behind, []Number{3, 4}) {
				t.Fatalf("behind #1 are %v", behind)
			}
			w.ends(train[len(train)-1].ID, green(nil, 1))
			w.settle()
			w.all(Landed, 1, 3, 4)
		})
	}
}

func TestTheHeadIsNeverRestartedByWhatIsBehindIt(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(w *world){
		"a hotfix is approved":    func(w *world) { w.open(9); w.approve(9, rita); w.say(9, rita, "p=9") },
		"one behind gets ahead":   func(w *world) { w.say(3, rita, "p=9") },
		"one behind is withdrawn": func(w *world) { w.say(2, ann, "withdraw") },
		"one behind is pushed to": func(w *world) { w.pushHead(3, 2); w.approve(3, rita) },
		"one behind is red":       func(w *world) { w.ends(2, says(Red, "exit status 1")) },
		"one behind is surely red": func(w *world) {
			w.spoils(3, says(Red, "exit status 1"))
			w.ends(3, says(Red, "exit status 1"))
			w.busy()
			w.ends(3, says(Red, "exit status 1"))
		},
		"one behind times out":        func(w *world) { w.ends(3, says(TimedOut, "30m0s passed")) },
		"one behind hits a bad host":  func(w *world) { w.ends(2, says(Infra, "no space left on device")) },
		"one behind is lost":          func(w *world) { w.apply(RunLost{2, 1, w.now}) },
		"one behind is put aside":     func(w *world) { w.apply(ChangeStuck{Number: 3, Head: head(3, 1), Reason: "a fault", At: w.now}) },
		"one behind is given up":      func(w *world) { w.apply(Abandoned{2, "any reason", w.now}) },
		"the forge hides one behind":  func(w *world) { w.apply(ChangeUnseen{2, w.now}) },
		"one behind is green already": func(w *world) { w.ends(2, green(nil, 1)) },
	} {
		t.Run(name, func(t *testing.T) {
			w := crew(t, 4, 1, 3)
			w.busy()
			w.wait(time.Second)
			happens(w)
			if name == "one behind is green already" {
				w.settle()
				w.all(Landed, 1, 2)
				return
			}
			w.busy()
			w.wait(5 * time.Minute)
			w.busy()
			if c := w.q.CandidateOf(1); c == nil || c.ID != 1 || c.Run != 1 || c.State != CandidateTesting {
				t.Fatalf("the head is %s", text(c))
			}
			w.ends(1, green(nil, 1))
			w.settle()
			if l := w.q.Entry(1).Landing; l == nil || l.Tip != commit(1) && !w.has(l.Tip) {
				t.Fatalf("the head landed as %+v", l)
			}
		})
	}
}

// A build that took its time may come when the train is another one.
func TestABuildOnATrainThatIsNoMoreIsThrownAway(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world){
		"what it stands on was given up": func(w *world) { w.apply(Abandoned{1, "any reason", w.now}) },
		"trunk moved":                    func(w *world) { w.bypass(1); w.seeTrunk() },
		"another was built there":        func(w *world) { w.step() },
	} {
		t.Run(name, func(t *testing.T) {
			w := crew(t, 3, 1, 2)
			w.step()
			w.do(w.q.Plan(w.now, w.p)[1]) // the second build
			w = crew(t, 3, 1, 2)
			w.step()
			b := w.q.Plan(w.now, w.p)[1].(Build)
			change(w)
			n := len(w.q.Candidates)
			w.apply(made(w, b))
			if len(w.q.Candidates) != n && name != "another was built there" {
				t.Fatalf("the late build counted: %s", text(w.q.Candidates[n]))
			}
			for _, c := range w.q.Candidates {
				if c.Has(2) && !c.ended() && !w.q.grounded(c) {
					t.Fatalf("#2 is in %d, which stands on nothing", c.ID)
				}
			}
		})
	}
}
