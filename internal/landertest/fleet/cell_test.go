package fleet

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"lander/internal/queue"
)

// limit bounds how long anything may take; nothing that works comes near it, also on a busy machine.
const limit = 45 * time.Second

// cell is one run of one fault at one step.
type cell struct {
	*world
	heads  map[queue.Number]string
	trains bool
	step   string
	fault  fault
	alone  bool

	dice dice
	lane queue.Lane

	risen, killed, back chan struct{} // the zombie goes on; git was killed; the database is back

	cellMu   sync.Mutex
	times    int // how often the step was come to
	nth      int // the one that is struck
	over     bool
	done     chan struct{} // closed when the fault has struck
	struck   stroke
	breaches []string
	takenOn  time.Time // when everything was well again
}

// stroke is what a fault has done.
type stroke struct {
	at      time.Time
	after   bool
	killed  *replica
	buried  *replica
	full    *replica
	hunting bool
	paused  <-chan error // the pause has returned
	stood   int          // and trunk had moved so often then
}

// outcome is how a cell went.
type outcome struct {
	step, fault string
	seed        uint64
	reached     bool
	landed      int
	merged      int // of them, as the forge shows it
	recovered   time.Duration
	took        time.Duration
	breaches    []string
	log         string
}

func (o outcome) name() string { return o.step + "/" + o.fault }

// play runs a cell.
func play(step string, f fault, seed uint64) (o outcome) {
	o = outcome{step: step, fault: f.name, seed: seed}
	begun := time.Now()
	defer func() { o.took = time.Since(begun) }()
	trains := seed%2 == 0
	shape, err := house.shape(trains)
	if err != nil {
		o.breaches = []string{"no world: " + err.Error()}
		return o
	}
	lane := queue.Lane{Repo: app, Trunk: "main"}
	w, err := newWorld(shape.dir, lane)
	if err != nil {
		o.breaches = []string{"no world: " + err.Error()}
		return o
	}
	c := &cell{
		world: w, heads: shape.heads, trains: trains, step: step, fault: f, dice: roll(seed, step+"/"+f.name), lane: lane, done: make(chan struct{}),
		risen: make(chan struct{}), killed: make(chan struct{}), back: make(chan struct{}),
	}
	w.disks = f.name == "disk full"
	if f.hooks {
		w.poll = 1500 * time.Millisecond
	}
	if err := c.run(); err != nil {
		c.breach("%v", err)
	}
	c.judge(&o)
	o.reached = c.over
	if c.over && !c.takenOn.IsZero() {
		o.recovered = c.takenOn.Sub(c.struck.at)
	}
	c.cellMu.Lock()
	select {
	case <-c.risen:
	default:
		close(c.risen)
	}
	c.cellMu.Unlock()
	if err := w.close(); err != nil {
		c.breach("%v", err)
	}
	o.breaches = c.breaches
	o.log = w.log.all()
	return o
}

func (c *cell) run() error {
	c.struck.after = c.fault.after != nil && *c.fault.after || c.fault.after == nil && c.coin()
	c.nth = 1 + c.pick(often(c.step, c.trains))
	c.alone = !c.fault.second && c.coin()
	c.world.reach = c.strike
	c.world.mayRest = func(_ queue.Lane, n queue.Number) bool { return n == withdrawn }
	first, err := c.start(nil)
	if err != nil {
		return err
	}
	if !until(limit, func() bool { return c.holds(first) || !first.proc.alive() }) || !first.proc.alive() {
		return errors.New("the first replica never held the lane")
	}
	if !c.alone {
		other, err := c.start(nil)
		if err != nil {
			return err
		}
		if !until(limit, func() bool { return other.ready() || !other.proc.alive() }) {
			return errors.New("the second replica never came up")
		}
	}
	numbers := []int{late, plain, red, withdrawn}
	if c.trains {
		numbers = append(numbers, others...)
	}
	c.dice.Shuffle(len(numbers), func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })
	c.note("approved in the order %v; strikes at number %d, after: %v; alone: %v; trains: %v", numbers, c.nth, c.struck.after, c.alone, c.trains)
	for _, n := range numbers {
		if _, err := c.hub.Approve(app, n, review); err != nil {
			return err
		}
	}
	var why error
	if !until(limit, func() bool {
		select {
		case <-c.done:
			return true
		default:
		}
		why = c.unsettled(c.lane)
		return settled(why)
	}) {
		return fmt.Errorf("nothing struck, and it never came to rest: %w", why)
	}
	select {
	case <-c.done:
	default:
		if err := c.rest(); err != nil {
			return err
		}
		return nil // the step did not come
	}
	if c.fault.end != nil {
		if err := c.fault.end(c); err != nil {
			return err
		}
	}
	if !c.fault.hooks {
		c.wire.set("lose") // from here on the poll is all there is
	}
	c.note("all is well again")
	if err := c.rest(); err != nil {
		return err
	}
	c.takenOn = time.Now()
	if c.fault.wake != nil {
		return c.fault.wake(c, c.rest)
	}
	return nil
}

