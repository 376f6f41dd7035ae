package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"lander/internal/queue"
)

// tidying is how often mirrors are packed and rid of what nobody needs any more.
const tidying = 24 * time.Hour

// keeping is how long logs of test runs and dealt-with webhooks are kept.
const keeping = 30 * 24 * time.Hour

// tidy keeps the mirrors small until ctx ends.
func (s *Server) tidy(ctx context.Context) {
	for wait := time.Hour; ; wait = tidying { // the first time soon, for a lander that is restarted daily
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if err := s.rooms.Tidy(ctx); err != nil {
			s.log.Warn().Err(err).Msg("mirrors are not tidied, trying again tomorrow")
		}
		if err := s.store.Prune(ctx, time.Now().Add(-keeping)); err != nil {
			s.log.Warn().Err(err).Msg("the database is not pruned, trying again tomorrow")
		}
		if err := s.rooms.PruneLogs(time.Now().Add(-keeping)); err != nil {
			s.log.Warn().Err(err).Msg("logs of test runs are not pruned, trying again tomorrow")
		}
	}
}

// PruneLogs deletes the logs of test runs that ended before then.
func (r *Rooms) PruneLogs(before time.Time) error {
	var all error
	for _, repo := range r.repos {
		logs, err := os.ReadDir(repo.runner.Logs)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
			continue
		}
		for _, l := range logs {
			info, err := l.Info()
			if err != nil || !info.ModTime().Before(before) {
				continue // one that is gone, or is still being written
			}
			all = errors.Join(all, os.Remove(filepath.Join(repo.runner.Logs, l.Name())))
		}
	}
	return all
}

// Tidy packs every mirror, keeping the heads of all changes that are known to be open, what is in flight, and what cases are about.
func (r *Rooms) Tidy(ctx context.Context) error {
	keep := map[string][]queue.SHA{}
	for _, l := range r.Settings.Lanes {
		q, _, err := r.Store.View(ctx, l)
		if err != nil {
			return fmt.Errorf("tidy mirror of %s: %w", l.Repo, err)
		}
		for _, e := range q.Entries {
			keep[l.Repo] = append(keep[l.Repo], e.Head)
		}
		for _, c := range q.Candidates {
			keep[l.Repo] = append(keep[l.Repo], c.Built.SHA)
		}
		for _, k := range q.Cases {
			for _, b := range k.Chain {
				keep[l.Repo] = append(keep[l.Repo], b.SHA)
			}
		}
	}
	for name, repo := range r.repos {
		if err := repo.mirror.Tidy(ctx, keep[name]...); err != nil {
			return fmt.Errorf("tidy mirror of %s: %w", name, err)
		}
	}
	return nil
}
