package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// rounds settles a lane and counts what it took.
func (w *world) rounds() (runs, reruns, rounds int) {
	w.t.Helper()
	for range 10_000 {
		plan := w.q.Plan(w.now, w.p)
		if len(plan) == 0 {
			w.save()
			return runs, reruns, rounds
		}
		switch a := plan[0].(type) {
		case StartRun:
			if a.Candidate.Of == 0 && a.Run == 1 {
				runs++
			} else {
				reruns++
			}
		case Probe:
			rounds++
		}
		w.do(plan[0])
	}
	w.t.Fatalf("no end of deeds: %v", w.plan())
	return
}

// landsAllBut says that all changes landed but some that were dropped because the suite failed.
func (w *world) landsAllBut(changes int, dropped ...Number) {
	w.t.Helper()
	for _, n := range upTo(changes) {
		want := Landed
		if slices.Contains(dropped, n) {
			want = Dropped
		}
		w.is(n, want)
		if d := w.q.Entry(n).Drop; d != nil && (d.Code != DropFailed || d.Candidate == 0 || d.Reason == "") {
			w.t.Fatalf("%v was dropped as %+v", n, d)
		}
	}
	if len(w.q.Cases) > 0 || len(w.q.Candidates) > 0 {
		w.t.Fatalf("left are %s and %s", text(w.q.Cases), text(w.q.Candidates))
	}
}

// suspects are who is known to break something, and kept out of the train.
func (w *world) suspects() map[Number]bool {
	return w.q.suspects(w.q.findings(probeWays), func(n Number) bool { return w.q.near(n, w.now, w.p) })
}

func TestWhoBreaksATestIsNamed(t *testing.T) {
	t.Parallel()
	one := func(n Number) []fault { return []fault{{"TestA", []Number{n}}} }
	for name, c := range map[string]struct {
		changes, window, batch int
		faults                 []fault
		dropped                []Number
		with                   map[Number]Number
	}{
		"the first of many":                        {8, 8, 0, one(1), []Number{1}, nil},
		"one in the middle":                        {8, 8, 0, one(5), []Number{5}, nil},
		"the last":                                 {8, 8, 0, one(8), []Number{8}, nil},
		"one of many in one batch":                 {20, 1, 0, one(13), []Number{13}, nil},
		"one of two":                               {2, 1, 0, one(2), []Number{2}, nil},
		"one in a train of single changes":         {6, 6, 1, one(3), []Number{3}, nil},
		"two with different tests":                 {9, 2, 0, []fault{{"TestA", []Number{3}}, {"TestB", []Number{7}}}, []Number{3, 7}, nil},
		"two with the same test":                   {9, 2, 0, []fault{{"TestA", []Number{3}}, {"TestA", []Number{7}}}, []Number{3, 7}, nil},
		"one with two tests":                       {9, 2, 0, []fault{{"TestA", []Number{4}}, {"TestB", []Number{4}}}, []Number{4}, nil},
		"all":                                      {3, 2, 0, []fault{{"TestA", []Number{1}}, {"TestB", []Number{2}}, {"TestC", []Number{3}}}, []Number{1, 2, 3}, nil},
		"red only together":                        {8, 8, 0, []fault{{"TestA", []Number{4, 7}}}, []Number{7}, nil}, // #4 has landed by then
		"red only together, in one batch":          {8, 1, 0, []fault{{"TestA", []Number{4, 7}}}, []Number{7}, map[Number]Number{7: 4}},
		"red only together, far apart":             {30, 1, 0, []fault{{"TestA", []Number{2, 29}}}, []Number{29}, map[Number]Number{29: 2}},
		"red only together, neighbours":            {5, 1, 0, []fault{{"TestA", []Number{4, 5}}}, []Number{5}, map[Number]Number{5: 4}},
		"two are red with the same one":            {8, 1, 0, []fault{{"TestA", []Number{2, 5}}, {"TestB", []Number{2, 7}}}, []Number{5, 7}, map[Number]Number{5: 2, 7: 2}},
		"the partner is itself to blame":           {8, 1, 0, []fault{{"TestA", []Number{4}}, {"TestB", []Number{4, 7}}}, []Number{4}, nil},
		"three together":                           {8, 1, 0, []fault{{"TestA", []Number{2, 4, 6}}}, []Number{6}, nil},
		"a pair, and one of it with somebody else": {8, 1, 0, []fault{{"TestA", []Number{1, 3}}, {"TestB", []Number{3, 6}}}, []Number{3}, map[Number]Number{3: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, named := range []bool{true, false} { // where results do not tell tests, it is steps that fail
				w := crew(t, c.window, c.batch, c.changes)
				w.fails(c.faults...)
				suite := w.suite
				if !named {
					w.suite = func(c *Candidate, run int) Verdict {
						v := suite(c, run)
						v.Failed = nil
						return v
					}
				}
				w.rounds()
				w.landsAllBut(c.changes, c.dropped...)
				for _, n := range c.dropped {
					if d := w.q.Entry(n).Drop; named && d.With != c.with[n] && name != "three together" {
						t.Errorf("%v was dropped with %v, want %v", n, d.With, c.with[n])
					}
				}
				told := strings.Join(w.told, "\n")
				for _, n := range c.dropped {
					if !strings.Contains(told, fmt.Sprintf("%v dropped: ", n)) {
						t.Errorf("the author of %v was told nothing", n)
					}
				}
			}
		})
	}
}

