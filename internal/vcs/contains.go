package vcs

import (
	"context"
	"fmt"
	"strings"

	"lander/internal/queue"
)

// Has reports whether the mirror holds all of the commits. It costs one process, however many there are.
func (r *Repo) Has(ctx context.Context, shas ...queue.SHA) bool {
	if full(shas...) != nil {
		return false
	}
	if len(shas) == 1 {
		return r.git().Run(ctx, "cat-file", "-e", string(shas[0])+"^{commit}") == nil
	}
	var names strings.Builder
	for _, sha := range shas {
		names.WriteString(string(sha) + "^{commit}\n")
	}
	out, err := r.git().Output(ctx, []byte(names.String()), "cat-file", "--batch-check=%(objecttype)")
	return err == nil && string(out) == strings.Repeat("commit\n", len(shas))
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
