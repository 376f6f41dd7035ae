package sim

import (
	"slices"
	"time"
)

// Outcome is what came of one trace under a strategy. Times are from approval to settled, in multiples of the run length; they are of the
// changes that count. Where the queue grew without end they mean nothing.
type Outcome struct {
	Unstable   bool    `json:"unstable"`   // the line grew without end
	Unfinished int     `json:"unfinished"` // of those that count
	P50        float64 `json:"p50"`
	P95        float64 `json:"p95"`
	P99        float64 `json:"p99"`
	Worst      float64 `json:"worst"`
	Mean       float64 `json:"mean"`
	PerHour    float64 `json:"per_hour"`   // settled
	PerChange  float64 `json:"runs"`       // whole runs for each change
	Probes     float64 `json:"reruns"`     // of what failed only, for each change
	Cancelled  float64 `json:"cancelled"`  // share of all runs
	Work       float64 `json:"work"`       // time of workers for each change, in run lengths
	Use        float64 `json:"use"`        // share of the workers that were busy
	FalseDrops float64 `json:"falsely"`    // share of the changes that were dropped and neither bad nor bad with one that landed
	RedLanded  float64 `json:"red_landed"` // share of the changes that landed and were
	OneRound   float64 `json:"one_round"`  // share of the red runs whose culprits were known after one round of reruns
	Landed     int     `json:"landed"`     // of those that count
	Dropped    int     `json:"dropped"`

	books // of all, not only while those that count came
	span  time.Duration
	fates []fate
	at    []time.Duration
}

// Fate is what became of a change, and when. ok is false while it is not settled.
func (o Outcome) Fate(i int) (at time.Duration, hasLanded, ok bool) {
	return o.at[i], o.fates[i] == landed, o.fates[i] != unsettled
}

func (e *engine) outcome() Outcome {
	o := Outcome{books: e.note(), fates: e.fate, at: e.at}
	from, to := e.from, e.to
	if to.noted == 0 { // it was not played so far, or all of it counts
		to = o.books
	}
	if from.noted == to.noted {
		from = books{}
	}
	o.span = to.noted - from.noted
	var all []float64
	falsely, red := 0, 0
	for i := e.From; i < e.To; i++ {
		switch e.fate[i] {
		case unsettled:
			o.Unfinished++
			continue
		case landed:
			o.Landed++
		case dropped:
			o.Dropped++
		}
		all = append(all, float64(e.at[i]-e.Changes[i].At)/float64(e.Length))
		switch e.judge(i) {
		case droppedFalsely:
			falsely++
		case landedRed:
			red++
		}
	}
	o.Unstable = o.Unfinished > 0 || e.over
	slices.Sort(all)
	o.P50, o.P95, o.P99, o.Worst, o.Mean = quantile(all, .5), quantile(all, .95), quantile(all, .99), quantile(all, 1), mean(all)
	came := float64(to.settled + to.line - from.settled - from.line)
	runs, probes := float64(to.runs-from.runs), float64(to.probes-from.probes)
	o.PerHour = ratio(float64(to.settled-from.settled), o.span.Hours())
	o.PerChange, o.Probes = ratio(runs, came), ratio(probes, came)
	o.Cancelled = ratio(float64(to.cancelled-from.cancelled), runs+probes)
	o.OneRound = ratio(float64(to.once-from.once), float64(to.told-from.told))
	o.Work = ratio(float64(to.busy-from.busy)/float64(e.Length), came)
	o.Use = ratio(float64(to.busy-from.busy), float64(o.span)*float64(e.Workers))
	o.FalseDrops, o.RedLanded = ratio(float64(falsely), float64(len(all))), ratio(float64(red), float64(len(all)))
	return o
}

type judgement int8

const (
	right judgement = iota
	droppedFalsely
	landedRed
)

// judge holds what became of a change against what it truly is.
func (e *engine) judge(i int) judgement {
	c := e.Changes[i]
	ever, before := false, false
	for _, j := range c.With {
		if e.fate[j] == landed {
			ever = true
			before = before || e.at[j] < e.at[i] || e.at[j] == e.at[i] && j < i
		}
	}
	switch {
	case e.fate[i] == dropped && !c.Bad && !ever:
		return droppedFalsely
	case e.fate[i] == landed && (c.Bad || before):
		return landedRed
	}
	return right
}

// quantile of sorted numbers; of none, 0.
func quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}

func mean(all []float64) float64 {
	sum := 0.0
	for _, x := range all {
		sum += x
	}
	return ratio(sum, float64(len(all)))
}

// forget lets go of what is known of single changes.
func (o *Outcome) forget() { o.fates, o.at = nil, nil }