// Where there are as many free runs as members, one round tells.
func TestACulpritIsKnownAfterOneRound(t *testing.T) {
	t.Parallel()
	const changes = probeWays + 1
	for _, culprit := range upTo(changes) {
		w := crew(t, 1, 0, changes)
		w.fails(fault{"TestA", []Number{culprit}})
		for len(w.q.Cases) == 0 {
			w.step()
		}
		w.p.Window = 8
		rounds := 0
		for len(w.suspects()) == 0 && w.state(culprit) == string(Queued) {
			if _, ok := w.q.Plan(w.now, w.p)[0].(Probe); ok {
				rounds++
			}
			w.step()
		}
		if s := w.suspects(); rounds != 1 || len(s) > 0 && !s[culprit] {
			t.Errorf("%v: after %d rounds it may be %v", culprit, rounds, s)
		}
		w.rounds()
		w.landsAllBut(changes, culprit)
	}
}

func TestTrunkItselfIsRed(t *testing.T) {
	t.Parallel()
	w := crew(t, 2, 0, 4)
	w.fails(fault{"TestA", nil})
	told, end := false, w.now.Add(4*time.Hour)
	for w.now.Before(end) {
		if len(w.q.Plan(w.now, w.p)) > 0 {
			w.step()
			continue
		}
		if why := w.q.Why(1, w.now, w.p)[0]; why.Code == "trunk red" && strings.Contains(why.Text, `trunk itself is red: "TestA" fails on f000f000`) {
			told = true
		}
		w.now = w.q.Wake(w.now) // it is tried again later
	}
	w.all(Queued, 1, 2, 3, 4)
	if !told {
		t.Error("nobody was told why nothing lands")
	}
	w.bypass(1) // somebody mends it
	w.seeTrunk()
	w.fails(fault{"TestB", []Number{3}})
	w.wait(10 * time.Minute)
	w.settle()
	w.landsAllBut(4, 3)
}

