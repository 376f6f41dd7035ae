package queue

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var onlyTruth = flag.String("truth", "", "the only truth to play")

var blamed = flag.Int("blame", 0, "how often each cell of the matrix of blame is played; 0: a few times")

// truth is what is so in a play of the matrix, whatever runs say.
type truth struct {
	name   string
	faults []fault       // by whom a test always fails
	flake  float64       // how often one test fails by chance
	dying  float64       // how often the machine takes a run with it, one way or another
	dead   time.Duration // for how long at the beginning it takes all of them
	red    bool          // trunk is red, until somebody mends it after two hours
}

// guilty reports whether a change may be dropped: it breaks something alone, or with one that is not dropped itself.
func (tr truth) guilty(n Number) bool {
	return slices.ContainsFunc(tr.faults, func(f fault) bool { return slices.Contains(f.by, n) })
}

func truths() []truth {
	broken, pair := fault{"TestBroken", []Number{5}}, fault{"TestPair", []Number{3, 7}}
	return []truth{
		{name: "all is well"},
		{name: "broken change", faults: []fault{broken}},
		{name: "two broken changes", faults: []fault{broken, {"TestOther", []Number{6}}}},
		{name: "broken pair", faults: []fault{pair}},
		{name: "broken change and pair", faults: []fault{broken, pair}},
		{name: "red trunk", red: true},
		{name: "red trunk, broken change", red: true, faults: []fault{broken}},
		{name: "dying machine", dying: .3},
		{name: "dying machine, broken change", dying: .3, faults: []fault{broken}},
		{name: "dead machine for an hour", dead: time.Hour},
		{name: "flaky 5 %", flake: .05},
		{name: "flaky 5 %, broken change", flake: .05, faults: []fault{broken}},
		{name: "flaky 5 %, broken pair", flake: .05, faults: []fault{pair}},
		{name: "flaky 20 %", flake: .2},
		{name: "flaky 20 %, broken change", flake: .2, faults: []fault{broken}},
		{name: "flaky 20 %, dying machine", flake: .2, dying: .1},
	}
}

const playedChanges = 12

// play is one lane with twelve changes until each has landed or was dropped.
type play struct {
	*world
	truth
	rand   *rand.Rand
	seed   uint64
	alive  []alive
	began  time.Time
	runs   int
	mended bool
	passed map[string]bool
}

// outcome is what came of a play.
type outcome struct {
	innocent, falsely int // changes that broke nothing, and those of them that were dropped
	runs              int
	took              time.Duration
}

func newPlay(t testing.TB, tr truth, batch int, seed uint64) *play {
	w := crew(t, 4, batch, playedChanges)
	w.quick, w.q.Estimates = true, nil
	return &play{world: w, truth: tr, seed: seed, rand: rand.New(rand.NewPCG(seed, 5)), began: w.now, passed: map[string]bool{}}
}

// to plays to the end.
func (p *play) to() (o outcome) {
	p.t.Helper()
	for range 50_000 {
		p.deeds()
		if !slices.ContainsFunc(p.q.Entries, func(e *Entry) bool { return e.State == Queued }) {
			for _, e := range p.q.Entries {
				if p.guilty(e.Number) {
					continue
				}
				if o.innocent++; e.State == Dropped {
					o.falsely++
				}
			}
			o.runs, o.took = p.runs, p.now.Sub(p.began)
			return o
		}
		if p.red && !p.mended && p.now.Sub(p.began) > 2*time.Hour {
			p.mended = true
			p.bypass(1)
			p.seeTrunk()
			continue
		}
		if len(p.alive) > 0 {
			p.wait(time.Duration(1+p.rand.IntN(60)) * time.Second)
			p.ends(p.rand.IntN(len(p.alive)))
			continue
		}
		wake := p.q.Wake(p.now)
		if wake.IsZero() {
			wake = p.now.Add(10 * time.Minute)
		}
		p.now = wake
		if p.now.Sub(p.began) > 30*24*time.Hour {
			p.t.Fatalf("%s, batches of %d, seed %d: for a month nothing comes to an end: red %s, candidates %s, cases %s, #1.. %v", p.name, p.p.Batch, p.seed, text(p.q.Red), text(p.q.Candidates), text(p.q.Cases), p.waiting())
		}
	}
	p.t.Fatalf("%s: it does not end: %s", p.name, text(p.q.Why(1, p.now, p.p)))
	return o
}

// waiting is what those in the queue wait for.
func (p *play) waiting() (all []string) {
	for _, e := range p.q.Entries {
		if e.State == Queued {
			all = append(all, fmt.Sprintf("%v %s", e.Number, text(p.q.Why(e.Number, p.now, p.p))))
		}
	}
	return all
}

