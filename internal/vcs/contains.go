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

// Contains reports whether sha is tip or one of its ancestors. Both must be in the mirror.
func (r *Repo) Contains(ctx context.Context, tip, sha queue.SHA) (bool, error) {
	if err := full(tip, sha); err != nil {
		return false, fmt.Errorf("look for ancestor: %w", err)
	}
	err := r.git().Run(ctx, "merge-base", "--is-ancestor", string(sha), string(tip))
	if exitCode(err) == 1 {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for ancestor: %w", err)
	}
	return true, nil
}
