package queue

import (
	"cmp"
	"slices"
)

// lens is what is known of the commits of a case's chain, as far as some names go.
type lens struct {
	*Case
	at    map[SHA]int
	names []string   // what it has to explain; the rest is explained elsewhere
	seen  []sighting // lowest first, one for each commit
	hints []sighting // what other cases make one think
}

// sighting is what is known of one commit: by a trial, or because it is green as a whole.
type sighting struct {
	at  int
	red []bool // by name; nil: none fails
}

// span is where a name began to fail: it does not at lo, and does at hi.
type span struct{ lo, hi int }

func (k *Case) lens() lens {
	at := make(map[SHA]int, len(k.Chain))
	for i, b := range k.Chain {
		at[b.SHA] = i
	}
	return lens{Case: k, at: at}
}

// holds reports whether what another case is about is a commit of the chain.
func (l lens) holds(k *Case) bool {
	_, ok := l.place(k)
	return ok
}

// place is where in the chain what another case is about stands. Where there are areas each has commits of its own, and what counts are
// the changes: all of that one's have to be in this chain.
func (l lens) place(k *Case) (at int, ok bool) {
	if !l.Apart {
		at, ok = l.at[k.top()]
		return at, ok
	}
	for _, b := range k.Chain[1:] {
		i := slices.IndexFunc(l.Chain, func(c Boundary) bool { return c.Member.Number == b.Member.Number && c.Member.Head == b.Member.Head })
		if i < 0 {
			return 0, false
		}
		at = max(at, i)
	}
	return at, true
}

// look takes in what is known of some names.
func (l *lens) look(q Queue, names []string) {
	l.names = names
	for i := range slices.Backward(l.Results) { // of two of one commit the later one
		if r := &l.Results[i]; r.Member.Number == 0 && r.tellsAll(names) {
			if at, ok := l.at[r.Base]; ok {
				l.seen = append(l.seen, l.sight(at, func(n string) bool { return r.tells(n) == Red }))
			}
		}
	}
	if at, ok := l.at[q.Sound]; ok {
		l.seen = append(l.seen, sighting{at: at})
	}
	for _, c := range q.Candidates {
		if c.Of != 0 || c.Verdict == nil || c.Verdict.Outcome != Green {
			continue
		}
		if at, ok := l.at[c.Built.SHA]; ok {
			l.seen = append(l.seen, sighting{at: at})
		}
	}
	slices.SortStableFunc(l.seen, func(a, b sighting) int { return cmp.Compare(a.at, b.at) })
	l.seen = slices.CompactFunc(l.seen, func(a, b sighting) bool { return a.at == b.at })
}

// hint takes in what failed further down. It may have been chance, and what did not fail may not have run: it tells where to look first.
func (l *lens) hint(k *Case) {
	if at, ok := l.place(k); ok && at < len(l.Chain)-1 {
		l.hints = append(l.hints, l.sight(at, func(n string) bool { return slices.Contains(k.Names, n) }))
	}
}

func (l *lens) sight(at int, fails func(name string) bool) sighting {
	s := sighting{at: at}
	for i, n := range l.names {
		if fails(n) {
			if s.red == nil {
				s.red = make([]bool, len(l.names))
			}
			s.red[i] = true
		}
	}
	return s
}

// known is what is known of a name, by its place, at trunk.
func (l lens) known(name int) Outcome {
	switch {
	case len(l.seen) == 0 || l.seen[0].at != 0:
		return Unmeasured
	case l.seen[0].fails(name):
		return Red
	}
	return Green
}

// chance reports whether a name, by its place, was seen not to fail where it had failed.
func (l lens) chance(name int) bool {
	if len(l.seen) == 0 {
		return false
	}
	last := l.seen[len(l.seen)-1]
	return last.at == len(l.Chain)-1 && !last.fails(name)
}

func (s sighting) fails(name int) bool { return s.red != nil && s.red[name] }

func (l lens) span(name int) span {
	s := span{0, len(l.Chain) - 1}
	for _, is := range l.seen {
		if is.at >= s.hi {
			break
		}
		if is.fails(name) {
			s.hi = is.at
			break
		}
		s.lo = is.at
	}
	return s
}

