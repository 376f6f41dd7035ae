package sim

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"
)

// Whoever tests one at a time is the queue of the textbook: Poisson arrivals, equal services, one server. Its mean wait is
// ρ/(2(1-ρ)) services, and each change waits for its own run besides.
func TestSerialIsTheQueueOfTheTextbook(t *testing.T) {
	t.Parallel()
	for _, load := range []float64{.3, .6, .7} {
		w := Chain(3*load, 20*minute, 1)
		w.Bad, w.Clash, w.Noise, w.Changes = 0, 0, 0, 20_000
		o := Serial.Play(w.Trace(1), 1)
		want := 1 + load/(2*(1-load))
		if math.Abs(o.Mean-want) > .04*want || math.Abs(o.Use-load) > .02 || math.Abs(o.PerChange-1) > .002 {
			t.Errorf("load %v: mean %.3f, want %.3f; use %.3f; %.4f runs", load, o.Mean, want, o.Use, o.PerChange)
		}
	}
}

// A batch of n takes one run, and each half one more whenever what it is a half of is red.
func halved(n int, bad float64) float64 {
	var halves func(n int) float64
	halves = func(n int) float64 {
		if n == 1 {
			return 0
		}
		red := 1 - math.Pow(1-bad, float64(n))
		return 2*red + halves(n/2) + halves(n-n/2)
	}
	return 1 + halves(n)
}

func TestHalvingTakesWhatTheFormulaSays(t *testing.T) {
	t.Parallel()
	least := math.Inf(1)
	for n := range 40 {
		least = min(least, halved(n+1, .05)/float64(n+1))
	}
	if math.Abs(least-.399) > .001 {
		t.Errorf("at best halving takes %.4f runs a change, and 0.399 is known", least)
	}
	for _, n := range []int{1, 2, 3, 8, 21} {
		runs, days := 0, 1000
		for seed := range days {
			r := stream(uint64(seed), 9)
			changes := make([]Change, n)
			for i := range changes {
				changes[i].Bad = r.Float64() < .05
			}
			o := BatchBisect.Play(plain(1, changes...), uint64(seed))
			runs += o.runs
		}
		if got, want := float64(runs)/float64(days), halved(n, .05); math.Abs(got-want) > .05*want {
			t.Errorf("%d changes took %.3f runs, want %.3f", n, got, want)
		}
	}
}

// traces are days of all sorts, short enough to be played by everybody.
func traces() map[string]*Trace {
	chain, crowd, flaky := Chain(12, 20*minute, 4), Chain(30, 20*minute, 16), Chain(6, 20*minute, 4)
	flaky.Flake, flaky.Again, flaky.Named = .1, .1, .5
	areas, everything := Apart(15, 14), Apart(15, 14)
	everything.Areas = &Areas{}
	*everything.Areas = *areas.Areas
	everything.Areas.Everything, everything.Areas.Missed = .05, .05
	all := map[string]*Trace{}
	for name, w := range map[string]Workload{"chain": chain, "crowd": crowd, "flaky": flaky, "areas": areas, "everything": everything} {
		w.Changes = 150
		all[name] = w.Trace(3)
	}
	return all
}

