package landertest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/gate"
	"lander/internal/queue"
	"lander/internal/serve"
	"lander/internal/store"
)

// life is one lander, from its start until it is killed.
type life struct {
	world   *world
	store   *store.Store
	rooms   *serve.Rooms
	keepers []*gate.Keeper // one for each lane
	free    []func()       // give the lanes' locks back
	web     http.Handler
	dead    atomic.Bool
	end     context.Context // of the test runs
	stop    context.CancelFunc
}

// runner is what a keeper runs a candidate's suite with.
type runner func(ctx context.Context, c *queue.Candidate, run int, again queue.Rerun) queue.Verdict

// runGate lets test runs begin, or not.
type runGate struct {
	mu      sync.Mutex
	closed  chan struct{} // not nil: runs wait for it
	waiting int
}

func (g *runGate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == nil {
		g.closed = make(chan struct{})
	}
}

func (g *runGate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != nil {
		close(g.closed)
		g.closed, g.waiting = nil, 0
	}
}

// pass waits until the gate is open or ctx ends.
func (g *runGate) pass(ctx context.Context) {
	g.mu.Lock()
	closed := g.closed
	if closed != nil {
		g.waiting++
	}
	g.mu.Unlock()
	if closed == nil {
		return
	}
	select {
	case <-closed:
	case <-ctx.Done():
		g.mu.Lock()
		if g.closed == closed {
			g.waiting--
		}
		g.mu.Unlock()
	}
}

func (g *runGate) hanging() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waiting
}

// start brings a lander up on the world's database and directory.
func (w *world) start() {
	if w.life != nil {
		w.Fatal("lander is up already")
	}
	l := &life{world: w}
	l.end, l.stop = context.WithCancel(context.Background())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	rooms := w.rooms(ctx)
	l.store, l.rooms = rooms.Store, rooms
	for _, lane := range w.lanes {
		k := rooms.Keeper(lane)
		free, _, err := k.Hold(ctx)
		w.must(err)
		l.free = append(l.free, free)
		w.must(k.Prepare(ctx))
		l.between(k)
		l.keepers = append(l.keepers, k)
	}
	l.web = rooms.Web(nil).Handler()
	w.wire.mu.Lock()
	w.life = l
	w.wire.mu.Unlock()
}

// rooms joins the rooms on the world's database. Whoever asks closes the store.
func (w *world) rooms(ctx context.Context) *serve.Rooms {
	logger := zerolog.New(zerolog.ConsoleWriter{Out: &w.log, NoColor: true, PartsExclude: []string{"time"}}).Level(zerolog.DebugLevel)
	db, err := store.Open(ctx, w.database, logger)
	w.must(err)
	client, err := serve.NewForge(w.settings, serve.ForgeOptions{URL: w.wire.url, Timeout: w.forgePatience, Now: w.Now, Log: logger})
	w.must(err)
	return &serve.Rooms{Settings: w.settings, Store: db, Forge: client, Now: w.Now, Log: logger}
}

