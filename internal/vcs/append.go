package vcs

import (
	"context"
	"errors"
	"fmt"

	"lander/internal/queue"
)

// Append moves the ledger of a trunk, and nothing else, from the record that it must stand at (empty: it must not exist) to one on top
// of it, and reads it back. It answers queue.ErrMoved when it stands elsewhere and *queue.DeniedError when the server refuses; after
// any other error it may have moved all the same.
func (r *Repo) Append(ctx context.Context, trunk string, old, record queue.SHA) error {
	if err := r.appendRecord(ctx, trunk, old, record); err != nil {
		return fmt.Errorf("append record %s: %w", record.Short(), err)
	}
	return nil
}

func (r *Repo) appendRecord(ctx context.Context, trunk string, old, record queue.SHA) error {
	b, err := branches(trunk)
	if err != nil {
		return err
	}
	if err := full(record); err != nil {
		return err
	}
	if _, err := r.follows(ctx, old, record); err != nil {
		return err
	}
	return r.moveLedger(ctx, b, old, record)
}

// moveLedger pushes the ledger alone and reads it back.
func (r *Repo) moveLedger(ctx context.Context, b lane, old, record queue.SHA) error {
	pushErr := r.push(ctx, update{ref: b.ledger, old: old, new: record})
	if ctx.Err() != nil {
		return errors.Join(pushErr, context.Cause(ctx))
	}
	at, err := r.remoteRefs(ctx, b.ledger)
	if err != nil {
		return unread(pushErr, err)
	}
	tip := at[b.ledger]
	if tip == record {
		return r.pin(ctx, b.branch, old, record)
	}
	if tip != old {
		switch held, err := r.holds(ctx, b.branch, record); {
		case err != nil:
			return unread(pushErr, err)
		case held:
			return nil
		}
	}
	if tip == old {
		pushErr = r.shut(ctx, pushErr)
	}
	return outcome(pushErr, tip != old, "the ledger stands at "+stand(tip))
}

// holds looks whether a ledger that has moved on holds a record.
func (r *Repo) holds(ctx context.Context, trunk string, record queue.SHA) (bool, error) {
	seen, err := r.See(ctx, trunk)
	if err != nil || seen.Ledger == "" {
		return false, err
	}
	return r.Contains(ctx, seen.Ledger, record)
}
