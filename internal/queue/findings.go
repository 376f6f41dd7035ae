package queue

import "slices"

// findings are what the open cases have found out so far.
type findings []finding

type finding struct {
	lens
	found
}

func (q Queue) findings(ways int) findings {
	fs := make(findings, len(q.Cases))
	for i, k := range q.Cases {
		// What fails further down already is for the case there to explain.
		names := slices.DeleteFunc(slices.Clone(k.Names), func(n string) bool {
			return slices.ContainsFunc(q.Cases, func(b *Case) bool {
				return b != k && b.lower(k) && k.standsOn(b) && slices.Contains(b.Names, n)
			})
		})
		fs[i].lens = q.lens(k)
		fs[i].found = fs[i].lens.found(names, ways)
	}
	return fs
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
