package vcs

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"lander/internal/queue"
)

// Tidy forgets all pinned heads but those to keep, packs the mirror and drops what has been out of use for two weeks.
// Candidates are not pinned, so none may be older than that. Ledgers are never forgotten.
func (r *Repo) Tidy(ctx context.Context, keep ...queue.SHA) error {
	kept := map[string]bool{}
	for _, sha := range keep {
		kept[headRef(sha)] = true
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
		if ref := strings.TrimSpace(string(line)); !kept[ref] {
			fmt.Fprintf(&orders, "delete %s\x00\x00", ref)
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
