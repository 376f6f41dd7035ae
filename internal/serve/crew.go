package serve

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/config"
	"lander/internal/queue"
	"lander/internal/store/errands"
	"lander/internal/testrun"
)

// crew knows who can run tests: this machine, and the workers that are alive.
type crew struct {
	giver  *errands.Giver // nil: there is this machine alone
	slots  testrun.Slots  // this machine's
	labels []string       // likewise
	log    zerolog.Logger
	stir   func() // after who is there, or what waits in vain, has changed; nil: nobody is told

	mu      sync.Mutex
	workers []errands.Worker // that are alive and understand what they are handed
	changed chan struct{}    // closed when workers changes
	starved map[queue.Lane]map[string]starving
	local   []string // runs under way on this machine
}

// starving is a run that nobody who is alive may run.
type starving struct {
	labels []string
	since  time.Time
}

// test runs something on a slot of this machine that has been taken.
func (c *crew) test(ctx context.Context, repo *repository, job testrun.Job) queue.Verdict {
	name := job.Lane.String() + " " + job.ID
	c.mu.Lock()
	c.local = append(c.local, name)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		i := slices.Index(c.local, name)
		c.local = slices.Delete(c.local, i, i+1)
	}()
	job.Placed = true
	return repo.runner.Run(ctx, job)
}

// busy lists the runs under way on this machine.
func (c *crew) busy() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.local)
}

// patient is how long a run may be without anybody to run it before people are told: workers are replaced now and then.
const patient = 15 * time.Second

// watched is how often it is looked who is there.
const watched = time.Second

func newCrew(s config.Server, slots int, giver *errands.Giver, log zerolog.Logger) *crew {
	return &crew{
		giver: giver, slots: testrun.NewSlots(slots), labels: s.RunLabels, log: log,
		changed: make(chan struct{}), starved: map[queue.Lane]map[string]starving{},
	}
}

// watch keeps in mind who is alive, until ctx ends. While the database does not answer everybody stays as he was.
func (c *crew) watch(ctx context.Context) {
	tick := time.NewTicker(watched)
	defer tick.Stop()
	for told := false; ; {
		all, err := c.giver.Workers(ctx)
		if err == nil {
			c.set(all)
		} else if ctx.Err() == nil && !told {
			c.log.Warn().Err(err).Msg("it is not known which workers are alive")
		}
		told = err != nil
		c.overdue()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (c *crew) set(all []errands.Worker) {
	all = slices.DeleteFunc(all, func(w errands.Worker) bool { return !w.Alive || !w.Same })
	c.mu.Lock()
	same := slices.EqualFunc(c.workers, all, func(a, b errands.Worker) bool {
		return a.Name == b.Name && a.Slots == b.Slots && slices.Equal(a.Labels, b.Labels)
	})
	was := c.workers
	c.workers = all
	if !same {
		close(c.changed)
		c.changed = make(chan struct{})
	}
	c.mu.Unlock()
	if same {
		return
	}
	name := func(w errands.Worker) string { return w.Name }
	for _, w := range all {
		if !slices.ContainsFunc(was, func(o errands.Worker) bool { return o.Name == w.Name }) {
			c.log.Info().Str("worker", w.Name).Int("slots", w.Slots).Strs("labels", w.Labels).Msg("a worker has come")
		}
	}
	for _, w := range was {
		if !slices.ContainsFunc(all, func(o errands.Worker) bool { return name(o) == name(w) }) {
			c.log.Info().Str("worker", w.Name).Msg("a worker has gone")
		}
	}
	c.tell()
}

func (c *crew) tell() {
	if c.stir != nil {
		c.stir()
	}
}

// here reports whether this machine may run what asks for some labels.
func (c *crew) here(asks []string) bool { return cap(c.slots) > 0 && queue.Fits(c.labels, asks) }

// elsewhere reports whether a worker that is alive may, and gives a channel that closes when that may have changed.
func (c *crew) elsewhere(asks []string) (bool, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.workers, func(w errands.Worker) bool { return queue.Fits(w.Labels, asks) }), c.changed
}

// room is how many runs that ask for some labels there is room for at a time.
func (c *crew) room(asks []string) int {
	n := 0
	if c.here(asks) {
		n = cap(c.slots)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.workers {
		if queue.Fits(w.Labels, asks) {
			n += w.Slots
		}
	}
	return n
}

// starve keeps in mind that a run has nobody to run it; feed, that it does not wait any more.
func (c *crew) starve(l queue.Lane, run string, asks []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.starved[l] == nil {
		c.starved[l] = map[string]starving{}
	}
	if _, known := c.starved[l][run]; !known {
		c.starved[l][run] = starving{labels: asks, since: time.Now()}
	}
}

func (c *crew) feed(l queue.Lane, run string) {
	c.mu.Lock()
	s, known := c.starved[l][run]
	delete(c.starved[l], run)
	c.mu.Unlock()
	if known && time.Since(s.since) >= patient {
		c.tell()
	}
}

// overdue makes keepers look when a run has been without anybody for long enough that people should know.
func (c *crew) overdue() {
	c.mu.Lock()
	due := false
	for _, runs := range c.starved {
		for _, s := range runs {
			waited := time.Since(s.since)
			due = due || waited >= patient && waited < patient+2*watched
		}
	}
	c.mu.Unlock()
	if due {
		c.tell()
	}
}

// waits says what a lane's runs wait for in vain, as a sentence; empty: for nothing.
func (c *crew) waits(l queue.Lane) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	sets := map[string]bool{}
	n := 0
	for _, s := range c.starved[l] {
		if time.Since(s.since) >= patient {
			n++
			sets[strings.Join(s.labels, ",")] = true
		}
	}
	if n == 0 {
		return ""
	}
	return sayStarved(n, slices.Sorted(maps.Keys(sets)))
}