// likely is where in a span a name probably began to fail.
func (l lens) likely(name int, s span) span {
	for _, red := range []bool{true, false} {
		for _, is := range l.hints {
			switch {
			case is.at <= s.lo || is.at >= s.hi || is.fails(name) != red:
			case red:
				s.hi = is.at
			default:
				s.lo = is.at
			}
		}
	}
	return s
}

// found is how far a case is.
type found struct {
	open     []span // where what has to be explained here began to fail
	parted   bool   // it is known who broke what
	suspects []suspect
	want     []Trial  // that are of use now; empty: all is known
	own      []string // what fails on trunk without anybody here
}

// suspect is a member with which something began to fail.
type suspect struct {
	at    int // its place in the chain
	names []string
	with  Number // it is red only together with this one; 0: alone
	known bool   // whether alone, or with whom
	free  bool   // that one is itself to blame, or is not on trunk and never will be
	late  bool   // that one has landed meanwhile
}

// found works out what the results say, and which trials would say more, about as many as there are runs for.
func (l lens) found(q Queue, runs int) found {
	var f found
	var likely []span
	if last := len(l.Chain) - 1; (q.Estimates.flaky() || l.Sure && q.Estimates.strange()) && len(l.names) > 0 && (len(l.seen) == 0 || l.seen[len(l.seen)-1].at != last) {
		f.ask(Trial{Base: l.top()}) // what fails again and again is hardly chance
		if last == 1 && q.Estimates.flaky() {
			f.ask(Trial{l.Chain[0].SHA, l.Chain[1].Member})
		}
	}
	for i, name := range l.names {
		s, base := l.span(i), l.known(i)
		if l.chance(i) {
			continue
		}
		if base == Red {
			f.own = append(f.own, name)
			continue
		}
		if s.lo == 0 && base == Unmeasured {
			f.ask(Trial{Base: l.Chain[0].SHA}) // it may be red without anybody here
		}
		if s.hi-s.lo == 1 {
			f.blame(s.hi, name)
		}
		if !slices.Contains(f.open, s) {
			f.open = append(f.open, s)
		}
		h := l.likely(i, s)
		for _, at := range []int{h.lo, h.hi} {
			if s.lo < at && at < s.hi {
				f.ask(Trial{Base: l.Chain[at].SHA})
			}
		}
		if !slices.Contains(likely, h) {
			likely = append(likely, h)
		}
	}
	n := ways(likely, runs)
	for _, s := range likely {
		for i := range s.spaced(n) {
			f.ask(Trial{Base: l.Chain[i].SHA})
		}
	}
	if len(f.want) > 0 || !l.Sure || len(l.names) == 0 {
		return f
	}
	f.parted = true
	slices.SortFunc(f.suspects, func(a, b suspect) int { return a.at - b.at })
	l.alone(q, &f, runs)
	to := map[Number]*suspect{} // to blame, or it is not known yet whether they are
	for i := range f.suspects {
		s := &f.suspects[i]
		if with := to[s.with]; with != nil {
			s.free, s.known = with.known, s.known && with.known
		}
		if !s.free {
			to[l.Chain[s.at].Member.Number] = s
		}
	}
	return f
}

// ways is on how many commits of each stretch to look so that it takes about so many runs.
func ways(open []span, runs int) int {
	for n := 1; ; n++ {
		trials, most := 0, true
		for _, s := range open {
			trials += min(s.hi-s.lo-1, n+1)
			most = most && s.hi-s.lo-1 <= n
		}
		if most || trials > runs {
			return n
		}
	}
}

