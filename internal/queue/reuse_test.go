package queue

import (
	"strings"
	"testing"
	"time"
)

// replaying is a world with an environment, in which a commit's tree is what it holds: a push past lander changes nothing.
func replaying(t *testing.T, environment string) (w *world, runs *int) {
	w, runs = newWorld(t), new(int)
	w.p.Batch, w.p.Environment = 1, environment
	w.build = func(w *world, b Build) Event {
		ev := made(w, b).(CandidateMade)
		ev.Built.Tree = SHA(strings.Repeat("7", 39)) + SHA(string(rune('0'+len(w.holds[ev.Built.SHA]))))
		return ev
	}
	w.suite = func(c *Candidate, run int) Verdict {
		*runs++
		v := green(c, run)
		v.Environment = "here"
		return v
	}
	return w, runs
}

// onceMore is #1 that is green, and that a push past lander keeps from landing as it is.
func onceMore(t *testing.T, environment string, meanwhile func(w *world)) (w *world, runs int) {
	t.Helper()
	w, count := replaying(t, environment)
	w.open(1)
	w.approve(1, rita)
	for w.q.Candidate(1) == nil || w.q.Candidate(1).State != CandidatePassed {
		w.step()
	}
	w.bypass(1)
	w.seeTrunk()
	w.wait(time.Hour)
	w.look(1)
	if meanwhile != nil {
		meanwhile(w)
	}
	w.settle()
	w.is(1, Landed)
	return w, *count
}

func TestTheSameTreeIsNotTestedTwice(t *testing.T) {
	t.Parallel()
	w, runs := onceMore(t, "here", nil)
	if runs != 1 {
		t.Fatalf("%d runs", runs)
	}
	if !strings.Contains(w.journal(), "is not tested again: its tree 77777777 was green in run 1 of candidate 1, as c001c001 at 2026-03-14") {
		t.Errorf("the journal says\n%s", w.journal())
	}
	// The ledger names the run that there was.
	last := w.ledger[len(w.ledger)-1].Statement
	if r := last.Reused; last.Attempt != 2 || r == nil || r.Attempt != 1 || r.Run != 1 || r.Commit != commit(1) || r.At.IsZero() {
		t.Errorf("the ledger says %s", text(last))
	}
}

func TestWhatIsNotTheSameIsTestedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environment string
		meanwhile   func(w *world)
	}{
		"in another environment":      {"here", func(w *world) { w.p.Environment = "elsewhere" }},
		"in one that is not known":    {"", nil},
		"by another recipe":           {"here", func(w *world) { w.p.Recipe.Timeout = time.Hour }},
		"where the recipe refuses it": {"here", func(w *world) { w.p.Recipe.Reuse = -1 }},
		"where it is too long ago":    {"here", func(w *world) { w.wait(DefaultReuse - time.Hour) }},
		"as another tree": {"here", func(w *world) {
			w.build = func(w *world, b Build) Event { return made(w, b) }
		}},
		"by what was only part of a run": {"here", func(w *world) { w.q.Proofs = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			if w, runs := onceMore(t, c.environment, c.meanwhile); runs != 2 {
				t.Errorf("%d runs\n%s", runs, w.journal())
			}
		})
	}
}

// Only green is kept, and only of a whole run.
func TestWhatIsKeptOfARun(t *testing.T) {
	t.Parallel()
	steps := []StepResult{{Name: "unit", Took: time.Minute}}
	for name, c := range map[string]struct {
		v    Verdict
		kept bool
	}{
		"a whole run":               {Verdict{Outcome: Green, Steps: steps, Environment: "here"}, true},
		"of an unknown environment": {Verdict{Outcome: Green, Steps: steps}, false},
		"of nothing":                {Verdict{Outcome: Green, Environment: "here"}, false},
		"of some tests":             {Verdict{Outcome: Green, Steps: steps, Environment: "here", Asked: []string{"TestA"}}, false},
		"with what an earlier run showed": {
			Verdict{Outcome: Green, Steps: []StepResult{{Name: "unit", Run: 1}}, Environment: "here"}, false,
		},
		"that was taken over itself": {Verdict{Outcome: Green, Steps: steps, Environment: "here", Reused: &Reuse{}}, false},
		"a red one":                  {Verdict{Outcome: Red, Steps: steps, Environment: "here"}, false},
	} {
		q := Queue{}
		q.prove(&Candidate{ID: 1, Run: 1, Built: Built{SHA: commit(1), Tree: commit(1)}, Recipe: suite()}, c.v, noon)
		if (q.Proofs != nil) != c.kept {
			t.Errorf("%s: kept is %s", name, text(q.Proofs))
		}
	}
}

