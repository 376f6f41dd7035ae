package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// Workload is a team in numbers.
type Workload struct {
	Runs

	Rate    float64       // changes per hour: λ
	Bad     float64       // share of changes that are bad by themselves: p
	Clash   float64       // probability that two changes, approved within Near, one depending on the other, are bad together only: r
	Near    time.Duration // see Clash
	Changes int           // that count; 0: 1,800, or those of 10 run lengths where these are more
	Areas   *Areas        // nil: every change depends on all ahead of it
}

// Areas is how changes keep apart.
type Areas struct {
	Count       int           // of areas
	Flat        float64       // see Skew
	Skew        float64       // the nth area is touched in proportion to (n+Flat) to the power of -Skew
	Most        int           // areas that a change touches: one to so many
	Spread      float64       // standard deviation of the logarithm of the run length of a change, around Length
	Shortest    time.Duration // bounds of it
	Longest     time.Duration
	Caught      float64 // share of the bad changes that the predictor warns of
	WronglyWarn float64 // share of the good ones
	Missed      float64 // share of real dependencies that the policy does not see
	Everything  float64 // share of changes that the policy takes to touch everything
}

// Usual is what runs are like where nothing else is known: none fails by chance, one that fails ends in its last 70 %, running only what
// failed again takes 6 to 10 % of a run, and the failed tests point at every culprit.
func Usual(workers int, length time.Duration, noise float64) Runs {
	return Runs{Workers: workers, Length: length, Noise: noise, Red: [2]float64{.3, 1}, Rerun: [2]float64{.06, .10}, Named: 1}
}

// Chain is the workload in which every change depends on all ahead of it, at a rate per hour, a run length and so many workers.
func Chain(rate float64, length time.Duration, workers int) Workload {
	return Workload{
		Rate: rate, Bad: .05, Clash: .0003, Near: time.Hour,
		Runs: Usual(workers, length, .1),
	}
}

// Apart is the workload in which changes that touch no area together are independent.
func Apart(rate float64, workers int) Workload {
	return Workload{
		Rate: rate, Bad: .05, Clash: .035, Near: 30 * time.Minute,
		Runs: Usual(workers, 27*time.Minute, 0),
		Areas: &Areas{
			Count: 900, Flat: 60, Skew: 1.1, Most: 3, Spread: .485, Shortest: 3 * time.Minute, Longest: 2 * time.Hour, Caught: .6, WronglyWarn: .01,
		},
	}
}

// Cell names a workload by what tells it from the others of its suite, as in "12,20m,4" or "500,300".
func (w Workload) Cell() string {
	rate := strconv.FormatFloat(w.Rate, 'f', -1, 64)
	if w.Areas != nil {
		return fmt.Sprintf("%s,%d", rate, w.Workers)
	}
	return fmt.Sprintf("%s,%s,%d", rate, short(w.Length), w.Workers)
}

func short(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

const (
	patience = 40 // run lengths after which nobody waits for the last change that counts any more
	warming  = 6  // run lengths of warm-up at least
	counted  = 10 // run lengths that count at least
)

// Trace makes the changes of a seed. Workloads that differ in nothing but workers and runs have the same ones.
func (w Workload) Trace(seed uint64) *Trace {
	perLength := w.Rate * w.Length.Hours()
	warm := max(200, int(warming*perLength))
	count := w.Changes
	if count == 0 {
		count = max(1800, int(counted*perLength))
	}
	n := warm + count + max(200, int(patience*perLength))
	t := &Trace{Runs: w.Runs, Changes: make([]Change, n), Areas: w.Areas != nil, From: warm, To: warm + count, Clash: w.Clash, Near: w.Near}
	times, fates, clashes := stream(seed, 1), stream(seed, 2), stream(seed, 3)
	at := 0.0
	for i := range t.Changes {
		at += times.ExpFloat64() / w.Rate
		t.Changes[i] = Change{At: time.Duration(at * float64(time.Hour)), Bad: fates.Float64() < w.Bad, Good: 1 - w.Bad}
	}
	var real [][]int32
	if w.Areas != nil {
		real = w.spread(t, seed)
	}
	for i := range t.Changes {
		for j := i - 1; j >= 0 && t.Changes[i].At-t.Changes[j].At < w.Near; j-- {
			if (real == nil || common(real[i], real[j])) && clashes.Float64() < w.Clash {
				t.Changes[i].With = append(t.Changes[i].With, j)
				t.Changes[j].With = append(t.Changes[j].With, i)
			}
		}
	}
	return t
}

// spread gives the changes their areas, lengths and warnings, and tells which areas each really touches: the policy may miss some of
// them, or take a change to touch everything.
func (w Workload) spread(t *Trace, seed uint64) (real [][]int32) {
	a, r := w.Areas, stream(seed, 4)
	share := make([]float64, a.Count) // up to and with each area
	sum := 0.0
	for i := range share {
		sum += math.Pow(float64(i+1)+a.Flat, -a.Skew)
		share[i] = sum
	}
	// Where two changes have one area in common, both must be seen to touch it.
	seen := math.Sqrt(1 - a.Missed)
	// What a warning says, and that there is none.
	warned := ratio((1-w.Bad)*a.WronglyWarn, (1-w.Bad)*a.WronglyWarn+w.Bad*a.Caught)
	quiet := ratio((1-w.Bad)*(1-a.WronglyWarn), (1-w.Bad)*(1-a.WronglyWarn)+w.Bad*(1-a.Caught))
	real = make([][]int32, len(t.Changes))
	for i := range t.Changes {
		c := &t.Changes[i]
		for n := 1 + r.IntN(a.Most); len(real[i]) < min(n, a.Count); {
			at, _ := slices.BinarySearch(share, r.Float64()*sum)
			if !slices.Contains(real[i], int32(at)) {
				real[i] = append(real[i], int32(at))
			}
		}
		slices.Sort(real[i])
		for _, at := range real[i] {
			if r.Float64() < seen {
				c.Areas = append(c.Areas, at)
			}
		}
		c.All = r.Float64() < a.Everything
		c.Length = min(max(time.Duration(float64(w.Length)*math.Exp(a.Spread*r.NormFloat64())), a.Shortest), a.Longest)
		warn := a.WronglyWarn
		if c.Bad {
			warn = a.Caught
		}
		if c.Good = quiet; r.Float64() < warn {
			c.Good = warned
		}
	}
	return real
}

// ratio is a share of a whole; of nothing, none.
func ratio(a, of float64) float64 {
	if of == 0 {
		return 0
	}
	return a / of
}

// stream is one of the sources of chance of a seed. What is drawn from one does not depend on how much was drawn from another.
func stream(seed, n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }
