package github

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// polled is what is known of one lane's polls.
type polled struct {
	payer string
	at    time.Time
	cost  int // requests of the last poll that counted against the budget
}

// forgotten is how long a lane that is not polled any more still counts.
const forgotten = time.Hour

// payer names whose budget a repository's requests are taken from: the one token's, or that of the App's installation, of which each
// owner has one.
func (c *Client) payer(repo string) string {
	if c.app == nil {
		return ""
	}
	owner, _, _ := strings.Cut(strings.ToLower(repo), "/")
	return owner
}

// Pace is how long to wait between two polls of a lane of this repository, so that all polls on the same budget together leave at
// least half of what the forge still grants to landings. It is want or longer, and at most until the forge grants more.
func (c *Client) Pace(repo string, want time.Duration) time.Duration {
	now, payer := c.config.Now(), c.payer(repo)
	c.mu.Lock()
	defer c.mu.Unlock()
	var b budget
	for key, said := range c.budgets {
		if key != "app" && c.payer(key) == payer {
			b = b.less(said)
		}
	}
	cost := 0
	for _, p := range c.polls {
		if p.payer == payer && now.Sub(p.at) < forgotten {
			cost += max(1, p.cost)
		}
	}
	return pace(b, now, want, max(1, cost))
}

// pace is the interval at which polling everything, which costs so many requests, spends half of a whole hour's budget in an hour, and
// half of what is left in the time that is left. The first alone would starve landings once they have spent more than their half;
// the second alone, asked again and again, would spend half of each half that it had left.
func pace(b budget, now time.Time, want time.Duration, cost int) time.Duration {
	left := min(b.reset.Sub(now), time.Hour) // the forge counts by the hour; more is a clock that is wrong
	if b.reset.IsZero() || left <= 0 {
		return want
	}
	if b.limit > 0 {
		want = max(want, time.Hour*2*time.Duration(cost)/time.Duration(b.limit))
	}
	if b.remaining > 0 {
		left = min(left, left*2*time.Duration(cost)/time.Duration(b.remaining))
	}
	return max(want, left)
}

// polling notes what a poll costs. done is to be called at its end.
func (c *Client) polling(ctx context.Context, repo, trunk string) (_ context.Context, done func()) {
	paid := new(atomic.Int64)
	return context.WithValue(ctx, meter{}, paid), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		now := c.config.Now()
		for l, p := range c.polls {
			if now.Sub(p.at) >= forgotten {
				delete(c.polls, l)
			}
		}
		c.polls[strings.ToLower(repo)+":"+trunk] = polled{payer: c.payer(repo), at: now, cost: int(paid.Load())}
	}
}

// meter is the context key of a count of requests that cost something.
type meter struct{}

// charge counts an answer against whoever asked for its context to be metered. "Not modified" is free.
func charge(r *http.Request, status int) {
	if paid, ok := r.Context().Value(meter{}).(*atomic.Int64); ok && status != http.StatusNotModified {
		paid.Add(1)
	}
}
