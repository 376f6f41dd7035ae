package vcs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"lander/internal/queue"
)

// Build makes a candidate in the mirror, where Base and all heads must be. It answers *queue.ConflictError,
// *queue.UnbuildableError or *queue.EmptyError when a member is at fault; any other error is the operator's.
func (r *Repo) Build(ctx context.Context, req queue.BuildRequest) (queue.Built, error) {
	built, err := r.build(ctx, req)
	var (
		conflict   *queue.ConflictError
		unbuildble *queue.UnbuildableError
		empty      *queue.EmptyError
	)
	if err == nil || errors.As(err, &conflict) || errors.As(err, &unbuildble) || errors.As(err, &empty) {
		return built, err
	}
	return queue.Built{}, fmt.Errorf("build candidate: %w", err)
}

func (r *Repo) build(ctx context.Context, req queue.BuildRequest) (queue.Built, error) {
	if err := checkRequest(req); err != nil {
		return queue.Built{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends what still runs beside a replay that failed
	objects, err := r.objects(ctx)
	if err != nil {
		return queue.Built{}, err
	}
	defer objects.close()
	b := &builder{repo: r, objects: objects, by: r.committer(req.At), base: req.Base, lineage: r.lineage(ctx, req.Base, req.Members)}
	for _, member := range req.Members {
		if err := b.add(ctx, req.Style, member); err != nil {
			return queue.Built{}, err
		}
	}
	b.built.SHA, b.built.Tree = b.tip.id, b.tip.tree
	return b.built, nil
}

func checkRequest(req queue.BuildRequest) error {
	if len(req.Members) == 0 || req.At.IsZero() {
		return errors.New("no members or no date")
	}
	switch req.Style {
	case "", queue.StyleRebase, queue.StyleSquash, queue.StyleMerge:
	default:
		return fmt.Errorf("unknown style %q", req.Style)
	}
	for _, member := range req.Members {
		if err := full(member.Head); err != nil {
			return err
		}
	}
	return full(req.Base)
}

// committer is the committer line of every commit made at a time.
func (r *Repo) committer(at time.Time) string {
	return fmt.Sprintf("%s <%s> %d +0000", cmp.Or(r.Name, "lander"), cmp.Or(r.Email, "lander@localhost"), at.Unix())
}

// builder puts one member after the other onto the tip.
type builder struct {
	repo    *Repo
	objects *objects
	by      string      // committer line
	base    queue.SHA   // of the candidate
	below   []queue.SHA // heads of the members that the tip has already
	lineage *lineage    // of all members; nil: not known
	tip     commit
	natural queue.SHA // a commit whose parent is its merge base with the tip
	built   queue.Built
}

func (b *builder) add(ctx context.Context, style queue.Style, member queue.Member) error {
	if b.tip.id == "" {
		tip, err := b.objects.commit(b.base)
		if err != nil {
			return err
		}
		b.tip = tip
	}
	own, err := b.own(ctx, member)
	if err != nil {
		return err
	}
	switch style {
	case queue.StyleSquash:
		err = b.squash(ctx, member, own)
	case queue.StyleMerge:
		err = b.mergeIn(ctx, member, own)
	default:
		err = b.rebase(ctx, member, own)
	}
	b.below = append(b.below, member.Head)
	return err
}

// squash makes one commit of all that the member changes, by the author of its first commit.
func (b *builder) squash(ctx context.Context, member queue.Member, own history) error {
	tree, err := b.whole(ctx, member, own)
	if err != nil {
		return err
	}
	first := own.commits[0]
	message := member.Message
	if message == "" {
		message = first.decode(first.message)
	}
	made, err := b.repo.writeCommit(commit{
		tree: tree, parents: []queue.SHA{b.tip.id}, author: first.decode(first.author), committer: b.by, message: endLine(message),
	})
	if err != nil {
		return err
	}
	b.put(made, member, "")
	return nil
}

// mergeIn makes a merge commit whose second parent is the member's head.
func (b *builder) mergeIn(ctx context.Context, member queue.Member, own history) error {
	tree, err := b.whole(ctx, member, own)
	if err != nil {
		return err
	}
	message := member.Message
	if message == "" {
		message = defaultMergeTitle(member.Number)
	}
	made, err := b.repo.writeCommit(commit{
		tree: tree, parents: []queue.SHA{b.tip.id, member.Head}, author: b.by, committer: b.by, message: endLine(message),
	})
	if err != nil {
		return err
	}
	b.put(made, member, "")
	return nil
}

// whole is the tree that merging the member's head into the tip gives.
func (b *builder) whole(ctx context.Context, member queue.Member, own history) (queue.SHA, error) {
	result, err := b.mergeHead(ctx, member, own)
	switch {
	case err != nil:
		return "", err
	case !result.clean():
		return "", &queue.ConflictError{Member: member.Number, Commit: member.Head, Files: result.conflicts}
	case result.tree == b.tip.tree:
		return "", &queue.EmptyError{Member: member.Number}
	}
	return result.tree, nil
}

// mergeHead merges the member's head into the tip. The tip's history does not show which heads it has, because they
// were rewritten; a stand-in that has them as parents lets git find the right merge base for stacked members.
func (b *builder) mergeHead(ctx context.Context, member queue.Member, own history) (merged, error) {
	if own.onTop {
		return merged{tree: own.last().tree}, nil
	}
	ours := b.tip
	if len(b.below) > 0 {
		var err error
		ours, err = b.standIn(b.tip.tree, append([]queue.SHA{b.base}, b.below...))
		if err != nil {
			return merged{}, err
		}
	}
	return b.repo.merge(ctx, ours.id, member.Head)
}

// standIn writes a throw-away commit that has a tree and whatever parents a merge needs to see.
func (b *builder) standIn(tree queue.SHA, parents []queue.SHA) (commit, error) {
	return b.repo.writeCommit(commit{tree: tree, parents: parents, author: b.by, committer: b.by})
}

func (b *builder) put(c commit, member queue.Member, from queue.SHA) {
	b.tip = c
	b.built.Commits = append(b.built.Commits, queue.BuiltCommit{SHA: c.id, Member: member.Number, From: from, Title: c.title()})
}

func endLine(message string) string {
	if message == "" || message[len(message)-1] != '\n' {
		return message + "\n"
	}
	return message
}
