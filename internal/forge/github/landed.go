package github

import (
	"context"
	"fmt"
	"slices"
	"time"

	gogithub "github.com/google/go-github/v60/github"

	"lander/internal/forge"
	"lander/internal/queue"
)

const (
	soon = 3 * time.Second  // by then the forge has mostly said "merged" itself
	late = 30 * time.Second // by then it never will
)

// landed says that a change is on trunk, and closes its pull request where the forge will not. A forge that finds the head on trunk
// says "merged", a moment later; closing first would keep that from ever being said.
func (t *teller) landed(ctx context.Context, n queue.Notice, remote string) (string, error) {
	pr, err := t.client.present(ctx, t.session, t.repo, n.Number)
	if err != nil {
		return remote, err
	}
	open, head := pr.GetState() == "open", queue.SHA(pr.GetHead().GetSHA())
	var wait error
	closes := false
	if open {
		var onTrunk bool
		if onTrunk, err = t.onTrunk(ctx, n, head); err != nil {
			return remote, err
		}
		switch {
		case onTrunk:
			wait = t.unmerged(n)
			closes = wait == nil
		case head == n.Head, slices.Contains(n.Ours, head): // what was approved, or what lander made of it
			closes = true
		default: // pushed since, so there is more to it than what landed
		}
	}
	write := forge.Comment
	if closes || !open && !pr.GetMerged() {
		write = forge.CommentOnClosed
	}
	if remote, err = t.comment(ctx, n, remote, write); err != nil || wait != nil {
		return remote, orElse(err, wait)
	}
	if closes {
		_, _, err = t.session.gh.PullRequests.Edit(ctx, t.owner, t.name, int(n.Number), &gogithub.PullRequest{State: gogithub.String("closed")})
	}
	return remote, t.fault("close pull request", err)
}

// onTrunk reports whether a pull request's head itself landed: as one of the commits made, or as a parent of a merge.
func (t *teller) onTrunk(ctx context.Context, n queue.Notice, head queue.SHA) (bool, error) {
	if n.Landing == nil {
		return false, nil
	}
	merge := false
	for _, c := range n.Landing.Commits {
		if c.SHA == head {
			return true, nil
		}
		merge = merge || c.From == ""
	}
	if !merge || head != n.Head {
		return false, nil
	}
	// Squashed or merged: only the history tells.
	tip := n.Landing.Commits[len(n.Landing.Commits)-1].SHA
	diff, _, err := t.session.gh.Repositories.CompareCommits(ctx, t.owner, t.name, string(tip), string(head), &gogithub.ListOptions{PerPage: 1})
	switch {
	case err == nil:
	case forge.Permanent(t.client.kind(t.session, err)):
		return false, nil // a commit that the forge does not know is not on trunk
	default:
		return false, t.fault("compare with trunk", err)
	}
	return diff.GetAheadBy() == 0, nil
}

// unmerged asks to look again at a pull request whose head is on trunk; nil when the forge has had its time.
func (t *teller) unmerged(n queue.Notice) error {
	now := t.client.config.Now()
	for _, patience := range []time.Duration{soon, late} {
		if until := n.At.Add(patience); now.Before(until) {
			return &unmergedError{number: n.Number, until: until}
		}
	}
	return nil
}

// unmergedError says that the forge has still to notice that a pull request landed.
type unmergedError struct {
	number queue.Number
	until  time.Time
}

func (e *unmergedError) Error() string {
	return fmt.Sprintf("the forge has not marked %v as merged yet", e.number)
}

// Until is when to look again.
func (e *unmergedError) Until() time.Time { return e.until }

func orElse(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
