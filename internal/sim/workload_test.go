package sim

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestATeamIsAsItsNumbersSay(t *testing.T) {
	t.Parallel()
	w := Apart(30, 10)
	w.Changes = 12_000
	w.Areas.Everything = .05
	tr := w.Trace(1)
	n := float64(len(tr.Changes))
	bad, warned, wrongly, all := 0.0, 0.0, 0.0, 0.0
	var lengths []time.Duration
	for _, c := range tr.Changes {
		warn := c.Good < .5
		switch {
		case c.Bad && warn:
			bad, warned = bad+1, warned+1
		case c.Bad:
			bad++
		case warn:
			wrongly++
		}
		if c.All {
			all++
		}
		if len(c.Areas) < 1 || len(c.Areas) > 3 || !slices.IsSorted(c.Areas) {
			t.Fatalf("a change touches %v", c.Areas)
		}
		lengths = append(lengths, c.Length)
	}
	slices.Sort(lengths)
	for _, c := range []struct {
		what            string
		got, want, much float64
	}{
		{"changes an hour", n / tr.Changes[len(tr.Changes)-1].At.Hours(), 30, 1},
		{"bad", bad / n, .05, .005},
		{"warned of", warned / bad, .6, .05},
		{"wrongly warned of", wrongly / (n - bad), .01, .002},
		{"touch everything", all / n, .05, .005},
		{"median length", lengths[len(lengths)/2].Minutes(), 27, .6},
		{"shortest", lengths[0].Minutes(), 3, 2},
		{"longest", lengths[len(lengths)-1].Minutes(), 120, 1},
		{"a tenth is longer than", lengths[len(lengths)*9/10].Minutes(), 27 * math.Exp(.485*1.2816), 2},
	} {
		if math.Abs(c.got-c.want) > c.much {
			t.Errorf("%s: %.3f, want %.3f", c.what, c.got, c.want)
		}
	}
	if w.From(tr) < 6*27*time.Minute {
		t.Errorf("the warm-up is %v", w.From(tr))
	}
}

// From is when the first change that counts is approved.
func (Workload) From(t *Trace) time.Duration { return t.Changes[t.From].At }

func TestTheSameChangesWhateverIsDoneWithThem(t *testing.T) {
	t.Parallel()
	few, many := Chain(12, 20*minute, 4), Chain(12, 20*minute, 40)
	many.Flake, many.Named, many.Bad = .1, .5, .2
	a, b := few.Trace(4), many.Trace(4)
	for i := range a.Changes {
		if a.Changes[i].At != b.Changes[i].At || a.Changes[i].Bad && !b.Changes[i].Bad || !slices.Equal(a.Changes[i].With, b.Changes[i].With) {
			t.Fatalf("change %d is another one", i)
		}
	}
}

// What the policy does not see is tested apart, and reaches trunk red.
func TestWhatThePolicyMissesReachesTrunk(t *testing.T) {
	t.Parallel()
	for _, missed := range []float64{0, .3} {
		w := Apart(60, 50)
		w.Changes, w.Clash, w.Areas.Count, w.Areas.Missed = 400, .3, 90, missed
		for _, s := range []Strategy{Optimistic, BestFirst} {
			if o := s.Play(w.Trace(1), 1); o.RedLanded > 0 != (missed > 0) || o.Unstable {
				t.Errorf("%s, %v missed: %.4f of what landed is red, unstable %v", s.Name(), missed, o.RedLanded, o.Unstable)
			}
		}
	}
	// A pair that shares one area is missed as often as is said.
	w := Apart(60, 100)
	w.Changes, w.Areas.Most, w.Areas.Missed = 500, 1, .2
	tr := w.Trace(1)
	seen, shared := 0.0, 0.0
	real := w
	sound := *w.Areas
	sound.Missed = 0
	real.Areas = &sound
	truth := real.Trace(1)
	for i := range 1200 {
		for j := range i {
			if truth.depends(i, j) {
				shared++
				if tr.depends(i, j) {
					seen++
				}
			}
		}
	}
	if math.Abs(1-seen/shared-.2) > .05 {
		t.Errorf("%.3f of %v dependencies are missed", 1-seen/shared, shared)
	}
}

func TestFlakesAndNamesMakeLanderWorkMore(t *testing.T) {
	t.Parallel()
	w := Chain(18, 20*minute, 5)
	w.Changes = 300
	calm := Lander{}.Play(w.Trace(1), 1)
	w.Flake = .1
	flaky := Lander{}.Play(w.Trace(1), 1)
	w.Flake, w.Named = 0, .5
	dumb := Lander{}.Play(w.Trace(1), 1)
	if flaky.Probes <= calm.Probes || flaky.Unstable || flaky.FalseDrops > 0 {
		t.Errorf("with flakes %.3f reruns, %.4f falsely dropped; without %.3f", flaky.Probes, flaky.FalseDrops, calm.Probes)
	}
	if dumb.Mean <= calm.Mean || dumb.Unstable || dumb.FalseDrops > 0 {
		t.Errorf("with half of the names mean %.3f, with all %.3f", dumb.Mean, calm.Mean)
	}
}
