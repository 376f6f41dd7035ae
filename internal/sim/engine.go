package sim

import (
	"math/rand/v2"
	"slices"
	"time"
)

// engine is what the strategies of others have in common: arrivals, workers, what truly fails, and who is settled.
type engine struct {
	w       Chain
	changes []change
	rand    *rand.Rand
	clock   clock
	free    int
	waiting []int // arrived and not settled, in order
	state   []fate
	settled []time.Duration
	left    int
	out     Outcome
	step    func()
}

type fate int8

const (
	unsettled fate = iota
	landed
	dropped
)

// job is a run on trunk as it was, with changes on top.
type job struct {
	members []int
	began   time.Duration
	ended   bool
	red     bool
}

func newEngine(w Chain, seed uint64) *engine {
	e := &engine{w: w, changes: w.changes(rand.New(rand.NewPCG(seed, 1))), rand: rand.New(rand.NewPCG(seed, 2)), free: w.Workers}
	n := len(e.changes)
	e.state, e.settled, e.left = make([]fate, n), make([]time.Duration, n), n
	for i, c := range e.changes {
		e.clock.at(c.at, func() { e.waiting = append(e.waiting, i) })
	}
	return e
}

// play runs until all is settled, or until the queue has grown without end.
func (e *engine) play(step func()) Outcome {
	limit := e.changes[len(e.changes)-1].at + patience*e.w.Length
	for e.left > 0 && e.clock.now < limit && e.clock.step() {
		step()
	}
	e.out.judge(e.changes, e.state)
	e.out.measure(e.w, e.changes, e.settled, e.clock.now)
	return e.out
}

// start begins a run, which needs a free worker; done is told its result unless it was cancelled.
func (e *engine) start(members []int, done func(*job)) *job {
	j := &job{members: slices.Clone(members), began: e.clock.now, red: e.fails(members)}
	e.free--
	e.out.Runs++
	took := e.w.duration(e.rand)
	if e.rand.Float64() < e.w.Flake {
		j.red = true
	}
	if j.red {
		took = time.Duration(float64(took) * (0.3 + 0.7*e.rand.Float64()))
	}
	e.clock.at(e.clock.now+took, func() {
		if j.ended {
			return
		}
		e.end(j)
		done(j)
	})
	return j
}

func (e *engine) cancel(j *job) {
	if j != nil && !j.ended {
		e.end(j)
		e.out.Cancelled++
	}
}

func (e *engine) end(j *job) {
	j.ended = true
	e.free++
	e.out.Busy += e.clock.now - j.began
}

// fails reports whether changes on top of trunk are truly bad.
func (e *engine) fails(members []int) bool {
	in := map[int]bool{}
	for _, i := range members {
		in[i] = true
	}
	for _, i := range members {
		if e.changes[i].bad {
			return true
		}
		for _, j := range e.changes[i].clash {
			if in[j] || e.state[j] == landed {
				return true
			}
		}
	}
	return false
}

func (e *engine) settle(f fate, members ...int) {
	for _, i := range members {
		e.state[i], e.settled[i] = f, e.clock.now
		e.left--
	}
	e.waiting = slices.DeleteFunc(e.waiting, func(i int) bool { return e.state[i] != unsettled })
}

// patience is after how many run lengths without arrivals a queue counts as growing without end.
const patience = 40

// judge holds what became of changes against what they truly are.
func (o *Outcome) judge(changes []change, state []fate) {
	for i, c := range changes {
		clash, before := false, false
		for _, j := range c.clash {
			clash = clash || state[j] == landed
			before = before || state[j] == landed && j < i
		}
		if state[i] == dropped && !c.bad && !clash {
			o.FalseDrops++
		}
		if state[i] == landed && (c.bad || before) {
			o.RedLanded++
		}
	}
}
