package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lander/internal/queue"
	"lander/internal/store/db"
)

// Flaky is what is known of a test, or of a step that tells of none, that failed and passed on the same commits.
type Flaky struct {
	Step  string
	Test  string        // empty: the step as a whole
	Times int           // that it was seen
	Runs  int           // of its step as a whole in that time
	Cost  time.Duration // of the runs that it took to find out
	First time.Time
	Last  time.Time
}

// Rate is how often it fails by chance, as far as it was seen. It may be more often: where it failed twice in a row, others looked guilty.
func (f Flaky) Rate() float64 { return min(float64(f.Times)/float64(max(f.Runs, f.Times, 1)), 1) }

// Flakes lists what failed by chance on a lane since a time, the dearest first.
func (s *Store) Flakes(ctx context.Context, lane queue.Lane, since time.Time, limit int) ([]Flaky, error) {
	id, err := s.lane(ctx, lane)
	if errors.Is(err, ErrNoLane) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := db.New(s.pool).Flakes(ctx, id, since, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read flakes of %v: %w", lane, err)
	}
	all := make([]Flaky, len(rows))
	for i, r := range rows {
		all[i] = Flaky{
			Step: r.Step, Test: r.Test, Times: int(r.Times), Runs: int(r.Runs), Cost: time.Duration(r.Cost), First: r.First.UTC(), Last: r.Last.UTC(),
		}
	}
	return all, nil
}

// flakes writes what was seen of chance.
func (w *writer) flakes(ctx context.Context) error {
	w.new.Flakes = fit(w.new.Flakes)
	for _, f := range w.new.Flakes {
		w.at("flake of candidate %d", f.Candidate)
		if err := w.rows.SaveFlake(ctx, db.SaveFlakeParams{
			LaneID: w.lane, Candidate: f.Candidate, Run: int64(f.Run), Step: f.Step, Test: f.Test, Commit: string(f.Commit), Cost: int64(f.Cost), At: f.At,
		}); err != nil {
			return err
		}
	}
	return nil
}
