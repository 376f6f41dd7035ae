package web

import (
	"context"
	"net/http"
	"time"

	"lander/internal/queue"
	"lander/internal/store"
)

// Flakes is what was seen of chance.
type Flakes interface {
	// Flakes lists what failed and passed on the same commits since a time, the dearest first.
	Flakes(ctx context.Context, l queue.Lane, since time.Time, limit int) ([]store.Flaky, error)
}

// FlakeView is a test that fails by chance.
type FlakeView struct {
	Step  string        `json:"step"`
	Test  string        `json:"test,omitempty"` // empty: the step as a whole
	Times int           `json:"times"`          // that it was seen
	Runs  int           `json:"runs"`           // of its step meanwhile
	Rate  float64       `json:"rate"`
	Cost  time.Duration `json:"cost"` // in nanoseconds, of the runs that it took to find out
	First time.Time     `json:"first"`
	Last  time.Time     `json:"last"`
}

// What is listed: of the last month, the worst.
const (
	flakesSince = 30 * day
	mostFlakes  = 50
)

func (s *Server) flakes(ctx context.Context, l queue.Lane) ([]FlakeView, error) {
	views := []FlakeView{}
	if s.Flakes == nil {
		return views, nil
	}
	all, err := s.Flakes.Flakes(ctx, l, s.Now().Add(-flakesSince), mostFlakes)
	for _, f := range all {
		views = append(views, FlakeView{Step: f.Step, Test: f.Test, Times: f.Times, Runs: f.Runs, Rate: f.Rate(), Cost: f.Cost, First: f.First, Last: f.Last})
	}
	return views, err
}

func (s *Server) apiFlakes(w http.ResponseWriter, r *http.Request) {
	l, ok := s.askedLane(w, r)
	if !ok {
		return
	}
	views, err := s.flakes(r.Context(), l)
	if err != nil {
		s.fail(w, r, err, databaseAway())
		return
	}
	s.writeJSON(w, http.StatusOK, map[string]any{"lane": l.String(), "since": s.Now().Add(-flakesSince).UTC(), "flakes": views})
}

// flakesBody is the page of what fails by chance.
type flakesBody struct {
	Lane     LaneView
	LanePath string
	Flakes   []FlakeView
}

func (s *Server) flakesPage(w http.ResponseWriter, r *http.Request) {
	l, ok := s.pathLane(w, r)
	if !ok {
		return
	}
	q, p, err := s.Views.View(r.Context(), l)
	if err != nil {
		s.fail(w, r, err, databaseAway())
		return
	}
	views, err := s.flakes(r.Context(), l)
	if err != nil {
		s.fail(w, r, err, databaseAway())
		return
	}
	lane := laneView(q, p, s.Now())
	s.render(w, http.StatusOK, "flakes", page{
		Title: l.String() + " flakes", Lane: &lane, Version: lane.Version, Events: eventsOf(l), Body: flakesBody{Lane: lane, LanePath: LanePath(l), Flakes: views},
	})
}

// FlakesPath is where what fails by chance on a lane stands on a Server.
func FlakesPath(l queue.Lane) string { return "/flakes/" + escaped(l) }
