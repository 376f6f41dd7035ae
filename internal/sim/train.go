package sim

import "slices"

// bet is a run of a change, on the assumption that some of those ahead that it depends on land and the others do not.
type bet struct {
	*job
	land []int // who was not settled and is assumed to land, without those that have landed since
	not  []int // who was not settled and is assumed not to, without those that were dropped since
	lost bool  // somebody was settled otherwise
}

// bet begins a run of a change on the assumption that of those that it depends on exactly these land.
func (e *engine) bet(i int, land []int, done func(*job)) *bet {
	b := &bet{land: slices.Clone(land)}
	for _, j := range e.deps(i) {
		if !slices.Contains(land, j) {
			b.not = append(b.not, j)
		}
	}
	b.job = e.test(land, []int{i}, done)
	return b
}

// know takes in what has become of others.
func (b *bet) know(fates []fate) {
	open := func(assumed []int, so fate) []int {
		return slices.DeleteFunc(assumed, func(j int) bool {
			b.lost = b.lost || fates[j] != unsettled && fates[j] != so
			return fates[j] != unsettled
		})
	}
	b.land, b.not = open(b.land, landed), open(b.not, dropped)
}

// known reports whether its result is in and is that of the change: all it assumed has come true.
func (b *bet) known() bool { return b.state == ended && !b.lost && len(b.land) == 0 && len(b.not) == 0 }

func optimistic(e *engine) Outcome {
	return train(e, func() int { return len(e.waiting) }, func(bool) {})
}

// Zuul's windows, as they come.
const (
	firstWindow = 20
	leastWindow = 3
)

func windowed(e *engine) Outcome {
	window := firstWindow
	return train(e, func() int { return window }, func(red bool) {
		if window++; red {
			window = max((window-1)/2, leastWindow)
		}
	})
}

// train tests each change within the window on the assumption that all pass that it depends on, but for those whose own run was red: who
// stands behind such a one begins anew at once. settled is told of each that is settled.
func train(e *engine, window func() int, settled func(red bool)) Outcome {
	bets := map[int]*bet{}
	return e.play(func() {
		for i := 0; i < len(e.waiting); i++ {
			at := e.waiting[i]
			b := bets[at]
			if b == nil {
				continue
			}
			if b.know(e.fate); b.known() {
				delete(bets, at)
				e.finish(b.job)
				settled(b.red)
				i = -1 // others may be known by it
			}
		}
		failing := map[int]bool{}
		var all []int // in a chain, those so far that are not failing
		seen := 0     // of the bets
		for n, i := range e.waiting {
			if n >= window() || e.free == 0 && seen == len(bets) {
				return
			}
			b := bets[i]
			if b == nil && e.free == 0 {
				all = append(all, i)
				continue
			}
			on := all
			if e.Areas {
				on = slices.DeleteFunc(slices.Clone(e.deps(i)), func(j int) bool { return failing[j] })
			}
			if b != nil && (b.lost || !slices.Equal(b.land, on)) {
				e.cancel(b.job)
				delete(bets, i)
				b = nil
			}
			if b == nil && e.free > 0 {
				b = e.bet(i, on, func(*job) {})
				bets[i] = b
			}
			if b != nil {
				seen++
			}
			if b != nil && b.state == ended && b.red {
				failing[i] = true
			} else {
				all = append(all, i)
			}
		}
	})
}
