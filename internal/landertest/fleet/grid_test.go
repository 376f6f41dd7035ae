package fleet

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	grid     = flag.Bool("grid", false, "every cell, not a sample")
	runs     = flag.Int("runs", 1, "how often each cell is run")
	oneCell  = flag.String("cell", "", "one cell, as STEP/FAULT; either may be left empty")
	oneSeed  = flag.Uint64("seed", 0, "seed of the first run; 0: a new one")
	atOnce   = flag.Int("atonce", 3, "how many cells are run at the same time")
	most     = flag.Int("most", 20, "after how many runs that broke a promise no more are begun")
	forTime  = flag.Duration("for", 0, "after how long no more cells are begun; 0: when all were")
	keepLogs = flag.Bool("keep", false, "keep the log of every cell, not only of those that failed")
)

// sample are the cells that say most.
var sample = []string{
	"run started/killed after", "verdict stored/database killed",
	"intent stored/killed after", "intent stored/human pushes", "head pushed/killed after", "trunk pushed/killed before", "trunk pushed/error after",
	"trunk pushed/zombie", "trunk pushed/human rewinds", "trunk pushed/killed and paused", "landed stored/second replica", "comment sent/error after",
}

// errand is a cell to be run.
type errand struct {
	step  string
	fault fault
	seed  uint64
}

// TestFaults runs cells of the grid and lets the oracle judge each.
func TestFaults(t *testing.T) {
	t.Parallel()
	seed := *oneSeed
	if seed == 0 {
		seed = rand.Uint64N(1_000_000) + 1
	}
	var errands []errand
	for i := range *runs {
		for _, step := range allSteps {
			for _, f := range allFaults {
				name := step + "/" + f.name
				wantStep, wantFault, _ := strings.Cut(*oneCell, "/")
				switch {
				case *oneCell != "" && (wantStep != "" && wantStep != step || wantFault != "" && wantFault != f.name):
				case *oneCell == "" && !*grid && !slices.Contains(sample, name):
				default:
					errands = append(errands, errand{step, f, seed + uint64(i)})
				}
			}
		}
	}
	if len(errands) == 0 {
		t.Fatalf("no cell %q: want STEP/FAULT of %v and %v", *oneCell, allSteps, faultNames())
	}
	ctx, cancel := context.WithCancel(context.Background())
	if *forTime > 0 {
		ctx, cancel = context.WithTimeout(ctx, *forTime)
	}
	defer cancel()
	if *grid {
		var stop func()
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop) // the second one ends all at once
	}
	begun := time.Now()
	all := run(ctx, t, errands)
	fmt.Print(table(all))
	fmt.Printf("%d of %d runs in %v, seeds from %d\n", len(all), len(errands), time.Since(begun).Round(time.Second), seed)
}

// run runs cells, some at a time. When ctx ends no more are begun.
func run(ctx context.Context, t *testing.T, errands []errand) (all []outcome) {
	t.Helper()
	var mu sync.Mutex
	var workers sync.WaitGroup
	next := make(chan errand)
	for range *atOnce {
		workers.Go(func() {
			for e := range next {
				o := play(e.step, e.fault, e.seed)
				mu.Lock()
				settle(t, &o)
				all = append(all, o)
				mu.Unlock()
			}
		})
	}
	for _, e := range errands {
		if ctx.Err() != nil {
			break
		}
		mu.Lock()
		bad := 0
		for _, o := range all {
			if len(o.breaches) > 0 {
				bad++
			}
		}
		mu.Unlock()
		if bad >= *most {
			t.Errorf("%d runs broke a promise: no more are begun", bad)
			break
		}
		select {
		case next <- e:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
	return all
}

// settle says how a cell went, if that is worth a word.
func settle(t *testing.T, o *outcome) {
	t.Helper()
	if !o.reached && len(o.breaches) == 0 {
		o.breaches = []string{"the step never came"}
	}
	failed := len(o.breaches) > 0
	if !failed && !*keepLogs {
		return
	}
	file, text := o.report(os.TempDir())
	if err := os.WriteFile(file, []byte(o.log), 0o600); err != nil {
		t.Error(err)
	}
	if failed {
		t.Errorf("%s\n\tlog: %s", text, file)
	}
}

func faultNames() (names []string) {
	for _, f := range allFaults {
		names = append(names, f.name)
	}
	return names
}

// table shows each step and fault: how many runs, how many of them broke a promise, and how long half of them took at most from the
// fault until all was at rest.
func table(all []outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%-20s", "")
	short := strings.NewReplacer("delivery stored", "delivery", "fact applied", "fact", "candidate built", "built", "run started", "started",
		"verdict stored", "verdict", "intent stored", "intent", "head pushed", "head", "trunk pushed", "trunk", "read back", "read", "landed stored", "landed",
		"comment sent", "comment")
	var steps []string
	for _, step := range allSteps {
		if slices.ContainsFunc(all, func(o outcome) bool { return o.step == step }) {
			steps = append(steps, step)
			fmt.Fprintf(&b, "%11s", short.Replace(step))
		}
	}
	b.WriteString("\n")
	missed, broken, landed, merged := 0, 0, 0, 0
	var times []time.Duration
	for _, f := range faultNames() {
		if !slices.ContainsFunc(all, func(o outcome) bool { return o.fault == f }) {
			continue
		}
		fmt.Fprintf(&b, "%-20s", f)
		for _, step := range steps {
			runs, bad := 0, 0
			var recovered []time.Duration
			for _, o := range all {
				if o.step != step || o.fault != f {
					continue
				}
				runs++
				landed, merged = landed+o.landed, merged+o.merged
				if len(o.breaches) > 0 {
					bad++
				}
				if !o.reached {
					missed++
				} else if o.recovered > 0 {
					recovered = append(recovered, o.recovered)
				}
			}
			broken += bad
			times = append(times, recovered...)
			text := "-"
			if runs > 0 {
				text = "n/a"
			}
			if len(recovered) > 0 {
				text = fmt.Sprintf("%d %.1fs", runs, half(recovered).Seconds())
			}
			if bad > 0 {
				text = fmt.Sprintf("%d BAD %d", runs, bad)
			}
			fmt.Fprintf(&b, "%11s", text)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "each: runs, and p50 of the time from the fault to all at rest\n%d of %d runs broke a promise", broken, len(all))
	if len(times) > 0 {
		slices.Sort(times)
		fmt.Fprintf(&b, "; all at rest after p50 %.1f s, p95 %.1f s, at most %.1f s", half(times).Seconds(), times[len(times)*95/100].Seconds(), times[len(times)-1].Seconds())
	}
	fmt.Fprintf(&b, "\n%d pull requests landed, %d of them shown as merged\n", landed, merged)
	if missed > 0 {
		fmt.Fprintf(&b, "NOTE: in %d runs the step did not come, and the fault did NOT strike\n", missed)
	}
	return b.String()
}

func half(ds []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(ds))
	return sorted[len(sorted)/2]
}
