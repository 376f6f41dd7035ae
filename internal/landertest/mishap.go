package landertest

import (
	"context"
	"errors"
	"fmt"

	"lander/internal/queue"
	"lander/internal/store/storetest"
)

// What happens to lander that nobody does to a pull request.

// meanwhile lets a command be done when lander comes to a point.
func (s *story) meanwhile(c command, a []string) error {
	return s.points.arm(point{name: a[1], after: a[0] == "after", deed: &command{number: c.number, text: a[2], below: c.below}})
}

// latePush lets the push arrive at which a lander was killed.
func (s *story) latePush(_ command, a []string) error {
	if s.late == nil {
		return errors.New("no lander was killed at a push")
	}
	err := s.late()
	s.log.note("late push: %v", err)
	switch {
	case a[0] == "taken":
		return err
	case err == nil:
		return errors.New("it was taken")
	case !errors.Is(err, queue.ErrMoved):
		return fmt.Errorf("it was not refused, but: %w", err)
	}
	return nil
}

// backUp keeps the database as it is now.
func (s *story) backUp(command, []string) error {
	if s.life != nil {
		return errors.New("lander is in the database: crash it first")
	}
	s.backup = storetest.Copy(s, s.database)
	return nil
}

// restore goes back to the database that was kept.
func (s *story) restore(command, []string) error {
	if s.backup == "" {
		return errors.New("nothing was backed up")
	}
	return s.useDatabase(func() string { return storetest.Copy(s, s.backup) })
}

func (s *story) loseDatabase(command, []string) error {
	return s.useDatabase(func() string { return storetest.New(s) })
}

// useDatabase lets the next lander have another database. What the one before knew of test runs is kept for the oracle.
func (s *story) useDatabase(made func() string) error {
	if s.life != nil {
		return errors.New("lander is in the database: crash it first")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	db := s.rooms(ctx).Store
	for _, l := range s.lanes {
		runs, err := db.Runs(ctx, l, 0, 0, 10_000)
		if err != nil {
			return err
		}
		s.gone[l] = append(s.gone[l], runs...)
	}
	db.Close()
	s.database = made()
	return nil
}

// rebuild does what "lander migrate --rebuild" does, by this world's clock.
func (s *story) rebuild(command, []string) error {
	if s.life != nil {
		return errors.New("lander is up: crash it first")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	rooms := s.rooms(ctx)
	defer rooms.Store.Close()
	s.pauses = append(s.pauses, pause{from: s.Now()})
	for _, l := range s.lanes {
		r, err := rooms.Rebuild(ctx, l, false)
		if err != nil {
			return err
		}
		s.log.note("rebuilt %v: %+v", l, r)
	}
	return nil
}
