package vcs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"lander/internal/queue"
)

// Records reads the ledger above a record that is known (empty: from its beginning) up to its tip (empty: there is no ledger), oldest
// first. Both must be in the mirror, which keeps every tip that it has seen. A ledger that is not what lander left there is a
// *queue.LedgerError: Missing when it merely ends below what is known. Signatures are not looked at.
func (r *Repo) Records(ctx context.Context, above, tip queue.SHA) ([]queue.Written, error) {
	written, err := r.records(ctx, above, tip)
	var wrong *queue.LedgerError
	if err != nil && !errors.As(err, &wrong) {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	return written, err
}

func (r *Repo) records(ctx context.Context, above, tip queue.SHA) ([]queue.Written, error) {
	switch tip {
	case above:
		return nil, nil
	case "":
		return nil, &queue.LedgerError{Missing: true, Reason: sayLedgerGone(above)}
	}
	if err := full(tip); err != nil {
		return nil, err
	}
	objects, err := r.objects(ctx)
	if err != nil {
		return nil, err
	}
	defer objects.close()
	var written []queue.Written
	for at := tip; at != above; {
		w, before, err := objects.record(at)
		if err != nil {
			return nil, err
		}
		if before == "" && above != "" {
			return nil, objects.astray(above, tip)
		}
		written, at = append(written, w), before
	}
	slices.Reverse(written)
	return written, nil
}

// astray says why a sound ledger does not hold a record that is known.
func (o *objects) astray(known, tip queue.SHA) error {
	if err := full(known); err != nil {
		return err
	}
	if kind, _, err := o.read(string(known)); err != nil {
		return err
	} else if kind == "missing" {
		return &queue.LedgerError{Reason: sayLedgerUnknown(tip, known)}
	}
	for at := known; at != ""; {
		if at == tip {
			return &queue.LedgerError{Missing: true, Reason: sayLedgerRewound(tip, known)}
		}
		_, before, err := o.record(at)
		if err != nil {
			return err
		}
		at = before
	}
	return &queue.LedgerError{Reason: sayLedgerDiverged(tip, known)}
}
