package vcs

import (
	"context"

	"lander/internal/queue"
)

// rebase replays the member's commits, one by one, and makes sure that they say together what the member says as a whole.
func (b *builder) rebase(ctx context.Context, member queue.Member, own history) error {
	if own.onTop {
		return b.adopt(member, own)
	}
	if b.natural = ""; len(own.merges) == 0 && len(b.below) == 0 {
		b.natural = own.commits[0].id // forked from trunk itself, so that git finds the merge base unaided
	}
	whole := b.startWhole(ctx, member, own)
	replayed, err := b.replay(ctx, own.commits)
	if err != nil {
		return err
	}
	var result merged
	if whole == nil {
		result = merged{tree: replayed.tip.tree, conflicts: replayed.conflicts}
	} else {
		got := <-whole
		if got.err != nil {
			return got.err
		}
		result = got.merged
	}
	if len(replayed.conflicts) > 0 && result.clean() {
		// Some commits may be on trunk already, and changed there since.
		if left, err := b.notOnTrunk(ctx, member, own); err != nil {
			return err
		} else if len(left) < len(own.commits) {
			again, err := b.replay(ctx, left)
			if err != nil {
				return err
			}
			if len(again.conflicts) == 0 && again.tip.tree == result.tree {
				replayed = again
			}
		}
	}
	if err := refuse(member, own, replayed, result); err != nil {
		return err
	}
	if len(replayed.made) == 0 {
		return &queue.EmptyError{Member: member.Number}
	}
	before := b.tip
	for _, step := range replayed.made {
		b.put(step.made, member, step.source.id)
	}
	if !result.clean() {
		return b.prove(ctx, member, own, before.id, replayed)
	}
	return nil
}

// adopt takes a head that is straight on the tip as it is.
func (b *builder) adopt(member queue.Member, own history) error {
	if own.last().tree == b.tip.tree {
		return &queue.EmptyError{Member: member.Number}
	}
	for _, c := range own.commits {
		b.put(c, member, c.id)
	}
	return nil
}

// refuse says why a replay is no candidate, if it is none.
func refuse(member queue.Member, own history, replayed replay, whole merged) error {
	straight := len(own.merges) == 0
	switch {
	case !straight && !whole.clean():
		return &queue.ConflictError{Member: member.Number, Commit: member.Head, Files: whole.conflicts}
	case !straight && len(replayed.conflicts) > 0:
		return &queue.UnbuildableError{Member: member.Number, Reason: sayMergeNeeded(replayed.stopped.Short(), own.merges[len(own.merges)-1].Short())}
	case len(replayed.conflicts) > 0:
		return &queue.ConflictError{Member: member.Number, Commit: replayed.stopped, Files: replayed.conflicts}
	case whole.clean() && replayed.tip.tree != whole.tree && straight:
		return &queue.UnbuildableError{Member: member.Number, Reason: sayUndoes()}
	case whole.clean() && replayed.tip.tree != whole.tree:
		return &queue.UnbuildableError{Member: member.Number, Reason: sayMergeHoldsChanges(own.merges[len(own.merges)-1].Short())}
	}
	return nil
}

type wholeResult struct {
	merged
	err error
}

// startWhole merges the member as a whole beside the replay; nil when the replay is that very merge.
func (b *builder) startWhole(ctx context.Context, member queue.Member, own history) <-chan wholeResult {
	if len(own.commits) == 1 && len(own.merges) == 0 {
		return nil
	}
	done := make(chan wholeResult, 1)
	go func() {
		m, err := b.mergeHead(ctx, member, own)
		done <- wholeResult{m, err}
	}()
	return done
}

// replay is what became of some commits put onto a tip one by one.
type replay struct {
	tip       commit
	made      []step
	stopped   queue.SHA // the commit that did not apply
	conflicts []string  // where
}

// step is a commit made from one of the member's own.
type step struct{ made, source commit }

// replay puts commits onto the tip, leaving out those that change nothing there.
func (b *builder) replay(ctx context.Context, commits []commit) (replay, error) {
	result := replay{tip: b.tip}
	trees := map[queue.SHA]queue.SHA{b.tip.id: b.tip.tree}
	for _, c := range commits {
		trees[c.id] = c.tree
	}
	for _, c := range commits {
		m, err := b.pick(ctx, result.tip, c, trees)
		if err != nil {
			return replay{}, err
		}
		if !m.clean() {
			result.stopped, result.conflicts = c.id, m.conflicts
			return result, nil
		}
		if m.tree == result.tip.tree {
			continue
		}
		made, err := b.repo.writeCommit(commit{
			tree: m.tree, parents: []queue.SHA{result.tip.id},
			author: c.author, committer: b.by, encoding: c.encoding, message: c.message,
		})
		if err != nil {
			return replay{}, err
		}
		result.tip = made
		result.made = append(result.made, step{made: made, source: c})
	}
	return result, nil
}

// pick merges one commit into the tip with the commit's parent as the merge base. trees remembers the trees of commits.
func (b *builder) pick(ctx context.Context, tip, c commit, trees map[queue.SHA]queue.SHA) (merged, error) {
	if len(c.parents) == 1 {
		parent := c.parents[0]
		if _, ok := trees[parent]; !ok {
			p, err := b.objects.commit(parent)
			if err != nil {
				return merged{}, err
			}
			trees[parent] = p.tree
		}
		switch trees[parent] {
		case c.tree: // changes nothing at all
			return merged{tree: tip.tree}, nil
		case tip.tree:
			return merged{tree: c.tree}, nil
		}
	}
	ours := tip
	if c.id != b.natural {
		var err error
		if ours, err = b.standIn(tip.tree, c.parents); err != nil {
			return merged{}, err
		}
	}
	return b.repo.merge(ctx, ours.id, c.id)
}
