package store

import (
	"context"
	"fmt"
	"time"

	"lander/internal/store/db"
)

// Prune forgets what nobody needs any more of the time before: the bodies of webhooks that were dealt with (their ids and digests
// stay, so that a replay is still known), inbox items that are done, notices that were sent, cases that were closed, and, two months later than these, what was seen of chance. What is the record of what happened
// stays for ever: the journal, the runs, the landings.
func (s *Store) Prune(ctx context.Context, before time.Time) error {
	q := db.New(s.pool)
	if err := q.PruneDeliveries(ctx, before); err != nil {
		return fmt.Errorf("prune deliveries: %w", err)
	}
	if err := q.PruneInbox(ctx, &before); err != nil {
		return fmt.Errorf("prune inbox: %w", err)
	}
	if err := q.PruneOutbox(ctx, &before); err != nil {
		return fmt.Errorf("prune outbox: %w", err)
	}
	if err := q.PruneCases(ctx, &before); err != nil {
		return fmt.Errorf("prune cases: %w", err)
	}
	if err := q.PruneErrands(ctx, &before); err != nil {
		return fmt.Errorf("prune errands: %w", err)
	}
	if err := q.PruneWorkers(ctx, before); err != nil {
		return fmt.Errorf("prune workers: %w", err)
	}
	if err := q.PruneFlakes(ctx, before.AddDate(0, -2, 0)); err != nil {
		return fmt.Errorf("prune flakes: %w", err)
	}
	return nil
}
