package fleet

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/vcs"
)

// blows are what breaks in a soak, and how often each against the others.
var blows = []struct {
	name   string
	weight int
	do     func(s *soak, d dice) error
}{
	{"replica killed", 10, (*soak).killHolder},
	{"git client killed", 4, (*soak).killGit},
	{"Postgres killed", 2, (*soak).killPostgres},
	{"replica stopped for a while", 2, (*soak).stopHolder},
	{"replica cut off from Postgres", 2, (*soak).cutHolder},
	{"git server gone", 2, (*soak).gitGone},
	{"forge out of order", 4, (*soak).forgeSick},
	{"webhooks lost, late or twice", 3, (*soak).noWebhooks},
	{"disk full", 1, (*soak).fullDisk},
	{"human pushed", 2, (*soak).humanPush},
	{"human rewound", 1, (*soak).humanRewind},
	{"lane paused", 3, (*soak).pauseLane},
}

// fire breaks something again and again, with at most so much time between.
func (s *soak) fire(d dice, most time.Duration, end <-chan struct{}) error {
	total := 0
	for _, b := range blows {
		total += b.weight
	}
	for {
		select {
		case <-end:
			return nil
		case <-time.After(most/4 + time.Duration(d.Int64N(int64(most*3/4)))):
		}
		which := d.IntN(total)
		for _, b := range blows {
			if which -= b.weight; which >= 0 {
				continue
			}
			s.note("FAULT %s", b.name)
			s.figures.Faults[b.name]++
			if err := b.do(s, d); err != nil {
				return err
			}
			break
		}
		if err := s.crew(); err != nil {
			return err
		}
	}
}

// victim is the holder of some lane, or, now and then, any replica.
func (s *soak) victim(d dice) *replica {
	up := s.alive()
	if len(up) == 0 {
		return nil
	}
	any, lane := up[d.IntN(len(up))], s.lanes[d.IntN(len(s.lanes))]
	if h := s.holder(lane); d.IntN(4) > 0 && h != nil && slices.Contains(up, h) {
		return h
	}
	return any
}

// lanesOf are the lanes that a replica holds.
func (s *soak) lanesOf(r *replica) (ls []queue.Lane) {
	for _, l := range s.lanes {
		if s.holder(l) == r {
			ls = append(ls, l)
		}
	}
	return ls
}

// killHolder kills a replica and measures when its lanes are held again. It is started again only then, or later.
func (s *soak) killHolder(d dice) error {
	r, wait := s.victim(d), time.Duration(d.IntN(1500))*time.Millisecond
	if r == nil {
		return nil
	}
	lanes := s.lanesOf(r)
	then := time.Now()
	r.proc.kill()
	s.figures.Kills++
	for _, l := range lanes {
		if !until(limit, func() bool { return s.taken(l, r, then) > 0 }) {
			return errors.New(l.String() + " was not taken over")
		}
		s.figures.taken = append(s.figures.taken, s.taken(l, r, then))
		s.note("%v was taken over after %v", l, s.taken(l, r, then))
	}
	pause(wait)
	return nil
}

// taken is how long after then a lane was held by another replica; 0: not yet.
func (s *soak) taken(l queue.Lane, than *replica, then time.Time) time.Duration {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	for _, h := range s.held {
		if h.lane == l.String() && h.by != than && h.at.After(then) {
			return h.at.Sub(then)
		}
	}
	return 0
}

func (s *soak) killGit(d dice) error {
	r := s.victim(d)
	wait := time.Duration(d.IntN(30)) * time.Millisecond
	if r == nil {
		return nil
	}
	until(3*time.Second, func() bool { return len(r.proc.gits()) > 0 || !r.proc.alive() })
	pause(wait)
	if r.proc.killGits() {
		s.figures.Kills++
	}
	return nil
}

