package queue

import (
	"slices"
	"sync"
	"time"
)

// Reason is one open condition between a change and trunk.
type Reason struct {
	Code  string    `json:"code"` // stable, for programs
	Text  string    `json:"text"` // what is open
	Since time.Time `json:"since,omitzero"`
	Who   string    `json:"who"`  // who can lift it
	Next  string    `json:"next"` // what happens then
	Held  bool      `json:"held"` // a person must act; otherwise it passes by itself
}

// Why lists what stands between a change and trunk, the weightiest first. Empty: nothing, or the change is not known.
func (q Queue) Why(n Number, now time.Time, p Policy) []Reason {
	return q.why(n, now, p, q.places)
}

func (q Queue) why(n Number, now time.Time, p Policy, line func() places) []Reason {
	e := q.Entry(n)
	if e == nil {
		return nil
	}
	switch e.State {
	case Landed:
		return nil
	case Dropped:
		return []Reason{sayDropped(e.Drop)}
	case Idle:
		if e.Gone {
			return []Reason{sayGone()}
		}
		return append([]Reason{sayIdle(e)}, conditions(e, p)...)
	}
	rs := conditions(e, p)
	rs = append(rs, q.laneReasons(now, p)...)
	if red := q.RedTrunk(); red != nil && e.Priority < PriorityHotfix && q.CandidateOf(n) == nil {
		rs = append(rs, sayRedTrunk(red))
	}
	if e.Aside != nil && now.Before(e.Aside.NotTill) {
		rs = append(rs, sayAside(e.Aside))
	}
	if c := q.CandidateOf(n); c != nil {
		if c.green() && len(c.Awaits) > 0 {
			rs = append(rs, sayAwaits(c))
		}
		return append(rs, sayMember(q.Whole(c), n, q.caseOf(c.ID)))
	}
	rs = append(rs, q.waits(e, now, p)...)
	if len(rs) > 0 {
		return rs
	}
	if ahead := line().ahead(n); len(ahead) > 0 {
		return []Reason{sayBehind(e, ahead)}
	}
	return []Reason{sayNext(e)}
}

// Standing describes a change for people. ok is false when it is not known.
func (q Queue) Standing(n Number, now time.Time, p Policy) (s Standing, ok bool) {
	return q.standing(n, now, p, sync.OnceValue(q.places))
}

func (q Queue) standing(n Number, now time.Time, p Policy, line func() places) (s Standing, ok bool) {
	e := q.Entry(n)
	if e == nil {
		return Standing{}, false
	}
	s = Standing{
		Number: n, Head: e.Head, Title: e.Title, URL: e.URL, Author: e.Author, Stage: StageIdle, Since: e.HeadSince,
		Priority: e.Priority, AskedBy: e.AskedBy.Login, AskedAt: e.AskedAt, Approvers: e.approvers(),
		Reasons: q.why(n, now, p, line), Drop: e.Drop,
	}
	switch e.State {
	case Landed:
		s.Stage, s.Since, s.Landing = StageLanded, e.Landing.At, e.Landing
	case Dropped:
		s.Stage, s.Since = StageDropped, e.Drop.At
	case Queued:
		s.Stage, s.Since = StageWaiting, e.AskedAt
		s.Ahead = line().ahead(n)
		s.Position = len(s.Ahead) + 1
		if slices.ContainsFunc(s.Reasons, func(r Reason) bool { return r.Held }) {
			s.Stage = StageHeld
		}
		if c := q.CandidateOf(n); c != nil {
			whole := q.Whole(c)
			s.ID, s.Run, s.Base, s.Candidate, s.Since = c.runID(), c.Run, whole.Base, c.Built.SHA, c.Since
			s.Stage, s.State, s.With, s.Again = StageTesting, c.State, whole.besides(n), q.caseOf(c.ID) != nil
			if c.Apart != nil {
				s.Areas = c.Apart.Areas
			}
			if c.State == CandidateLanding {
				s.Stage = StageLanding
			}
		}
	}
	return s, true
}

// conditions are what the change itself still lacks; a change with none may be a member.
func conditions(e *Entry, p Policy) []Reason {
	var rs []Reason
	if e.Unseen {
		rs = append(rs, sayUnseen())
	}
	if e.Draft {
		rs = append(rs, sayDraft(e))
	}
	if e.Fork && p.NoForks {
		rs = append(rs, sayFork())
	}
	if missing := p.Approvals - len(e.Approvals); missing > 0 {
		rs = append(rs, sayUnapproved(e, missing))
	}
	if len(e.Objections) > 0 {
		rs = append(rs, sayObjections(e))
	}
	for _, l := range e.Labels {
		if slices.Contains(p.NoLabels, l) {
			rs = append(rs, sayLabel(l))
		}
	}
	if e.Held {
		rs = append(rs, sayHeld())
	}
	return rs
}

// laneReasons are what stops every change of the lane.
func (q Queue) laneReasons(now time.Time, p Policy) []Reason {
	var rs []Reason
	if q.Stop != nil {
		rs = append(rs, sayStopped(q.Stop))
	}
	if q.PausedAt(now) {
		rs = append(rs, sayPaused(q.Pause))
	}
	if p.Problem != "" {
		rs = append(rs, sayPolicy(p.Problem))
	} else if p.Recipe.Empty() {
		rs = append(rs, sayNoRecipe())
	}
	if q.Trouble != nil {
		rs = append(rs, sayTrouble(q.Trouble))
	}
	return rs
}

// places is the line as numbers, and where in it each stands.
type places struct {
	line []Number
	at   map[Number]int
}

func (q Queue) places() places {
	line := q.Line()
	ps := places{line: make([]Number, len(line)), at: make(map[Number]int, len(line))}
	for i, e := range line {
		ps.line[i], ps.at[e.Number] = e.Number, i
	}
	return ps
}

// ahead lists who is in front of n, nearest trunk first.
func (ps places) ahead(n Number) []Number {
	i := ps.at[n]
	return ps.line[:i:i]
}

func (e *Entry) approvers() []string {
	var logins []string
	for _, a := range e.Approvals {
		logins = append(logins, a.Who.Login)
	}
	return logins
}
