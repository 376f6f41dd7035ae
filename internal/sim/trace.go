package sim

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Trace is what truly happens: the changes in the order of their approval, and what runs are like.
type Trace struct {
	Runs

	Changes []Change
	// Areas: changes that share no area are independent. Else every change depends on all ahead of it.
	Areas bool
	// From and To bound the changes that count: Changes[From:To]. Those before fill the queue, those behind keep it full.
	From, To int
	// Clash is how probable it is that two changes, approved within Near, one of which depends on the other, are bad together only. It is
	// for strategies that reckon with it.
	Clash float64
	Near  time.Duration
}

// Runs is what test runs are like.
type Runs struct {
	Workers int           // runs at a time: W
	Length  time.Duration // of a run, as a rule: D, in which times are given
	Noise   float64       // standard deviation of the logarithm of a run's length
	Red     [2]float64    // where in its length a run ends that fails, as a share of it: from, to
	Flake   float64       // probability that a run fails by chance: f
	Again   float64       // probability that what failed by chance does so again when it alone is run again
	Rerun   [2]float64    // what it takes to run only what failed again, as a share of the length: from, to
	Named   float64       // probability that a red run names a culprit, for each beside the first
}

// Change is a change as it truly is.
type Change struct {
	At     time.Duration // of its approval
	Length time.Duration // of a run of it alone; 0: as Runs say
	Bad    bool          // it fails by itself
	With   []int         // those with which it fails, though neither fails alone
	Areas  []int32       // that it is said to touch, sorted
	All    bool          // it is said to touch everything
	Good   float64       // the probability that it does not fail by itself, as a predictor says that knows no outcome
}

// depends reports whether one change is said to depend on another that is ahead of it.
func (t *Trace) depends(i, ahead int) bool {
	a, b := &t.Changes[i], &t.Changes[ahead]
	if !t.Areas || a.All || b.All {
		return true
	}
	return common(a.Areas, b.Areas)
}

// common reports whether two sorted lists have something in common.
func common(a, b []int32) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			return true
		}
	}
	return false
}

// duration is how long a run of these takes that is carried to its end.
func (t *Trace) duration(members []int, r *rand.Rand) time.Duration {
	longest := time.Duration(0)
	for _, i := range members {
		longest = max(longest, t.Changes[i].Length)
	}
	if longest == 0 {
		longest = t.Length
	}
	if t.Noise == 0 {
		return longest
	}
	return time.Duration(float64(longest) * math.Exp(t.Noise*r.NormFloat64()))
}

// cut is how much of a red run is over when it fails.
func (t *Trace) cut(took time.Duration, r *rand.Rand) time.Duration {
	return time.Duration(float64(took) * within(t.Red, r))
}

// within draws a number between two.
func within(bounds [2]float64, r *rand.Rand) float64 {
	return bounds[0] + (bounds[1]-bounds[0])*r.Float64()
}

// fates are what becomes of the changes when each is tested on all that land before it.
func (t *Trace) fates() (good []bool) {
	good = make([]bool, len(t.Changes))
	for i, c := range t.Changes {
		good[i] = !c.Bad && !slices.ContainsFunc(c.With, func(j int) bool { return j < i && good[j] })
	}
	return good
}

// whole reports whether every change counts.
func (t *Trace) whole() bool { return t.From == 0 && t.To == len(t.Changes) }
