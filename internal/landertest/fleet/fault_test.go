package fleet

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"lander/internal/hub"
)

// fault is one way to break something.
type fault struct {
	name   string
	after  *bool                                     // whether it strikes after the effect; nil: the seed decides
	second bool                                      // it needs another replica; otherwise the seed decides whether there is one
	hooks  bool                                      // it is about webhooks, so polls are slow
	strike func(c *cell, r *replica, seen bool) bool // breaks it at the step, and reports whether the step fails; seen: caught in the front
	end    func(c *cell) error                       // mends it, some time later; nil: nothing to mend
	wake   func(c *cell, rest func() error) error    // what is left to happen when all is at rest
}

func yes() *bool { b := true; return &b }
func no() *bool  { return new(bool) }

// someTime is how long what is broken stays so, unless enough has been broken by it.
const someTime = 900 * time.Millisecond

var allFaults = []fault{
	{name: "killed before", after: no(), strike: kill, end: again},
	{name: "killed after", after: yes(), strike: kill, end: again},
	{name: "error before", after: no(), strike: fail},
	{name: "error after", after: yes(), strike: fail},
	{name: "zombie", second: true, strike: (*cell).bury, wake: (*cell).rise},
	{name: "second replica", second: true, strike: (*cell).usurp},
	{name: "git client killed", strike: (*cell).killGit, end: (*cell).gitWasKilled},
	{name: "database killed", strike: (*cell).killDatabase, end: (*cell).databaseIsBack},
	{name: "git server gone", strike: weatherly("git"), end: (*cell).clear},
	{name: "forge 500", strike: weatherly("500"), end: (*cell).clear},
	{name: "forge rate limit", strike: weatherly("403"), end: (*cell).clear},
	{name: "forge 2nd limit", strike: weatherly("429"), end: (*cell).clear},
	{name: "forge times out", strike: weatherly("silent"), end: (*cell).clear},
	{name: "webhooks lost", hooks: true, strike: hooks("lose")},
	{name: "webhooks twice", hooks: true, strike: hooks("twice")},
	{name: "webhooks disordered", hooks: true, strike: hooks("hold"), end: (*cell).reorder},
	{name: "webhooks late", hooks: true, strike: hooks("hold"), wake: (*cell).anHourLater},
	{name: "human pushes", strike: (*cell).bypass},
	{name: "human rewinds", strike: (*cell).rewind},
	{name: "paused", strike: (*cell).isPaused, end: (*cell).isResumed},
	{name: "killed and paused", after: no(), strike: (*cell).isPausedLate, end: (*cell).isResumed},
	{name: "disk full", strike: (*cell).fillDisk, end: (*cell).emptyDisk},
	{name: "clock jumps", strike: (*cell).jump, wake: (*cell).stillPolls},
}

func kill(c *cell, r *replica, seen bool) bool {
	r.proc.kill()
	c.struck.killed = r
	if !seen || c.struck.after {
		return true
	}
	// Its git client lives on, and what that has asked for may still arrive, or later, when others are at work.
	if c.coin() {
		return true
	}
	if !c.alone && c.coin() {
		then := time.Now()
		until(2*time.Second, func() bool { return c.heldSince(then, r) })
		pause(c.random(400))
	}
	return false
}

// pause is for what has no condition to wait for: a push under way for some time.
func pause(d time.Duration) { <-time.After(d) }

// again starts the replica that was killed once more, on its directory.
func again(c *cell) error {
	_, err := c.start(c.struck.killed)
	return err
}

func fail(*cell, *replica, bool) bool { return true }

// bury stops the replica, and cuts it off so that another one takes over.
func (c *cell) bury(r *replica, _ bool) bool {
	r.freeze(true)
	c.struck.buried = r
	if err := c.cluster.Cut(context.Background(), c.db, r.name); err != nil {
		c.breach("%v", err)
	}
	c.strikeDone()
	<-c.risen
	return false
}

// rise lets the zombie go on, and then gives it the lane.
func (c *cell) rise(rest func() error) error {
	r := c.struck.buried
	r.freeze(false)
	close(c.risen)
	if err := rest(); err != nil {
		return err
	}
	then := time.Now()
	for _, other := range c.alive() {
		if other != r {
			other.proc.kill()
		}
	}
	if !until(limit, func() bool { return !r.proc.alive() || c.heldSince(then, nil) }) {
		c.breach("the zombie never held the lane again, though nobody else did")
	}
	if !r.proc.alive() {
		if _, err := c.start(r); err != nil {
			return err
		}
	}
	return rest()
}

