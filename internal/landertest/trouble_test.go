package landertest

import (
	"errors"
	"testing"
	"time"

	"lander/internal/hub"
	"lander/internal/queue"
)

// flying is how many candidates are being tested.
func (s *shopDay) flying() (n int) {
	for _, c := range s.life.keepers[0].State().Candidates {
		if c.Of == 0 && c.State == queue.CandidateTesting {
			n++
		}
	}
	return n
}

// Whatever strikes a train, the same land as would have without it, and the others hear why they do not: with five candidates in flight
// lander is killed between one thing and the next, and as a verdict is stored; another one takes over while the first lives on; somebody
// pushes to trunk; lander is killed when trunk is pushed; landing is paused until all runs have ended.
func TestADayOfTrouble(t *testing.T) {
	t.Parallel()
	s := openShop(t, 16, 5, 3)
	st := &story{world: s.world}
	troubles := []struct {
		flying int // candidates that are in flight at least
		strike func() error
	}{
		{5, func() error {
			s.kill(s.life)
			s.start()
			return nil
		}},
		{5, func() error { return s.points.arm(point{name: "verdict", kill: true}) }},
		{3, func() error { return st.replace(command{}, nil) }},
		{3, func() error {
			_, err := s.hub.Push(repository, hub.Push{By: owner, Branch: "main", Commits: []hub.Commit{{
				Message: "Put out a fire", Files: map[string]string{"notice.txt": "Fire is out.\n"},
			}}})
			return err
		}},
		{3, func() error { return s.points.arm(point{name: "push", after: true, kill: true}) }},
		{3, func() error {
			till := s.Now().Sub(s.dawn).Truncate(time.Second) + 40*time.Minute // no finer than the log of pushes
			s.at(till, func() error { return st.resume(command{}, []string{"ada"}) })
			return st.pause(command{}, []string{"ada", "lunch"})
		}},
	}
	struck, last := 0, time.Time{}
	s.after = func() error {
		if struck == len(troubles) || len(s.points.left()) > 0 || s.flying() < troubles[struck].flying || s.Now().Sub(last) < time.Minute {
			return nil
		}
		struck, last = struck+1, s.Now()
		s.log.note("after %v: trouble %d, %d in flight", s.Now().Sub(s.dawn), struck, s.flying())
		return errors.Join(troubles[struck-1].strike(), s.delivered())
	}
	s.must(s.pass())
	s.judge()
	s.spent(" through trouble")
	if struck < len(troubles) || s.deaths != 2 || s.zombie != nil {
		t.Errorf("%d of %d troubles struck; %d landers died on their way; the zombie is there still: %v", struck, len(troubles), s.deaths, s.zombie != nil)
	}
}
