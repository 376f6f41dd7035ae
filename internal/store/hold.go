package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"lander/internal/queue"
)

// pulse is how often a connection that only listens is asked whether it is still there.
const pulse = 10 * time.Second

// Hold waits until this process is the lane's only keeper, or ctx ends. It is so until release is called or lost closes: the lock
// belongs to a connection of its own, and is free the moment that ends. Holding gives speed, not safety: Save finds out by itself
// about a holder that does not know yet that it was replaced. release may be called twice.
func (s *Store) Hold(ctx context.Context, lane queue.Lane) (release func(), lost <-chan struct{}, err error) {
	conn, err := connect(ctx, s.pool.Config().ConnConfig, s.log)
	if err != nil {
		return nil, nil, fmt.Errorf("hold lane %v: %w", lane, err)
	}
	if _, err := conn.Exec(ctx, "select pg_advisory_lock(hashtextextended($1, 0))", lockName(lane)); err != nil {
		hangUp(conn)
		return nil, nil, fmt.Errorf("hold lane %v: %w", lane, err)
	}
	h := &hold{conn: conn, lost: make(chan struct{})}
	ctx, h.stop = context.WithCancel(context.WithoutCancel(ctx))
	h.watch.Go(func() { h.keep(ctx) })
	return sync.OnceFunc(func() { h.release(lane) }), h.lost, nil
}

type hold struct {
	conn  *pgx.Conn
	lost  chan struct{}
	stop  context.CancelFunc
	watch sync.WaitGroup
}

// keep watches the connection until it dies or ctx ends.
func (h *hold) keep(ctx context.Context) {
	for {
		if err := idle(ctx, h.conn, pulse); ctx.Err() != nil {
			return
		} else if err != nil {
			close(h.lost)
			return
		}
	}
}

func (h *hold) release(lane queue.Lane) {
	h.stop()
	h.watch.Wait()
	if !h.conn.IsClosed() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		// Unlocking first makes the lane free when release returns; closing alone would do the same a little later.
		_, _ = h.conn.Exec(ctx, "select pg_advisory_unlock(hashtextextended($1, 0))", lockName(lane))
	}
	hangUp(h.conn)
}

func lockName(lane queue.Lane) string { return "lander/lane/" + lane.String() }

// idle waits for a notification on conn, at most for a pulse, and then makes sure that the connection is still there.
func idle(ctx context.Context, conn *pgx.Conn, pulse time.Duration) error {
	wait, cancel := context.WithTimeout(ctx, pulse)
	defer cancel()
	err := conn.PgConn().WaitForNotification(wait)
	if err == nil || ctx.Err() != nil || wait.Err() == nil || conn.IsClosed() {
		return err
	}
	ask, cancel := context.WithTimeout(ctx, pulse)
	defer cancel()
	return conn.Ping(ask)
}