// usurp lets another replica take the lane while its holder lives and does not know.
func (c *cell) usurp(*replica, bool) bool {
	then, holder := time.Now(), c.holder(c.lane)
	if err := c.cluster.Cut(context.Background(), c.db, holder.name); err != nil {
		c.breach("%v", err)
	}
	if !until(5*time.Second, func() bool { return c.heldSince(then, holder) }) {
		c.breach("nobody took over")
	}
	pause(c.random(200))
	return false
}

func (c *cell) killGit(r *replica, seen bool) bool {
	if seen {
		r.proc.killGits()
		return c.coin()
	}
	wait := c.random(15)
	go func() {
		defer close(c.killed)
		until(2*time.Second, func() bool {
			if len(r.proc.gits()) == 0 {
				return !r.proc.alive()
			}
			pause(wait)
			return r.proc.killGits()
		})
	}()
	c.struck.hunting = true
	return false
}

func (c *cell) gitWasKilled() error {
	if c.struck.hunting {
		<-c.killed
	}
	return nil
}

func (c *cell) killDatabase(*replica, bool) bool {
	if err := c.cluster.Kill(); err != nil {
		c.breach("%v", err)
	}
	back := func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		pause(c.random(300))
		if err := c.cluster.Restart(ctx); err != nil {
			c.breach("%v", err)
		}
		close(c.back)
	}
	if c.coin() {
		back()
	} else {
		go back()
	}
	return false
}

func (c *cell) databaseIsBack() error {
	<-c.back
	// A replica that was just starting has ended, as one does without a database.
	for _, r := range c.all() {
		if !r.proc.alive() {
			if _, err := c.start(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func weatherly(mode string) func(*cell, *replica, bool) bool {
	return func(c *cell, _ *replica, seen bool) bool {
		if mode != "git" {
			c.weather.set("", mode)
			return false
		}
		c.weather.set([]string{"503", "closed"}[c.pick(2)], "")
		return seen && c.struck.after // and the answer does not come
	}
}

// clear ends bad weather when it has done something, or when it had the time to.
func (c *cell) clear() error {
	enough := 1 + c.pick(5)
	until(someTime, func() bool { return c.weather.strikes() >= enough })
	c.weather.set("", "")
	return nil
}

func hooks(mode string) func(*cell, *replica, bool) bool {
	return func(c *cell, _ *replica, _ bool) bool {
		c.wire.set(mode)
		return false
	}
}

func (c *cell) reorder() error {
	pause(someTime)
	c.wire.release()
	return nil
}

func (c *cell) anHourLater(rest func() error) error {
	for _, r := range c.alive() {
		r.order(order{Clock: time.Hour})
	}
	c.wire.release()
	return rest()
}

func (c *cell) bypass(*replica, bool) bool {
	more := []hub.Commit{write("Past lander", "human.txt", "by hand\n")}
	if _, err := c.hub.Push(app, hub.Push{By: owner, Branch: "main", Commits: more}); err != nil {
		c.breach("%v", err)
	}
	return false
}

func (c *cell) rewind(*replica, bool) bool {
	git, err := c.git(app)
	var refused *hub.RefusedPushError
	for try := 0; err == nil || errors.As(err, &refused) && try < 5; try++ { // a landing may be faster
		var to string
		if to, err = git.Text(context.Background(), "rev-parse", "refs/heads/main~1"); err == nil {
			if _, err = c.hub.Push(app, hub.Push{By: owner, Branch: "main", SHA: to, Force: true}); err == nil {
				return false
			}
		}
	}
	c.breach("%v", err)
	return false
}

func (c *cell) fillDisk(r *replica, _ bool) bool {
	c.struck.full = r
	if err := r.fill(true); err != nil {
		c.breach("%v", err)
	}
	return false
}

func (c *cell) emptyDisk() error {
	pause(someTime)
	return c.struck.full.fill(false)
}

func (c *cell) jump(r *replica, _ bool) bool {
	r.order(order{Clock: []time.Duration{3 * time.Hour, -3 * time.Hour}[c.pick(2)]})
	return false
}

// stillPolls moves trunk once more, of which only a poll can tell.
func (c *cell) stillPolls(rest func() error) error {
	c.bypass(nil, false)
	return rest()
}

// dice decides what a cell leaves open.
type dice struct{ *rand.Rand }

func roll(seed uint64, cell string) dice {
	var h uint64 = 14695981039346656037
	for _, b := range []byte(cell) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return dice{rand.New(rand.NewPCG(seed, h))}
}
