package serve

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"lander/internal/queue"
)

// moveHead moves the branch of a pull request, but never one that lander lands on or keeps its ledger in.
func (r *Rooms) moveHead(repo *repository, l queue.Lane) func(context.Context, queue.HeadMove) error {
	return func(ctx context.Context, m queue.HeadMove) error {
		if err := r.refuseOwn(m); err != nil {
			return err
		}
		return repo.mirror.MoveHead(ctx, r.remoteOf(l, m), m)
	}
}

func (r *Rooms) refuseOwn(m queue.HeadMove) error {
	trunk := slices.ContainsFunc(r.Settings.Lanes, func(o queue.Lane) bool {
		return strings.EqualFold(o.Repo, m.Repo) && o.Trunk == m.Branch
	})
	if trunk || strings.HasPrefix(m.Branch, queue.LedgerPrefix) {
		return fmt.Errorf("move head of %v: %w", m.Number, errOwnBranch(m.Branch))
	}
	return nil
}

// remoteOf is where the branch's repository is; empty: it is the lane's own.
func (r *Rooms) remoteOf(l queue.Lane, m queue.HeadMove) string {
	if strings.EqualFold(m.Repo, l.Repo) {
		return ""
	}
	return r.Settings.Remote(m.Repo)
}

// moveHeads is moveHead for several branches, with one push to each repository that has some of them.
func (r *Rooms) moveHeads(repo *repository, l queue.Lane) func(context.Context, []queue.HeadMove) []error {
	return func(ctx context.Context, moves []queue.HeadMove) []error {
		errs := make([]error, len(moves))
		places := map[string][]int{}
		for i, m := range moves {
			if errs[i] = r.refuseOwn(m); errs[i] == nil {
				remote := r.remoteOf(l, m)
				places[remote] = append(places[remote], i)
			}
		}
		for remote, at := range places {
			its := make([]queue.HeadMove, len(at))
			for j, i := range at {
				its[j] = moves[i]
			}
			for j, err := range repo.mirror.MoveHeads(ctx, remote, its) {
				errs[at[j]] = err
			}
		}
		return errs
	}
}

// askedFor is how long the forge may take to say who else uses a branch. A landing does not wait longer, and leaves the branch alone.
const askedFor = 3 * time.Second

// mayMove keeps lander's hands off branches that live longer than one pull request, or serve more than one: what others stand on is
// not to be rewritten for the sake of a word.
func (r *Rooms) mayMove(l queue.Lane) func(context.Context, queue.HeadMove) error {
	return func(ctx context.Context, m queue.HeadMove) error {
		ctx, cancel := context.WithTimeout(ctx, askedFor)
		defer cancel()
		why, err := r.Forge.Shared(ctx, l.Repo, m.Repo, m.Branch, m.Number)
		if err == nil && why != "" {
			err = errSharedBranch(m.Branch, why)
		}
		return err
	}
}

// registered is how long the forge may take to notice a push to a pull request's branch. A landing that waits longer goes on, and
// shows as closed.
const registered = 10 * time.Second

// awaitHead asks the forge, at first often, until it shows the pull request at that head.
func (r *Rooms) awaitHead(l queue.Lane) func(context.Context, queue.Number, queue.SHA) error {
	return func(ctx context.Context, n queue.Number, head queue.SHA) error {
		ctx, cancel := context.WithTimeout(ctx, registered)
		defer cancel()
		for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
			is, _, _, err := r.Forge.Head(ctx, l.Repo, n)
			if err != nil {
				return fmt.Errorf("await head of %v: %w", n, err)
			}
			if is == head {
				return nil
			}
			timer := time.NewTimer(wait)
			select {
			case <-ctx.Done():
				timer.Stop()
				return fmt.Errorf("await head of %v: the forge still shows %s: %w", n, is.Short(), ctx.Err())
			case <-timer.C:
			}
		}
	}
}
