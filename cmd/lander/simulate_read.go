package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"lander/internal/config"
	"lander/internal/sim"
)

// split gives what was given by one or several uses of a flag, with commas between.
func (w words) split() (all []string) {
	for _, given := range w.given {
		for part := range strings.SplitSeq(given, ",") {
			all = append(all, strings.TrimSpace(part))
		}
	}
	return all
}

// shares reads numbers from 0 to 1.
func (w words) shares(flag string) (all []float64, err error) {
	for _, text := range w.split() {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || !(x >= 0 && x <= 1) {
			return nil, errShare(flag, text)
		}
		all = append(all, x)
	}
	return all, nil
}

// share reads one of them.
func (w words) share(flag string) (x float64, given bool, err error) {
	all, err := w.shares(flag)
	if err != nil || len(all) == 0 {
		return 0, false, err
	}
	if len(all) > 1 {
		return 0, true, errOneShare(flag)
	}
	return all[0], true, nil
}

// counts reads whole numbers from least on.
func (w words) counts(flag string, least int) (all []int, err error) {
	for _, text := range w.split() {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > mostRuns {
			return nil, errCount(flag, text, least)
		}
		all = append(all, n)
	}
	return all, nil
}

// Bounds of what can be asked for.
const (
	mostRuns   = 10_000
	mostRate   = 10_000
	longestRun = 24 * time.Hour
)

// cells are the workloads that were asked for, with everything that the flags say of them.
func (f *simulateFlags) cells() ([]sim.Workload, error) {
	cells := sim.ChainCells()
	if f.suite == suiteAreas {
		cells = sim.AreaCells()
	}
	if len(f.cell.given) > 0 {
		cells = nil
		for _, text := range f.cell.given {
			w, err := f.parseCell(text)
			if err != nil {
				return nil, err
			}
			cells = append(cells, w)
		}
	}
	bads, err := f.bad.shares("p")
	if err != nil {
		return nil, err
	}
	flakes, err := f.flake.shares("flake")
	if err != nil {
		return nil, err
	}
	var all []sim.Workload
	for _, w := range cells {
		w.Changes = f.changes
		for _, bad := range orOne(bads, w.Bad) {
			for _, flake := range orOne(flakes, w.Flake) {
				w.Bad, w.Flake = bad, flake
				if err := f.runs(&w.Runs); err != nil {
					return nil, err
				}
				if err := f.areas(&w); err != nil {
					return nil, err
				}
				if !slices.Contains(all, w) {
					all = append(all, w)
				}
			}
		}
	}
	return all, nil
}

func orOne(given []float64, usual float64) []float64 {
	if len(given) == 0 {
		return []float64{usual}
	}
	return given
}

// parseCell reads "RATE,LENGTH,WORKERS", or over areas "RATE,WORKERS".
func (f *simulateFlags) parseCell(text string) (w sim.Workload, err error) {
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	want := 3
	if f.suite == suiteAreas {
		want = 2
	}
	if len(parts) != want {
		return w, errCell(f.suite, text)
	}
	rate, err := strconv.ParseFloat(parts[0], 64)
	workers, wrong := strconv.Atoi(parts[want-1])
	if err != nil || wrong != nil || !(rate > 0 && rate <= mostRate) || workers < 1 || workers > mostRuns {
		return w, errCell(f.suite, text)
	}
	if f.suite == suiteAreas {
		return sim.Apart(rate, workers), nil
	}
	length, err := time.ParseDuration(parts[1])
	if err != nil || length < time.Second || length > longestRun {
		return w, errCell(f.suite, text)
	}
	return sim.Chain(rate, length, workers), nil
}

// runs takes in what the flags say of runs.
func (f *simulateFlags) runs(r *sim.Runs) error {
	// What is red by chance once is so again as often, unless somebody knows better.
	r.Again = r.Flake
	if again, given, err := f.again.share("again"); err != nil {
		return err
	} else if given {
		r.Again = again
	}
	if named, given, err := f.named.share("named"); err != nil {
		return err
	} else if given {
		r.Named = named
	}
	if len(f.rerun.given) == 0 {
		return nil
	}
	text := strings.Join(f.rerun.given, ",")
	from, to, two := strings.Cut(text, "-")
	if !two {
		to = from
	}
	low, err := strconv.ParseFloat(strings.TrimSpace(from), 64)
	high, wrong := strconv.ParseFloat(strings.TrimSpace(to), 64)
	if err != nil || wrong != nil || !(low > 0 && low <= high && high <= 1) {
		return errRerun(text)
	}
	r.Rerun = [2]float64{low, high}
	return nil
}

// areas takes in what the flags say of areas.
func (f *simulateFlags) areas(w *sim.Workload) error {
	missed, _, err := f.missed.share("missed")
	if err != nil {
		return err
	}
	everything, _, err := f.everything.share("everything")
	if err != nil {
		return err
	}
	if w.Areas != nil {
		a := *w.Areas
		a.Missed, a.Everything = missed, everything
		w.Areas = &a
	}
	return nil
}

// strategies are those that were asked for, or all of the suite.
func (f *simulateFlags) strategies() ([]sim.Strategy, error) {
	all := sim.Strategies(f.suite == suiteAreas)
	if len(f.strategy.given) == 0 {
		return all, nil
	}
	var known []string
	for _, s := range all {
		known = append(known, s.Name())
	}
	var chosen []sim.Strategy
	for _, name := range f.strategy.split() {
		i := slices.Index(known, name)
		if i < 0 {
			return nil, errStrategy(name, known, config.Nearest(name, known))
		}
		if !slices.Contains(chosen, all[i]) {
			chosen = append(chosen, all[i])
		}
	}
	return chosen, nil
}
