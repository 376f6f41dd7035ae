package vcs

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"lander/internal/queue"
)

// Changed lists the files that differ between a head and where it left trunk, sorted; where it left it in several places, those of each.
// A file that was moved is there by both names. Both commits must be in the mirror.
func (r *Repo) Changed(ctx context.Context, tip, head queue.SHA) ([]string, error) {
	if err := full(tip, head); err != nil {
		return nil, fmt.Errorf("list changed files: %w", err)
	}
	out, err := r.git().Output(ctx, nil, "merge-base", "--all", string(tip), string(head))
	if err != nil && exitCode(err) != 1 {
		return nil, fmt.Errorf("list changed files: %w", err)
	}
	var pairs []pair
	for _, base := range bytes.Fields(out) {
		pairs = append(pairs, pair{old: queue.SHA(base), new: head})
	}
	if len(pairs) == 0 {
		pairs = []pair{{new: head}} // nothing in common: it brings all that it has
	}
	diffs, err := r.diffs(ctx, pairs)
	if err != nil {
		return nil, fmt.Errorf("list changed files: %w", err)
	}
	paths := map[string]bool{}
	for _, d := range diffs {
		for path := range d {
			paths[path] = true
		}
	}
	return slices.Sorted(maps.Keys(paths)), nil
}

// Differing lists the files that differ between two commits, sorted. A file that was moved is there by both names. Both commits must be in
// the mirror.
func (r *Repo) Differing(ctx context.Context, one, other queue.SHA) ([]string, error) {
	if err := full(one, other); err != nil {
		return nil, fmt.Errorf("list differing files: %w", err)
	}
	p := pair{old: one, new: other}
	diffs, err := r.diffs(ctx, []pair{p})
	if err != nil {
		return nil, fmt.Errorf("list differing files: %w", err)
	}
	return slices.Sorted(maps.Keys(diffs[p])), nil
}
