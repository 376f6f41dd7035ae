package sim

import (
	"cmp"
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

// Result is what came of a workload under a strategy, over several seeds.
type Result struct {
	Workload Workload
	Strategy Strategy
	Seeds    []uint64
	Outcomes []Outcome // one for each seed
}

// Unstable reports whether the line grew without end with any of the seeds.
func (r Result) Unstable() bool {
	return slices.ContainsFunc(r.Outcomes, func(o Outcome) bool { return o.Unstable })
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

// Play plays every strategy on every workload with every seed, so many at a time. The results come in that order, however many that are;
// heard is told of each one that is done, one at a time. The only error is that of a context that ended.
func Play(ctx context.Context, cells []Workload, strategies []Strategy, seeds []uint64, parallel int, heard func(done, of int)) ([]Result, error) {
	results := make([]Result, 0, len(cells)*len(strategies))
	for _, w := range cells {
		for _, s := range strategies {
			results = append(results, Result{Workload: w, Strategy: s, Seeds: seeds, Outcomes: make([]Outcome, len(seeds))})
		}
	}
	type task struct{ result, seed int }
	var tasks []task
	for i := range results {
		for j := range seeds {
			tasks = append(tasks, task{i, j})
		}
	}
	// What takes longest comes first, so that nobody is left alone with it at the end.
	slices.SortStableFunc(tasks, func(a, b task) int {
		x, y := results[a.result].Workload, results[b.result].Workload
		return cmp.Compare(y.Rate*y.Length.Hours(), x.Rate*x.Length.Hours())
	})
	queue := make(chan task, len(tasks))
	for _, t := range tasks {
		queue <- t
	}
	close(queue)
	var (
		mu   sync.Mutex
		done int
		wait sync.WaitGroup
	)
	for range max(parallel, 1) {
		wait.Go(func() {
			for t := range queue {
				if ctx.Err() != nil {
					return
				}
				r := &results[t.result]
				o := r.Strategy.Play(r.Workload.Trace(seeds[t.seed]), seeds[t.seed])
				o.forget()
				mu.Lock()
				r.Outcomes[t.seed] = o
				if done++; heard != nil {
					heard(done, len(tasks))
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return results, ctx.Err()
}
