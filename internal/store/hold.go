package store

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"lander/internal/queue"
)

const (
	// pulse is how often a connection that only listens is asked whether it is still there.
	pulse = 10 * time.Second
	// beat is the same for a connection that holds a lane. Two of them without an answer, and the holder knows that it holds no more.
	beat = 2 * time.Second
	// silence is after how long without a beat Postgres ends a holder's session, whatever became of the holder: its process stopped,
	// its machine gone, the network between swallowing everything. It is more than two beats, so that the holder knows first.
	silence = 4 * beat
	// turn is longer than one turn of waiting for a lane takes; its length stands in the function hold_lane.
	turn = 30 * time.Second
)

// Hold waits until this process is the lane's only keeper, or ctx ends. It is so until release is called or lost closes: the lock
// belongs to a connection of its own, and is free the moment that ends, or when Postgres has heard nothing for some seconds. Holding
// gives speed, not safety: Save finds out by itself about a holder that does not know yet that it was replaced. release may be called
// twice.
func (s *Store) Hold(ctx context.Context, lane queue.Lane) (release func(), lost <-chan struct{}, err error) {
	conn, err := connect(ctx, s.pool.Config().ConnConfig, s.log)
	if err != nil {
		return nil, nil, fmt.Errorf("hold lane %v: %w", lane, err)
	}
	if err := queueUp(ctx, conn, lane); err != nil {
		hangUp(conn)
		return nil, nil, fmt.Errorf("hold lane %v: %w", lane, err)
	}
	h := &hold{conn: conn, lost: make(chan struct{})}
	ctx, h.stop = context.WithCancel(context.WithoutCancel(ctx))
	h.watch.Go(func() { h.keep(ctx) })
	return sync.OnceFunc(func() { h.release(lane) }), h.lost, nil
}

// queueUp waits for the lane's lock in turns, so that a connection that has died meanwhile is found out. A lander that is too old gives
// the lane to those that are not.
func queueUp(ctx context.Context, conn *pgx.Conn, lane queue.Lane) error {
	if _, err := conn.Exec(ctx, "select set_config('idle_session_timeout', $1, false)", strconv.FormatInt(silence.Milliseconds(), 10)); err != nil {
		return err
	}
	for held := false; !held; {
		wait, cancel := context.WithTimeout(ctx, turn)
		err := conn.QueryRow(wait, "select hold_lane($1)", lockName(lane)).Scan(&held)
		cancel()
		if err != nil {
			return err
		}
	}
	return allowed(ctx, conn)
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
		if err := idle(ctx, h.conn, beat); ctx.Err() != nil {
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
