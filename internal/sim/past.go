package sim

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Past is what really happened on a lane.
type Past struct {
	Changes []PastChange
	Lengths []time.Duration // of runs that were carried to their end, beside those that changes tell of
}

// PastChange is a change of a past.
type PastChange struct {
	Name     string        // by which With of others calls it
	Approved time.Time     // required
	Settled  time.Time     // landed, or dropped; zero: not known
	Run      time.Duration // how long a run of it took that was carried to its end; 0: not known
	Bad      bool          // it was dropped because its tests failed
	With     string        // together with which one only; empty: by itself
}

// Again is a past to be played again, with as many workers as there are now or with others.
type Again struct {
	trace Trace
}

// guessed is where, among the times from approval to settled, a run length is looked for when no run tells: who finds the queue empty waits
// for one run, and nobody waits less.
const guessed = .1

// mostNoise keeps a past of few and strange runs from deciding all.
const mostNoise = .5

// Again makes ready to play a past again. Of runs everything counts that cannot be learnt from the past; a length of 0 is learnt, and the
// noise is then too. Its errors are sentences.
func (p Past) Again(runs Runs) (*Again, error) {
	if len(p.Changes) == 0 {
		return nil, errNoPast()
	}
	changes := slices.Clone(p.Changes)
	slices.SortStableFunc(changes, func(a, b PastChange) int { return a.Approved.Compare(b.Approved) })
	lengths := slices.DeleteFunc(slices.Clone(p.Lengths), func(d time.Duration) bool { return d <= 0 })
	var waits []time.Duration
	place := map[string]int{}
	for i, c := range changes {
		if c.Run > 0 {
			lengths = append(lengths, c.Run)
		}
		if !c.Settled.IsZero() {
			waits = append(waits, c.Settled.Sub(c.Approved))
		}
		if c.Name != "" {
			place[c.Name] = i
		}
	}
	if runs.Length == 0 {
		switch {
		case len(lengths) > 0:
			runs.Length, runs.Noise = typical(lengths)
		case len(waits) > 0:
			slices.Sort(waits)
			runs.Length = waits[int(guessed*float64(len(waits)))]
		}
	}
	if runs.Length <= 0 {
		return nil, errNoLength()
	}
	a := &Again{Trace{Runs: runs, Changes: make([]Change, len(changes)), To: len(changes)}}
	bad := 0
	for i, c := range changes {
		n := &a.trace.Changes[i]
		n.At = c.Approved.Sub(changes[0].Approved)
		j, known := place[c.With]
		switch {
		case c.With != "" && !known:
			return nil, errUnknown(c.Name, c.With)
		case c.With != "" && j == i:
			return nil, errItself(c.Name)
		case c.With != "":
			n.With = append(n.With, j)
			a.trace.Changes[j].With = append(a.trace.Changes[j].With, i)
		case c.Bad:
			n.Bad = true
			bad++
		}
	}
	for i := range a.trace.Changes {
		a.trace.Changes[i].Good = 1 - float64(bad)/float64(len(changes))
	}
	return a, nil
}

// typical are the median of run lengths and the standard deviation of their logarithm, as their quartiles tell it.
func typical(lengths []time.Duration) (median time.Duration, noise float64) {
	slices.Sort(lengths)
	at := func(share float64) time.Duration { return lengths[int(share*float64(len(lengths)-1))] }
	const quartiles = 1.349 // standard deviations between them
	noise = math.Log(float64(at(.75))/float64(at(.25))) / quartiles
	return at(.5), min(noise, mostNoise)
}

// Trace is the same for every seed: only runs differ.
func (a *Again) Trace(uint64) *Trace { return &a.trace }

// Runs is what its runs are like.
func (a *Again) Runs() Runs { return a.trace.Runs }

// On is the same past with another number of workers.
func (a *Again) On(workers int) *Again {
	b := *a
	b.trace.Workers = workers
	return &b
}

// Waited is how long changes really waited from approval to settled.
type Waited struct {
	Changes  int // of which it is known
	Sum      time.Duration
	P50, P95 time.Duration
}

// Waited tells how it was.
func (p Past) Waited() (w Waited) {
	var all []time.Duration
	for _, c := range p.Changes {
		if !c.Settled.IsZero() {
			all = append(all, c.Settled.Sub(c.Approved))
			w.Sum += all[len(all)-1]
		}
	}
	if w.Changes = len(all); w.Changes == 0 {
		return w
	}
	slices.SortFunc(all, cmp.Compare[time.Duration])
	at := func(p float64) time.Duration { return all[min(int(p*float64(len(all))), len(all)-1)] }
	w.P50, w.P95 = at(.5), at(.95)
	return w
}
