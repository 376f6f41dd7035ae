package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"lander/internal/queue"
)

// ChangeView is all that is known of one change.
type ChangeView struct {
	Lane     LaneView       `json:"lane"`
	Open     bool           `json:"open"` // still known to be open on the forge
	Standing queue.Standing `json:"standing"`
	Runs     []RunView      `json:"runs"`
	Journal  []queue.Record `json:"journal"` // the newest first
}

// mostHistory bounds what one request may ask for.
const mostHistory = 500

func (s *Server) apiLanes(w http.ResponseWriter, r *http.Request) {
	views, err := s.glance(r.Context())
	if err != nil {
		s.fail(w, r, err, databaseAway())
		return
	}
	workers, err := s.workers(r.Context())
	if err != nil {
		s.fail(w, r, err, databaseAway())
		return
	}
	s.writeJSON(w, http.StatusOK, map[string]any{"lanes": views, "workers": workers})
}

func (s *Server) apiQueue(w http.ResponseWriter, r *http.Request) {
	l, ok := s.askedLane(w, r)
	if !ok {
		return
	}
	v, err := s.lane(r.Context(), l)
	if err != nil {
		s.fail(w, r, err, databaseAway())
		return
	}
	s.writeJSON(w, http.StatusOK, v)
}

func (s *Server) apiHistory(w http.ResponseWriter, r *http.Request) {
	l, ok := s.askedLane(w, r)
	if !ok {
		return
	}
	limit := 50
	if given := r.URL.Query().Get("limit"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 || n > mostHistory {
			s.refuse(w, r, badLimit())
			return
		}
		limit = n
	}
	landings, err := s.Views.Landings(r.Context(), l, limit)
	if err != nil {
		s.fail(w, r, err, databaseAway())
		return
	}
	records, err := s.Views.Journal(r.Context(), l, 0, limit)
	if err != nil {
		s.fail(w, r, err, databaseAway())
		return
	}
	s.writeJSON(w, http.StatusOK, map[string]any{"lane": l.String(), "landings": landingViews(landings), "journal": records})
}

func (s *Server) apiChange(w http.ResponseWriter, r *http.Request) {
	l, ok := s.askedLane(w, r)
	if !ok {
		return
	}
	n, ok := s.askedNumber(w, r)
	if !ok {
		return
	}
	v, known, err := s.change(r.Context(), l, n)
	switch {
	case err != nil:
		s.fail(w, r, err, databaseAway())
	case !known:
		s.refuse(w, r, noSuchChange(l, n))
	default:
		s.writeJSON(w, http.StatusOK, v)
	}
}

// day is over how long missed deliveries are counted.
const day = 24 * time.Hour

// glance looks at every lane.
func (s *Server) glance(ctx context.Context) ([]LaneView, error) {
	views := make([]LaneView, len(s.Lanes))
	for i, l := range s.Lanes {
		q, p, err := s.Views.View(ctx, l)
		if err != nil {
			return nil, err
		}
		views[i] = laneView(q, p, s.Now())
		if views[i].Missed, err = s.Inbox.Missed(ctx, l, s.Now().Add(-day)); err != nil {
			return nil, err
		}
	}
	return views, nil
}

func (s *Server) lane(ctx context.Context, l queue.Lane) (QueueView, error) {
	q, p, err := s.Views.View(ctx, l)
	if err != nil {
		return QueueView{}, err
	}
	landings, err := s.Views.Landings(ctx, l, recently)
	if err != nil {
		return QueueView{}, err
	}
	v := queueView(q, p, landings, s.Now())
	v.Lane.Missed, err = s.Inbox.Missed(ctx, l, s.Now().Add(-day))
	return v, err
}

// change looks at one change, also at one that has left.
func (s *Server) change(ctx context.Context, l queue.Lane, n queue.Number) (v ChangeView, known bool, err error) {
	q, p, err := s.Views.View(ctx, l)
	if err != nil {
		return v, false, err
	}
	v.Lane = laneView(q, p, s.Now())
	v.Standing, v.Open = q.Standing(n, s.Now(), p)
	if !v.Open {
		e, err := s.Views.Former(ctx, l, n)
		if err != nil || e == nil {
			return v, false, err
		}
		v.Standing = standing(q, e, 0, s.Now(), p)
		if e.State != queue.Landed {
			v.Standing.Stage, v.Standing.Position, v.Standing.Reasons = queue.StageIdle, 0, nil
		}
	}
	runs, err := s.Views.Runs(ctx, l, 0, n, 50)
	if err != nil {
		return v, false, err
	}
	v.Runs = runViews(runs)
	v.Journal, err = s.Views.Journal(ctx, l, n, 200)
	return v, err == nil, err
}

// askedLane is the lane that a call names with ?lane=OWNER/NAME:BRANCH; the only one need not be named.
func (s *Server) askedLane(w http.ResponseWriter, r *http.Request) (queue.Lane, bool) {
	given := r.URL.Query().Get("lane")
	if given == "" {
		if len(s.Lanes) == 1 {
			return s.Lanes[0], true
		}
		s.refuse(w, r, whichLane(s.Lanes))
		return queue.Lane{}, false
	}
	l, err := queue.ParseLane(given)
	if err != nil {
		s.refuse(w, r, badLane(given))
		return queue.Lane{}, false
	}
	l, ok := s.kept(l)
	if !ok {
		s.refuse(w, r, noSuchLane(given, s.Lanes))
	}
	return l, ok
}

func (s *Server) askedNumber(w http.ResponseWriter, r *http.Request) (queue.Number, bool) {
	n, err := number(r.PathValue("number"))
	if err != nil {
		s.refuse(w, r, badNumber(r.PathValue("number")))
	}
	return n, err == nil
}

func number(text string) (queue.Number, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(text, "#"), 10, 32)
	if err == nil && n < 1 {
		err = errors.New("a number is above 0")
	}
	return queue.Number(n), err
}
