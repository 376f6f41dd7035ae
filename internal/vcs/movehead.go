package vcs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

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

// MoveHeads is MoveHead for several branches of one repository, each by itself, with an answer for each. Where the server takes them
// all it is one push; those that it does not take are pushed one by one, for it may have turned all down for the sake of one.
func (r *Repo) MoveHeads(ctx context.Context, remote string, moves []queue.HeadMove) []error {
	remote = cmp.Or(remote, r.Remote)
	moved := r.moveTogether(ctx, remote, moves)
	errs := make([]error, len(moves))
	var g errgroup.Group
	g.SetLimit(pushesAtOnce)
	for i, m := range moves {
		if !moved[i] {
			g.Go(func() error {
				errs[i] = r.MoveHead(ctx, remote, m)
				return nil
			})
		}
	}
	_ = g.Wait() // each has an error of its own
	return errs
}

const pushesAtOnce = 4

// moveTogether moves branches with one push, and tells which ones certainly moved.
func (r *Repo) moveTogether(ctx context.Context, remote string, moves []queue.HeadMove) []bool {
	moved := make([]bool, len(moves))
	updates := make([]update, 0, len(moves))
	refs := make([]string, len(moves))
	taken := map[string]bool{}
	for i, m := range moves {
		ref, err := r.headRef(remote, m)
		if err == nil && !taken[ref] {
			taken[ref], refs[i] = true, ref
			updates = append(updates, update{ref: ref, old: m.From, new: m.To})
		}
	}
	if len(updates) < 2 {
		return moved
	}
	pushErr := r.pushEach(ctx, remote, updates)
	at := map[string]queue.SHA{}
	if pushErr != nil {
		var err error
		if at, err = r.refsOf(ctx, remote, slices.DeleteFunc(slices.Clone(refs), func(ref string) bool { return ref == "" })...); err != nil {
			return moved
		}
	}
	for i, ref := range refs {
		moved[i] = ref != "" && (pushErr == nil || at[ref] == moves[i].To)
	}
	return moved
}

// headRef is the ref that a move is of, where it may be moved at all.
func (r *Repo) headRef(remote string, m queue.HeadMove) (string, error) {
	if err := checkRemote(remote); err != nil {
		return "", err
	}
	if authority(remote) != authority(r.Remote) {
		return "", errors.New(sayOtherHost(remote, r.Remote))
	}
	ref, err := branchRef(m.Branch)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(m.Branch+"/", queue.LedgerPrefix) {
		return "", fmt.Errorf("branch %s belongs to the ledger", m.Branch)
	}
	return ref, full(m.From, m.To)
}

func (r *Repo) moveHead(ctx context.Context, remote string, m queue.HeadMove) error {
	ref, err := r.headRef(remote, m)
	if err != nil {
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
