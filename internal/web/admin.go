package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"

	"lander/internal/queue"
	"lander/internal/store"
)

// glancing is how often a waiting request looks whether the keeper is done.
const glancing = 20 * time.Millisecond

// slack is how long a single look may take beyond the wait.
const slack = 5 * time.Second

// order is the body of a call that acts. What a verb has no use for must be left out.
type order struct {
	By       string       `json:"by"`         // who gives it, for people; empty: "admin"
	Reason   string       `json:"reason"`     // pause
	Until    *time.Time   `json:"until"`      // pause
	Head     string       `json:"head"`       // land: the head that is meant; empty: the one that lander knows now
	Priority *int         `json:"priority"`   // land, priority
	Wait     patience     `json:"wait"`       // how long to wait for the keeper; at most, and without it, the server's patience
	Alone    bool         `json:"alone"`      // land: in no batch
	After    queue.Number `json:"after"`      // after: what comes first
	Before   *time.Time   `json:"not_before"` // after: not before this time
}

// patience is a length of time written as in "30s".
type patience time.Duration

func (d *patience) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err == nil && v <= 0 {
		err = errors.New("a wait is above 0")
	}
	*d = patience(v)
	return err
}

// Done is the answer to an order that was carried out.
type Done struct {
	Done     bool            `json:"done"` // false: stored, and the keeper will see to it
	Lane     LaneView        `json:"lane"`
	Standing *queue.Standing `json:"standing,omitempty"`
	Note     string          `json:"note,omitempty"`
}

// pause answers only when trunk cannot move any more: the pause is applied, and no push may be on its way.
func (s *Server) pause(w http.ResponseWriter, r *http.Request) {
	l, o, ok := s.order(w, r)
	if !ok {
		return
	}
	e := queue.Paused{By: o.By, Reason: o.Reason, At: s.Now().UTC()}
	switch {
	case o.Reason == "":
		s.refuse(w, r, noReason())
		return
	case o.Until != nil && !o.Until.After(e.At):
		s.refuse(w, r, untilIsPast(*o.Until))
		return
	case o.Until != nil:
		e.Until = o.Until.UTC()
	}
	q, p, done, ok := s.carryOut(w, r, l, e, o, func(q queue.Queue) bool { return len(landing(q)) == 0 })
	switch {
	case !ok:
	case !done && len(landing(q)) > 0:
		s.refuse(w, r, stillLanding(landing(q)))
	case !done:
		s.refuse(w, r, pauseNotTaken())
	case !q.PausedAt(s.Now()):
		s.refuse(w, r, resumedMeanwhile())
	default:
		s.writeJSON(w, http.StatusOK, Done{Done: true, Lane: laneView(q, p, s.Now())})
	}
}

func (s *Server) resume(w http.ResponseWriter, r *http.Request) {
	l, o, ok := s.order(w, r)
	if !ok {
		return
	}
	q, p, done, ok := s.carryOut(w, r, l, queue.Resumed{By: o.By, At: s.Now().UTC()}, o, nil)
	if ok {
		s.tellDone(w, Done{Done: done, Lane: laneView(q, p, s.Now())})
	}
}

// ask gives one of the commands that a comment can give.
func (s *Server) ask(w http.ResponseWriter, r *http.Request) {
	l, o, ok := s.order(w, r)
	if !ok {
		return
	}
	n, ok := s.askedNumber(w, r)
	if !ok {
		return
	}
	verb, ok := verbs[r.PathValue("verb")]
	if !ok {
		s.refuse(w, r, noSuchVerb(r.PathValue("verb")))
		return
	}
	q, _, err := s.Views.View(r.Context(), l)
	if err != nil {
		s.fail(w, r, err, databaseAway())
		return
	}
	e := q.Entry(n)
	if e == nil || e.Gone {
		s.refuse(w, r, noSuchChange(l, n))
		return
	}
	a := queue.Ask{ID: "api/" + rand.Text(), At: s.Now().UTC(), Verb: verb, Role: queue.RoleAdmin, Priority: o.Priority, Alone: o.Alone, After: o.After}
	if o.Before != nil {
		a.NotBefore = o.Before.UTC()
	}
	// The forge did not say who this is, so it may be the author: such a person may order but never counts as an approver.
	a.Who = queue.Person{Login: o.By, Bot: true}
	switch {
	case verb == queue.VerbPriority && o.Priority == nil:
		s.refuse(w, r, noPriority())
		return
	case verb == queue.VerbAfter && o.After <= 0 && o.Before == nil:
		s.refuse(w, r, afterWhat())
		return
	case verb == queue.VerbLand:
		// Pinned, because our clock cannot say which head was the newest on the forge when the order was given.
		a.SHA = strings.ToLower(o.Head)
		if a.SHA == "" {
			a.SHA = string(e.Head)
		}
		if len(a.SHA) < 7 || !strings.HasPrefix(string(e.Head), a.SHA) {
			s.refuse(w, r, otherHead(n, o.Head, e.Head))
			return
		}
	}
	q, p, done, ok := s.carryOut(w, r, l, queue.ChangeAsked{Number: n, Ask: a}, o, nil)
	if !ok {
		return
	}
	d := Done{Done: done, Lane: laneView(q, p, s.Now())}
	if st, ok := q.Standing(n, s.Now(), p); ok {
		d.Standing = &st
	}
	s.tellDone(w, d)
}

