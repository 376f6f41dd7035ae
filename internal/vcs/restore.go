package vcs

import (
	"context"
	"errors"
	"fmt"

	"lander/internal/queue"
)

// Restore puts the ledger of a trunk back to a tip that is known, if it is gone or stands below it, and lets it be if it stands there
// or above. tip must be in the mirror. A ledger that went another way is a *queue.LedgerError; otherwise it answers as Append does.
func (r *Repo) Restore(ctx context.Context, trunk string, tip queue.SHA) error {
	err := r.restore(ctx, trunk, tip)
	var wrong *queue.LedgerError
	if err == nil || errors.As(err, &wrong) {
		return err
	}
	return fmt.Errorf("restore ledger to %s: %w", tip.Short(), err)
}

func (r *Repo) restore(ctx context.Context, trunk string, tip queue.SHA) error {
	b, err := branches(trunk)
	if err != nil {
		return err
	}
	if err := full(tip); err != nil {
		return err
	}
	if !r.Has(ctx, tip) {
		return errors.Join(context.Cause(ctx), &queue.LedgerError{Reason: sayNoCopy(tip)})
	}
	at, err := r.remoteRefs(ctx, b.ledger)
	if err != nil {
		return err
	}
	found := at[b.ledger]
	if found != "" && !r.Has(ctx, found) {
		seen, err := r.See(ctx, trunk)
		if err != nil {
			return err
		}
		found = seen.Ledger
	}
	_, err = r.records(ctx, tip, found)
	var wrong *queue.LedgerError
	if errors.As(err, &wrong) && wrong.Missing {
		return r.moveLedger(ctx, b, found, tip)
	}
	return err
}
