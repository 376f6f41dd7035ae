package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"lander/internal/forge"
	"lander/internal/forge/github"
	"lander/internal/queue"
	"lander/internal/testrun"
	"lander/internal/vcs"
)

// elsewhere gives testrun a repository to run checks at.
type elsewhere struct {
	*vcs.Repo
	forge *github.Client
	name  string
}

var _ testrun.Elsewhere = (*elsewhere)(nil)

func (e *elsewhere) CheckRuns(ctx context.Context, sha queue.SHA) ([]queue.CheckRun, error) {
	told, err := e.forge.CheckRuns(ctx, e.name, sha)
	var denied *forge.DeniedError
	if errors.As(err, &denied) || forge.Permanent(err) {
		err = fmt.Errorf("%w: %w", queue.ErrHidden, err)
	}
	return told, err
}

func (e *elsewhere) RunAgain(ctx context.Context, r queue.CheckRef) error {
	return e.forge.RunAgain(ctx, e.name, r)
}

// Nudge has the runs of a lane that wait for checks look at once; the zero lane is every lane.
func (r *Rooms) Nudge(l queue.Lane) {
	for name, repo := range r.repos {
		if l.Repo == name || l == (queue.Lane{}) {
			repo.runner.Nudge()
		}
	}
}

// Resting is how many runs only wait for checks, for tests.
func (r *Rooms) Resting() (n int) {
	for _, repo := range r.repos {
		n += repo.runner.Resting()
	}
	return n
}

// sweeping is how often branches are looked for that no candidate needs any more. It costs one look at the git server for each repository.
const sweeping = 5 * time.Minute

// sweep deletes branches of candidates until ctx ends.
func (s *Server) sweep(ctx context.Context) {
	tick := time.NewTicker(min(sweeping, max(s.settings.BranchGrace, time.Second)))
	defer tick.Stop()
	for {
		if err := s.rooms.SweepBranches(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn().Err(err).Msg("branches of candidates are not swept, trying again later")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// SweepBranches deletes the branches of candidates that have been out of flight for the time of grace. After a start that time begins
// anew, for nobody remembers: branches are kept longer then, and never shorter. It touches only what is lander's by its name and its
// commit. Calls must not overlap.
func (r *Rooms) SweepBranches(ctx context.Context) error {
	var all error
	for name, repo := range r.repos {
		if err := r.sweepRepository(ctx, name, repo); err != nil {
			all = errors.Join(all, fmt.Errorf("sweep branches of %s: %w", name, err))
		}
	}
	return all
}

func (r *Rooms) sweepRepository(ctx context.Context, name string, repo *repository) error {
	if _, err := os.Stat(filepath.Join(repo.mirror.Dir, "HEAD")); errors.Is(err, fs.ErrNotExist) {
		return nil // this lander has kept no lane of it yet
	}
	// Before the lanes: what is pushed after that belongs to a candidate that they show.
	offered, err := repo.mirror.Offered(ctx)
	if err != nil || len(offered) == 0 {
		repo.spare = nil
		return err
	}
	spare := map[string]time.Time{}
	for _, l := range r.Settings.Lanes {
		if l.Repo != name {
			continue
		}
		q, _, err := r.Store.View(ctx, l)
		if err != nil {
			return err
		}
		for branch, sha := range offered {
			id, ok := l.RunOf(branch, sha)
			if !ok || q.Candidate(id) != nil {
				continue
			}
			since, known := repo.spare[branch]
			if !known {
				since = r.now()
			}
			if spare[branch] = since; r.now().Sub(since) < r.Settings.BranchGrace {
				continue
			}
			if err := repo.mirror.Retract(ctx, branch, sha); err != nil && !errors.Is(err, queue.ErrMoved) {
				return err
			}
			delete(spare, branch)
		}
	}
	repo.spare = spare
	return nil
}
