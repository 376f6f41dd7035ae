package vcs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"lander/internal/queue"
)

// A lane's ledger as the remote holds it is kept under ledgerRef. Before that moves other than forward, what it stood at is kept under
// lostRef: what lander knows of a ledger must survive whatever is done to the branch.

func ledgerRef(trunk string) string { return "refs/lander/ledger/" + hide(trunk) }

func lostRef(tip queue.SHA) string { return "refs/lander/lost/" + string(tip) }

// follow brings trunk, and the ledger from where it was known to where it is found, which may be nowhere, below or beside.
func (r *Repo) follow(ctx context.Context, b lane, found queue.SHA) error {
	at, err := r.refs(ctx, ledgerRef(b.branch))
	if err != nil {
		return err
	}
	known := at[ledgerRef(b.branch)]
	trunk, ledger := "+"+b.trunk+":"+trunkRef(b.branch), b.ledger+":"+ledgerRef(b.branch)
	if found != "" {
		err := r.fetch(ctx, trunk, ledger)
		if err == nil || known == "" || ctx.Err() != nil {
			return err
		}
		if err := r.git().Run(ctx, "update-ref", lostRef(known), string(known)); err != nil {
			return fmt.Errorf("keep ledger: %w", err)
		}
		return r.fetch(ctx, trunk, "+"+ledger)
	}
	if known != "" {
		orders := fmt.Appendf(nil, "update %s\x00%s\x00\x00delete %s\x00%s\x00", lostRef(known), known, ledgerRef(b.branch), known)
		if _, err := r.git().Output(ctx, orders, "update-ref", "-z", "--stdin"); err != nil {
			return fmt.Errorf("keep ledger: %w", err)
		}
	}
	return r.fetch(ctx, trunk)
}

// pin keeps a ledger's tip that was just pushed on top of old. Where another fetch has been faster, it is kept beside.
func (r *Repo) pin(ctx context.Context, trunk string, old, tip queue.SHA) error {
	if old == "" {
		old = queue.SHA(strings.Repeat("0", len(tip))) // it must not exist
	}
	err := r.git().Run(ctx, "update-ref", ledgerRef(trunk), string(tip), string(old))
	if err == nil || ctx.Err() != nil {
		return err
	}
	if beside := r.git().Run(ctx, "update-ref", lostRef(tip), string(tip)); beside != nil {
		return fmt.Errorf("keep ledger: %w", errors.Join(err, beside))
	}
	return nil
}

// found lists the lost tips that a ledger as it is now holds again.
func (r *Repo) found(ctx context.Context) ([]string, error) {
	ledgers, err := r.refs(ctx, "refs/lander/ledger")
	if err != nil {
		return nil, err
	}
	var found []string
	for _, tip := range ledgers {
		out, err := r.git().Output(ctx, nil, "for-each-ref", "--format=%(refname)", "--merged="+string(tip), "refs/lander/lost")
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(out) {
			found = append(found, strings.TrimSpace(string(line)))
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}