// alone finds out whether suspects fail without those ahead of them, and if not, with which of them.
func (l lens) alone(q Queue, f *found, runs int) {
	var open []span
	var whose []Member
	for i := range f.suspects {
		s := &f.suspects[i]
		who := l.Chain[s.at].Member
		switch with := l.partner(s); {
		case s.at == 1 && with.lo == 0: // it was chance
			s.known, s.free = true, true
		case s.at == 1 && q.Estimates.flaky() && !l.tried(Trial{l.Chain[0].SHA, who}):
			f.ask(Trial{l.Chain[0].SHA, who})
		case with.hi <= 0: // on trunk itself
			s.known = true
		case with.lo < 0:
			f.ask(Trial{l.Chain[0].SHA, who})
		case with.hi-with.lo > 1:
			open, whose = append(open, with), append(whose, who)
		default:
			s.with = l.Chain[with.hi].Member.Number
			l.meanwhile(q, f, s, with.hi)
		}
	}
	n := ways(open, max(runs*probePart/100, min(runs, probeWays)))
	for j, with := range open {
		for i := range with.spaced(n) {
			f.ask(Trial{l.Chain[i].SHA, whose[j]})
		}
	}
}

// meanwhile finds out what became of the one with whom a suspect fails, at that place, where nobody remembers: on trunk as it is by now it
// fails, or does not.
func (l lens) meanwhile(q Queue, f *found, s *suspect, with int) {
	s.known = true
	if q.Entry(s.with) != nil {
		return
	}
	if tip, ok := l.at[q.Tip]; ok {
		s.late, s.free = tip >= with, tip < with
		return
	}
	who := l.Chain[s.at].Member
	for i := range l.Results {
		if r := &l.Results[i]; r.Member.Number == who.Number && r.tellsAll(s.names) {
			if _, ok := l.at[r.Base]; !ok {
				s.late = r.fails(s.names)
				s.free = !s.late
				return
			}
		}
	}
	s.known = false
	f.ask(Trial{q.Tip, who})
}

// partner is where the one is with whom a suspect fails: on top of lo it passes, on top of hi it fails. lo is below 0 where it passes on
// nothing that was tried.
func (l lens) partner(s *suspect) span {
	with := span{-1, s.at - 1}
	who := l.Chain[s.at].Member.Number
	for _, red := range []bool{true, false} {
		for i := range l.Results {
			r := &l.Results[i]
			if r.Member.Number != who || !r.tellsAll(s.names) {
				continue
			}
			at, ok := l.at[r.Base]
			if !ok || at > with.hi || at == with.hi && red || r.fails(s.names) != red {
				continue
			}
			if red {
				with.hi = at
			} else {
				with.lo = max(with.lo, at)
			}
		}
	}
	return with
}

// fails reports whether one of some names failed. What does not even apply somewhere needs somebody ahead of it just as much as what fails
// only together with that one: it does not fail there.
func (r *Result) fails(names []string) bool {
	return r.Verdict != nil && slices.ContainsFunc(names, func(n string) bool { return r.tells(n) == Red })
}

// tellsAll reports whether a result is of all of some names.
func (r *Result) tellsAll(names []string) bool {
	return !slices.ContainsFunc(names, func(n string) bool { return r.tells(n) == Unmeasured })
}

func (f *found) ask(t Trial) {
	if !slices.Contains(f.want, t) {
		f.want = append(f.want, t)
	}
}

func (f *found) blame(at int, name string) {
	for i := range f.suspects {
		if f.suspects[i].at == at {
			f.suspects[i].names = append(f.suspects[i].names, name)
			return
		}
	}
	f.suspects = append(f.suspects, suspect{at: at, names: []string{name}})
}

// spaced gives up to so many places between the ends, evenly.
func (s span) spaced(ways int) func(func(int) bool) {
	return func(yield func(int) bool) {
		gap := s.hi - s.lo - 1
		n := min(gap, ways)
		for i := 1; i <= n; i++ {
			if !yield(s.lo + (gap+1)*i/(n+1)) {
				return
			}
		}
	}
}

// between reports whether a trial of the chain would still narrow anything down, though another one would be asked for now.
func (f finding) between(t Trial) bool {
	if t.Member.Number != 0 {
		return true
	}
	at, ok := f.at[t.Base]
	if at == len(f.Chain)-1 && len(f.names) > 0 {
		return true
	}
	return ok && slices.ContainsFunc(f.open, func(s span) bool { return s.lo < at && at < s.hi })
}
