package queue

import "slices"

// findings are what the open cases have found out so far.
type findings []finding

type finding struct {
	lens
	found
}

// findings are what all cases have found out, and which trials they ask for if there are so many runs for each.
func (q Queue) findings(runs int) findings {
	fs := make(findings, len(q.Cases))
	for i, k := range q.Cases {
		fs[i].lens = k.lens()
	}
	for i := range fs {
		var names []string
		for _, n := range fs[i].Names {
			if !fs.elsewhere(i, n) {
				names = append(names, n)
			}
		}
		fs[i].look(q, names)
		for _, b := range fs {
			fs[i].hint(b.Case)
		}
		fs[i].found = fs[i].lens.found(q, runs)
	}
	return fs
}

// elsewhere reports whether another case explains a name: of those that one stands on the other the first that is sure of it, or else
// the first that heard of it.
func (fs findings) elsewhere(i int, name string) bool {
	for j := range fs {
		k, b := &fs[i], &fs[j]
		if i == j || b.Sure != k.Sure && k.Sure || b.Sure == k.Sure && j > i || !slices.Contains(b.Names, name) {
			continue
		}
		if k.holds(b.Case) || !k.Apart && b.holds(k.Case) {
			return true
		}
	}
	return false
}

func (fs findings) of(id CandidateID) *finding {
	for i := range fs {
		if fs[i].ID == id {
			return &fs[i]
		}
	}
	return nil
}

// suspects are those who are known to break something.
func (q Queue) suspects(fs findings, near func(Number) bool) map[Number]bool {
	var out map[Number]bool
	for _, f := range fs {
		if !f.parted {
			continue
		}
		for _, s := range f.suspects {
			switch q.judge(f.Case, s) {
			case innocent:
				continue
			case pending:
				if !q.meets(f.Chain[s.at].Member.Number, s.with, near) {
					continue
				}
			}
			if out == nil {
				out = map[Number]bool{}
			}
			out[f.Chain[s.at].Member.Number] = true
		}
	}
	return out
}

// meets reports whether a change would be red, as it is only with one ahead: that one is on its way below it, or about to be. Else it
// need not wait for that, which may take for ever.
func (q Queue) meets(n, with Number, near func(Number) bool) bool {
	if c := q.CandidateOf(n); c != nil {
		return q.ahead(c)[with]
	}
	return near(with)
}

// moot says why a trial is of no more use; empty: it still is.
func (fs findings) moot(c *Candidate) string {
	i := slices.IndexFunc(fs, func(f finding) bool { return f.ID == c.Of })
	if i < 0 || !slices.Contains(fs[i].want, c.Trial) && !fs[i].between(c.Trial) {
		return sayMootCase()
	}
	return ""
}

// doubted are those among whom somebody is who broke something, and it is not known yet who. They are in no new candidate meanwhile,
// and nobody who comes after them gets ahead of them.
func (q Queue) doubted(fs findings) map[Number]bool {
	var out map[Number]bool
	for _, f := range fs {
		open := f.open
		switch {
		case !f.Sure || len(f.names) == 0:
			continue
		case len(f.own) > 0:
			open = []span{{0, len(f.Chain) - 1}}
		case f.parted:
			continue
		}
		for _, s := range open {
			for _, b := range f.Chain[s.lo+1 : s.hi+1] {
				if e := q.Entry(b.Member.Number); e != nil && e.Head == b.Member.Head {
					if out == nil {
						out = map[Number]bool{}
					}
					out[e.Number] = true
				}
			}
		}
	}
	return out
}

// inTurn cuts off who stands in line behind somebody who is doubted. That one has not lost its place.
func (q Queue) inTurn(line []*Entry, fs findings) []*Entry {
	doubted := q.doubted(fs)
	if i := slices.IndexFunc(line, func(e *Entry) bool { return doubted[e.Number] }); i >= 0 {
		return line[:i]
	}
	return line
}
