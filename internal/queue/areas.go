package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// Where a policy has areas, changes that touch none in common are independent: each is tested with those ahead that it shares an area
// with, and without all others. So there is no train: a candidate lands when it is green itself and all that it stands on has landed, by
// runs of their own, for a suite may look at no more than what its members touch. What lands is then not the very commit that was
// tested, but the same changes on top of what has landed in other areas meanwhile; the ledger names both.

// Areas are the areas that changes touch, sorted by name.
type Areas []string

// Everything is the area that meets every other one.
const Everything = "*"

// Everywhere reports whether they are all areas that there are.
func (a Areas) Everywhere() bool { return len(a) > 0 && a[0] == Everything }

// meet reports whether two have an area in common.
func (a Areas) meet(b Areas) bool {
	if len(a) > 0 && len(b) > 0 && (a[0] == Everything || b[0] == Everything) {
		return true
	}
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			return true
		}
	}
	return false
}

// with are the areas of both.
func (a Areas) with(b Areas) Areas {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// AreaRules say which areas a change touches. The zero AreaRules say that it touches everything, which is the default promise: what
// lands was tested as exactly that commit.
type AreaRules struct {
	Areas   []Area   `json:"areas,omitempty"`
	Barrier []string `json:"barrier,omitempty"` // globs of paths that are in every area
}

// Area is a part of a repository.
type Area struct {
	Name  string   `json:"name"`
	Globs []string `json:"globs"`
}

// Off reports whether there are none.
func (r AreaRules) Off() bool { return len(r.Areas) == 0 }

// Digest identifies the rules; empty where there are none.
func (r AreaRules) Digest() string {
	if r.Off() {
		return ""
	}
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Apart says of a candidate that it was built on trunk with what it shares areas with, and without the other candidates ahead of it.
type Apart struct {
	Areas  Areas    `json:"areas"`
	Rules  string   `json:"rules"`            // digest of those by which it touches these
	Under  []Member `json:"under,omitempty"`  // changes ahead that are in its commit, and not its own
	Tested SHA      `json:"tested,omitempty"` // the commit whose run gave its verdict; empty: its own
}

// otherwise reports whether a candidate was built by other rules than these.
func (a *Apart) otherwise(rules string) bool {
	if a == nil {
		return rules != ""
	}
	return a.Rules != rules
}

// mapped takes in which areas a change touches.
func (q *Queue) mapped(ev ChangeMapped) {
	if e := q.Entry(ev.Number); e != nil && !e.Gone && e.Head == ev.Head && len(ev.Areas) > 0 && e.MappedBy != ev.Rules {
		q.edit(ev.Number, func(e *Entry) { e.Areas, e.MappedBy = ev.Areas, ev.Rules })
	}
}

// under lists the candidates in flight that one which is built apart waits for, oldest first, and itself at the end.
func (q Queue) under(c *Candidate) []*Candidate {
	var chain []*Candidate
	if len(c.Awaits) > 0 {
		for _, d := range q.Candidates {
			if d.ID != c.ID && d.Of == 0 && !d.ended() && d.Apart != nil && slices.ContainsFunc(d.Members, c.awaits) {
				chain = append(chain, d)
			}
		}
	}
	return append(chain, c)
}

// awaits reports whether a change has to land before a candidate that stands on it.
func (c *Candidate) awaits(m Member) bool { return holds(c.Awaits, m) }

// holds reports whether a change is in a list, at that head.
func holds(list []Member, m Member) bool {
	return slices.ContainsFunc(list, func(u Member) bool { return u.Number == m.Number && u.Head == m.Head })
}

// landableApart is the oldest green candidate of which all that it stands on has landed; nil: none, or one is landing.
func (q Queue) landableApart() *Candidate {
	if slices.ContainsFunc(q.Candidates, func(c *Candidate) bool { return c.State == CandidateLanding }) {
		return nil
	}
	for _, c := range q.Candidates {
		if c.Of == 0 && c.green() && c.Apart != nil && len(c.Awaits) == 0 && q.grounded(c) {
			return c
		}
	}
	return nil
}

// forsaken reports whether something that a candidate stands on will not land any more, or may not for a time that nobody knows.
func (q Queue) forsaken(c *Candidate, now time.Time, p Policy) bool {
	return slices.ContainsFunc(c.Awaits, func(m Member) bool {
		e := q.Entry(m.Number)
		return e == nil || e.Head != m.Head || !q.near(m.Number, now, p) || q.CandidateOf(m.Number) == nil && len(q.waits(e, now, p)) > 0
	})
}

// combine is the deed that puts a green candidate onto trunk as it is now; nil: it stands there.
func (q Queue) combine(c *Candidate) *Combine {
	if c.Base == q.Tip {
		return nil
	}
	return &Combine{ID: c.ID, As: q.Next + 1, Request: BuildRequest{Base: q.Tip, Members: c.Members, Style: c.Style, At: c.At}}
}

// combined makes of a green candidate one that stands on trunk as it is now.
func (q *Queue) combined(ev Combined) {
	c := q.Candidate(ev.ID)
	if c == nil || c.Apart == nil || !c.green() || len(c.Awaits) > 0 || !q.grounded(c) || ev.Built.SHA == "" || ev.As != q.Next+1 ||
		ev.Request.Base != q.Tip || !slices.Equal(ev.Request.Members, c.Members) {
		return
	}
	now, apart := c.clone(), *c.Apart
	if apart.Tested == "" {
		apart.Tested = c.Built.SHA
	}
	if apart.Under = nil; apart.Tested == ev.Built.SHA {
		apart.Tested = ""
	}
	now.ID, now.Base, now.Ground, now.Via, now.State, now.Since, now.Intent = ev.As, q.Tip, q.Tip, c.runID(), CandidatePassed, ev.At, nil
	now.Built, now.Apart = ev.Built, &apart
	q.end(c, CandidateJoined, sayJoined(ev.As), ev.At)
	q.Next = ev.As
	q.Candidates = append(slices.Clip(q.Candidates), now)
	q.record(ev.At, 0, now.ID, "combined", recordCombined(now, c))
	q.livingAll(now, ev.At)
}

// carry lets what stands beside a landing, or on it, count on trunk as that left it. What it shares areas with and does not stand on
// is built anew.
func (q *Queue) carry(l *Candidate, from SHA) {
	for _, c := range q.Candidates {
		if c.Apart == nil || c.ended() || c.Ground != from || l.Apart == nil || !q.beside(c, l) {
			continue
		}
		q.move(c.ID, func(c *Candidate) {
			c.Ground = q.Tip
			if slices.ContainsFunc(l.Members, c.awaits) {
				c.Awaits = slices.DeleteFunc(slices.Clone(c.Awaits), func(m Member) bool { return holds(l.Members, m) })
			}
		})
	}
}

// beside reports whether a landing changes nothing for a candidate: each change of it is part of what that stands on, or elsewhere.
func (q Queue) beside(c, l *Candidate) bool {
	for _, m := range l.Members {
		areas := l.Apart.Areas
		if e := q.Entry(m.Number); e != nil && e.Head == m.Head && e.MappedBy == l.Apart.Rules {
			areas = e.Areas
		}
		if areas.meet(c.Apart.Areas) && !holds(c.Apart.Under, m) {
			return false
		}
	}
	return true
}

// unmapped lists the deeds that find out which areas the waiting changes touch.
func (q Queue) unmapped(now time.Time, p Policy) []Action {
	rules := p.Areas.Digest()
	var deeds []Action
	for _, e := range q.Entries {
		if e.waiting() && e.MappedBy != rules && !e.Unseen && q.CandidateOf(e.Number) == nil && (e.Aside == nil || !now.Before(e.Aside.NotTill)) {
			deeds = append(deeds, Map{Number: e.Number, Head: e.Head, Rules: p.Areas})
		}
	}
	return deeds
}

// nextApart is the next candidate where there are areas; nil: nobody may be in one. Nobody goes ahead of who shares an area with them
// and waits longer.
func (q Queue) nextApart(line []*Entry, doubted map[Number]bool, now time.Time, p Policy, free int) *Build {
	var flight []*Candidate
	for _, c := range q.Candidates {
		if c.Of == 0 && !c.ended() {
			if c.Apart == nil {
				return nil // the last of a train; it is given up for the policy that has changed
			}
			flight = append(flight, c)
		}
	}
	rules, shut := p.Areas.Digest(), shutAreas{}
	flight = q.sturdy(flight)
	group, areas := []*Entry(nil), Areas(nil)
	size := 1
	if groups := max(free*spread/100, 1); p.TestEach != TestChange {
		size = min((len(line)+groups-1)/groups, p.batch())
	}
	for _, e := range line {
		if len(group) == size {
			break
		}
		if e.MappedBy != rules || doubted[e.Number] || shut.meets(e.Areas) {
			shut.add(e.Areas)
			continue
		}
		if e.single() && len(group) > 0 {
			break // it is next, and stands on no more than it has to
		}
		// Who shares nothing with the first only makes the run longer for both, while runs are to be had.
		if len(group) > 0 && !e.Areas.meet(areas) && free > len(line) {
			shut.add(e.Areas)
			continue
		}
		group, areas = append(group, e), areas.with(e.Areas)
		if e.single() {
			break
		}
	}
	if len(group) == 0 {
		return nil
	}
	r := BuildRequest{Base: q.Tip, Style: p.style(), At: now.UTC().Truncate(time.Second), Under: beneath(flight, group, areas)}
	for _, e := range group {
		r.Members = append(r.Members, Member{Number: e.Number, Head: e.Head, Message: sayMessage(e, p.style())})
	}
	return &Build{ID: q.Next + 1, Request: r, Apart: &Apart{Areas: areas, Rules: rules, Under: unsaid(r.Under)}}
}

// unsaid are members without their messages.
func unsaid(members []Member) []Member {
	var all []Member
	for _, m := range members {
		all = append(all, Member{Number: m.Number, Head: m.Head})
	}
	return all
}

// beneath are the members of all in flight that share an area with a group, but for those that wait for somebody of it, whether
// themselves or through others.
func beneath(flight []*Candidate, group []*Entry, areas Areas) []Member {
	above := map[Number]bool{}
	for _, e := range group {
		above[e.Number] = true
	}
	waits := func(c *Candidate) bool {
		return slices.ContainsFunc(c.Awaits, func(m Member) bool { return above[m.Number] })
	}
	for again := true; again; {
		again = false
		for _, c := range flight {
			if !above[c.Members[0].Number] && waits(c) {
				again = true
				for _, m := range c.Members {
					above[m.Number] = true
				}
			}
		}
	}
	var members []Member
	for _, c := range flight {
		if c.Apart.Areas.meet(areas) && !above[c.Members[0].Number] {
			members = append(members, c.Members...)
		}
	}
	return members
}

// shutAreas are areas in which somebody waits whom nobody may go past.
type shutAreas map[string]bool

func (s shutAreas) add(a Areas) {
	for _, name := range a {
		s[name] = true
	}
}

func (s shutAreas) meets(a Areas) bool {
	return s[Everything] || len(s) > 0 && len(a) > 0 && a[0] == Everything || slices.ContainsFunc(a, func(name string) bool { return s[name] })
}

// sturdy are those of the candidates in flight that others may stand on: none that is red, or that could not be gone on with before.
// Where such a one turns out to be good after all it lands first, and who went past it is built anew.
func (q Queue) sturdy(flight []*Candidate) []*Candidate {
	return slices.DeleteFunc(flight, func(c *Candidate) bool {
		return q.caseOf(c.ID) != nil || slices.ContainsFunc(c.Members, func(m Member) bool {
			e := q.Entry(m.Number)
			return e != nil && e.Aside.own()
		})
	})
}

// apart lists the candidates in flight that are built apart, oldest first.
func (q Queue) apart() []*Candidate {
	var flight []*Candidate
	for _, c := range q.Candidates {
		if c.Of == 0 && c.Apart != nil && !c.ended() {
			flight = append(flight, c)
		}
	}
	return flight
}

// aligned reports whether a candidate that was made apart is what its areas ask for: what it says it stands on is in flight, at the heads
// that it has.
func (q Queue) aligned(ev CandidateMade) bool {
	if len(ev.Apart.Under) != len(ev.Request.Under) {
		return false
	}
	for i, u := range ev.Apart.Under {
		c := q.CandidateOf(u.Number)
		if r := ev.Request.Under[i]; r.Number != u.Number || r.Head != u.Head || c == nil || c.Apart == nil || !q.grounded(c) || headOf(c, u.Number) != u.Head {
			return false
		}
	}
	return true
}
