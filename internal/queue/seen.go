package queue

import (
	"cmp"
	"slices"
	"time"
)

// seen brings an entry up to date with a look at its pull request.
func (q *Queue) seen(s Sight, anew bool) {
	old := q.Entry(s.Number)
	if old != nil && (old.Gone || s.At.Before(old.SeenAt) && !anew) {
		return // an older look, answered late
	}
	if !s.Open || s.Base != q.Lane.Trunk {
		q.leave(old, s)
		return
	}
	var displaced SHA
	if old == nil {
		q.enter(&Entry{Change: changeOf(s), State: Idle, SeenAt: s.At, HeadSince: s.At})
		q.record(s.At, s.Number, 0, "seen", recordSeen(s))
	} else if s, displaced = old.unmoved(s); old.Head != s.Head {
		q.headMoved(old, s)
	}
	q.edit(s.Number, func(e *Entry) {
		e.Change, e.SeenAt, e.Unseen, e.Displaced = changeOf(s), s.At, false, displaced
		e.Approvals, e.Objections = weigh(e, s)
	})
	q.acts(s)
	if e := q.Entry(s.Number); old == nil && e.State == Queued || old != nil && shows(old, e) {
		q.living(e, s.At)
	}
}

// leave ends what was known of a pull request that is closed or wants to land elsewhere.
func (q *Queue) leave(e *Entry, s Sight) {
	if e == nil {
		return
	}
	reason := recordClosed(s, q.Lane)
	queued := e.State == Queued
	if c := q.CandidateOf(e.Number); c != nil && c.State == CandidateLanding {
		// Its push may have left, and be the very reason. The entry stays for the landing's outcome; a later look lets it leave.
		if queued && !s.Merged {
			q.edit(e.Number, func(e *Entry) { e.State, e.HeldBy = Idle, 0 })
			q.record(s.At, e.Number, c.ID, "closed", reason)
		}
		return
	}
	q.edit(e.Number, func(e *Entry) {
		e.Gone, e.SeenAt, e.HeldBy = true, s.At, 0
		if queued {
			e.State = Idle
		}
	})
	q.record(s.At, e.Number, 0, "closed", reason)
	if queued {
		q.living(q.Entry(e.Number), s.At)
	}
}

// headMoved starts over for a new head: nothing that was said of the old one holds for it.
func (q *Queue) headMoved(e *Entry, s Sight) {
	if e.Head != "" { // else only its landings were remembered
		q.record(s.At, e.Number, 0, "head moved", recordHead(e.Head, s.Head))
	}
	if e.State == Queued {
		q.tell(Notice{
			Key: noticeKey("voided", e.Number, s.Head, 0), Kind: NoticeVoided, Number: e.Number, Head: s.Head, At: s.At, Author: e.Author,
			Text: sayVoided(e.Head, s.Head, e.approvers()),
		})
	}
	q.edit(e.Number, func(e *Entry) {
		e.State, e.HeadSince, e.Approvals, e.Drop, e.HeldBy, e.Aside, e.Ours = Idle, s.At, nil, nil, 0, nil, nil
		e.Areas, e.MappedBy = nil, ""
		if l := e.past(s.Head); l != nil {
			e.State, e.Landing = Landed, l // back at what landed before, which lands at most once
		}
		e.AskedBy, e.AskedAt = Person{}, time.Time{}
	})
}

// weigh says who approves exactly this head, and who objects. Reviews count as the forge has them now; commands count until the
// head moves. The author and bots never approve.
func weigh(e *Entry, s Sight) (approvals []Approval, objections []Person) {
	newest := map[int64]Review{}
	for _, r := range s.Reviews {
		if r.State == ReviewCommented {
			continue // words take no stand back
		}
		if was, ok := newest[r.Who.ID]; !ok || !r.At.Before(was.At) {
			newest[r.Who.ID] = r
		}
	}
	for _, a := range e.Approvals {
		if a.Via == viaCommand && a.Who.ID != s.Author.ID && !lost(a, s.Asks) {
			approvals = append(approvals, a)
		}
	}
	for _, r := range newest {
		if !r.Role.Allows(RoleReview) || r.Who.Bot {
			continue
		}
		if r.State == ReviewObjected {
			objections = append(objections, r.Who)
		}
		if r.State == ReviewApproved && r.Head == s.Head && r.Who.ID != s.Author.ID && !approvedBy(approvals, r.Who) {
			approvals = append(approvals, Approval{ID: r.ID, Who: r.Who, At: r.At, Via: viaReview})
		}
	}
	slices.SortFunc(approvals, func(a, b Approval) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Who.ID, b.Who.ID))
	})
	slices.SortFunc(objections, func(a, b Person) int { return cmp.Compare(a.ID, b.ID) })
	return approvals, objections
}

// acts lets each review and command that has not acted yet act once, in the order they were given.
func (q *Queue) acts(s Sight) {
	type act struct {
		id string
		at time.Time
		do func()
	}
	var acts []act
	e := q.Entry(s.Number)
	for _, r := range s.Reviews {
		if !e.handled(r.ID) && r.State == ReviewApproved {
			acts = append(acts, act{r.ID, r.At, func() { q.reviewed(s.Number, r) }})
		}
	}
	for _, a := range s.Asks {
		if !e.handled(a.ID) {
			if (a.Verb == VerbPause || a.Verb == VerbResume) && s.At.Sub(a.At) > lateOrder {
				a.Problem = sayLate(a)
			}
			acts = append(acts, act{a.ID, a.At, func() { q.ask(s.Number, a, s.PushedAt) }})
		}
	}
	slices.SortStableFunc(acts, func(a, b act) int { return a.at.Compare(b.at) })
	for _, a := range acts {
		if !q.Entry(s.Number).handled(a.id) { // one look may show it twice
			a.do()
		}
	}
	if len(acts) > 0 {
		// A command that was taken back may have stood in front of a review by the same person.
		q.edit(s.Number, func(e *Entry) { e.Approvals, e.Objections = weigh(e, s) })
	}
}

func changeOf(s Sight) Change {
	labels := slices.Clone(s.Labels)
	slices.Sort(labels)
	return Change{
		Number: s.Number, Head: s.Head, Branch: s.Branch, Fork: s.Fork, Draft: s.Draft, Title: s.Title, Body: s.Body, URL: s.URL,
		Author: s.Author, Labels: labels, HeadRepo: s.HeadRepo, Editable: s.Editable,
	}
}

// shows reports whether people would be told something else of e than of old.
func shows(old, e *Entry) bool {
	if old.State == Idle && e.State == Idle {
		return false // nobody asked anything of lander yet
	}
	return old.State != e.State || old.Head != e.Head || old.Draft != e.Draft || old.Fork != e.Fork || old.Held != e.Held || old.Priority != e.Priority ||
		old.After != e.After || !old.NotBefore.Equal(e.NotBefore) || old.Alone != e.Alone ||
		!slices.Equal(old.Labels, e.Labels) || !slices.Equal(old.approvers(), e.approvers()) || !slices.Equal(old.Objections, e.Objections)
}

// lost reports whether who approved by that command has no right to approve any more.
func lost(a Approval, asks []Ask) bool {
	return slices.ContainsFunc(asks, func(k Ask) bool { return k.ID == a.ID && !k.Role.Allows(RoleReview) })
}

func approvedBy(as []Approval, p Person) bool {
	return slices.ContainsFunc(as, func(a Approval) bool { return a.Who.ID == p.ID })
}