func TestTheBooksBalance(t *testing.T) {
	t.Parallel()
	for name, tr := range traces() {
		for _, s := range Strategies(tr.Areas) {
			t.Run(name+"/"+s.Name(), func(t *testing.T) {
				t.Parallel()
				e := newEngine(tr, 3)
				o := s.Play(tr, 3)
				if o.most > tr.Workers || o.busy > time.Duration(tr.Workers)*o.noted {
					t.Errorf("%d workers were busy at a time, for %v of %v", o.most, o.busy, o.noted)
				}
				begun := o.runs + o.probes
				if open := begun - o.ended - o.cancelled; open < 0 || open > tr.Workers {
					t.Errorf("of %d runs %d ended and %d were cancelled", begun, o.ended, o.cancelled)
				}
				settled := 0
				for i := range tr.Changes {
					at, hasLanded, ok := o.Fate(i)
					if !ok {
						continue
					}
					settled++
					if at < tr.Changes[i].At {
						t.Fatalf("change %d was settled before it was approved", i)
					}
					if hasLanded && tr.Changes[i].Bad {
						t.Errorf("change %d is bad and has landed", i)
					}
				}
				if settled != o.settled || o.Landed+o.Dropped+o.Unfinished != tr.To-tr.From {
					t.Errorf("%d are settled, %d by the books; %d landed, %d dropped, %d unfinished of %d", settled, o.settled, o.Landed, o.Dropped, o.Unfinished, tr.To-tr.From)
				}
				if name != "everything" && o.RedLanded > 0 || tr.Flake == 0 && o.FalseDrops > 0 {
					t.Errorf("%.4f landed red, %.4f were dropped falsely", o.RedLanded, o.FalseDrops)
				}
				if o.Use < 0 || o.Use > 1 || e.free != tr.Workers {
					t.Errorf("use %.3f", o.Use)
				}
			})
		}
	}
}

func TestTheSameSeedGivesTheSame(t *testing.T) {
	t.Parallel()
	var matches []Match
	chain, areas := Chain(12, 20*minute, 4), Apart(20, 16)
	chain.Changes, areas.Changes, chain.Flake = 100, 100, .05
	for _, w := range []Workload{chain, areas} {
		for _, s := range Strategies(w.Areas != nil) {
			matches = append(matches, Match{w, s})
		}
	}
	var heard []int
	one, err := Play(t.Context(), matches, []uint64{1, 2}, 1, func(done, of int) { heard = append(heard, done) })
	if err != nil {
		t.Fatal(err)
	}
	many, err := Play(t.Context(), matches, []uint64{1, 2}, 7, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(one, many) {
		t.Error("what is played at the same time makes a difference")
	}
	if len(heard) != 2*len(matches) || !slices.IsSorted(heard) {
		t.Errorf("heard %v", heard)
	}
	if o := one[0].Outcomes; reflect.DeepEqual(o[0], o[1]) {
		t.Error("the seed makes no difference")
	}
	for _, r := range one {
		if f := r.Figure(func(o Outcome) float64 { return o.P95 }); f.Min > f.Mean || f.Mean > f.Max {
			t.Errorf("%s: %+v", r.Strategy.Name(), f)
		}
	}
}

// Where nothing is bad, knowing that is worth nothing: nobody who tests one by one is faster than the oracle, and nobody gets by with fewer
// runs than one for each but who tests several together.
func TestNobodyBeatsTheOracle(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]Workload{"quiet": Chain(2, 20*minute, 1), "busy": Chain(33, 20*minute, 12), "areas": Apart(40, 26)} {
		w.Bad, w.Clash, w.Changes = 0, 0, 200
		tr := w.Trace(5)
		best := Oracle.Play(tr, 5)
		for _, s := range []Strategy{Serial, Optimistic, Windowed, BestFirst} {
			if o := s.Play(tr, 5); !o.Unstable && (o.Mean < best.Mean-1e-9 || o.PerChange < best.PerChange-.02) {
				t.Errorf("%s, %s: mean %.4f, %.3f runs; oracle %.4f, %.3f", name, s.Name(), o.Mean, o.PerChange, best.Mean, best.PerChange)
			}
		}
	}
}

func TestALineThatGrowsIsUnstable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		strategy Strategy
		load     Workload
		want     bool
	}{
		{Serial, Chain(2, 20*minute, 1), false},
		{Serial, Chain(3.6, 20*minute, 1), true}, // a fifth too much
		{Serial, Chain(6, 20*minute, 1), true},
		{BatchBisect, Chain(6, 20*minute, 1), false},
		{Lander{}, Chain(6, 20*minute, 1), false},
		{Oracle, Chain(15, 20*minute, 4), true},
		{Oracle, Chain(15, 20*minute, 8), false},
	} {
		c.load.Changes = 900
		if o := c.strategy.Play(c.load.Trace(2), 2); o.Unstable != c.want {
			t.Errorf("%s at %s: unstable is %v", c.strategy.Name(), c.load.Cell(), o.Unstable)
		}
	}
}
