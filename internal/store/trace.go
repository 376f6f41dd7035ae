package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lander/internal/queue"
	"lander/internal/store/db"
)

// Trace is what happened on a lane, as far as it is of use to play it again: who asked to land and when, and what became of that.
type Trace struct {
	Changes []Traced        // in the order in which they were settled
	Green   []time.Duration // how long whole runs took that passed, of the newest 10,000
}

// Traced is one change that was settled: it landed, or was dropped because of what it is. Who was taken back, pushed to or closed before,
// or dropped for another reason than its tests, is not in a trace.
type Traced struct {
	Number  queue.Number
	Asked   time.Time
	Settled time.Time
	Bad     bool         // it was dropped because a run was red
	With    queue.Number // together with this one only; 0: alone, or not known
}

// Trace reads a lane's past. A lane that nothing was saved of has none.
func (s *Store) Trace(ctx context.Context, lane queue.Lane) (t Trace, err error) {
	id, err := s.lane(ctx, lane)
	if errors.Is(err, ErrNoLane) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	rows, err := db.New(s.pool).TraceChanges(ctx, id)
	if err != nil {
		return t, fmt.Errorf("read past of %v: %w", lane, err)
	}
	asked := map[queue.Number]time.Time{}
	for _, r := range rows {
		at, waits := asked[r.Number]
		delete(asked, r.Number)
		switch {
		case r.Kind == kindQueued:
			asked[r.Number] = moment(r.At)
		case waits && (r.Kind == kindLanded || r.Kind == kindDropped && r.Red):
			t.Changes = append(t.Changes, Traced{Number: r.Number, Asked: at, Settled: moment(r.At), Bad: r.Kind == kindDropped, With: queue.Number(r.Alongside)})
		}
	}
	seconds, err := db.New(s.pool).TraceRuns(ctx, id, mostCounted)
	if err != nil {
		return t, fmt.Errorf("read runs of %v: %w", lane, err)
	}
	for _, n := range seconds {
		t.Green = append(t.Green, time.Duration(n*float64(time.Second)))
	}
	return t, nil
}

// Kinds of journal lines, as queue writes them.
const (
	kindQueued  = "queued"
	kindLanded  = "landed"
	kindDropped = "dropped"
)