// While trunk is red nothing is tested on it but what is urgent, and once in a while the first in line.
func TestOnARedTrunkOnlyAHotfixIsTested(t *testing.T) {
	t.Parallel()
	w := crew(t, 2, 0, 6)
	w.fails(fault{"TestA", nil})
	w.settle()
	if red := w.q.RedTrunk(); red == nil || red.Tip != trunk(0) || text(red.Names) != `["TestA"]` || red.Tries != 1 || red.NotTill.Sub(w.now) > time.Minute {
		t.Fatalf("trunk is %s", text(w.q.Red))
	}
	w.waits(6, "trunk red", "aside")
	runs, end := 0, w.now.Add(2*time.Hour)
	for w.now = w.q.Wake(w.now); w.now.Before(end); w.now = w.q.Wake(w.now) {
		for plan := w.q.Plan(w.now, w.p); len(plan) > 0; plan = w.q.Plan(w.now, w.p) {
			if a, ok := plan[0].(StartRun); ok {
				runs++
				if a.Candidate.Of == 0 && len(a.Candidate.Members) > 1 {
					t.Fatalf("%v are tried on a red trunk", a.Candidate.Numbers())
				}
			}
			w.step()
		}
	}
	if runs == 0 || runs > 40 {
		t.Errorf("%d runs in two hours", runs)
	}
	// Who mends it need not wait.
	w.open(7)
	w.suite = func(c *Candidate, run int) Verdict {
		if slices.Contains(w.holds[c.Built.SHA], 7) {
			return green(c, run)
		}
		return w.verdict(c, []fault{{"TestA", nil}})
	}
	w.approve(7, rita)
	w.plans()
	w.say(7, rita, "p=1000")
	w.look(7)
	w.settle()
	w.all(Landed, 1, 2, 3, 4, 5, 6, 7)
	if w.q.Red != nil {
		t.Errorf("trunk is still %s", text(w.q.Red))
	}
}

// That trunk is red may have been chance. The first that is green on it shows so.
func TestATrunkThatWasRedByChance(t *testing.T) {
	t.Parallel()
	w := crew(t, 2, 0, 4)
	w.fails(fault{"TestA", nil})
	w.settle()
	w.suite = green
	w.wait(time.Minute)
	w.settle()
	w.all(Landed, 1, 2, 3, 4)
	if w.tip() == trunk(0) || w.q.Red != nil || !strings.Contains(w.journal(), "is green on it") {
		t.Errorf("trunk is still %s", text(w.q.Red))
	}
}

// What fails on trunk anyway hides nobody who broke something else.
func TestTrunkIsRedAndSomebodyBrokeMore(t *testing.T) {
	t.Parallel()
	w := crew(t, 1, 0, 4)
	w.fails(fault{"TestA", nil}, fault{"TestB", []Number{2}})
	for w.state(2) == string(Queued) {
		w.step()
	}
	w.is(2, Dropped)
	w.all(Queued, 1, 3, 4)
}

// A red run that is green on the very same commit was chance. Only what it has not shown runs again, and what it has still counts.
func TestChanceIsAcquitted(t *testing.T) {
	t.Parallel()
	w := crew(t, 1, 0, 3)
	w.p.Recipe = walkRecipe()
	flake := says(Red, "exit status 1")
	flake.Failed = []string{"TestNow"}
	var ran []string
	w.suite = func(c *Candidate, run int) Verdict {
		if run == 1 {
			return flake
		}
		return green(c, run)
	}
	for plan := w.q.Plan(w.now, w.p); len(plan) > 0; plan = w.q.Plan(w.now, w.p) {
		if a, ok := plan[0].(StartRun); ok {
			var steps []string
			for _, s := range a.Recipe.Steps {
				steps = append(steps, s.Name)
			}
			ran = append(ran, strings.Join(steps, "+"))
		}
		w.do(plan[0])
	}
	w.all(Landed, 1, 2, 3)
	if want := []string{"lint+unit+e2e", "unit+e2e"}; !slices.Equal(ran, want) {
		t.Fatalf("what ran is %q, want %q", ran, want)
	}
	w.noted(1, "landed")
	if s := w.ledger[1].Statement; s.Run != 2 || s.New != commit(1) {
		t.Fatalf("the record says %s", text(s))
	}
}

