package fleet

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lander/internal/hub"
	"lander/internal/queue"
)

var (
	soakFor = flag.Duration("soak", 0, "how long the soak lasts; 0: a few seconds, of this binary and not of lander serve")
	binary  = flag.String("lander", "", "the lander that soaks; empty: replicas are this binary")
)

// drained bounds how long a soak may take to come to rest.
const drained = 3 * time.Minute

const lib = "acme/lib"

// soak is a world under traffic and under fire.
type soak struct {
	*world
	mu       sync.Mutex
	asked    map[queue.Lane]map[queue.Number]*ask
	branches int
	figures  figures
	stops    sync.WaitGroup             // admins on their way to a stopped lane, or in front of a paused one
	hands    map[queue.Lane]*sync.Mutex // of the admin who has a lane in hand
}

// ask is what was asked for one pull request.
type ask struct {
	approved []string
	fate     string // "lands", "is red", "was withdrawn", or "may clash"
}

// TestSoak keeps three landers with four lanes busy while something breaks every few seconds.
func TestSoak(t *testing.T) {
	t.Parallel()
	length, seed := *soakFor, *oneSeed
	if length == 0 {
		length = 3 * time.Second
	}
	if seed == 0 {
		seed = rand.Uint64N(1_000_000) + 1
	}
	s, err := newSoak(*binary)
	if err != nil {
		t.Fatal(err)
	}
	s.figures = figures{Seed: seed, Faults: map[string]int{}}
	err = s.run(length, seed)
	for _, l := range s.lanes {
		s.verdict(l)
	}
	if wrong := s.close(); wrong != nil {
		err = errors.Join(err, wrong)
	}
	if err != nil {
		s.figures.Breaches = append(s.figures.Breaches, err.Error())
	}
	fmt.Print(s.figures.table())
	if len(s.figures.Breaches) > 0 {
		file := filepath.Join(os.TempDir(), fmt.Sprintf("lander-fleet-soak-%d.log", seed))
		if err := os.WriteFile(file, []byte(s.log.all()), 0o600); err != nil {
			t.Error(err)
		}
		t.Errorf("seed %d: make soak SEED=%d\n\t%s\n\tlog: %s", seed, seed, strings.Join(s.figures.Breaches, "\n\t"), file)
	}
}

func newSoak(program string) (*soak, error) {
	dir, err := house.sub("soak")
	if err != nil {
		return nil, err
	}
	h, err := hub.Open(dir, hub.Options{})
	if err != nil {
		return nil, err
	}
	err = errors.Join(furnish(h, app, ofTwo, "release"), furnish(h, lib, oneAtATime, "release"), h.Close())
	if err != nil {
		return nil, err
	}
	var lanes []queue.Lane
	for _, repo := range []string{app, lib} {
		for _, trunk := range []string{"main", "release"} {
			lanes = append(lanes, queue.Lane{Repo: repo, Trunk: trunk})
		}
	}
	w, err := newWorld(dir, lanes...)
	if err != nil {
		return nil, err
	}
	w.binary, w.disks = program, true
	if program != "" {
		w.poll = time.Second // the least that an operator may ask for
	}
	s := &soak{world: w, asked: map[queue.Lane]map[queue.Number]*ask{}, hands: map[queue.Lane]*sync.Mutex{}}
	w.mayRest = s.mayRest
	for _, l := range lanes {
		s.asked[l], s.hands[l] = map[queue.Number]*ask{}, &sync.Mutex{}
	}
	return s, nil
}

// run is the whole soak: traffic, faults, and then peace until nothing is left to do.
func (s *soak) run(length time.Duration, seed uint64) error {
	for range 3 {
		if _, err := s.start(nil); err != nil {
			return err
		}
	}
	if !until(limit, func() bool {
		return !slices.ContainsFunc(s.lanes, func(l queue.Lane) bool { return s.holder(l) == nil })
	}) {
		return errors.New("not every lane found a holder")
	}
	begun := time.Now()
	end := make(chan struct{})
	time.AfterFunc(length, func() { close(end) })
	var working sync.WaitGroup
	errs := make(chan error, len(s.lanes)+1)
	for i, l := range s.lanes {
		working.Go(func() { errs <- s.traffic(l, roll(seed, fmt.Sprintf("traffic %d", i)), end) })
	}
	working.Go(func() { errs <- s.fire(roll(seed, "fire"), min(length/10, 3300*time.Millisecond), end) })
	working.Wait()
	close(errs)
	var all error
	for err := range errs {
		all = errors.Join(all, err)
	}
	s.figures.Seconds = time.Since(begun).Seconds()
	s.note("the faults end")
	quiet := time.Now()
	all = errors.Join(all, s.peace())
	s.figures.Drained = time.Since(quiet).Seconds()
	return all
}

// traffic opens, approves, withdraws and pushes on one lane, while there is not too much waiting.
func (s *soak) traffic(l queue.Lane, d dice, end <-chan struct{}) error {
	base, err := s.hub.Tip(l.Repo, l.Trunk)
	if err != nil {
		return err
	}
	for {
		select {
		case <-end:
			return nil
		case <-time.After(time.Duration(200+d.IntN(1200)) * time.Millisecond):
		}
		if s.waiting(l) >= 8 {
			continue
		}
		if err := s.ask(l, base, d); err != nil {
			return err
		}
	}
}

// waiting is how many pull requests of a lane are open.
func (s *soak) waiting(l queue.Lane) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pulls, err := s.hub.Pulls(l.Repo)
	if err != nil {
		return 1 << 30
	}
	for _, p := range pulls {
		if a := s.asked[l][queue.Number(p.Number)]; a != nil && p.Open && a.fate == "lands" {
			n++
		}
	}
	return n
}

