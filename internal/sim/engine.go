package sim

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// engine is what all strategies have in common: arrivals, workers, what a run would say, who is settled, and the books.
type engine struct {
	*Trace
	rand   *rand.Rand
	clock  clock
	arrive func(i int) // told of each change as it is approved; nil: nobody
	news   bool        // something happened that a strategy may want to act on
	over   bool        // nothing more is to be learnt

	free    int
	pending []*job // for which no worker was free

	waiting []int   // approved and not settled, in order
	before  [][]int // of each that waits: the unsettled ones that it depends on, in order; only where there are areas
	fate    []fate
	at      []time.Duration // when settled
	left    int             // changes that count and are not settled

	books
	from, early, late, to books // when the first change that counts was approved, a third and two thirds of the way, and at the last one
}

type fate int8

const (
	unsettled fate = iota
	landed
	dropped
)

// books are what was spent so far.
type books struct {
	runs, probes, cancelled, ended int // begun: whole runs, and those of what failed only
	told, once                     int // red runs whose culprits were found, and those of them for which one round of reruns was enough
	settled                        int
	most                           int           // workers at the same time
	busy                           time.Duration // of all workers, up to noted
	noted                          time.Duration
	line                           int     // who waits
	waited                         float64 // hours, of all who waited, up to noted
}

// job is a run, from when it is asked for.
type job struct {
	of    []int
	red   bool
	probe bool // of what failed only
	took  time.Duration
	state jobState
	done  func(*job)
}

type jobState int8

const (
	asked jobState = iota
	begun
	ended
)

func newEngine(t *Trace, seed uint64) *engine {
	n := len(t.Changes)
	e := &engine{Trace: t, rand: stream(seed, 5), free: t.Workers, fate: make([]fate, n), at: make([]time.Duration, n), left: t.To - t.From}
	if t.Areas {
		e.before = make([][]int, n)
	}
	if !t.whole() && t.To > t.From {
		first, last := t.Changes[t.From].At, t.Changes[t.To-1].At
		warm := 0 // who waited half way through the warm-up
		e.clock.at(first/2, func() { warm = len(e.waiting) })
		e.clock.at(first, func() {
			e.from = e.note()
			e.over = e.hopeless(warm, t.From/2)
		})
		e.clock.at(first+(last-first)/3, func() { e.early = e.note() })
		e.clock.at(first+(last-first)/2, func() { e.over = e.over || e.hopeless(e.from.line, (t.To-t.From)/2) })
		e.clock.at(first+(last-first)*2/3, func() { e.late = e.note() })
		e.clock.at(last, func() {
			e.to = e.note()
			e.over = e.over || e.growing()
		})
	}
	if n > 0 {
		e.clock.at(t.Changes[0].At, func() { e.approve(0) })
	}
	return e
}

// approve lets a change come, and the next one after it.
func (e *engine) approve(i int) {
	if i+1 < len(e.Changes) {
		e.clock.at(e.Changes[i+1].At, func() { e.approve(i + 1) })
	}
	if e.before != nil {
		for _, j := range e.waiting {
			if e.depends(i, j) {
				e.before[i] = append(e.before[i], j)
			}
		}
	}
	e.note()
	e.waiting = append(e.waiting, i)
	e.line, e.news = len(e.waiting), true
	if e.arrive != nil {
		e.arrive(i)
	}
}

// play goes on until all that count are settled, or nothing more is to be learnt. step is called at every
// moment at which a change was approved or a run has ended, when all of that moment has happened.
func (e *engine) play(step func()) Outcome {
	limit := time.Duration(1<<63 - 1)
	if e.To > 0 {
		limit = e.Changes[e.To-1].At + patience*e.Length
	}
	for e.left > 0 && !e.over && e.clock.now < limit && e.clock.step() {
		if e.news && step != nil && !e.clock.more() {
			e.news = false
			step()
		}
	}
	return e.outcome()
}

// deps are the unsettled changes that one that waits depends on, in order. They must not be changed, and hold until somebody is settled.
func (e *engine) deps(i int) []int {
	if e.before != nil {
		return e.before[i]
	}
	at, _ := slices.BinarySearch(e.waiting, i)
	return e.waiting[:at]
}

