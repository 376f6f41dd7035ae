package vcs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"lander/internal/queue"
)

// Offer makes a branch under queue.RunPrefix stand at a commit that is in the mirror, so that what is run elsewhere finds it. Where it
// stands there already nothing is pushed. It answers queue.ErrMoved when the branch stands elsewhere and *queue.DeniedError when the
// server refuses.
func (r *Repo) Offer(ctx context.Context, branch string, sha queue.SHA) error {
	if err := r.offer(ctx, branch, sha); err != nil {
		return fmt.Errorf("push %s: %w", branch, err)
	}
	return nil
}

// Retract deletes such a branch if it stands at that commit; one that is not there is fine. Errors are as those of Offer.
func (r *Repo) Retract(ctx context.Context, branch string, sha queue.SHA) error {
	if err := r.retract(ctx, branch, sha); err != nil {
		return fmt.Errorf("delete %s: %w", branch, err)
	}
	return nil
}

// Offered lists all branches under queue.RunPrefix, and where they stand. Not all need be lander's.
func (r *Repo) Offered(ctx context.Context) (map[string]queue.SHA, error) {
	refs, err := r.remoteRefs(ctx, "refs/heads/"+queue.RunPrefix+"*")
	if err != nil {
		return nil, fmt.Errorf("list branches under %s: %w", queue.RunPrefix, err)
	}
	at := map[string]queue.SHA{}
	for ref, sha := range refs {
		if branch, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
			at[branch] = sha
		}
	}
	return at, nil
}

func (r *Repo) offer(ctx context.Context, branch string, sha queue.SHA) error {
	ref, at, err := r.offeredAt(ctx, branch, sha)
	switch {
	case err != nil:
		return err
	case at == sha:
		return nil
	case at != "":
		return fmt.Errorf("%w: it stands at %s", queue.ErrMoved, at.Short())
	}
	pushErr := r.push(ctx, update{ref: ref, new: sha})
	if pushErr == nil || ctx.Err() != nil {
		return pushErr
	}
	if _, at, err = r.offeredAt(ctx, branch, sha); err != nil {
		return unread(pushErr, err)
	}
	if at == sha {
		return nil
	}
	return r.shut(ctx, outcome(pushErr, at != "", "it stands at "+stand(at)))
}

func (r *Repo) retract(ctx context.Context, branch string, sha queue.SHA) error {
	ref, at, err := r.offeredAt(ctx, branch, sha)
	switch {
	case err != nil:
		return err
	case at == "":
		return nil
	case at != sha:
		return fmt.Errorf("%w: it stands at %s", queue.ErrMoved, at.Short())
	}
	pushErr := r.push(ctx, update{ref: ref, old: sha})
	if pushErr == nil || ctx.Err() != nil {
		return pushErr
	}
	if _, at, err = r.offeredAt(ctx, branch, sha); err != nil {
		return unread(pushErr, err)
	}
	if at == "" {
		return nil
	}
	return outcome(pushErr, at != sha, "it stands at "+stand(at))
}

// offeredAt is where such a branch stands; empty: it is not there.
func (r *Repo) offeredAt(ctx context.Context, branch string, sha queue.SHA) (ref string, at queue.SHA, err error) {
	if !strings.HasPrefix(branch, queue.RunPrefix) {
		return "", "", errors.New("it is not under " + queue.RunPrefix)
	}
	if ref, err = branchRef(branch); err == nil {
		err = full(sha)
	}
	if err != nil {
		return "", "", err
	}
	refs, err := r.remoteRefs(ctx, ref)
	return ref, refs[ref], err
}
