package verify

import (
	"slices"
)

// part is one change's share of a landing.
type part struct {
	r       *record
	e       entry
	style   string
	before  string   // trunk's commit below it
	after   string   // and its own last one
	forks   []string // where the head left what is below it: its merge bases
	below   []string // the heads of the entries before it
	own     []int32  // the head's own commits but for merges, parents first
	merges  bool     // it has merge commits too
	inTrunk bool     // it has no commits of its own
}

// walk follows trunk from where lander found it, and gathers the changes that landed. It reports whether some commit of the range is
// on trunk.
func (v *verifier) walk() bool {
	w := &walker{verifier: v, marks: newMarks(v.graph), seen: make([]int32, len(v.graph.nodes)), pos: v.start}
	if at := v.graph.place(v.start); at != outside {
		w.marks.advance(at, outside)
	}
	for _, r := range v.records {
		if r.lands {
			w.gap(r.s.Old, r)
			w.land(r)
		}
	}
	w.gap(v.report.TrunkTip, nil)
	for _, r := range v.takenBack {
		if at := v.graph.place(r.s.New); at != outside && w.marks.has(at) && !v.explained[r.s.New] {
			v.find(Aborted, r, r.s.New, sayTakenBack(r))
		}
	}
	for id := range v.wanted {
		if at := v.graph.place(id); at != outside && w.marks.has(at) {
			return true
		}
	}
	return false
}

type walker struct {
	*verifier
	marks *marks
	pos   string    // where trunk stands
	lands []*record // the landings that trunk still holds
	seen  []int32   // which entry's walk met a node; entries count from 1
	entry int32
}

// gap takes trunk to where it stood next, if that is another commit: somebody else moved it. r is the record that shows it; nil: trunk
// stands there now.
func (w *walker) gap(to string, r *record) {
	if to == w.pos {
		return
	}
	g, from := w.graph, w.graph.place(w.pos)
	at := g.place(to)
	var fresh []int32
	for n := at; n != outside && !w.marks.has(n); n = g.first(n) {
		fresh = append(fresh, n)
	}
	slices.Reverse(fresh)
	forward := false
	for _, n := range fresh {
		forward = w.marks.advance(n, from) || forward
	}
	if !forward {
		w.rewind(to, r)
	}
	for _, n := range fresh {
		w.stranger(g.nodes[n].commit, r)
	}
	w.pos = to
}

// rewind names a move of trunk that took something off it.
func (w *walker) rewind(to string, r *record) {
	if at := w.graph.place(to); at != outside {
		w.marks.reset(at)
	} else {
		w.marks = newMarks(w.graph)
	}
	var lost []*record
	for n := len(w.lands); n > 0; n = len(w.lands) {
		last := w.lands[n-1]
		if at := w.graph.place(last.s.New); at == outside || w.marks.has(at) {
			break
		}
		lost, w.lands = append(lost, last), w.lands[:n-1]
	}
	if r == nil && len(lost) == 1 && lost[0].s.Single && to == lost[0].s.Old {
		w.find(Behind, lost[0], lost[0].s.New, sayBehind(lost[0]))
		return
	}
	w.report.Rewinds++
	w.find(Rewind, r, w.pos, sayRewind(w.pos, to, lost))
}

// stranger names a commit that came to trunk in no landing.
func (w *walker) stranger(c commit, r *record) {
	if w.explained[c.id] || !w.wants(c.id) { // explained: it had landed, was taken off and put back
		return
	}
	if w.committers[identity(c.committer)] {
		w.find(Missing, r, c.id, sayMissing(c))
		return
	}
	w.report.Bypassed++
	w.find(Bypass, r, c.id, sayBypass(c))
}

