package vcs

import (
	"context"
	"errors"
	"fmt"

	"lander/internal/queue"
)

// Land moves trunk on the remote from Old to New and the ledger from Ledger to Record, both or neither, if New is a strict descendant of
// Old and Record stands on Ledger and says so, and reads both back. In single mode the ledger is moved first.
//
// It answers queue.ErrMoved when the push was refused and either branch stands elsewhere, and *queue.DeniedError when the server
// refuses for a reason of its own. After any other error, a cancelled context among them, both may have moved all the same: look before
// giving up. nil: the ledger holds Record and trunk holds New.
func (r *Repo) Land(ctx context.Context, req queue.LandRequest) error {
	b, err := branches(req.Trunk)
	if err == nil {
		err = r.landable(ctx, req)
	}
	if err == nil {
		err = r.land(ctx, b, req)
	}
	if err != nil {
		return fmt.Errorf("land %s: %w", req.New.Short(), err)
	}
	return nil
}

// landable refuses what no lease would: a push with a lease is a push by force.
func (r *Repo) landable(ctx context.Context, req queue.LandRequest) error {
	if err := full(req.Old, req.New, req.Ledger, req.Record); err != nil {
		return err
	}
	above, err := r.Contains(ctx, req.New, req.Old)
	if err != nil {
		return err
	}
	if !above || req.New == req.Old {
		return fmt.Errorf("not a descendant of %s", req.Old.Short())
	}
	s, err := r.follows(ctx, req.Ledger, req.Record)
	if err != nil {
		return err
	}
	if s.Decision != queue.DecisionLand || s.Old != req.Old || s.New != req.New {
		return fmt.Errorf("record %s says another thing", req.Record.Short())
	}
	return nil
}

// follows reads a record that must stand on another (empty: on none).
func (r *Repo) follows(ctx context.Context, before, record queue.SHA) (queue.Statement, error) {
	objects, err := r.objects(ctx)
	if err != nil {
		return queue.Statement{}, err
	}
	defer objects.close()
	w, stands, err := objects.record(record)
	if err == nil && stands != before {
		err = fmt.Errorf("record %s does not stand on %q", record.Short(), before.Short())
	}
	return w.Statement, err
}

func (r *Repo) land(ctx context.Context, b lane, req queue.LandRequest) error {
	trunk, ledger := update{ref: b.trunk, old: req.Old, new: req.New}, update{ref: b.ledger, old: req.Ledger, new: req.Record}
	var pushErr error
	if req.Single {
		if pushErr = r.push(ctx, ledger); pushErr == nil {
			pushErr = r.push(ctx, trunk)
		}
	} else {
		pushErr = r.push(ctx, trunk, ledger)
	}
	if ctx.Err() != nil {
		return errors.Join(pushErr, context.Cause(ctx))
	}
	at, err := r.remoteRefs(ctx, b.trunk, b.ledger)
	if err != nil {
		return unread(pushErr, err)
	}
	if at[b.ledger] == req.Record && at[b.trunk] == req.New {
		return r.pin(ctx, req.Trunk, req.Ledger, req.Record)
	}
	stuck := at[b.trunk] == req.Old || at[b.ledger] == req.Ledger
	if !stuck {
		switch held, err := r.landed(ctx, req); {
		case err != nil:
			return unread(pushErr, err)
		case held:
			return nil
		}
	}
	moved := at[b.trunk] != req.Old || at[b.ledger] != req.Ledger && (!req.Single || at[b.ledger] != req.Record)
	if !moved {
		pushErr = r.shut(ctx, pushErr)
	}
	return outcome(pushErr, moved, fmt.Sprintf("trunk stands at %s, the ledger at %s", stand(at[b.trunk]), stand(at[b.ledger])))
}

// landed looks whether branches that have moved on hold what was pushed.
func (r *Repo) landed(ctx context.Context, req queue.LandRequest) (bool, error) {
	seen, err := r.See(ctx, req.Trunk)
	if err != nil || seen.Ledger == "" {
		return false, err
	}
	held, err := r.Contains(ctx, seen.Trunk, req.New)
	if err != nil || !held {
		return false, err
	}
	return r.Contains(ctx, seen.Ledger, req.Record)
}

// outcome is what is to be said of a push whose refs were found not to hold what was pushed.
func outcome(pushErr error, moved bool, where string) error {
	var stale *staleError
	var denied *queue.DeniedError
	refused := errors.As(pushErr, &stale) || errors.As(pushErr, &denied)
	switch {
	case pushErr == nil:
		return fmt.Errorf("read back: the push was accepted, but %s", where)
	case refused && moved:
		return fmt.Errorf("%w: %s", queue.ErrMoved, where)
	}
	return pushErr
}

// unread is a push whose outcome is not known; what the server said of it proves nothing.
func unread(pushErr, err error) error {
	if pushErr == nil {
		return fmt.Errorf("read back: %w", err)
	}
	return fmt.Errorf("read back after %q: %w", pushErr.Error(), err)
}

func stand(tip queue.SHA) string {
	if tip == "" {
		return "nothing"
	}
	return tip.Short()
}