// test begins a run of changes on trunk, and on others that it stands on. It is for those that it is of: the time it takes is theirs. done
// is told when it has ended, unless it was cancelled.
func (e *engine) test(on, of []int, done func(*job)) *job {
	j := &job{of: slices.Clone(of), done: done, red: e.fails(slices.Concat(on, of)), took: e.duration(of, e.rand)}
	if e.rand.Float64() < e.Flake {
		j.red = true
	}
	if j.red {
		j.took = e.cut(j.took, e.rand)
	}
	e.ask(j)
	return j
}

// ask begins a run as soon as a worker is free.
func (e *engine) ask(j *job) {
	if j.probe {
		e.probes++
	} else {
		e.runs++
	}
	if e.free == 0 {
		e.pending = append(e.pending, j)
		return
	}
	e.begin(j)
}

func (e *engine) begin(j *job) {
	e.note()
	e.free--
	e.most = max(e.most, e.Workers-e.free)
	j.state = begun
	e.clock.at(e.clock.now+j.took, func() {
		if j.state == begun {
			e.ended++
			e.news = true
			e.release(j)
			j.done(j)
		}
	})
}

// cancel ends a run that is of no more use, if it has not ended. nil: there is none.
func (e *engine) cancel(j *job) {
	switch {
	case j == nil || j.state == ended:
		return
	case j.state == asked:
		e.pending = slices.DeleteFunc(e.pending, func(k *job) bool { return k == j })
		j.state = ended
	default:
		e.release(j)
	}
	e.cancelled++
}

// release frees the worker of a run that is over, for who waits for one.
func (e *engine) release(j *job) {
	e.note()
	j.state = ended
	e.free++
	if len(e.pending) > 0 {
		next := e.pending[0]
		e.pending = e.pending[1:]
		e.begin(next)
	}
}

// note brings the books up to now.
func (e *engine) note() books {
	e.busy += time.Duration(e.Workers-e.free) * (e.clock.now - e.noted)
	e.waited += float64(e.line) * (e.clock.now - e.noted).Hours()
	e.noted = e.clock.now
	return e.books
}

// fails reports whether changes on top of trunk are truly bad.
func (e *engine) fails(members []int) bool {
	for _, i := range members {
		if e.Changes[i].Bad {
			return true
		}
		for _, j := range e.Changes[i].With {
			if e.fate[j] == landed || slices.Contains(members, j) {
				return true
			}
		}
	}
	return false
}

// settle lands or drops changes.
func (e *engine) settle(f fate, members ...int) {
	if len(members) == 0 {
		return
	}
	e.note()
	for _, i := range members {
		if e.fate[i] != unsettled {
			panic("a change is settled twice")
		}
		e.fate[i], e.at[i] = f, e.clock.now
		e.settled++
		if e.From <= i && i < e.To {
			e.left--
		}
	}
	gone := func(i int) bool { return e.fate[i] != unsettled }
	e.waiting = slices.DeleteFunc(slices.Clone(e.waiting), gone)
	e.line = len(e.waiting)
	if e.before == nil {
		return
	}
	for _, i := range members {
		e.before[i] = nil
	}
	for _, i := range e.waiting {
		if slices.ContainsFunc(e.before[i], gone) {
			e.before[i] = slices.DeleteFunc(slices.Clone(e.before[i]), gone)
		}
	}
}

// finish settles the members of a run by its result.
func (e *engine) finish(j *job) {
	f := landed
	if j.red {
		f = dropped
	}
	e.settle(f, j.of...)
}

// growing reports whether the line was longer in the last third of the time in which those came that count than in the first, so much that it
// grew by more than a twentieth of who came, and by more than chance explains. It is the mean that is compared: a planner that lands many
// at a time has a line like the teeth of a saw.
func (e *engine) growing() bool {
	first := ratio(e.early.waited-e.from.waited, (e.early.noted - e.from.noted).Hours())
	last := ratio(e.to.waited-e.late.waited, (e.to.noted - e.late.noted).Hours())
	came := e.to.settled + e.to.line - e.from.settled - e.from.line
	return last-first > float64(came)/20*2/3+4*math.Sqrt(first+last)
}

// hopeless reports that the line grew by more than half of those who have come since it was so long, and by more than chance explains: it
// need not be looked at again.
func (e *engine) hopeless(line, came int) bool {
	return float64(len(e.waiting)-line) > float64(came)/2+4*math.Sqrt(float64(len(e.waiting)))
}
