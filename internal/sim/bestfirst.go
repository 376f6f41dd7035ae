package sim

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"time"
)

// speculation is the book of what best first has tested, and what it thinks of who waits.
type speculation struct {
	*engine
	bets  [][]*bet // of each change that waits: those that may still come true
	guess []guess  // of each change, worked out anew whenever something happened
	knew  int      // how many were settled when it was last looked which bets are lost
	ways  []way    // those that were thought of this time
	next  places   // those of them that were not looked at yet
}

// guess is how a change will probably end, if all that it depends on end as is guessed of them.
type guess struct {
	lands bool
	so    float64 // the logarithm of the probability that it ends so
	not   float64 // and of that it does not
	land  []int   // of those it depends on, who is guessed to land
	sum   float64 // the logarithm of the probability that all that it depends on end as is guessed
	doubt []int   // places among those it depends on, of those whose end is not sure, the most doubtful first; once it was asked for
}

// way is one way in which those that a change depends on may end: as is guessed, but for some.
type way struct {
	of    int
	flips []int   // places among its dependencies, which end otherwise than is guessed
	p     float64 // the logarithm of how probable that is; while it is not exact, about
	exact bool
	land  []int // once it is exact
	bet   *bet  // the run of it that is under way, if any
}

func bestFirst(e *engine) Outcome {
	s := &speculation{engine: e, bets: make([][]*bet, len(e.Changes)), guess: make([]guess, len(e.Changes))}
	return e.play(func() {
		for s.settleOne() {
		}
		s.think()
		wanted := s.best()
		keep := make(map[*bet]bool, len(wanted))
		for _, w := range wanted {
			if b := s.ways[w].bet; b != nil {
				keep[b] = true
			}
		}
		for _, i := range e.waiting {
			s.bets[i] = slices.DeleteFunc(s.bets[i], func(b *bet) bool {
				if b.state == ended || keep[b] {
					return false
				}
				e.cancel(b.job)
				return true
			})
		}
		for _, at := range wanted {
			if w := &s.ways[at]; w.bet == nil && e.free > 0 {
				s.bets[w.of] = append(s.bets[w.of], e.bet(w.of, w.land, func(*job) {}))
			}
		}
	})
}

// horizon is how far down the line anybody looks: a run that assumes what becomes of so many is hardly ever of use.
func (s *speculation) horizon() []int { return s.waiting[:min(len(s.waiting), 2*s.Workers+100)] }

// settleOne settles a change whose result is in on exactly what has become of all it depends on, if there is one.
func (s *speculation) settleOne() bool {
	if s.knew != s.settled {
		s.knew = s.settled
		for _, i := range s.waiting {
			s.bets[i] = slices.DeleteFunc(s.bets[i], func(b *bet) bool {
				if b.know(s.fate); b.lost {
					s.cancel(b.job)
				}
				return b.lost
			})
		}
	}
	for _, i := range s.waiting {
		for _, b := range s.bets[i] {
			if b.known() {
				for _, other := range s.bets[i] {
					s.cancel(other.job)
				}
				s.bets[i] = nil
				s.finish(b.job)
				return true
			}
		}
	}
	return false
}

// think guesses how everyone will end.
func (s *speculation) think() {
	var all guess // in a chain, what is guessed of all so far
	for _, i := range s.horizon() {
		g := guess{land: all.land[:len(all.land):len(all.land)], sum: all.sum}
		if s.Areas {
			g = guess{}
			for _, j := range s.deps(i) {
				s.guess[j].join(&g, j)
			}
		}
		p := s.passes(i, g.land)
		g.lands, g.so, g.not = p >= .5, math.Log(max(p, 1-p)), math.Log(min(p, 1-p))
		s.guess[i] = g
		g.join(&all, i)
	}
}

// join adds what is guessed of j to what is guessed of those that another depends on.
func (g guess) join(to *guess, j int) {
	to.sum += g.so
	if g.lands {
		to.land = append(to.land, j)
	}
}

// passes is the probability that a change lands if of those that it depends on exactly these do. Where a run has told, it is known.
func (s *speculation) passes(i int, land []int) float64 {
	if b := s.betOn(i, land); b != nil && b.state == ended {
		if b.red {
			return 0
		}
		return 1
	}
	// Those that came shortly before may be bad together with it.
	since := s.Changes[i].At - s.Near
	far, _ := slices.BinarySearchFunc(land, since, func(j int, since time.Duration) int { return cmp.Compare(s.Changes[j].At, since) })
	return s.Changes[i].Good * math.Pow(1-s.Clash, float64(len(land)-far))
}

