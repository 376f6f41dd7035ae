package sim

import (
	"context"
	"slices"
	"sync"
	"time"
)

// ChainCells are the workloads of the suite of that name.
func ChainCells() []Workload {
	const d = 20 * time.Minute
	return []Workload{
		Chain(2, d, 1), Chain(6, d, 1), Chain(12, d, 4), Chain(30, d, 8), Chain(60, d, 16), Chain(60, d, 32), Chain(120, d, 32), Chain(250, d, 64),
		Chain(500, 27*time.Minute, 100),
	}
}

// AreaCells are those of the other one.
func AreaCells() []Workload {
	var cells []Workload
	for _, rate := range []float64{100, 300, 500} {
		for _, workers := range []int{50, 100, 200, 300, 500} {
			cells = append(cells, Apart(rate, workers))
		}
	}
	return cells
}

// Source gives a trace for each seed, the same one whenever it is asked. It is asked by several at the same time.
type Source interface{ Trace(seed uint64) *Trace }

// Match is a strategy and what it has to cope with.
type Match struct {
	Source   Source
	Strategy Strategy
}

// Result is what came of a match, over several seeds.
type Result struct {
	Match
	Outcomes []Outcome // one for each seed
}

// Unstable is with how many of the seeds the line grew without end.
func (r Result) Unstable() (seeds int) {
	for _, o := range r.Outcomes {
		if o.Unstable {
			seeds++
		}
	}
	return seeds
}

// Figure is something measured once for each seed.
type Figure struct {
	Mean float64 `json:"mean"`
	Min  float64 `json:"min"`
	Max  float64 `json:"max"`
}

// Figure summarises one number of the outcomes.
func (r Result) Figure(of func(Outcome) float64) Figure {
	if len(r.Outcomes) == 0 {
		return Figure{}
	}
	all := make([]float64, len(r.Outcomes))
	for i, o := range r.Outcomes {
		all[i] = of(o)
	}
	return Figure{Mean: mean(all), Min: slices.Min(all), Max: slices.Max(all)}
}

// Play plays every match with every seed, so many at a time. The results come in the order of the matches, however many that are; heard is
// told how many plays are done, one at a time. The only error is that of a context that ended.
func Play(ctx context.Context, matches []Match, seeds []uint64, parallel int, heard func(done, of int)) ([]Result, error) {
	results := make([]Result, len(matches))
	type task struct{ match, seed int }
	tasks := make(chan task, len(matches)*len(seeds))
	// The last ones first: suites end with what takes longest, and nobody shall be left alone with that.
	for i, m := range slices.Backward(matches) {
		results[i] = Result{Match: m, Outcomes: make([]Outcome, len(seeds))}
		for j := range seeds {
			tasks <- task{i, j}
		}
	}
	close(tasks)
	var (
		mu   sync.Mutex
		done int
		wait sync.WaitGroup
	)
	for range max(parallel, 1) {
		wait.Go(func() {
			for t := range tasks {
				if ctx.Err() != nil {
					return
				}
				m, seed := matches[t.match], seeds[t.seed]
				o := m.Strategy.Play(m.Source.Trace(seed), seed)
				o.forget()
				mu.Lock()
				results[t.match].Outcomes[t.seed] = o
				if done++; heard != nil {
					heard(done, cap(tasks))
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return results, ctx.Err()
}
