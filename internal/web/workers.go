package web

import (
	"context"
	"time"
)

// WorkerView is who runs tests.
type WorkerView struct {
	Name    string    `json:"name"`           // empty: lander's own machine
	Here    bool      `json:"here,omitempty"` // it is lander's own machine
	Labels  []string  `json:"labels,omitempty"`
	Slots   int       `json:"slots"`          // runs at a time
	Runs    []string  `json:"runs,omitempty"` // under way: the lane and the run's name
	Version string    `json:"version,omitempty"`
	Alive   bool      `json:"alive"`
	Foreign bool      `json:"foreign,omitempty"` // it does not understand this lander, which hands it nothing
	Since   time.Time `json:"since,omitzero"`
	Seen    time.Time `json:"seen,omitzero"`
}

func (s *Server) workers(ctx context.Context) ([]WorkerView, error) {
	if s.Workers == nil {
		return nil, nil
	}
	return s.Workers(ctx)
}
