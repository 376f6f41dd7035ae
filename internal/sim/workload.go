package sim

import (
	"math"
	"math/rand/v2"
	"time"
)

// Chain is a workload in which every change depends on all ahead of it.
type Chain struct {
	Rate    float64       // changes per hour
	Length  time.Duration // of a run: D
	Workers int           // runs at a time: W
	Bad     float64       // share of changes that are bad by themselves: p
	Clash   float64       // probability that two changes within an hour of each other are bad together only: r
	Flake   float64       // probability that a run fails by chance: f
	Changes int           // of which the first Warm are not counted
	Warm    int
	Rerun   [2]float64 // what rerunning only what failed takes, as a share of Length: from, to
	Named   float64    // probability that a run names a culprit beside the first
}

// change is one change as it truly is.
type change struct {
	at    time.Duration
	bad   bool
	clash []int // with which it is bad together
}

func (w Chain) changes(r *rand.Rand) []change {
	all := make([]change, w.Changes)
	at := 0.0
	for i := range all {
		at += r.ExpFloat64() / w.Rate
		all[i] = change{at: time.Duration(at * float64(time.Hour)), bad: r.Float64() < w.Bad}
		for j := i - 1; j >= 0 && all[i].at-all[j].at < time.Hour; j-- {
			if r.Float64() < w.Clash {
				all[i].clash = append(all[i].clash, j)
				all[j].clash = append(all[j].clash, i)
			}
		}
	}
	return all
}

// duration of a run that is carried to its end.
func (w Chain) duration(r *rand.Rand) time.Duration {
	return time.Duration(float64(w.Length) * math.Exp(0.1*r.NormFloat64()))
}
