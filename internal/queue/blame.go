package queue

import (
	"slices"
	"time"
)

// settleCases acts on what cases have found out: who broke something stays out of the train from then on, and is dropped once it is
// known whether alone or with whom.
func (q *Queue) settleCases(at time.Time) {
	for again := true; again; {
		again = false
		for _, f := range q.findings(probeWays) {
			again = q.settleCase(f, at) || again // for others may have waited for what becomes of who was dropped
		}
	}
}

// wait puts who was in a red run aside for what fails without them: testing them at once again would show the same.
func (q *Queue) wait(k *Case, own []string, at time.Time) {
	if !k.Apart && k.Chain[0].SHA == q.Tip { // where there are areas, others of them may go on
		q.reddened(own, at)
	}
	for _, b := range k.Chain[1:] {
		m := b.Member
		if e := q.Entry(m.Number); e != nil && e.waiting() && e.Head == m.Head && q.CandidateOf(m.Number) == nil {
			q.putAside(ChangeStuck{Number: m.Number, Head: m.Head, Reason: sayTrunkRed(own), At: at})
			q.edit(m.Number, func(e *Entry) { e.Aside.Trunk = true })
		}
	}
}

// settleCase reports whether somebody was dropped.
func (q *Queue) settleCase(f finding, at time.Time) (dropped bool) {
	k := f.Case
	if !f.parted || q.caseOf(k.ID) == nil {
		return false
	}
	c := q.Candidate(k.ID)
	if c != nil && !c.ended() {
		q.end(c, CandidateFailed, sayRed(c), at)
		q.livingAll(c, at)
		q.clear(f)
	}
	if len(f.want) == 0 {
		q.explain(f)
	}
	open := false
	for _, s := range f.suspects {
		switch q.judge(k, s) {
		case pending, sought:
			open = true
		case guilty:
			q.blame(k, s, at)
			dropped = true
		}
	}
	if open || len(f.want) > 0 {
		return dropped
	}
	if len(f.names) < len(q.caseOf(k.ID).Names) { // the rest is explained elsewhere, and if it never is then here
		return dropped
	}
	q.closeCase(k.ID)
	if len(f.own) > 0 {
		q.wait(k, f.own, at)
	}
	return dropped
}

// clear notes who was in a red run in vain. They are tested again without those that are new, who may be bad in their turn.
func (q *Queue) clear(f finding) {
	suspects := q.suspects(findings{f}, func(Number) bool { return true })
	for _, b := range f.Chain[1:] {
		if e := q.Entry(b.Member.Number); e != nil && e.waiting() && e.Head == b.Member.Head && !e.Cleared && !suspects[e.Number] {
			q.edit(e.Number, func(e *Entry) { e.Cleared = true })
		}
	}
}

// blame drops who broke something.
func (q *Queue) blame(k *Case, s suspect, at time.Time) {
	b, shown := k.Chain[s.at], s.at
	v := k.evidence(b.SHA)
	if v == nil { // it follows from what passes without it
		v, shown = &k.Red, len(k.Chain)-1
	}
	v = v.about(s.names)
	code, reason := sayDropReason(*v)
	about := Candidate{ID: k.ID, Base: k.Chain[0].SHA, Built: Built{SHA: k.Chain[shown].SHA}, Run: k.Run, Verdict: v}
	for _, b := range k.Chain[1 : shown+1] {
		about.Members = append(about.Members, b.Member)
	}
	q.learnFate(q.Entry(b.Member.Number).Author.ID, false)
	q.drop(b.Member.Number, Drop{Code: code, At: at, Reason: reason, Candidate: k.ID, With: s.with}, &about)
}

// judgement is what becomes of a suspect.
type judgement int

const (
	innocent judgement = iota // or nobody's business any more
	pending                   // it is red only together with one ahead, which has not landed: who is at fault depends on whether it does
	guilty
	sought // it broke something, and whether alone is not known yet
)

func (q Queue) judge(k *Case, s suspect) judgement {
	m := k.Chain[s.at].Member
	e := q.Entry(m.Number)
	if s.free || e == nil || !e.waiting() || e.Head != m.Head {
		return innocent
	}
	if !s.known {
		return sought
	}
	if s.with == 0 {
		return guilty
	}
	with := k.of(s.with)
	o := q.Entry(with.Number)
	switch {
	case s.late || o != nil && o.past(with.Head) != nil:
		return guilty
	case o != nil && o.waiting() && o.Head == with.Head:
		return pending
	}
	return innocent
}

// explain takes from the other cases what a settled one has answered for them: one of the two stands on the other.
func (q *Queue) explain(f finding) {
	for _, other := range slices.Clone(q.Cases) {
		if other.ID == f.ID || !other.lens().holds(f.Case) && (f.Apart || !f.holds(other)) {
			continue
		}
		rest := slices.DeleteFunc(slices.Clone(other.Names), func(n string) bool { return slices.Contains(f.names, n) })
		if len(rest) == 0 {
			q.closeCase(other.ID)
		} else if len(rest) < len(other.Names) {
			q.editCase(other.ID, func(k *Case) { k.Names = rest })
		}
	}
}
