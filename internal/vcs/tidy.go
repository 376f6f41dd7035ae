package vcs

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"lander/internal/queue"
)

// Tidy pins the commits to keep, forgets all others that were pinned, packs the mirror and drops what has been out of use for two weeks.
// Candidates are not pinned before that, for none is that old then. Ledgers are never forgotten.
func (r *Repo) Tidy(ctx context.Context, keep ...queue.SHA) error {
	unpinned := map[string]queue.SHA{} // of those to keep
	for _, sha := range keep {
		unpinned[headRef(sha)] = sha
	}
	out, err := r.git().Output(ctx, nil, "for-each-ref", "--format=%(refname)", "refs/lander/heads", "refs/lander/pull")
	if err != nil {
		return fmt.Errorf("tidy mirror: %w", err)
	}
	found, err := r.found(ctx)
	if err != nil {
		return fmt.Errorf("tidy mirror: %w", err)
	}
	var orders bytes.Buffer
	for _, ref := range found {
		fmt.Fprintf(&orders, "delete %s\x00\x00", ref)
	}
	for line := range bytes.Lines(out) {
		ref := strings.TrimSpace(string(line))
		if unpinned[ref] == "" {
			fmt.Fprintf(&orders, "delete %s\x00\x00", ref)
		}
		delete(unpinned, ref)
	}
	for ref, sha := range unpinned {
		if r.Has(ctx, sha) {
			fmt.Fprintf(&orders, "update %s\x00%s\x00\x00", ref, sha)
		}
	}
	if _, err := r.git().Output(ctx, orders.Bytes(), "update-ref", "-z", "--stdin"); err != nil {
		return fmt.Errorf("tidy mirror: %w", err)
	}
	if err := r.git().Run(ctx, "gc", "--quiet", "--prune=2.weeks.ago"); err != nil {
		return fmt.Errorf("tidy mirror: %w", err)
	}
	return nil
}
