package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"lander/internal/config"
	"lander/internal/queue"
	"lander/internal/sim"
	"lander/internal/store"
	"lander/internal/store/embedded"
)

// setting is one way to play a past.
type setting struct {
	Window  int `json:"window"`
	Batch   int `json:"batch"` // 0: as many as the planner likes
	Workers int `json:"workers"`
}

// whatIfRow is what it would have come to.
type whatIfRow struct {
	setting
	P50    float64 `json:"p50_seconds"`
	P95    float64 `json:"p95_seconds"`
	Waited float64 `json:"waited_hours"` // from approval to settled, of all changes together
	Saved  float64 `json:"saved_hours"`  // against how it was, or where that is not known against the first row
	Runs   float64 `json:"runs"`         // whole ones, of all changes
	Reruns float64 `json:"reruns"`
	Work   float64 `json:"work_hours"` // of workers
	Landed float64 `json:"landed"`
	Open   float64 `json:"unfinished"`
}

// history is what a past would have come to, for --json.
type history struct {
	Changes  int         `json:"changes"`
	From     time.Time   `json:"from"`
	To       time.Time   `json:"to"`
	Length   string      `json:"length"` // of a run, as learnt or said
	Seeds    int         `json:"seeds"`
	Bad      int         `json:"bad"`
	Known    int         `json:"known"` // of how many changes it is known when they were settled; the next three are about these
	P50      float64     `json:"p50_seconds"`
	P95      float64     `json:"p95_seconds"`
	Waited   float64     `json:"waited_hours"`
	Settings []whatIfRow `json:"settings"`
}

// whatIf plays a past under other settings.
func (p *program) whatIf(c *cobra.Command, f simulateFlags, args []string) error {
	settings, err := f.settings()
	if err != nil {
		return usage(err)
	}
	runs := sim.Usual(1, f.length, .1)
	flake, _, err := f.flake.share("flake")
	if err != nil {
		return usage(err)
	}
	runs.Flake = flake
	if err := f.runs(&runs); err != nil {
		return usage(err)
	}
	past, err := p.past(c, f, args)
	if err != nil {
		return err
	}
	again, err := past.Again(runs)
	if err != nil {
		return no(err)
	}
	matches := make([]sim.Match, len(settings))
	for i, s := range settings {
		matches[i] = sim.Match{Source: again.On(s.Workers), Strategy: sim.Lander{Window: s.Window, Batch: s.Batch}}
	}
	results, err := p.playAll(c, f, matches)
	if err != nil {
		return err
	}
	h := historyOf(past, again.Runs().Length, settings, results)
	h.Seeds = f.seeds
	if p.json {
		return p.print(h)
	}
	p.showHistory(h)
	return nil
}

// settings are those that were asked for: every window with every batch.
func (f *simulateFlags) settings() (all []setting, err error) {
	windows, err := f.window.counts("window", 1)
	if err != nil {
		return nil, err
	}
	batches, err := f.batch.counts("batch", 0)
	if err != nil {
		return nil, err
	}
	if len(windows) == 0 {
		windows = []int{1, 2, 4, 8}
	}
	if len(batches) == 0 {
		batches = []int{1, 0}
	}
	for _, w := range windows {
		for _, b := range batches {
			s := setting{Window: w, Batch: b, Workers: w}
			if f.workers > 0 {
				s.Workers = f.workers
			}
			all = append(all, s)
		}
	}
	return all, nil
}

func historyOf(past sim.Past, length time.Duration, settings []setting, results []sim.Result) history {
	was := past.Waited()
	h := history{
		Changes: len(past.Changes), Length: length.Round(time.Millisecond).String(), Known: was.Changes, P50: was.P50.Seconds(), P95: was.P95.Seconds(),
		Waited: was.Sum.Hours(),
	}
	for _, c := range past.Changes {
		if h.From.IsZero() || c.Approved.Before(h.From) {
			h.From = c.Approved
		}
		if c.Approved.After(h.To) {
			h.To = c.Approved
		}
		if c.Bad {
			h.Bad++
		}
	}
	n := float64(len(past.Changes))
	for i, r := range results {
		mean := func(of func(sim.Outcome) float64) float64 { return r.Figure(of).Mean }
		row := whatIfRow{
			setting: settings[i], P50: mean(p50Of) * length.Seconds(), P95: mean(p95Of) * length.Seconds(), Runs: mean(runsOf) * n, Reruns: mean(rerunsOf) * n,
			Waited: mean(func(o sim.Outcome) float64 { return o.Mean * float64(o.Landed+o.Dropped) }) * length.Hours(),
			Work:   mean(func(o sim.Outcome) float64 { return o.Work }) * n * length.Hours(),
			Landed: mean(func(o sim.Outcome) float64 { return float64(o.Landed) }), Open: mean(func(o sim.Outcome) float64 { return float64(o.Unfinished) }),
		}
		switch {
		case was.Changes == len(past.Changes):
			row.Saved = h.Waited - row.Waited
		case i > 0:
			row.Saved = h.Settings[0].Waited - row.Waited
		}
		h.Settings = append(h.Settings, row)
	}
	return h
}

