package main

import (
	"fmt"
	"sync"
	"time"

	"lander/internal/sim"
)

// simulated is what a suite came to, for --json.
type simulated struct {
	Suite   string         `json:"suite"`
	Seeds   int            `json:"seeds"` // 1 to so many
	Results []simulatedRow `json:"results"`
}

// simulatedRow is one strategy on one workload. Times are in multiples of the run length. They and all that follows them are there only
// where no seed was unstable: else they mean nothing.
type simulatedRow struct {
	Cell       string  `json:"cell"`
	Rate       float64 `json:"rate"`   // changes an hour
	Length     string  `json:"length"` // of a run
	Workers    int     `json:"workers"`
	Bad        float64 `json:"p"`
	Flake      float64 `json:"flake"`
	Again      float64 `json:"again"`
	Rerun      string  `json:"rerun"`
	Named      float64 `json:"named"`
	Missed     float64 `json:"missed,omitempty"`
	Everything float64 `json:"everything,omitempty"`
	Strategy   string  `json:"strategy"`
	Who        string  `json:"who"`
	Unstable   int     `json:"unstable"` // with how many of the seeds

	PerHour    sim.Figure  `json:"per_hour"`
	P50        *sim.Figure `json:"p50,omitempty"`
	P95        *sim.Figure `json:"p95,omitempty"`
	P99        *sim.Figure `json:"p99,omitempty"`
	Worst      *sim.Figure `json:"worst,omitempty"`
	Mean       *sim.Figure `json:"mean,omitempty"`
	Runs       *sim.Figure `json:"runs,omitempty"`
	Reruns     *sim.Figure `json:"reruns,omitempty"`
	Work       *sim.Figure `json:"work,omitempty"`
	Cancelled  *sim.Figure `json:"cancelled,omitempty"`
	Use        *sim.Figure `json:"use,omitempty"`
	FalseDrops *sim.Figure `json:"false_drops,omitempty"`
	RedLanded  *sim.Figure `json:"red_landed,omitempty"`
	OneRound   *sim.Figure `json:"one_round,omitempty"`
}

func rowsOf(results []sim.Result) []simulatedRow {
	rows := make([]simulatedRow, len(results))
	for i, r := range results {
		w, _ := r.Source.(sim.Workload)
		row := simulatedRow{
			Cell: w.Cell(), Rate: w.Rate, Length: w.Length.String(), Workers: w.Workers, Bad: w.Bad, Flake: w.Flake, Again: w.Again,
			Rerun: fmt.Sprintf("%g-%g", w.Rerun[0], w.Rerun[1]), Named: w.Named, Strategy: r.Strategy.Name(), Who: r.Strategy.Who(), Unstable: r.Unstable(),
			PerHour: r.Figure(func(o sim.Outcome) float64 { return o.PerHour }),
		}
		if w.Areas != nil {
			row.Missed, row.Everything = w.Areas.Missed, w.Areas.Everything
		}
		if row.Unstable == 0 {
			figure := func(of func(sim.Outcome) float64) *sim.Figure {
				f := r.Figure(of)
				return &f
			}
			row.P50, row.P95 = figure(p50Of), figure(p95Of)
			row.P99, row.Worst = figure(func(o sim.Outcome) float64 { return o.P99 }), figure(func(o sim.Outcome) float64 { return o.Worst })
			row.Mean, row.Work = figure(func(o sim.Outcome) float64 { return o.Mean }), figure(func(o sim.Outcome) float64 { return o.Work })
			row.Runs, row.Reruns = figure(runsOf), figure(rerunsOf)
			row.Cancelled, row.Use = figure(func(o sim.Outcome) float64 { return o.Cancelled }), figure(func(o sim.Outcome) float64 { return o.Use })
			row.OneRound = figure(func(o sim.Outcome) float64 { return o.OneRound })
			row.FalseDrops, row.RedLanded = figure(falselyOf), figure(redLandedOf)
		}
		rows[i] = row
	}
	return rows
}

func p50Of(o sim.Outcome) float64       { return o.P50 }
func p95Of(o sim.Outcome) float64       { return o.P95 }
func runsOf(o sim.Outcome) float64      { return o.PerChange }
func rerunsOf(o sim.Outcome) float64    { return o.Probes }
func falselyOf(o sim.Outcome) float64   { return o.FalseDrops }
func redLandedOf(o sim.Outcome) float64 { return o.RedLanded }

// meter is how far a simulation is.
type meter struct {
	began time.Time

	mu       sync.Mutex
	done, of int
}

func (m *meter) hear(done, of int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done, m.of = done, of
}

func (m *meter) line() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return sayPlayed(m.done, m.of, time.Since(m.began))
}
