package vcs

import (
	"context"

	"lander/internal/queue"
)

// prove refuses a replay that did more than the member says, where the merge of the whole cannot tell because trunk
// holds a part of the member already. It asks the second check's questions before the second check does.
func (b *builder) prove(ctx context.Context, member queue.Member, own history, before queue.SHA, replayed replay) error {
	k := &checker{repo: b.repo, objects: b.objects, diffs: map[pair]diff{}}
	p := part{
		before: before, after: replayed.tip.id, head: member.Head, forks: own.commits[0].parents,
		own: own.commits, straight: true, steps: replayed.made,
	}
	if err := k.load(ctx, p.pairs()); err != nil {
		return err
	}
	wrong, err := k.part(ctx, p)
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		return &queue.UnbuildableError{Member: member.Number, Reason: sayUndoes()}
	}
	return nil
}
