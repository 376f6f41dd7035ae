package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"lander/internal/sim"
)

// simulateFlags are what the simulate verb was asked for. Those that are words mean something only once they were read.
type simulateFlags struct {
	suite                   string
	cell, strategy          words
	bad, flake, again       words
	rerun, named            words
	missed, everything      words
	window, batch           words
	seeds, changes, workers int
	svg, lane               string
	history                 bool
	length                  time.Duration
}

func (p *program) simulate() *cobra.Command {
	f := simulateFlags{}
	c := &cobra.Command{
		Use:     "simulate [FILE]",
		Short:   shortSimulate,
		Long:    longSimulate,
		Example: exampleSimulate,
		Args:    arguments("[FILE]"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.check(c); err != nil {
				return usage(err)
			}
			if f.history {
				return p.whatIf(c, f, args)
			}
			return p.simulateSuite(c, f)
		},
	}
	list := func(w *words, name, usage string) {
		w.kind = "list"
		c.Flags().Var(w, name, usage)
	}
	c.Flags().StringVar(&f.suite, "suite", suiteChain, usageSimulateSuite)
	list(&f.cell, "cell", usageCell)
	list(&f.strategy, "strategy", usageStrategy)
	c.Flags().IntVar(&f.seeds, "seeds", 3, usageSeeds)
	c.Flags().IntVar(&f.changes, "changes", 0, usageChanges)
	list(&f.bad, "p", usageBad)
	list(&f.flake, "flake", usageFlake)
	list(&f.again, "again", usageAgain)
	list(&f.rerun, "rerun", usageRerun)
	list(&f.named, "named", usageNamed)
	list(&f.missed, "missed", usageMissedAreas)
	list(&f.everything, "everything", usageEverything)
	c.Flags().StringVar(&f.svg, "svg", "", usageSVG)
	c.Flags().BoolVar(&f.history, "from-history", false, usageFromHistory)
	c.Flags().StringVar(&f.lane, "lane", "", usageHistoryLane)
	list(&f.window, "window", usageWindow)
	list(&f.batch, "batch", usageBatch)
	c.Flags().IntVar(&f.workers, "workers", 0, usageWorkers)
	c.Flags().DurationVar(&f.length, "length", 0, usageLength)
	c.Flags().BoolVar(&p.json, "json", false, usageJSON)
	p.settingFlags(c, "database_url", "data_dir")
	return c
}

const (
	suiteChain = "chain"
	suiteAreas = "areas"
)

// simulateOnly says which flags go with what. Those that are not in it go with everything.
var simulateOnly = map[string]string{
	"suite": "suite", "cell": "suite", "strategy": "suite", "changes": "suite", "p": "suite", "svg": "suite", "missed": suiteAreas, "everything": suiteAreas,
	"lane": "history", "window": "history", "batch": "history", "workers": "history", "length": "history",
}

// check finds what does not go together, before anything is played.
func (f *simulateFlags) check(c *cobra.Command) error {
	for name, with := range simulateOnly {
		switch given := c.Flags().Changed(name); {
		case !given:
		case f.history && with != "history":
			return errNotOfHistory(name)
		case !f.history && with == "history":
			return errOnlyHistory(name)
		case with == suiteAreas && f.suite != suiteAreas:
			return errOnlyAreas(name)
		}
	}
	switch {
	case f.suite != suiteChain && f.suite != suiteAreas:
		return errSuite(f.suite)
	case f.seeds < 1 || f.seeds > 1000:
		return errSeeds(f.seeds)
	case f.changes < 0 || c.Flags().Changed("changes") && f.changes < 100:
		return errChanges(f.changes)
	case c.Flags().Changed("workers") && f.workers < 1:
		return errWorkers(f.workers)
	case c.Flags().Changed("length") && f.length <= 0:
		return errLength(f.length)
	case !f.history && c.Flags().NArg() > 0:
		return errFileAlone(c.Flags().Arg(0))
	}
	return nil
}

// simulateSuite plays a suite, or some of it.
func (p *program) simulateSuite(c *cobra.Command, f simulateFlags) error {
	cells, err := f.cells()
	if err != nil {
		return usage(err)
	}
	strategies, err := f.strategies()
	if err != nil {
		return usage(err)
	}
	var matches []sim.Match
	for _, w := range cells {
		for _, s := range strategies {
			matches = append(matches, sim.Match{Source: w, Strategy: s})
		}
	}
	results, err := p.playAll(c, f, matches)
	if err != nil {
		return err
	}
	if f.svg != "" {
		if err := os.WriteFile(f.svg, []byte(sim.Picture(titlePicture, results)), 0o644); err != nil {
			return no(errPicture(err))
		}
	}
	if p.json {
		return p.print(simulated{Suite: f.suite, Seeds: f.seeds, Results: rowsOf(results)})
	}
	p.showCells(results)
	return nil
}

// playAll plays matches on all processors, and shows how far that is.
func (p *program) playAll(c *cobra.Command, f simulateFlags, matches []sim.Match) ([]sim.Result, error) {
	seeds := make([]uint64, f.seeds)
	for i := range seeds {
		seeds[i] = uint64(i) + 1
	}
	m := &meter{began: time.Now()}
	end := func() {}
	if p.terminal(p.stderr) {
		end = p.live(p.stderr, false).animate(func(columns, _ int) []string { return []string{cut(m.line(), columns)} })
	}
	results, err := sim.Play(c.Context(), matches, seeds, runtime.GOMAXPROCS(0), m.hear)
	end()
	if err != nil {
		return nil, no(errInterrupted)
	}
	return results, nil
}

// showCells prints a table for each workload.
func (p *program) showCells(results []sim.Result) {
	var cell string
	var t table
	flush := func() {
		if len(t.rows) > 0 {
			fmt.Fprintf(p.stdout, "%s\n", p.bold(cell))
			p.showTable(t)
			fmt.Fprintln(p.stdout)
		}
		t = table{}
	}
	for i, r := range results {
		w, _ := r.Source.(sim.Workload)
		if is := sayCell(w); is != cell {
			flush()
			cell = is
			t = table{head: headSimulate(w), right: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}
		}
		t.row(sayRow(r, oracleOf(results, i))...)
	}
	flush()
	fmt.Fprintln(p.stdout, saySimulated(results))
}

// oracleOf is the oracle's result on the same workload, or nil.
func oracleOf(results []sim.Result, at int) *sim.Result {
	for i := range results {
		if results[i].Source == results[at].Source && results[i].Strategy == sim.Oracle {
			return &results[i]
		}
	}
	return nil
}