// ask makes one pull request and asks lander to land it.
func (s *soak) ask(l queue.Lane, base string, d dice) error {
	s.mu.Lock()
	s.branches++
	branch := fmt.Sprintf("change-%d", s.branches)
	s.mu.Unlock()
	kind := d.IntN(20)
	path, text, a := branch+".txt", "1\n", &ask{fate: "lands"}
	switch {
	case kind < 3:
		text, a.fate = "red\n", "is red"
	case kind < 5:
		path, text, a.fate = "shared.txt", branch+"\n", "may clash"
	}
	commits := []hub.Commit{write("one of "+branch, path, text)}
	if kind%2 == 0 {
		commits = append(commits, write("two of "+branch, "more-"+branch+".txt", "2\n"))
	}
	head, err := s.hub.Push(l.Repo, hub.Push{By: author, Branch: branch, From: base, Commits: commits})
	if err != nil {
		return err
	}
	n, err := s.hub.OpenPull(l.Repo, hub.NewPull{Author: author, Title: branch, Head: branch, Base: l.Trunk})
	if err != nil {
		return err
	}
	a.approved = []string{head}
	s.mu.Lock()
	s.asked[l][queue.Number(n)] = a
	s.figures.Opened++
	s.mu.Unlock()
	if _, err := s.hub.Approve(l.Repo, n, review); err != nil {
		return err
	}
	if a.fate != "lands" {
		return nil
	}
	switch kind {
	case 18:
		pause(time.Duration(d.IntN(1500)) * time.Millisecond)
		s.settle(a, "was withdrawn")
		_, err = s.hub.Comment(l.Repo, n, author, "@lander withdraw")
	case 19:
		pause(time.Duration(d.IntN(800)) * time.Millisecond)
		err = s.improve(l, n, branch, a)
	}
	return err
}

func (s *soak) settle(a *ask, fate string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.fate = fate
}

// improve pushes to a pull request that was approved, if it has not landed by then, and has that approved as well.
func (s *soak) improve(l queue.Lane, n int, branch string, a *ask) error {
	if p, err := s.hub.Pull(l.Repo, n); err != nil || !p.Open || p.HeadSHA != a.approved[0] {
		return err // it has landed, or is about to: lander has moved the branch
	}
	head, err := s.hub.Push(l.Repo, hub.Push{By: author, Branch: branch, Commits: []hub.Commit{write("three of "+branch, "third-"+branch+".txt", "3\n")}})
	if err != nil {
		var refused *hub.RefusedPushError
		if errors.As(err, &refused) {
			return nil // it landed meanwhile, and the branch is not the author's old one any more
		}
		return err
	}
	p, err := s.hub.Pull(l.Repo, n)
	if err != nil || !p.Open {
		return err
	}
	s.mu.Lock()
	a.approved, a.fate = append(a.approved, head), "may clash" // it may have been on its way
	s.mu.Unlock()
	if _, err := s.hub.Approve(l.Repo, n, review); err != nil {
		if p, wrong := s.hub.Pull(l.Repo, n); wrong == nil && !p.Open {
			return nil
		}
		return err
	}
	return nil
}

// peace ends what is broken and waits until every lane is at rest.
func (s *soak) peace() error {
	s.stops.Wait()
	s.weather.set("", "")
	s.wire.release()
	for _, r := range s.all() {
		if r.proc.alive() {
			r.freeze(false)
		}
	}
	if err := s.crew(); err != nil {
		return err
	}
	var why error
	calm := time.Time{}
	if until(drained, func() bool {
		why = nil
		for _, l := range s.lanes {
			if why = s.unsettled(l); why != nil {
				why = fmt.Errorf("%v: %w", l, why)
				calm = time.Time{}
				pause(200 * time.Millisecond)
				return settled(why)
			}
		}
		if calm.IsZero() {
			calm = time.Now()
		}
		return time.Since(calm) > 2*s.poll
	}) && why == nil {
		return nil
	}
	return fmt.Errorf("it never came to rest: %w", why)
}

// crew sees to it that three replicas run.
func (s *soak) crew() error {
	var dead []*replica
	dirs := map[string]bool{}
	for _, r := range s.all() {
		if r.proc.alive() {
			dirs[r.dir] = true
		}
	}
	for _, r := range slices.Backward(s.all()) {
		if !dirs[r.dir] {
			dirs[r.dir] = true
			dead = append(dead, r)
		}
	}
	for _, r := range dead {
		if _, err := s.start(r); err != nil {
			return err
		}
	}
	return nil
}

// mayRest reports whether a pull request may be idle in the end.
func (s *soak) mayRest(l queue.Lane, n queue.Number) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.asked[l][n]
	return a == nil || a.fate != "lands" && a.fate != "is red"
}

// verdict lets the oracle look at a lane.
func (s *soak) verdict(l queue.Lane) {
	o := &oracle{world: s.world, lane: l, approved: map[queue.Number][]string{}}
	for n, a := range s.asked[l] {
		o.approved[n] = a.approved
		switch a.fate {
		case "lands":
			o.good = append(o.good, n)
		case "is red":
			o.bad = append(o.bad, n)
		}
	}
	wrong := o.judge()
	for _, p := range s.pauses {
		if p.lane == l {
			s.figures.Pauses++
		}
	}
	s.figures.Landings += len(o.landings)
	s.figures.Merged += o.merged
	for _, r := range o.ledger {
		if r.Decision == "abort" {
			s.figures.Aborts++
		}
	}
	s.figures.Breaches = append(s.figures.Breaches, wrong...)
}