// A partial run that is green lands nothing if the steps before it were never seen to pass.
func TestAPartIsNotTheWhole(t *testing.T) {
	t.Parallel()
	w := crew(t, 1, 0, 1)
	w.p.Recipe = walkRecipe()
	w.busy()
	w.apply(RunReported{1, 1, Verdict{Outcome: Red, Step: "e2e"}, w.now}) // it does not say which steps passed
	w.busy()
	w.apply(RunReported{1, 2, Verdict{Outcome: Green, Steps: []StepResult{{Name: "e2e"}}}, w.now})
	if c := w.q.Candidate(1); c.State == CandidatePassed {
		t.Fatal("two steps that nobody saw pass were taken for green")
	}
	w.is(1, Queued)
	w.wait(time.Hour)
	w.settle()
	w.is(1, Landed)
	if w.q.Next != 1 {
		t.Error("it was built again")
	}
}

// A suite in which something else fails every time names nobody too soon, and settles all the same.
func TestSomethingElseFailsEveryTime(t *testing.T) {
	t.Parallel()
	w := crew(t, 1, 0, 3)
	w.suite = func(c *Candidate, run int) Verdict {
		if c.Of == 0 && run < 3 {
			v := says(Red, "exit status 1")
			v.Failed = []string{fmt.Sprintf("Test%d", run)}
			return v
		}
		return green(c, run)
	}
	w.rounds()
	w.landsAllBut(3)

	w = crew(t, 1, 0, 3)
	w.suite = func(c *Candidate, run int) Verdict {
		v := w.verdict(c, []fault{{"TestA", []Number{2}}})
		if c.Of == 0 {
			if v.Outcome == Green {
				return v
			}
			v.Failed = append(v.Failed, fmt.Sprintf("TestChance%d", run)) // beside what is truly broken
		}
		return v
	}
	w.rounds()
	w.landsAllBut(3, 2)
}

// While it is found out who broke it, others wait for no more than they must: what is green below lands.
func TestWhatIsBelowARedOneLands(t *testing.T) {
	t.Parallel()
	w := crew(t, 4, 1, 3)
	w.fails(fault{"TestA", []Number{2}})
	w.busy()
	w.ends(2, w.suite(w.q.Candidate(2), 1))
	w.ends(1, green(nil, 1))
	for w.state(1) != string(Landed) {
		w.step()
	}
	w.rounds()
	w.landsAllBut(3, 2)
}

// A change that mends what one below it broke lands with it: the commit that becomes trunk was green.
func TestWhatIsMendedAboveLands(t *testing.T) {
	t.Parallel()
	w := crew(t, 2, 1, 2)
	w.suite = func(c *Candidate, run int) Verdict {
		if has := w.holds[c.Built.SHA]; slices.Contains(has, 1) && !slices.Contains(has, 2) {
			return says(Red, "exit status 1")
		}
		return green(c, run)
	}
	w.busy()
	w.ends(1, says(Red, "exit status 1"))
	w.ends(2, green(nil, 1))
	w.rounds()
	w.landsAllBut(2)
	if w.tip() != commit(2) {
		t.Fatalf("trunk is %s", w.tip().Short())
	}
}

// What failed runs again as often as the recipe says before anybody is asked whose fault it is.
func TestWhatFailedRunsAgainAsOftenAsTheRecipeSays(t *testing.T) {
	t.Parallel()
	for retries, want := range map[int]int{-1: 1, 0: 2, 1: 2, 2: 3, 5: 6} {
		for _, red := range []bool{true, false} { // or it was chance, which the last of them shows
			w := newWorld(t)
			w.p.Recipe.Retries = retries
			runs := 0
			w.suite = func(c *Candidate, run int) Verdict {
				if !slices.Contains(w.holds[c.Built.SHA], 1) {
					return green(c, run) // trunk
				}
				if c.Of == 0 {
					runs++
				}
				if !red && runs == want && want > 1 {
					return green(c, run)
				}
				return says(Red, "exit status 1")
			}
			w.open(1)
			w.approve(1, rita)
			w.settle()
			if end := map[bool]State{true: Dropped, false: Landed}[red || want == 1]; w.state(1) != string(end) || runs != want {
				t.Errorf("retries %d, red %v: %s after %d runs, want %d", retries, red, w.state(1), runs, want)
			}
		}
	}
}
