package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lander/internal/queue"
	"lander/internal/store/db"
)

// Unsent lists notices that may be sent now, oldest first, the living ones after all others: they may still change, and what is said
// once and for all matters more. A living one comes with the forge's id of what was posted under its
// key before, to be edited. A notice that was posted while Sent did not get through comes again; the hidden key in the comment
// makes that harmless.
func (s *Store) Unsent(ctx context.Context, lane queue.Lane, now time.Time, limit int) ([]queue.Outgoing, error) {
	id, err := s.lane(ctx, lane)
	if errors.Is(err, ErrNoLane) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := db.New(s.pool).Unsent(ctx, id, &now, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read outbox of %v: %w", lane, err)
	}
	out := make([]queue.Outgoing, len(rows))
	for i, r := range rows {
		out[i] = queue.Outgoing{Seq: r.Seq, Notice: fit(r.Notice), Remote: r.Remote, Tries: r.Tries}
	}
	return out, nil
}

// Sent records that a notice was posted and as what. It also counts for a living one that a newer has superseded meanwhile.
func (s *Store) Sent(ctx context.Context, seq int64, remote string) error {
	n, err := db.New(s.pool).Sent(ctx, text(remote), seq)
	if err == nil && n == 0 {
		err = errNoNotice
	}
	if err != nil {
		return fmt.Errorf("mark notice %d sent: %w", seq, err)
	}
	return nil
}

// SendFailed records why a notice was not posted. It comes again from notTill on; one that was superseded or sent meanwhile does not.
func (s *Store) SendFailed(ctx context.Context, seq int64, reason string, notTill time.Time) error {
	if err := db.New(s.pool).SendFailed(ctx, text(reason), stamp(notTill), seq); err != nil {
		return fmt.Errorf("mark notice %d unsent: %w", seq, err)
	}
	return nil
}

var errNoNotice = errors.New("there is none")
