package sim

import (
	"container/heap"
	"slices"
	"time"
)

// Outcome is what came of a workload under a strategy.
type Outcome struct {
	P50, P95, P99 float64 // from approval to settled, in multiples of the run length
	Settled       int     // of those counted
	Unfinished    int
	Runs          int // whole runs that were begun
	Probes        int // reruns of what failed
	Cancelled     int
	Busy          time.Duration // of all workers
	FalseDrops    int
	RedLanded     int
	PerChange     float64 // whole runs per change
	BusyPerChange float64 // time of workers per change, in multiples of the run length
	Use           float64
}

func (o *Outcome) measure(w Chain, changes []change, settled []time.Duration, end time.Duration) {
	var all []float64
	for i := w.Warm; i < len(changes); i++ {
		if settled[i] == 0 {
			o.Unfinished++
			continue
		}
		all = append(all, float64(settled[i]-changes[i].at)/float64(w.Length))
	}
	slices.Sort(all)
	o.Settled = len(all)
	at := func(p float64) float64 {
		if len(all) == 0 {
			return 0
		}
		return all[min(int(p*float64(len(all))), len(all)-1)]
	}
	o.P50, o.P95, o.P99 = at(.5), at(.95), at(.99)
	o.PerChange = float64(o.Runs) / float64(len(changes))
	o.BusyPerChange = float64(o.Busy) / float64(w.Length) / float64(len(changes))
	o.Use = float64(o.Busy) / float64(end) / float64(w.Workers)
}

// clock is virtual time.
type clock struct {
	now   time.Duration
	seq   int
	queue events
}

type event struct {
	at  time.Duration
	seq int
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

func (c *clock) at(t time.Duration, do func()) {
	c.seq++
	heap.Push(&c.queue, event{max(t, c.now), c.seq, do})
}

func (c *clock) step() bool {
	if len(c.queue) == 0 {
		return false
	}
	e := heap.Pop(&c.queue).(event)
	c.now = e.at
	e.do()
	return true
}