// deeds carries out what is planned; runs only begin.
func (p *play) deeds() {
	for range 10_000 {
		plan := p.q.Plan(p.now, p.p)
		if len(plan) == 0 {
			p.save()
			p.told, p.wrote = nil, nil
			return
		}
		switch a := plan[0].(type) {
		case StartRun:
			p.runs++
			p.apply(RunStarted{a.Candidate.ID, a.Run, p.now})
			p.alive = append(p.alive, alive{a.Candidate.ID, a.Run, a.Candidate.Built.SHA, a.Recipe, a.Rerun})
		case Land:
			p.lands(a.Candidate)
			p.do(a)
		default:
			p.do(a)
		}
	}
	p.t.Fatalf("no end of deeds: %v", p.plan())
}

// lands holds that no red lands: not what is broken by what the commit holds, and nothing that no run showed green.
func (p *play) lands(c *Candidate) {
	for _, f := range p.faults {
		if p.holdsAll(c.Built.SHA, f.by) {
			p.t.Fatalf("%s: %s fails on %s, which is to land", p.name, f.test, c.Built.SHA)
		}
	}
	if p.red && !p.mended {
		p.t.Fatalf("%s: %s is to land on a red trunk", p.name, c.Built.SHA)
	}
	for _, s := range c.Recipe.Steps {
		if !p.passed[string(c.Built.SHA)+" "+s.Name] {
			p.t.Fatalf("%s: %s is to land and never passed %s", p.name, c.Built.SHA, s.Name)
		}
	}
}

func (p *play) holdsAll(sha SHA, by []Number) bool {
	return !slices.ContainsFunc(by, func(n Number) bool { return !slices.Contains(p.holds[sha], n) })
}

// ends lets a run end.
func (p *play) ends(i int) {
	r := p.alive[i]
	p.alive = slices.Delete(p.alive, i, i+1)
	if p.rand.Float64() < p.dying || p.now.Sub(p.began) < p.dead {
		if p.rand.IntN(2) == 0 {
			p.apply(RunLost{r.id, r.run, p.now})
			return
		}
		p.apply(RunReported{r.id, r.run, says(Infra, "no space left on device"), p.now})
		return
	}
	var names []string
	for _, f := range p.faults {
		if p.holdsAll(r.sha, f.by) {
			names = append(names, f.test)
		}
	}
	if p.red && !p.mended {
		names = append(names, "TestTrunk")
	}
	if p.rand.Float64() < p.flake {
		names = append(names, "TestFlaky")
	}
	v := green(nil, 0)
	if len(names) > 0 {
		v = says(Red, "exit status 1")
		v.Failed = names
	}
	v = v.of(r.rerun).whole(r.recipe)
	if v.Outcome == Green {
		for _, s := range r.recipe.Steps {
			p.passed[string(r.sha)+" "+s.Name] = true
		}
	}
	p.apply(RunReported{r.id, r.run, v, p.now})
}

// Whoever is dropped did break something, whatever the size of batches, the state of trunk and that of the machine; chance drops hardly
// anybody; and nothing red lands, ever.
func TestWhoseFaultItIs(t *testing.T) {
	t.Parallel()
	plays := max(*blamed, 3)
	var lines []string
	for _, tr := range truths() {
		if *onlyTruth != "" && tr.name != *onlyTruth {
			continue
		}
		for _, batch := range []int{1, 2, 4, 8} {
			var o outcome
			for i := range plays {
				is := newPlay(t, tr, batch, uint64(1000*batch+i)).to()
				o.innocent, o.falsely, o.runs, o.took = o.innocent+is.innocent, o.falsely+is.falsely, o.runs+is.runs, o.took+is.took
			}
			lines = append(lines, fmt.Sprintf("%-30s %5d %8d %8d %8.1f %10s", tr.name, batch, o.innocent, o.falsely,
				float64(o.runs)/float64(plays), (o.took/time.Duration(plays)).Round(time.Second)))
			if tr.flake == 0 && o.falsely > 0 {
				t.Errorf("%s, batches of %d: %d of %d innocent changes were dropped", tr.name, batch, o.falsely, o.innocent)
			}
			if *blamed > 0 && float64(o.falsely) >= .01*float64(o.innocent) && o.falsely > 0 {
				t.Errorf("%s, batches of %d: %d of %d innocent changes were dropped", tr.name, batch, o.falsely, o.innocent)
			}
		}
	}
	t.Logf("%-30s %5s %8s %8s %8s %10s\n%s", "truth", "batch", "innocent", "dropped", "runs", "time", strings.Join(lines, "\n"))
}

// Chance can have two candidates red by one test, and the case of the upper one explain it for both. The lower one, which stands where it
// stood, is then tested anew; it once was forgotten, and the lane with it.
func TestWhoseCaseAnotherExplainedIsTestedAnew(t *testing.T) {
	t.Parallel()
	if o := newPlay(t, truth{name: "flaky 20 %", flake: .2}, 4, 4055).to(); o.innocent != playedChanges || o.falsely > 0 {
		t.Errorf("%+v", o)
	}
}