// land takes trunk over a landing.
func (w *walker) land(r *record) {
	w.lands, w.pos = append(w.lands, r), r.s.New
	to := w.graph.place(r.s.New)
	if to == outside {
		w.find(Forged, r, r.s.New, sayNotOnOld(r))
		return
	}
	if w.graph.nodes[to].tree != r.s.Tree {
		w.find(Tree, r, r.s.New, sayTree(r, w.graph.nodes[to].tree))
	}
	path, ok := w.path(r)
	wrong := !ok
	if wrong {
		w.find(Forged, r, r.s.New, sayNotOnOld(r))
	}
	var named []string
	for _, e := range r.s.Entries {
		named = append(named, e.Commits...)
	}
	if !wrong && !slices.Equal(path, named) {
		wrong = true
		w.find(Forged, r, r.s.New, sayOtherCommits(r, path, named))
	}
	for _, id := range path {
		w.explained[id] = true
	}
	if wrong {
		if !w.marks.advance(to, w.graph.place(r.s.Old)) {
			w.marks.reset(to)
		}
		return
	}
	below, since, before := []string(nil), w.entry, r.s.Old
	for _, e := range r.s.Entries {
		w.member(r, e, before, below, since)
		before, below = e.Commits[len(e.Commits)-1], append(below, e.Head)
	}
}

// path is the commits by which new stands on old, oldest first; what there is of them if it does not.
func (w *walker) path(r *record) ([]string, bool) {
	most := 0
	for _, e := range r.s.Entries {
		most += len(e.Commits)
	}
	var path []string
	for at := w.graph.place(r.s.New); ; at = w.graph.first(at) {
		c := w.graph.nodes[at]
		path = append(path, c.id)
		if len(c.parents) > 0 && c.parents[0] == r.s.Old {
			slices.Reverse(path)
			return path, true
		}
		if w.graph.first(at) == outside || len(path) > most {
			slices.Reverse(path)
			return path[:0], w.descends(r)
		}
	}
}

// descends reports whether new stands on old at all. Then it does by more commits than the record names.
func (w *walker) descends(r *record) bool {
	old := w.graph.place(r.s.Old)
	for at := w.graph.place(r.s.New); at != outside; at = w.graph.first(at) {
		if c := w.graph.nodes[at]; at == old || len(c.parents) > 0 && c.parents[0] == r.s.Old {
			return true
		}
	}
	return false
}

// member takes trunk over one change.
func (w *walker) member(r *record, e entry, before string, below []string, since int32) {
	p := &part{r: r, e: e, style: r.s.Style, before: before, after: e.Commits[len(e.Commits)-1], below: below}
	w.fork(p, since)
	at := before
	for _, id := range e.Commits {
		n := w.graph.place(id)
		c := w.graph.nodes[n]
		want := []string{at}
		if r.s.Style == merge {
			want = append(want, e.Head)
		}
		if !slices.Equal(c.parents, want) || r.s.Style != rebase && len(e.Commits) > 1 {
			w.find(Forged, r, id, sayStyle(r, c.commit))
		}
		mine := slices.ContainsFunc(p.own, func(own int32) bool { return own == n })
		if !mine && !w.committers[identity(c.committer)] { // lander may have changed its name since it built this
			w.find(Forged, r, id, sayCommittedBy(r, c.commit))
		}
		w.marks.advance(n, w.graph.place(at))
		at = id
	}
	if slices.ContainsFunc(e.Commits, w.wants) {
		w.parts = append(w.parts, p)
	}
	for _, id := range e.Commits {
		if w.wants(id) {
			w.report.Commits++
		}
	}
}

// fork walks from a head to the histories of trunk and of the heads below, which the entries after since have walked.
func (w *walker) fork(p *part, since int32) {
	w.entry++
	head := w.graph.place(p.e.Head)
	if head == outside || w.marks.has(head) || w.seen[head] > since {
		p.inTrunk = true
		return
	}
	var met []string
	w.seen[head] = w.entry
	for todo := []int32{head}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		n := w.graph.nodes[at]
		if len(n.up) < 2 {
			p.own = append(p.own, at)
		} else {
			p.merges = true
		}
		for i, up := range n.up {
			switch {
			case up == outside || w.marks.has(up) || w.seen[up] > since && w.seen[up] < w.entry:
				if !slices.Contains(met, n.parents[i]) {
					met = append(met, n.parents[i])
				}
			case w.seen[up] != w.entry:
				w.seen[up] = w.entry
				todo = append(todo, up)
			}
		}
	}
	slices.Sort(p.own)
	p.forks = met
	if len(met) > 1 {
		p.forks = w.marks.forks(met)
	}
}
