package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"lander/internal/queue"
	"lander/internal/store/db"
)

// channel is the name that NOTIFY and LISTEN use. The payload is the lane.
const channel = "lander_inbox"

// Nudges says in which lanes there is something new in the inbox, until ctx ends and the channel closes. A lane that is nudged
// while its nudge waits to be read is nudged once. When the connection was lost and is back, the zero Lane comes: every lane may
// have missed something.
func (s *Store) Nudges(ctx context.Context) (<-chan queue.Lane, error) {
	l := &listener{store: s, wake: make(chan struct{}, 1), out: make(chan queue.Lane)}
	conn, err := l.connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("listen for nudges: %w", err)
	}
	go l.read(ctx, conn)
	go l.deliver(ctx)
	return l.out, nil
}

// nudge tells keepers, here and elsewhere, that there is something in their lanes' inboxes. A failure costs time only.
func (s *Store) nudge(ctx context.Context, lanes ...queue.Lane) {
	var told []queue.Lane
	for _, lane := range lanes {
		if slices.Contains(told, lane) {
			continue
		}
		told = append(told, lane)
		if err := db.New(s.pool).Nudge(ctx, channel, lane.String()); err != nil {
			s.log.Warn().Err(err).Stringer("lane", lane).Msg("nudge not sent, the next poll finds what is new")
		}
	}
}

// listener is one LISTEN: read takes nudges from Postgres, deliver hands them on, so that a slow reader never blocks the connection.
type listener struct {
	store *Store
	wake  chan struct{}
	out   chan queue.Lane

	mu      sync.Mutex
	pending []queue.Lane
}

func (l *listener) connect(ctx context.Context) (*pgx.Conn, error) {
	cfg := l.store.pool.Config().ConnConfig
	cfg.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) {
		lane, err := queue.ParseLane(n.Payload)
		if err != nil {
			lane = queue.Lane{} // somebody else's words on our channel; looking everywhere is always right
		}
		l.add(lane)
	}
	conn, err := connect(ctx, cfg, l.store.log)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "listen "+channel); err != nil {
		hangUp(conn)
		return nil, err
	}
	return conn, nil
}

func (l *listener) read(ctx context.Context, conn *pgx.Conn) {
	for {
		var err error
		for err == nil {
			err = idle(ctx, conn, pulse)
		}
		hangUp(conn)
		if ctx.Err() != nil {
			return
		}
		l.store.log.Warn().Err(err).Msg("connection for nudges lost, connecting again")
		if conn = l.again(ctx); conn == nil {
			return
		}
		l.store.log.Info().Msg("connection for nudges is back")
		l.add(queue.Lane{})
	}
}

// again connects until it succeeds; nil: ctx ended.
func (l *listener) again(ctx context.Context) *pgx.Conn {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		conn, err := l.connect(ctx)
		if err == nil {
			return conn
		}
		l.store.log.Debug().Err(err).Dur("again_in", wait).Msg("no connection for nudges")
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

func (l *listener) add(lane queue.Lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.pending, lane) {
		l.pending = append(l.pending, lane)
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *listener) deliver(ctx context.Context) {
	defer close(l.out)
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		for lane, ok := l.take(); ok; lane, ok = l.take() {
			select {
			case <-ctx.Done():
				return
			case l.out <- lane:
			}
		}
	}
}

func (l *listener) take() (queue.Lane, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) == 0 {
		return queue.Lane{}, false
	}
	lane := l.pending[0]
	l.pending = l.pending[1:]
	return lane, true
}
