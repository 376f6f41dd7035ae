package queue

import "slices"

// lens is what is known of each commit of a case's chain: the result of a trial, or that it is green as a whole.
type lens struct {
	*Case
	at      map[SHA]int
	results [][]*Result // newest last
	green   []bool
}

func (q Queue) lens(k *Case) lens {
	at := make(map[SHA]int, len(k.Chain))
	l := lens{k, at, make([][]*Result, len(k.Chain)), make([]bool, len(k.Chain))}
	for i, b := range k.Chain {
		at[b.SHA] = i
	}
	for i := range k.Results {
		if j, ok := at[k.Results[i].Base]; ok && k.Results[i].Member.Number == 0 {
			l.results[j] = append(l.results[j], &k.Results[i])
		}
	}
	if i, ok := at[q.Sound]; ok {
		l.green[i] = true
	}
	for _, c := range q.Candidates {
		if i, ok := at[c.Built.SHA]; ok && c.Of == 0 && c.Verdict != nil && c.Verdict.Outcome == Green {
			l.green[i] = true
		}
	}
	return l
}

// known is what is known of a name at a place of the chain.
func (l lens) known(i int, name string) Outcome {
	for _, r := range slices.Backward(l.results[i]) {
		if o := r.tells(name); o != Unmeasured {
			return o
		}
	}
	if l.green[i] {
		return Green
	}
	return Unmeasured
}

// span is where a name began to fail: it does not at lo, and does at hi.
func (l lens) span(name string) (lo, hi int) {
	hi = len(l.Chain) - 1
	for i := range hi {
		if l.known(i, name) == Red {
			hi = i
			break
		}
	}
	for i := range hi {
		if l.known(i, name) == Green {
			lo = i
		}
	}
	return lo, hi
}

// found is how far a case is.
type found struct {
	ways     int      // on how many commits of a stretch it looks at a time
	names    []string // what it has to explain; the rest is explained further down
	parted   bool     // it is known who broke what
	suspects []suspect
	want     []Trial  // that are of use now; empty: all is known
	own      []string // what fails on trunk without anybody here
}

// suspect is a member with which something began to fail.
type suspect struct {
	at    int // its place in the chain
	names []string
	with  Number // it is red only together with this one; 0: alone
	free  bool   // and that one is itself to blame, or trunk is
}

// found works out what the results say, and which trials would say more.
func (l lens) found(names []string, ways int) found {
	f := found{names: names, ways: ways}
	for _, name := range names {
		lo, hi := l.span(name)
		base := l.known(0, name)
		if base == Red {
			f.own = append(f.own, name)
			continue
		}
		if lo == 0 && base == Unmeasured {
			f.ask(Trial{Base: l.Chain[0].SHA}) // it may be red without anybody here
		}
		for i := range spaced(lo, hi, f.ways) {
			f.ask(Trial{Base: l.Chain[i].SHA})
		}
		if hi-lo == 1 {
			f.blame(hi, name)
		}
	}
	if len(f.want) > 0 || !l.Sure || len(names) == 0 {
		return f
	}
	f.parted = true
	slices.SortFunc(f.suspects, func(a, b suspect) int { return a.at - b.at })
	for i := range f.suspects {
		l.alone(&f, &f.suspects[i])
	}
	if len(f.want) > 0 {
		return f
	}
	guilty := map[Number]bool{}
	for i := range f.suspects {
		s := &f.suspects[i]
		if s.free = guilty[s.with]; !s.free {
			guilty[l.Chain[s.at].Member.Number] = true
		}
	}
	return f
}

// alone finds out whether a suspect fails without those ahead of it, and if not, with which of them.
func (l lens) alone(f *found, s *suspect) {
	lo, hi := -1, s.at-1 // on top of lo it passes, on top of hi it fails
	who := l.Chain[s.at].Member
	for _, r := range l.Results {
		if i, ok := l.at[r.Base]; ok && r.Member.Number == who.Number && i < hi && l.trial(r, s.names) == Red {
			hi = i
		}
	}
	for _, r := range l.Results {
		if i, ok := l.at[r.Base]; ok && r.Member.Number == who.Number && i < hi && l.trial(r, s.names) == Green {
			lo = max(lo, i)
		}
	}
	switch {
	case hi <= 0: // on trunk itself
	case lo < 0:
		f.ask(Trial{l.Chain[0].SHA, l.Chain[s.at].Member})
	case hi-lo > 1:
		for i := range spaced(lo, hi, f.ways) {
			f.ask(Trial{l.Chain[i].SHA, l.Chain[s.at].Member})
		}
	default:
		s.with = l.Chain[hi].Member.Number
	}
}

// trial is what a trial tells of names.
func (l lens) trial(r Result, names []string) Outcome {
	all := Green
	for _, n := range names {
		switch r.tells(n) {
		case Red:
			return Red
		case Unmeasured:
			all = Unmeasured
		}
	}
	return all
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

// spaced gives up to so many places between lo and hi, evenly.
func spaced(lo, hi, ways int) func(func(int) bool) {
	return func(yield func(int) bool) {
		gap := hi - lo - 1
		n := min(gap, ways)
		for i := 1; i <= n; i++ {
			if !yield(lo + (gap+1)*i/(n+1)) {
				return
			}
		}
	}
}

// between reports whether a trial of the chain would still narrow anything down, though another one would be asked for now.
func (l lens) between(t Trial) bool {
	if t.Member.Number != 0 {
		return true
	}
	at := slices.IndexFunc(l.Chain, func(b Boundary) bool { return b.SHA == t.Base })
	return slices.ContainsFunc(l.Names, func(name string) bool {
		lo, hi := l.span(name)
		return lo < at && at < hi
	})
}
