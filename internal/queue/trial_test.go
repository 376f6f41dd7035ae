package queue

import (
	"slices"
	"testing"
	"time"
)

// Trunk that was tested as it is, and what is green of the train, are not tested again.
func TestWhatIsKnownToBeGreenIsNotTestedAgain(t *testing.T) {
	t.Parallel()
	w := crew(t, 1, 0, 1)
	w.settle()
	w.is(1, Landed)
	w.open(2)
	w.approve(2, rita)
	w.fails(fault{"TestA", []Number{2}})
	if runs, reruns, rounds := w.rounds(); runs != 1 || reruns != 1 || rounds != 0 {
		t.Fatalf("%d runs, %d reruns, %d rounds: trunk is known to be green, and who is alone on it is to blame", runs, reruns, rounds)
	}
	w.is(2, Dropped)

	w = crew(t, 3, 1, 3)
	w.fails(fault{"TestA", []Number{3}})
	w.busy()
	w.ends(2, green(nil, 1))
	w.apply(Paused{By: "ada", At: w.now}) // or it would land at once
	w.ends(3, w.verdict(w.q.Candidate(3), []fault{{"TestA", []Number{3}}}))
	w.apply(Resumed{By: "ada", At: w.now})
	for _, a := range w.q.Plan(w.now, w.p) {
		if p, ok := a.(Probe); ok {
			for _, tr := range p.Trials {
				if tr.Base != trunk(0) {
					t.Errorf("a trial of %s, which is green or below what is", named(tr))
				}
			}
		}
	}
	w.settle()
	w.landsAllBut(2)
}

func TestATrialThatCannotBeBuilt(t *testing.T) {
	t.Parallel()
	w := crew(t, 1, 0, 6)
	w.fails(fault{"TestA", []Number{4}})
	w.trial = func(tr Trial) Built { // #4 builds on #2
		if tr.Member.Number == 4 && !slices.Contains(w.holds[tr.Base], 2) {
			return Built{}
		}
		return Built{SHA: "any"}
	}
	w.rounds()
	w.landsAllBut(6, 4)
}

func TestATrialsRunComesToNothing(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]Verdict{
		"host's fault": says(Infra, "no space left on device"), "stopped": says(Cancelled, "lander stops"), "unmeasured": {},
	} {
		t.Run(name, func(t *testing.T) {
			w := crew(t, 2, 0, 6)
			w.fails(fault{"TestA", []Number{3}})
			suite, tries := w.suite, map[SHA]int{}
			w.suite = func(c *Candidate, run int) Verdict {
				if tries[c.Built.SHA]++; c.Of != 0 && tries[c.Built.SHA] < 3 {
					return v
				}
				return suite(c, run)
			}
			for range 30 {
				w.settle()
				w.wait(5 * time.Minute)
			}
			w.landsAllBut(6, 3)
		})
	}
	t.Run("host's fault again and again", func(t *testing.T) {
		w := crew(t, 2, 0, 6)
		w.fails(fault{"TestA", []Number{3}})
		suite := w.suite
		w.suite = func(c *Candidate, run int) Verdict {
			if c.Of != 0 {
				return says(Infra, "no space left on device")
			}
			return suite(c, run)
		}
		w.settle() // it comes to rest at once, and tries again later
		for range 60 {
			w.wait(5 * time.Minute)
			w.settle()
		}
		w.all(Landed, 1, 2, 4, 5, 6)
		if w.state(3) == string(Landed) {
			t.Fatal("what is red landed")
		}
	})
	t.Run("lost again and again", func(t *testing.T) {
		w := parted(t, 3, fault{"TestA", []Number{2}})
		for range 100 {
			for _, a := range w.q.Plan(w.now, w.p) {
				if r, ok := a.(StartRun); ok && r.Candidate.Of != 0 {
					w.apply(RunStarted{r.Candidate.ID, r.Run, w.now})
					w.apply(RunLost{r.Candidate.ID, r.Run, w.now})
				} else if _, ok := a.(Probe); ok {
					w.do(a)
				}
			}
			w.wait(5 * time.Minute)
		}
		if len(w.q.Cases) > 0 {
			t.Fatal("it is tried for ever")
		}
		w.all(Queued, 1, 2, 3)
	})
	t.Run("lost", func(t *testing.T) {
		w := crew(t, 8, 0, 6)
		w.p.Window = 8
		w.fails(fault{"TestA", []Number{3}})
		for range 40 {
			w.busy()
			for _, c := range w.q.Candidates {
				switch {
				case c.State != CandidateTesting:
				case c.Of != 0 && c.Run < 3:
					w.apply(RunLost{c.ID, c.Run, w.now})
				default:
					w.ends(c.ID, w.suite(c, c.Run))
				}
			}
			w.wait(time.Minute)
		}
		w.settle()
		w.landsAllBut(6, 3)
	})
}

func TestResultsThatComeTwice(t *testing.T) {
	t.Parallel()
	w := crew(t, 2, 0, 6)
	w.fails(fault{"TestA", []Number{3, 5}})
	var heard []Event
	for range 10_000 {
		plan := w.q.Plan(w.now, w.p)
		if len(plan) == 0 {
			break
		}
		switch a := plan[0].(type) {
		case StartRun:
			ev := RunReported{a.Candidate.ID, a.Run, w.suite(a.Candidate, a.Run).whole(a.Recipe), w.now}
			w.apply(RunStarted{a.Candidate.ID, a.Run, w.now})
			w.apply(ev)
			heard = append(heard, ev)
		case Probe:
			ev := ProbesMade{a.ID, a.Of, w.probed(a.Trials), w.now}
			w.apply(ev)
			heard = append(heard, ev)
		default:
			w.do(plan[0])
		}
		before := text(w.q)
		for _, ev := range heard { // and each with the opposite verdict
			w.apply(ev)
			if r, ok := ev.(RunReported); ok {
				r.Verdict = says(Red, "another word")
				w.apply(r)
				r.Verdict = green(nil, 1)
				w.apply(r)
			}
		}
		if text(w.q) != before {
			t.Fatalf("what was heard before changed something after %s", deed(plan[0]))
		}
	}
	w.save()
	w.landsAllBut(6, 5)
}

// A trial tells of a case and lands nothing, whatever it says.
func TestATrialNeverLands(t *testing.T) {
	t.Parallel()
	w := parted(t, 3, fault{"TestA", []Number{2}})
	for range 100 {
		plan := w.q.Plan(w.now, w.p)
		if len(plan) == 0 {
			break
		}
		for _, c := range w.q.Candidates {
			if c.Of == 0 {
				continue
			}
			w.apply(Confirmed{c.ID, w.now})
			w.apply(Joined{c.ID, w.q.Next + 1, w.now})
			if is := w.q.Candidate(c.ID); is.State == CandidatePassed || is.State == CandidateConfirmed || is.State == CandidateJoined {
				t.Fatalf("the trial %d is %s", c.ID, is.State)
			}
		}
		w.do(plan[0])
	}
	w.settle()
	w.landsAllBut(3, 2)
}