// strike is asked at every step of every replica.
func (c *cell) strike(r *replica, steps []string, after bool) bool {
	c.cellMu.Lock()
	if c.over || after != c.struck.after || !slices.Contains(steps, c.step) {
		c.cellMu.Unlock()
		return false
	}
	if c.times++; c.times < c.nth {
		c.cellMu.Unlock()
		return false
	}
	c.over = true
	c.struck.at = time.Now()
	c.cellMu.Unlock()
	if _, err := c.hub.Comment(app, withdrawn, author, "@lander withdraw"); err != nil {
		c.breach("%v", err)
	}
	c.note("STRIKES at %s, %s", r.name, c.step)
	failed := c.fault.strike(c, r, slices.Contains([]string{headPushed, trunkPushed, readBack, commentSent}, c.step))
	c.strikeDone()
	return failed
}

func (c *cell) strikeDone() {
	c.cellMu.Lock()
	defer c.cellMu.Unlock()
	select {
	case <-c.done:
	default:
		close(c.done)
	}
}

func (c *cell) coin() bool { return c.pick(2) == 0 }

func (c *cell) pick(n int) int {
	c.cellMu.Lock()
	defer c.cellMu.Unlock()
	return c.dice.IntN(n)
}

func (c *cell) random(ms int) time.Duration { return time.Duration(c.pick(ms)) * time.Millisecond }

func (c *cell) breach(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	c.note("BREACH %s", text)
	c.cellMu.Lock()
	defer c.cellMu.Unlock()
	c.breaches = append(c.breaches, text)
}

// rest waits until there is nothing left to do, and that for two polls.
func (c *cell) rest() error {
	var why error
	calm := time.Time{}
	version := int64(0)
	if until(limit, func() bool {
		if why = c.unsettled(c.lane); why != nil {
			calm = time.Time{}
			return settled(why)
		}
		q, _, err := c.store.View(context.Background(), c.lane)
		if err != nil || calm.IsZero() || q.Version != version {
			calm, version = time.Now(), q.Version
			return false
		}
		return time.Since(calm) > c.poll+100*time.Millisecond
	}) && why == nil {
		return nil
	}
	if why == nil {
		why = errors.New("it is saved again and again")
	}
	return fmt.Errorf("it never came to rest: %w", why)
}

// judge lets the oracle look at a cell.
func (c *cell) judge(out *outcome) {
	o := &oracle{
		world: c.world, lane: c.lane, approved: map[queue.Number][]string{},
		good: []queue.Number{late, plain}, bad: []queue.Number{red},
	}
	if c.trains {
		for _, n := range others {
			o.good = append(o.good, queue.Number(n))
		}
	}
	for n, head := range c.heads {
		o.approved[n] = []string{head}
	}
	wrong := o.judge()
	out.landed, out.merged = o.landed, o.merged
	for _, text := range wrong {
		c.breach("oracle: %s", text)
	}
}

// report is all that is needed to look into a cell that failed.
func (o outcome) report(dir string) (string, string) {
	file := filepath.Join(dir, fmt.Sprintf("lander-fleet-%s-%d.log", strings.NewReplacer(" ", "-", "/", "-").Replace(o.name()), o.seed))
	return file, fmt.Sprintf("%s: seed %d: make faults CELL='%s' SEED=%d\n\t%s", o.name(), o.seed, o.name(), o.seed, strings.Join(o.breaches, "\n\t"))
}