// between puts the points of the road into a keeper.
func (l *life) between(k *gate.Keeper) {
	k.Store, k.Outbox, k.Mirror = storePort{k.Store, l}, outboxPort{k.Outbox, l}, mirrorPort{k.Mirror, l}
	k.Builder, k.Forge = builderPort{k.Builder, l}, forgePort{k.Forge, l}
	k.Ledger = ledgerPort{k.Ledger, l}
	push, head, test := k.Push, k.MoveHead, k.Test
	k.MoveHead = func(ctx context.Context, m queue.HeadMove) error {
		return l.at([]string{"head"}, func() error { return head(ctx, m) })
	}
	heads := k.MoveHeads
	k.MoveHeads = func(ctx context.Context, moves []queue.HeadMove) []error {
		var errs []error
		err := l.at([]string{"head"}, func() error {
			errs = heads(ctx, moves)
			return errors.Join(errs...)
		})
		if errors.Join(errs...) == nil { // it is the point's, and so everybody's
			errs = slices.Repeat([]error{err}, len(moves))
		}
		return errs
	}
	k.Push = func(ctx context.Context, r queue.LandRequest) error {
		err := l.at([]string{"push"}, func() error { return push(ctx, r) })
		if errors.Is(err, errKilled) {
			l.world.late = func() error { return push(context.WithoutCancel(ctx), r) }
		}
		return err
	}
	k.Test = func(ctx context.Context, c *queue.Candidate, run int, again queue.Rerun) (v queue.Verdict) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(l.end, cancel)()
		l.world.gate.pass(ctx)
		own := c.Members
		if c.Apart != nil {
			own = own[len(c.Apart.Under):]
		}
		if slices.ContainsFunc(own, func(m queue.Member) bool { return l.world.hungOf[int(m.Number)] }) {
			l.world.gateOf.pass(ctx)
		}
		err := l.at([]string{"test"}, func() error { v = l.world.timed(test)(ctx, c, run, again); return nil })
		switch {
		case errors.Is(err, errKilled):
			return queue.Verdict{Outcome: queue.Cancelled}
		case err != nil:
			return queue.Verdict{Outcome: queue.Infra, Reason: "there was " + err.Error()}
		}
		return v
	}
}

// kill ends a lander the hard way: nothing more of it reaches the world.
func (w *world) kill(l *life) {
	if l == nil {
		return
	}
	l.dead.Store(true)
	w.wire.mu.Lock()
	if w.life == l {
		w.life = nil
	}
	w.wire.mu.Unlock()
	l.stop()
	if err := w.until("killed runs have ended", func() bool { return l.busy() == 0 }); err != nil {
		w.Error(err)
	}
	for _, free := range l.free {
		free()
	}
	l.store.Close()
}

// active is busy without the runs that only wait for somebody elsewhere.
func (l *life) active() int { return l.busy() - l.rooms.Resting() }

func (l *life) busy() int {
	n := 0
	for _, k := range l.keepers {
		n += k.Busy()
	}
	return n
}

// settle lets lander work until it has nothing to do at this time, and tell what there is to tell. It tries again after errors, later
// and later, as a keeper does by itself. The error says that lander was killed, or what did not pass.
func (w *world) settle(poll bool) error {
	l := w.life
	if l == nil {
		return errors.New("lander is down: start one first")
	}
	poll = poll || w.pollOnly
	tries := 0
	for range 100 {
		if err := w.delivered(); err != nil {
			return err
		}
		l.rooms.Nudge(queue.Lane{})
		before, busy := l.versions(), l.busy()
		err := l.round(poll)
		if l.dead.Load() {
			w.kill(l)
			return errKilled
		}
		if err != nil {
			if tries++; tries == 40 {
				return fmt.Errorf("settle: %w", err)
			}
			w.log.note("settle: %v", err)
			w.advance(min(time.Second<<min(tries-1, 5), 30*time.Second))
			continue
		}
		poll = false
		told, err := w.runCI()
		if err != nil {
			return err
		}
		if told {
			continue
		}
		if before == l.versions() && busy == l.busy() {
			return nil
		}
	}
	return errors.New("settle: lander never comes to rest")
}

// round is one turn of every lane: work, wait for the runs, tell.
func (l *life) round(poll bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var errs []error
	// A run that ends while lander works would be heard of now or in the next round, as chance has it.
	l.world.gate.shut()
	for _, k := range l.keepers {
		if poll {
			errs = append(errs, k.Poll(ctx))
		} else {
			errs = append(errs, k.Settle(ctx))
		}
	}
	if !l.world.hung {
		l.world.gate.open()
	}
	errs = append(errs, l.world.until("the test runs have ended", func() bool { return l.active() <= l.world.gate.hanging()+l.world.gateOf.hanging() }))
	for _, k := range l.keepers {
		_, err := k.Flush(ctx)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// versions is how far the lanes were saved.
func (l *life) versions() (sum int64) {
	for _, k := range l.keepers {
		sum += k.State().Version
	}
	return sum
}
