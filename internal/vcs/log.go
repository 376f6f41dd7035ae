package vcs

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"lander/internal/queue"
)

// Commit is a commit for people to read: its texts are valid UTF-8.
type Commit struct {
	SHA       queue.SHA
	Tree      queue.SHA
	Parents   []queue.SHA
	Author    string
	Email     string // of the author
	At        time.Time
	Committer string
	Committed time.Time
	Title     string
	Message   string
}

// Range says which commits to list.
type Range struct {
	From        queue.SHA // exclusive; empty means from the beginning
	To          queue.SHA // required: inclusive
	FirstParent bool      // follow only first parents
	Limit       int       // the newest so many; 0 means all
}

// Log lists the commits of a range, oldest first.
func (r *Repo) Log(ctx context.Context, over Range) ([]Commit, error) {
	commits, err := r.log(ctx, over)
	if err != nil {
		return nil, fmt.Errorf("list commits: %w", err)
	}
	return commits, nil
}

func (r *Repo) log(ctx context.Context, over Range) ([]Commit, error) {
	if err := full(over.To); err != nil {
		return nil, err
	}
	args := []string{"rev-list", "--topo-order", "--reverse"}
	if over.FirstParent {
		args = append(args, "--first-parent")
	}
	if over.Limit > 0 {
		args = append(args, fmt.Sprintf("--max-count=%d", over.Limit))
	}
	args = append(args, string(over.To))
	if over.From != "" {
		if err := full(over.From); err != nil {
			return nil, err
		}
		args = append(args, "^"+string(over.From))
	}
	out, err := r.git().Output(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	objects, err := r.objects(ctx)
	if err != nil {
		return nil, err
	}
	defer objects.close()
	var commits []Commit
	for line := range bytes.Lines(out) {
		c, err := objects.commit(queue.SHA(bytes.TrimSpace(line)))
		if err != nil {
			return nil, err
		}
		commits = append(commits, readable(c))
	}
	return commits, nil
}

func readable(c commit) Commit {
	name, email, at := signature(c.decode(c.author))
	committer, _, committed := signature(c.decode(c.committer))
	return Commit{
		SHA: c.id, Tree: c.tree, Parents: c.parents, Author: name, Email: email, At: at,
		Committer: committer, Committed: committed, Title: c.title(), Message: strings.TrimSpace(c.decode(c.message)),
	}
}
