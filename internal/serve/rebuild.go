package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"lander/internal/gate"
	"lander/internal/queue"
)

// holdRebuild is how long a rebuild waits for a lane. It is longer than Postgres keeps the lane of a lander that is gone.
const holdRebuild = 10 * time.Second

// Rebuilt is what one lane got back, and how it was left.
type Rebuilt struct {
	gate.Rebuilt
	Pause *queue.Pause // nil: the next lander that starts lands what waits
}

// Rebuild brings back what ledger and forge know of every lane, into a database that was lost or is an old one, and lands nothing.
// No lander may be running on it. Each lane is paused, so that somebody looks before anything lands; with resume it stays as the
// database has it. done is called after each lane. The errors are sentences for the operator.
func Rebuild(ctx context.Context, o Options, resume bool, done func(queue.Lane, Rebuilt)) (err error) {
	s := &Server{settings: o.Settings, log: o.Log, policy: o.Policy, keepers: map[queue.Lane]*gate.Keeper{}, free: func() {}, cancel: func() {}}
	if s.free, err = LockDir(s.settings.DataDir); err != nil {
		return err
	}
	defer s.Stop()
	if err := s.build(ctx); err != nil {
		return err
	}
	var errs []error
	for _, l := range slices.SortedFunc(slices.Values(s.settings.Lanes), func(a, b queue.Lane) int { return strings.Compare(a.String(), b.String()) }) {
		r, err := s.rooms.Rebuild(ctx, l, resume)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		done(l, r)
	}
	return errors.Join(errs...)
}

// Rebuild does it for one lane.
func (r *Rooms) Rebuild(ctx context.Context, l queue.Lane, resume bool) (done Rebuilt, err error) {
	free, err := r.hold(ctx, l, holdRebuild)
	if err != nil {
		return done, err
	}
	defer free()
	if !resume {
		// Before anything else, so that a rebuild that is cut off leaves no lane that lands.
		if err := r.pause(ctx, l); err != nil {
			return done, err
		}
	}
	if err := r.repository(l.Repo).mirror.Init(ctx); err != nil {
		return done, fmt.Errorf("rebuild %v: make mirror: %w", l, err)
	}
	if done.Rebuilt, err = r.Keeper(l).Rebuild(ctx); err != nil {
		return done, fmt.Errorf("rebuild %v: %w", l, err)
	}
	q, _, err := r.Store.View(ctx, l)
	if q.PausedAt(r.now()) {
		done.Pause = q.Pause
	}
	return done, err
}

// hold waits for a lane, but not for a lander that lives.
func (r *Rooms) hold(ctx context.Context, l queue.Lane, most time.Duration) (free func(), err error) {
	wait, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	free, _, err = r.Store.Hold(wait, l)
	if err != nil && ctx.Err() == nil && wait.Err() != nil {
		return nil, errLaneHeld(l)
	}
	return free, err
}

// pause keeps a pause without end that the database knows: it has the better reason.
func (r *Rooms) pause(ctx context.Context, l queue.Lane) error {
	q, policy, err := r.Store.View(ctx, l)
	if err != nil || q.Pause != nil && q.Pause.Until.IsZero() {
		return err
	}
	at := r.now()
	paused := q.Apply(queue.Paused{By: "lander", Reason: sayRebuilt, At: at}).Fill(at, policy)
	_, err = r.Store.Save(ctx, queue.Save{Old: q, New: paused})
	return err
}

// now is as fine as the database keeps it.
func (r *Rooms) now() time.Time {
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	return now().UTC().Truncate(time.Microsecond)
}
