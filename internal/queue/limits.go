package queue

import "time"

// infraTries is how often a candidate is run in vain through the host's fault before its change is set aside, so that one entry
// that kills every machine cannot block the rest.
const infraTries = 3

// confirmFor is how long a look at the members of a passed candidate is good for: long enough for the push to begin, short enough
// that a lander that comes back after a crash looks again.
const confirmFor = 10 * time.Second

// backoff is the wait after the nth failure in a row: 5 s doubling up to 5 minutes.
func backoff(n int) time.Duration {
	d := 5 * time.Second
	for ; n > 1 && d < 5*time.Minute; n-- {
		d *= 2
	}
	return min(d, 5*time.Minute)
}