var verbs = map[string]queue.Verb{
	"land": queue.VerbLand, "withdraw": queue.VerbWithdraw, "retry": queue.VerbRetry, "priority": queue.VerbPriority,
	"hold": queue.VerbHold, "unhold": queue.VerbUnhold, "after": queue.VerbAfter,
}

func (s *Server) tellDone(w http.ResponseWriter, d Done) {
	status := http.StatusOK
	if !d.Done {
		status, d.Note = http.StatusAccepted, sayNotYet()
	}
	s.writeJSON(w, status, d)
}

// order reads what a call asks for, and of which lane.
func (s *Server) order(w http.ResponseWriter, r *http.Request) (l queue.Lane, o order, ok bool) {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil && !errors.Is(err, io.EOF) {
		s.refuse(w, r, badOrder(err))
		return l, o, false
	}
	o.By, o.Reason = oneLine(o.By, 60), oneLine(o.Reason, 300)
	if o.By == "" {
		o.By = "admin"
	}
	if w := time.Duration(o.Wait); w == 0 || w > s.Patience {
		o.Wait = patience(s.Patience)
	}
	l, ok = s.askedLane(w, r)
	return l, o, ok
}

// carryOut posts a fact and waits until the lane's keeper has dealt with it and settled reports true; nil settled waits for nothing
// more. done is false when the time was up first. ok is false when the request has its answer already.
func (s *Server) carryOut(w http.ResponseWriter, r *http.Request, l queue.Lane, e queue.Event, o order, settled func(queue.Queue) bool) (q queue.Queue, p queue.Policy, done, ok bool) {
	wait := time.Duration(o.Wait)
	ctx, cancel := context.WithTimeout(r.Context(), wait+slack)
	defer cancel()
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // the server's own would end the request; not every writer has one
	_ = out.SetWriteDeadline(time.Now().Add(wait + 2*slack))
	id, err := s.Inbox.Post(ctx, l, e)
	switch {
	case errors.Is(err, store.ErrNoLane):
		s.refuse(w, r, notKeptYet(l))
		return q, p, false, false
	case err != nil:
		s.fail(w, r, err, notPosted())
		return q, p, false, false
	}
	s.Log.Info().Stringer("lane", l).Str("by", o.By).Str("order", r.URL.Path).Int64("item", id).Msg("order taken")
	s.nudge(l)
	tick, up := time.NewTicker(glancing), time.NewTimer(wait)
	defer tick.Stop()
	defer up.Stop()
	for applied := false; ; {
		if !applied {
			applied, err = s.Inbox.ItemDone(ctx, id)
		}
		if err == nil {
			q, p, err = s.Views.View(ctx, l)
		}
		switch {
		case err != nil:
			s.fail(w, r, err, unsureWhether())
			return q, p, false, false
		case applied && (settled == nil || settled(q)):
			s.Stir(l)
			return q, p, true, true
		}
		select {
		case <-tick.C:
		case <-up.C:
			return q, p, false, true
		case <-leaving(ctx):
			s.refuse(w, r, ending())
			return q, p, false, false
		case <-ctx.Done():
			s.fail(w, r, ctx.Err(), unsureWhether())
			return q, p, false, false
		}
	}
}

// oneLine makes a person's words fit for a line of the journal: no control characters, and no more than most letters.
func oneLine(s string, most int) string {
	s = strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "?"))), " ")
	return clip(s, most)
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
