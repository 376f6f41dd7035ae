package serve

import (
	"context"
	"fmt"
	"time"

	"lander/internal/queue"
)

// tidying is how often mirrors are packed and rid of what nobody needs any more.
const tidying = 24 * time.Hour

// tidy keeps the mirrors small until ctx ends.
func (s *Server) tidy(ctx context.Context) {
	tick := time.NewTicker(tidying)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.rooms.Tidy(ctx); err != nil {
			s.log.Warn().Err(err).Msg("mirrors are not tidied, trying again tomorrow")
		}
	}
}

// Tidy packs every mirror, keeping the heads of all changes that are known to be open.
func (r *Rooms) Tidy(ctx context.Context) error {
	heads := map[string][]queue.SHA{}
	for _, l := range r.Settings.Lanes {
		q, _, err := r.Store.View(ctx, l)
		if err != nil {
			return fmt.Errorf("tidy mirror of %s: %w", l.Repo, err)
		}
		for _, e := range q.Entries {
			heads[l.Repo] = append(heads[l.Repo], e.Head)
		}
	}
	for name, repo := range r.repos {
		if err := repo.mirror.Tidy(ctx, heads[name]...); err != nil {
			return fmt.Errorf("tidy mirror of %s: %w", name, err)
		}
	}
	return nil
}
