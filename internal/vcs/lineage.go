package vcs

import (
	"bytes"
	"context"
	"slices"

	"lander/internal/queue"
)

// lineage is what the members of one candidate have that its base lacks: each commit with its parents, read at once. What it does not
// answer is asked of git for each member by itself.
type lineage struct {
	parents map[queue.SHA][]queue.SHA
	below   map[queue.SHA]bool // the commits of the members that were asked for before
}

// lineage reads the histories of some members. One that cannot be read is left to whoever comes to it, for the others may be at fault
// first.
func (r *Repo) lineage(ctx context.Context, base queue.SHA, members []queue.Member) *lineage {
	if len(members) < 2 {
		return nil
	}
	args := []string{"rev-list", "--parents", "^" + string(base)}
	for _, m := range members {
		args = append(args, string(m.Head))
	}
	out, err := r.git().Output(ctx, nil, args...)
	if err != nil {
		return nil
	}
	g := &lineage{parents: map[queue.SHA][]queue.SHA{}, below: map[queue.SHA]bool{}}
	for _, ids := range parentage(out) {
		g.parents[ids[0]] = ids[1:]
	}
	return g
}

// above lists what a head has that neither the base nor the heads asked for before it have, oldest first. ok is false where
// that is no straight line, in which git alone knows the order.
func (g *lineage) above(head queue.SHA) (lines [][]queue.SHA, ok bool) {
	if g == nil {
		return nil, false
	}
	straight := true
	for at := []queue.SHA{head}; len(at) > 0; {
		sha := at[len(at)-1]
		at = at[:len(at)-1]
		parents, new := g.parents[sha]
		if !new || g.below[sha] {
			continue
		}
		g.below[sha] = true
		straight = straight && len(parents) < 2
		lines = append(lines, append([]queue.SHA{sha}, parents...))
		at = append(at, parents...)
	}
	slices.Reverse(lines)
	return lines, straight
}

// parentage reads the lines of git rev-list --parents: a commit, and its parents.
func parentage(out []byte) (lines [][]queue.SHA) {
	for line := range bytes.Lines(out) {
		var ids []queue.SHA
		for _, id := range bytes.Fields(line) {
			ids = append(ids, queue.SHA(id))
		}
		if len(ids) > 0 {
			lines = append(lines, ids)
		}
	}
	return lines
}