func (s *soak) killPostgres(d dice) error {
	if err := s.cluster.Kill(); err != nil {
		return err
	}
	s.figures.Kills++
	pause(time.Duration(d.IntN(1000)) * time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return s.cluster.Restart(ctx)
}

func (s *soak) stopHolder(d dice) error {
	r := s.victim(d)
	wait := time.Duration(500+d.IntN(3000)) * time.Millisecond
	if r == nil {
		return nil
	}
	r.freeze(true)
	err := s.cluster.Cut(context.Background(), s.db, r.name)
	pause(wait)
	r.freeze(false)
	return err
}

func (s *soak) cutHolder(d dice) error {
	r := s.victim(d)
	if r == nil {
		return nil
	}
	return s.cluster.Cut(context.Background(), s.db, r.name)
}

func (s *soak) gitGone(d dice) error {
	s.weather.set([]string{"503", "closed"}[d.IntN(2)], "")
	pause(time.Duration(300+d.IntN(2000)) * time.Millisecond)
	s.weather.set("", "")
	return nil
}

func (s *soak) forgeSick(d dice) error {
	s.weather.set("", []string{"500", "403", "429", "silent"}[d.IntN(4)])
	pause(time.Duration(300+d.IntN(2000)) * time.Millisecond)
	s.weather.set("", "")
	return nil
}

func (s *soak) noWebhooks(d dice) error {
	s.wire.set([]string{"lose", "hold", "twice"}[d.IntN(3)])
	pause(time.Duration(500+d.IntN(3000)) * time.Millisecond)
	s.wire.release()
	return nil
}

func (s *soak) fullDisk(d dice) error {
	r := s.victim(d)
	wait := time.Duration(300+d.IntN(2000)) * time.Millisecond
	if r == nil || !r.disk {
		return nil
	}
	err := r.fill(true)
	pause(wait)
	return errors.Join(err, r.fill(false))
}

func (s *soak) humanPush(d dice) error {
	l := s.lanes[d.IntN(len(s.lanes))]
	s.mu.Lock()
	s.branches++
	n := s.branches
	s.mu.Unlock()
	more := write("Past lander", "human.txt", "by hand, "+time.Duration(n).String()+"\n")
	_, err := s.hub.Push(l.Repo, hub.Push{By: owner, Branch: l.Trunk, Commits: []hub.Commit{more}})
	var refused *hub.RefusedPushError
	if errors.As(err, &refused) {
		return nil // lander was quicker
	}
	return err
}

// humanRewind takes the newest commit off a trunk, unless that is one of the first. An admin lets lander go on a moment later.
func (s *soak) humanRewind(d dice) error {
	l := s.lanes[d.IntN(len(s.lanes))]
	wait := time.Duration(500+d.IntN(2000)) * time.Millisecond
	dir, err := s.hub.GitDir(l.Repo)
	if err != nil {
		return err
	}
	if !s.hands[l].TryLock() {
		return nil // an admin has it in hand, whose resume would be of both
	}
	busy := false
	defer func() {
		if !busy {
			s.hands[l].Unlock()
		}
	}()
	git, ctx := vcs.Git{Dir: dir}, context.Background()
	to, err := git.Text(ctx, "rev-parse", "refs/heads/"+l.Trunk+"~1")
	if err != nil {
		return err
	}
	if tree, err := git.Text(ctx, "ls-tree", "--name-only", to, "third.txt"); err != nil || tree == "" {
		return err
	}
	if _, err := s.hub.Push(l.Repo, hub.Push{By: owner, Branch: l.Trunk, SHA: to, Force: true}); err != nil {
		var refused *hub.RefusedPushError
		if errors.As(err, &refused) {
			return nil // a landing was faster
		}
		return err
	}
	busy = true
	s.stops.Go(func() {
		defer s.hands[l].Unlock()
		pause(wait)
		if until(limit, func() bool {
			q, _, err := s.store.View(ctx, l)
			return err == nil && q.Stop != nil && s.excuse(ctx, q) == nil
		}) {
			_, _ = s.store.Post(ctx, l, queue.Resumed{By: owner, At: time.Now().UTC()}) // peace does it again
		}
	})
	return nil
}

// pauseLane lets an admin pause a lane for a while, whatever else happens to it.
func (s *soak) pauseLane(d dice) error {
	l := s.lanes[d.IntN(len(s.lanes))]
	wait := time.Duration(500+d.IntN(3000)) * time.Millisecond
	if !s.hands[l].TryLock() {
		return nil
	}
	s.stops.Go(func() {
		defer s.hands[l].Unlock()
		from, err := s.halt(l)
		if err == nil {
			pause(wait)
			err = s.goOn(l, from)
		}
		if err != nil {
			s.mu.Lock()
			s.figures.Breaches = append(s.figures.Breaches, err.Error())
			s.mu.Unlock()
		}
	})
	return nil
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
