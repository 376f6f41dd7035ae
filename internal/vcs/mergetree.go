package vcs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lander/internal/queue"
)

// merged is what a three-way merge gives: a tree, and the paths in conflict, sorted. With conflicts the tree is of no use.
type merged struct {
	tree      queue.SHA
	conflicts []string
}

func (m merged) clean() bool { return len(m.conflicts) == 0 }

// merge merges two commits in the object store, without a work tree.
func (r *Repo) merge(ctx context.Context, ours, theirs queue.SHA) (merged, error) {
	out, err := r.git().Output(ctx, nil,
		"merge-tree", "--write-tree", "-z", "--name-only", "--messages", "--allow-unrelated-histories", string(ours), string(theirs))
	code := exitCode(err)
	if err != nil && code != 1 {
		return merged{}, fmt.Errorf("merge %s into %s: %w", theirs.Short(), ours.Short(), err)
	}
	tree, rest, _ := strings.Cut(string(out), "\x00")
	m := merged{tree: queue.SHA(tree)}
	if err := full(m.tree); err != nil {
		return merged{}, fmt.Errorf("merge %s into %s: %w", theirs.Short(), ours.Short(), err)
	}
	if code != 1 {
		return m, nil
	}
	fields := strings.Split(rest, "\x00")
	end := slices.Index(fields, "") // an empty field stands between the paths and the messages
	if end < 0 {
		end = len(fields)
	}
	m.conflicts = append(m.conflicts, fields[:end]...)
	if len(m.conflicts) == 0 {
		m.conflicts = messagePaths(fields[min(end+1, len(fields)):])
	}
	if len(m.conflicts) == 0 {
		return merged{}, fmt.Errorf("merge %s into %s: %w", theirs.Short(), ours.Short(), errors.New("conflict without a path"))
	}
	for i, path := range m.conflicts {
		// Where a file and something else want one path, git calls the file "path~side".
		path, _, _ = strings.Cut(path, "~"+string(ours))
		m.conflicts[i], _, _ = strings.Cut(path, "~"+string(theirs))
	}
	slices.Sort(m.conflicts)
	m.conflicts = slices.Compact(m.conflicts)
	return m, nil
}

// messagePaths are the paths of the messages about conflicts, for those few that leave no path in the index. A message
// is a count, that many paths, a fixed kind and a text.
func messagePaths(fields []string) []string {
	var paths []string
	for len(fields) > 0 {
		n, err := strconv.Atoi(fields[0])
		if err != nil || len(fields) < n+3 {
			return paths
		}
		if strings.HasPrefix(fields[n+1], "CONFLICT") {
			paths = append(paths, fields[1:n+1]...)
		}
		fields = fields[n+3:]
	}
	return paths
}
