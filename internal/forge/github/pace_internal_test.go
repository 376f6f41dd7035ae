package github

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	for _, c := range []struct {
		name string
		b    budget
		want time.Duration
		cost int
		pace time.Duration
	}{
		{"before the first answer", budget{}, 30 * time.Second, 1, 30 * time.Second},
		{"plenty", budget{5000, 5000, in(time.Hour)}, 30 * time.Second, 1, 30 * time.Second},
		{"plenty, but for whom asks every second", budget{5000, 5000, in(time.Hour)}, time.Second, 1, 1440 * time.Millisecond},
		{"sixty lanes", budget{5000, 5000, in(time.Hour)}, 30 * time.Second, 60, 86400 * time.Millisecond},
		{"a forge that says no limit", budget{0, 100, in(50 * time.Minute)}, 30 * time.Second, 1, time.Minute},
		{"sixty requests an hour", budget{60, 60, in(time.Hour)}, 30 * time.Second, 1, 2 * time.Minute},
		{"little left, and soon more", budget{5000, 100, in(time.Minute)}, 30 * time.Second, 1, 30 * time.Second},
		{"little left for a long time", budget{5000, 100, in(50 * time.Minute)}, 30 * time.Second, 1, time.Minute},
		{"half of one poll", budget{5000, 1, in(10 * time.Minute)}, 30 * time.Second, 1, 10 * time.Minute},
		{"nothing left", budget{5000, 0, in(10 * time.Minute)}, 30 * time.Second, 1, 10 * time.Minute},
		{"nothing left for a moment", budget{5000, 0, in(time.Second)}, 30 * time.Second, 1, 30 * time.Second},
		{"granted anew since", budget{5000, 0, in(-time.Second)}, 30 * time.Second, 1, 30 * time.Second},
		{"a clock that is a day behind", budget{5000, 0, in(24 * time.Hour)}, 30 * time.Second, 1, time.Hour},
	} {
		if got := pace(c.b, now, c.want, c.cost); got != c.pace {
			t.Errorf("%s: every %v, want %v", c.name, got, c.pace)
		}
	}
}

// TestPollsLeaveHalfToLandings polls for an hour at whatever pace is said. Whatever landings take, as fast as they like, polls take no
// more than half of the hour's budget, and no more than half of what landings left.
func TestPollsLeaveHalfToLandings(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	const limit = 5000
	for _, lanes := range []int{1, 7, 200} {
		for _, taken := range []int{0, 1000, 4000} { // by landings, in the first minute
			b := budget{limit, limit, start.Add(time.Hour)}
			polls := 0
			for now := start; now.Before(b.reset); now = now.Add(pace(b, now, 10*time.Millisecond, lanes)) {
				if taken > 0 && now.Sub(start) > time.Minute {
					b.remaining, taken = b.remaining-taken, 0
				}
				polls += lanes
				b.remaining -= lanes
			}
			if polls > limit/2+lanes {
				t.Errorf("%d lanes took %d of %d requests", lanes, polls, limit)
			}
			if b.remaining < 0 || polls < lanes {
				t.Errorf("%d lanes: %d requests for polls, %d left", lanes, polls, b.remaining)
			}
		}
	}
}
