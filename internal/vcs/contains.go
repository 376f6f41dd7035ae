package vcs

import (
	"context"
	"fmt"

	"lander/internal/queue"
)

// Has reports whether the mirror holds the commit.
func (r *Repo) Has(ctx context.Context, sha queue.SHA) bool {
	return full(sha) == nil && r.git().Run(ctx, "cat-file", "-e", string(sha)+"^{commit}") == nil
}

// Contains reports whether sha is tip or one of its ancestors. tip must be in the mirror, with all its history, so that a commit
// that is not there is none of them.
func (r *Repo) Contains(ctx context.Context, tip, sha queue.SHA) (bool, error) {
	if err := full(tip, sha); err != nil {
		return false, fmt.Errorf("look for ancestor: %w", err)
	}
	err := r.git().Run(ctx, "merge-base", "--is-ancestor", string(sha), string(tip))
	if exitCode(err) == 1 {
		return false, nil
	}
	if err != nil {
		if ctx.Err() == nil && r.Has(ctx, tip) && !r.Has(ctx, sha) {
			return false, nil
		}
		return false, fmt.Errorf("look for ancestor: %w", err)
	}
	return true, nil
}
