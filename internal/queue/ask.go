package queue

import (
	"slices"
	"time"
)

const (
	viaReview  = "review"
	viaCommand = "command"
)

// reviewed lets an approving review ask for landing, once.
func (q *Queue) reviewed(n Number, r Review) {
	e := q.Entry(n)
	q.edit(n, func(e *Entry) { e.Handled = append(e.Handled, r.ID) })
	switch {
	case !r.Role.Allows(RoleReview), r.Who.Bot, r.Who.ID == e.Author.ID:
		q.record(r.At, n, 0, "review without weight", recordWeightless(r))
	case r.Head != e.Head:
		q.record(r.At, n, 0, "approval of another head", sayStaleReview(r, e.Head))
		if e.State != Landed {
			q.tell(Notice{
				Key: noticeKey("voided", n, e.Head, 0), Kind: NoticeVoided, Number: n, Head: e.Head, At: r.At, Author: e.Author,
				Text: sayStaleReview(r, e.Head),
			})
		}
	default:
		q.enqueue(n, r.Who, r.At, nil)
	}
}

// ask lets a command act, once. pushed is the forge's time of the last push to the head's repository; zero: unknown.
func (q *Queue) ask(n Number, a Ask, pushed time.Time) {
	q.edit(n, func(e *Entry) { e.Handled = append(e.Handled, a.ID) })
	e := q.Entry(n)
	if a.Problem != "" {
		q.answer(e, a, a.Problem)
		return
	}
	if need, author := needs(a.Verb); !a.Role.Allows(need) && need != RoleNone && (!author || a.Who.ID != e.Author.ID) {
		q.record(a.At, n, 0, "refused", sayNotAllowed(a, need))
		q.answer(e, a, sayNotAllowed(a, need))
		return
	}
	switch a.Verb {
	case VerbLand:
		q.askLand(e, a, pushed)
	case VerbWithdraw:
		q.askWithdraw(e, a)
	case VerbRetry:
		if e.State != Dropped {
			q.answer(e, a, sayNothingToRetry(e))
			return
		}
		q.enqueue(n, e.AskedBy, a.At, nil)
		q.thumb(e, a)
	case VerbPriority:
		if a.Priority != nil {
			q.edit(n, func(e *Entry) { e.Priority = *a.Priority })
			q.record(a.At, n, 0, "priority", recordPriority(a))
			q.thumb(e, a)
		}
	case VerbAfter:
		q.askAfter(e, a)
	case VerbHold, VerbUnhold:
		q.edit(n, func(e *Entry) {
			if e.Held = a.Verb == VerbHold; !e.Held {
				e.After, e.NotBefore = 0, time.Time{}
			}
		})
		q.record(a.At, n, 0, string(a.Verb), recordAsk(a))
		q.thumb(e, a)
	case VerbWhy:
		q.answer(e, a, "") // Fill writes it, from the state after everything else in this step
	case VerbHelp:
		q.answer(e, a, sayHelp())
	case VerbPing:
		q.answer(e, a, sayPong())
	case VerbPause:
		*q = q.Apply(Paused{By: a.Who.Login, Reason: a.Text, At: a.At})
		q.thumb(e, a)
	case VerbResume:
		was := *q
		*q = q.Apply(Resumed{By: a.Who.Login, At: a.At})
		if q.Pause == was.Pause && q.Stop == was.Stop && q.Trouble == was.Trouble {
			q.answer(e, a, sayNothingPaused())
			return
		}
		q.thumb(e, a)
	}
}

func (q *Queue) askLand(e *Entry, a Ask, pushed time.Time) {
	switch {
	case e.State == Landed:
		q.answer(e, a, sayLandedAlready())
	case a.SHA != "" && !e.named(a.SHA):
		q.answer(e, a, sayWrongHead(e, a.SHA))
	case a.SHA == "" && !shown(e, a, pushed):
		q.answer(e, a, sayUnsureHead(e))
	default:
		if a.Who.ID != e.Author.ID && !a.Who.Bot {
			q.edit(e.Number, func(e *Entry) { e.Approvals = byCommand(e.Approvals, a) })
		}
		q.enqueue(e.Number, a.Who, a.At, a.Priority)
		if a.Alone != e.Alone {
			q.edit(e.Number, func(e *Entry) { e.Alone = a.Alone })
			q.record(a.At, e.Number, 0, "alone", recordAlone(a))
		}
		q.thumb(e, a)
	}
}

func (q *Queue) askWithdraw(e *Entry, a Ask) {
	c := q.CandidateOf(e.Number)
	switch {
	case e.State == Landed:
		q.answer(e, a, sayLandedAlready())
	case e.State != Queued:
		q.answer(e, a, sayNotQueued())
	case c != nil && c.State == CandidateLanding:
		q.answer(e, a, sayTooLate())
	default:
		q.edit(e.Number, func(e *Entry) {
			e.State, e.HeldBy = Idle, 0
			e.Approvals = byReview(e.Approvals)
		})
		q.record(a.At, e.Number, 0, "withdrawn", recordAsk(a))
		q.living(q.Entry(e.Number), a.At)
		q.thumb(e, a)
	}
}

// enqueue puts an entry into the queue; asked again while queued it keeps its place.
func (q *Queue) enqueue(n Number, by Person, at time.Time, priority *int) {
	e := q.Entry(n)
	if e.State == Landed {
		return
	}
	if e.State != Queued {
		q.edit(n, func(e *Entry) { e.State, e.AskedBy, e.AskedAt, e.Drop = Queued, by, at, nil })
		q.record(at, n, 0, "queued", recordQueued(q.Entry(n)))
		q.living(q.Entry(n), at)
	}
	if priority != nil {
		q.edit(n, func(e *Entry) { e.Priority = *priority })
	}
}

// needs is the role a command asks for, and whether the author may give it without that role.
func needs(v Verb) (role Role, author bool) {
	switch v {
	case VerbWhy, VerbHelp, VerbPing:
		return RoleNone, true
	case VerbRetry:
		return RoleTry, false
	case VerbWithdraw:
		return RoleReview, true
	case VerbPause, VerbResume:
		return RoleAdmin, false
	}
	return RoleReview, false
}

// shown reports whether the entry's head was surely the one its asker could see: it was seen, or nothing was pushed, before the
// command was given. All three times are the forge's, so no clock of ours can make an unseen head look seen.
func shown(e *Entry, a Ask, pushed time.Time) bool {
	return e.HeadSince.Before(a.At) || !pushed.IsZero() && pushed.Before(a.At)
}

// byCommand adds the approval that a command gives. It takes the place of a review by the same person, whichever was seen first.
func byCommand(as []Approval, a Ask) []Approval {
	given := Approval{ID: a.ID, Who: a.Who, At: a.At, Via: viaCommand}
	i := slices.IndexFunc(as, func(a Approval) bool { return a.Who.ID == given.Who.ID })
	switch {
	case i < 0:
		as = append(as, given)
	case as[i].Via == viaReview:
		as[i] = given
	}
	return as
}

func byReview(as []Approval) []Approval {
	var kept []Approval
	for _, a := range as {
		if a.Via == viaReview {
			kept = append(kept, a)
		}
	}
	return kept
}
