package vcs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"lander/internal/queue"
)

// MoveHead moves the head branch of a pull request from From to To, which must be in the mirror. remote is where its repository is
// (empty: the mirror's own remote), on the same host, for the same credentials are shown there. It answers queue.ErrMoved when the
// branch stands elsewhere and *queue.DeniedError when the server refuses; after any other error it may have moved all the same.
func (r *Repo) MoveHead(ctx context.Context, remote string, m queue.HeadMove) error {
	if err := r.moveHead(ctx, cmp.Or(remote, r.Remote), m); err != nil {
		return fmt.Errorf("move head of %v: %w", m.Number, err)
	}
	return nil
}

func (r *Repo) moveHead(ctx context.Context, remote string, m queue.HeadMove) error {
	if err := checkRemote(remote); err != nil {
		return err
	}
	if authority(remote) != authority(r.Remote) {
		return errors.New(sayOtherHost(remote, r.Remote))
	}
	ref, err := branchRef(m.Branch)
	if err != nil {
		return err
	}
	if strings.HasPrefix(m.Branch+"/", queue.LedgerPrefix) {
		return fmt.Errorf("branch %s belongs to the ledger", m.Branch)
	}
	if err := full(m.From, m.To); err != nil {
		return err
	}
	pushErr := r.pushTo(ctx, remote, update{ref: ref, old: m.From, new: m.To})
	if pushErr == nil || ctx.Err() != nil {
		return pushErr // what the forge makes of it is looked at before trunk moves
	}
	at, err := r.refsOf(ctx, remote, ref)
	switch {
	case err != nil:
		return unread(pushErr, err)
	case at[ref] == m.To:
		return nil
	}
	return outcome(pushErr, at[ref] != m.From, fmt.Sprintf("%s stands at %s", m.Branch, stand(at[ref])))
}