func (s *speculation) betOn(i int, land []int) *bet {
	for _, b := range s.bets[i] {
		if slices.Equal(b.land, land) {
			return b
		}
	}
	return nil
}

// best are the most probable ways that no run has told the end of, as many as there are workers.
func (s *speculation) best() (found []int) {
	s.ways, s.next = s.ways[:0], s.next[:0]
	for _, i := range s.horizon() {
		s.consider(way{of: i, p: s.guess[i].sum, land: s.guess[i].land, exact: true})
	}
	for len(s.next) > 0 && len(found) < s.Workers {
		at := heap.Pop(&s.next).(place).at
		w := &s.ways[at]
		switch {
		case math.IsInf(w.p, -1):
			return found
		case !w.exact:
			s.weigh(w)
			heap.Push(&s.next, place{w.p, at})
			continue
		}
		if w.bet = s.betOn(w.of, w.land); w.bet == nil || w.bet.state != ended {
			found = append(found, at)
		}
		s.others(*w)
	}
	return found
}

func (s *speculation) consider(w way) {
	s.ways = append(s.ways, w)
	heap.Push(&s.next, place{w.p, len(s.ways) - 1})
}

// others adds the ways that come next after one: the next most doubtful one ends otherwise than is guessed too, or in place of the last
// that did. So every way comes up once.
func (s *speculation) others(w way) {
	order := s.doubts(w.of)
	next := 0
	n := len(w.flips)
	if n > 0 {
		next = slices.Index(order, w.flips[n-1]) + 1
	}
	if next == len(order) {
		return
	}
	add := func(flips []int) {
		p := s.guess[w.of].sum
		for _, at := range flips {
			g := &s.guess[s.deps(w.of)[at]]
			p += g.not - g.so
		}
		s.consider(way{of: w.of, flips: flips, p: p})
	}
	if n > 0 {
		add(append(slices.Clone(w.flips[:n-1]), order[next]))
	}
	add(append(slices.Clone(w.flips), order[next]))
}

func (s *speculation) doubts(i int) []int {
	g := &s.guess[i]
	if g.doubt != nil {
		return g.doubt
	}
	deps := s.deps(i)
	for at, j := range deps {
		if s.guess[j].so < 0 {
			g.doubt = append(g.doubt, at)
		}
	}
	slices.SortStableFunc(g.doubt, func(a, b int) int { return cmp.Compare(s.guess[deps[a]].so, s.guess[deps[b]].so) })
	return g.doubt
}

// weigh works out how probable a way really is. Who stands behind one that ends otherwise is tested on something else than was guessed,
// and what is known of that counts.
func (s *speculation) weigh(w *way) {
	w.exact, w.p, w.land = true, 0, nil
	var turned []int // who ends otherwise than is guessed
	for at, j := range s.deps(w.of) {
		g := &s.guess[j]
		will, so, not := g.lands, g.so, g.not
		if s.dependsOnAny(j, turned) {
			p := s.passes(j, s.underWay(j, w.land, turned))
			will, so, not = p >= .5, math.Log(max(p, 1-p)), math.Log(min(p, 1-p))
		}
		if slices.Contains(w.flips, at) {
			will, so = !will, not
		}
		w.p += so
		if will != g.lands {
			turned = append(turned, j)
		}
		if will {
			w.land = append(w.land, j)
		}
	}
}

func (s *speculation) dependsOnAny(j int, on []int) bool {
	if !s.Areas {
		return len(on) > 0
	}
	return slices.ContainsFunc(on, func(k int) bool {
		_, found := slices.BinarySearch(s.deps(j), k)
		return found
	})
}

// underWay is who of those that j depends on lands: as the way says, and as is guessed of those it says nothing about.
func (s *speculation) underWay(j int, lands, turned []int) []int {
	if !s.Areas {
		return lands
	}
	var out []int
	for _, k := range s.deps(j) {
		if slices.Contains(turned, k) != s.guess[k].lands {
			out = append(out, k)
		}
	}
	return out
}

// places are those of ways, the most probable first; of equally probable ones the one that was thought of first.
type places []place

type place struct {
	p  float64
	at int
}

func (p places) Len() int           { return len(p) }
func (p places) Less(i, j int) bool { return p[i].p > p[j].p || p[i].p == p[j].p && p[i].at < p[j].at }
func (p places) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *places) Push(x any)        { *p = append(*p, x.(place)) }
func (p *places) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}
