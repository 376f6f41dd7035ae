package vcs

import (
	"context"
	"fmt"
	"strings"

	"lander/internal/queue"
)

// Show reads a file at a commit, as it is stored. A path that is not there, or is a directory or a submodule, is ErrNotFound.
func (r *Repo) Show(ctx context.Context, commit queue.SHA, path string) ([]byte, error) {
	if err := full(commit); err != nil {
		return nil, fmt.Errorf("show %s: %w", path, err)
	}
	if path == "" || strings.ContainsAny(path, "\x00\n") || path[0] == '/' || path[0] == '.' && strings.HasPrefix(strings.TrimLeft(path, "."), "/") {
		return nil, fmt.Errorf("show %q: not a path within the repository", path)
	}
	objects, err := r.objects(ctx)
	if err != nil {
		return nil, fmt.Errorf("show %s: %w", path, err)
	}
	defer objects.close()
	if _, err := objects.commit(commit); err != nil {
		return nil, fmt.Errorf("show %s: %w", path, err)
	}
	kind, data, err := objects.read(string(commit) + ":" + path)
	if err != nil {
		return nil, fmt.Errorf("show %s: %w", path, err)
	}
	if kind != "blob" {
		return nil, fmt.Errorf("show %s at %s: %w", path, commit.Short(), ErrNotFound)
	}
	return data, nil
}
