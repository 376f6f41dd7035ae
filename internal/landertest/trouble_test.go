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

// The same thirty land or do not, and hear the same, whatever strikes a train of five: lander is killed between one thing and the next, or
// as a run's verdict is stored, or after the push; a second one takes over while the first lives on; somebody pushes past it; it is paused
// until the runs have ended.
func TestThirtyThroughTrouble(t *testing.T) {
	t.Parallel()
	s := thirty(t, 5, 3)
	dies := func(name string, after bool) func() error {
		return func() error { return s.points.arm(point{name: name, after: after, kill: true}) }
	}
	st := &story{world: s.world}
	troubles := []func() error{
		func() error {
			s.kill(s.life)
			s.start()
			return nil
		},
		dies("verdict", false),
		func() error { return st.replace(command{}, nil) },
		func() error {
			_, err := s.hub.Push(repository, hub.Push{By: owner, Branch: "main", Commits: []hub.Commit{{Message: "Put out a fire", Files: map[string]string{"notice.txt": "Fire is out.\n"}}}})
			return err
		},
		dies("push", true),
		func() error {
			s.at(s.Now().Sub(s.dawn)+40*time.Minute, func() error { return st.resume(command{}, []string{"ada"}) })
			return st.pause(command{}, []string{"ada", "lunch"})
		},
	}
	struck, last := 0, time.Time{}
	s.after = func() error {
		if struck == len(troubles) || len(s.points.left()) > 0 || s.flying() < 5 || s.Now().Sub(last) < time.Minute {
			return nil
		}
		struck, last = struck+1, s.Now()
		s.log.note("after %v: trouble %d", s.Now().Sub(s.dawn), struck)
		return errors.Join(troubles[struck-1](), s.delivered())
	}
	s.must(s.pass())
	s.judge()
	s.spent("thirty changes through trouble")
	if struck < len(troubles) || s.deaths != 2 || s.zombie != nil {
		t.Errorf("%d of %d troubles struck a train of five; %d landers died on their way; the zombie is there still: %v", struck, len(troubles), s.deaths, s.zombie != nil)
	}
}