// A promise that each change is tested by itself is not kept by a run of several.
func TestAPromiseIsNotKeptByARunOfSeveral(t *testing.T) {
	t.Parallel()
	tree := SHA(strings.Repeat("7", 40))
	q := Queue{Proofs: &Proofs{Runs: []Proof{{Tree: tree, Recipe: suite().Digest(), Environment: "here", Members: []Member{{Number: 1}, {Number: 2}}, Candidate: 1, Run: 1, At: noon}}}}
	p := Policy{Recipe: suite(), Environment: "here"}
	c := &Candidate{ID: 2, Members: []Member{{Number: 1}}, Built: Built{Tree: tree}, Recipe: suite()}
	alone, one := q, q
	alone.put(&Entry{Change: Change{Number: 1}, Alone: true})
	one.Proofs = &Proofs{Runs: []Proof{q.Proofs.Runs[0]}}
	one.Proofs.Runs[0].Members = []Member{{Number: 1}}
	each, apart := p, *c
	each.TestEach, apart.Apart = TestChange, &Apart{Areas: Areas{"api"}, Rules: "rules"}
	for name, is := range map[string]struct {
		q      Queue
		c      *Candidate
		p      Policy
		spared bool
	}{
		"a batch":                              {q, c, p, true},
		"each change":                          {q, c, each, false},
		"each change, by the run of one":       {one, c, each, true},
		"somebody who asked to be in no batch": {alone, c, p, false},
		"one that is tested for its areas":     {q, &apart, p, false},
	} {
		if got := is.q.spares(is.c, noon.Add(time.Minute), is.p); (got != nil) != is.spared {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFewGreenRunsAreKept(t *testing.T) {
	t.Parallel()
	q := Queue{}
	for i := range 3 * mostProofs {
		c := &Candidate{ID: CandidateID(i + 1), Run: 1, Built: Built{SHA: commit(1), Tree: trunk(i % (2 * mostProofs))}, Recipe: suite()}
		q.prove(c, Verdict{Outcome: Green, Steps: []StepResult{{Name: "unit"}}, Environment: "here"}, at(i))
	}
	if n := len(q.Proofs.Runs); n != mostProofs || q.Proofs.Runs[n-1].Candidate != 3*mostProofs {
		t.Errorf("%d are kept", n)
	}
	q.prove(&Candidate{ID: 999, Run: 1, Built: Built{SHA: commit(1), Tree: commit(2)}, Recipe: suite()},
		Verdict{Outcome: Green, Steps: []StepResult{{Name: "unit"}}, Environment: "here"}, noon.Add(2*mostReuse))
	if n := len(q.Proofs.Runs); n != 1 {
		t.Errorf("%d are kept for ever", n)
	}
}

// Lander need not do what it planned: facts come in between.
func TestAReuseThatComesTooLateChangesNothing(t *testing.T) {
	t.Parallel()
	w, _ := replaying(t, "here")
	w.upto(CandidateTesting)
	before := text(w.q)
	for _, ev := range []Reused{
		{ID: 1, Run: 2, Proof: Proof{Tree: w.q.Candidate(1).Built.Tree}, At: w.now}, // it is being tested by now
		{ID: 7, Run: 1, At: w.now},
	} {
		w.apply(ev)
	}
	if text(w.q) != before {
		t.Fatal("a late deed changed something")
	}
}
