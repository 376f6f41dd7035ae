package landertest

import (
	"sync"
	"time"
)

// clock is the only time in a world.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

// begin is a Monday morning.
var begin = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
