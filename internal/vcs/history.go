package vcs

import (
	"bytes"
	"context"
	"fmt"

	"lander/internal/queue"
)

// history is what a member has that the tip lacks.
type history struct {
	commits []commit    // without merges, oldest first
	merges  []queue.SHA // merge commits among them, oldest first
	onTop   bool        // straight on the tip: the head can land as it is
	roots   bool        // some commit has no parent
}

func (h history) last() commit { return h.commits[len(h.commits)-1] }

// own reads the member's history above the tip.
func (b *builder) own(ctx context.Context, member queue.Member) (history, error) {
	lines, ok := b.lineage.above(member.Head)
	if !ok {
		args := []string{"rev-list", "--topo-order", "--reverse", "--parents", string(member.Head), "^" + string(b.base)}
		for _, head := range b.below {
			args = append(args, "^"+string(head))
		}
		out, err := b.repo.git().Output(ctx, nil, args...)
		if err != nil {
			return history{}, err
		}
		lines = parentage(out)
	}
	var h history
	for _, ids := range lines {
		switch len(ids) {
		case 1, 2:
			c, err := b.objects.commit(ids[0])
			if err != nil {
				return history{}, err
			}
			h.commits = append(h.commits, c)
			h.roots = h.roots || len(ids) == 1
		default:
			h.merges = append(h.merges, ids[0])
		}
	}
	if len(h.commits) == 0 {
		return history{}, &queue.EmptyError{Member: member.Number}
	}
	if h.roots {
		if err := b.related(ctx, member); err != nil {
			return history{}, err
		}
	}
	first := h.commits[0]
	h.onTop = len(h.merges) == 0 && len(first.parents) == 1 && first.parents[0] == b.tip.id
	return h, nil
}

// related refuses a member that has no ancestor in common with the base.
func (b *builder) related(ctx context.Context, member queue.Member) error {
	err := b.repo.git().Run(ctx, "merge-base", string(b.base), string(member.Head))
	if exitCode(err) == 1 {
		return &queue.UnbuildableError{Member: member.Number, Reason: sayUnrelated()}
	}
	return err
}

// notOnTrunk are the commits that trunk has no equal of, by patch id.
func (b *builder) notOnTrunk(ctx context.Context, member queue.Member, own history) ([]commit, error) {
	args := []string{
		"rev-list", "--topo-order", "--reverse", "--no-merges", "--cherry-pick", "--right-only",
		string(b.base) + "..." + string(member.Head),
	}
	for _, head := range b.below {
		args = append(args, "^"+string(head))
	}
	out, err := b.repo.git().Output(ctx, nil, args...)
	if err != nil {
		return nil, fmt.Errorf("compare with trunk: %w", err)
	}
	wanted := map[queue.SHA]bool{}
	for line := range bytes.Lines(out) {
		wanted[queue.SHA(bytes.TrimSpace(line))] = true
	}
	var left []commit
	for _, c := range own.commits {
		if wanted[c.id] {
			left = append(left, c)
		}
	}
	return left, nil
}