func (p *program) showHistory(h history) {
	fmt.Fprintln(p.stdout, p.bold(sayHistory(h)))
	t := table{head: headHistory, right: []int{3, 4, 5, 6, 7, 8, 9}}
	if h.Known > 0 {
		t.row(sayAsItWas(h)...)
	}
	for _, r := range h.Settings {
		t.row(sayWhatIf(r)...)
	}
	p.showTable(t)
	fmt.Fprintln(p.stdout, sayHistoryEnd(h))
}

// past is what really happened, as the file tells, or the database.
func (p *program) past(c *cobra.Command, f simulateFlags, args []string) (sim.Past, error) {
	if len(args) == 0 {
		return p.lanePast(c, f)
	}
	if f.lane != "" {
		return sim.Past{}, usage(errLaneAndFile)
	}
	file, err := os.Open(args[0])
	if err != nil {
		return sim.Past{}, no(err)
	}
	defer file.Close()
	past, err := sim.ReadPast(file)
	if err != nil {
		return past, no(fmt.Errorf("%s: %w", args[0], err))
	}
	return past, nil
}

// lanePast reads a lane's own past from the database: the one that is named, or lander's private one, whether or not it runs now.
func (p *program) lanePast(c *cobra.Command, f simulateFlags) (sim.Past, error) {
	settings, err := p.load(c, false)
	if err != nil {
		return sim.Past{}, err
	}
	url, stop, err := databaseOf(c.Context(), settings)
	if err != nil {
		return sim.Past{}, unreachable(err)
	}
	defer stop()
	s, err := store.Open(c.Context(), url, zerolog.Nop())
	if err != nil {
		return sim.Past{}, unreachable(err)
	}
	defer s.Close()
	lanes, err := s.Lanes(c.Context())
	if err != nil {
		return sim.Past{}, unreachable(err)
	}
	if len(lanes) == 0 {
		return sim.Past{}, no(errNoLanes)
	}
	lane, err := chosen(f.lane, lanes)
	if err != nil {
		return sim.Past{}, usage(err)
	}
	trace, err := s.Trace(c.Context(), lane)
	if err != nil {
		return sim.Past{}, unreachable(err)
	}
	if len(trace.Changes) == 0 {
		return sim.Past{}, no(errNoHistory(lane))
	}
	return pastOf(trace), nil
}

// pastOf is a lane's past as it can be played again. With whom a change was bad is known by number alone: it is taken for
// the newest of that number.
func pastOf(t store.Trace) sim.Past {
	past := sim.Past{Lengths: t.Green}
	name := map[queue.Number]string{}
	for i, c := range t.Changes {
		name[c.Number] = fmt.Sprint(i)
	}
	for i, c := range t.Changes {
		past.Changes = append(past.Changes, sim.PastChange{
			Name: fmt.Sprint(i), Approved: c.Asked, Settled: c.Settled, Bad: c.Bad, With: name[c.With],
		})
	}
	return past
}

// chosen is the lane that is meant.
func chosen(name string, lanes []queue.Lane) (queue.Lane, error) {
	var names []string
	for _, l := range lanes {
		if l.String() == name || name == "" && len(lanes) == 1 {
			return l, nil
		}
		names = append(names, l.String())
	}
	if name == "" {
		return queue.Lane{}, errWhichLane(names)
	}
	return queue.Lane{}, errNoLane(name, names)
}

// databaseOf is how to reach the database that lander works with. stop is never nil.
func databaseOf(ctx context.Context, settings config.Server) (url string, stop func(), err error) {
	stop = func() {}
	if url = settings.DatabaseURL.Reveal(); url != "" {
		return url, stop, nil
	}
	const name = "lander"
	dir := filepath.Join(settings.DataDir, "postgres")
	seen, err := embedded.Peek(dir)
	if err != nil {
		return "", stop, err
	}
	if !seen.Made {
		return "", stop, errNoDatabase(settings.DataDir)
	}
	if url, running := seen.Running(name); running {
		return url, stop, nil
	}
	pg, err := embedded.Start(ctx, embedded.Options{Dir: dir, Durable: true})
	if err != nil {
		return "", stop, err
	}
	return pg.URL(name), func() { _ = pg.Stop() }, nil // what it would tell, its next start tells
}
