package landertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"lander/internal/hub"
	"lander/internal/queue"
)

// day is a world in which test runs take their time by its clock, which goes from one event to the next. All else takes none. What runs
// say is known when they begin, and told when they end.
type day struct {
	*world
	// says is what a run says, and after how long; really runs the suite.
	says   func(ctx context.Context, c *queue.Candidate, run int, again queue.Rerun, really runner) (queue.Verdict, time.Duration)
	dawn   time.Time    // from which events are counted
	events []event      // to come, in order
	after  func() error // called when lander is at rest after each event; nil: nothing is
	deaths int          // of landers at points of their road; each has a successor at once

	mu   sync.Mutex
	runs []*lastingRun // under way
}

// lastingRun is a run that ends when its time has come.
type lastingRun struct {
	candidate queue.CandidateID
	number    int
	wanted    context.Context
	end       time.Time // zero: what it says is not known yet
	over      chan struct{}
}

// event is something that people do, at a time of the day.
type event struct {
	at time.Duration
	do func() error
}

func newDay(w *world) *day {
	d := &day{world: w}
	w.timed = func(really runner) runner {
		return func(ctx context.Context, c *queue.Candidate, run int, again queue.Rerun) queue.Verdict {
			r := &lastingRun{candidate: c.ID, number: run, wanted: ctx, over: make(chan struct{})}
			d.mu.Lock()
			d.runs = append(d.runs, r)
			d.mu.Unlock()
			v, took := d.says(ctx, c, run, again, really)
			d.mu.Lock()
			r.end = d.Now().Add(took)
			d.mu.Unlock()
			defer d.drop(r)
			select {
			case <-r.over:
				v.Took = took
				return v
			case <-ctx.Done():
				return queue.Verdict{Outcome: queue.Cancelled}
			}
		}
	}
	return d
}

func (d *day) drop(r *lastingRun) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.runs = slices.DeleteFunc(d.runs, func(o *lastingRun) bool { return o == r })
}

// lasting lists the runs that go on, the one that ends first at the front.
func (d *day) lasting() (all []*lastingRun) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.runs {
		if r.wanted.Err() == nil && !r.end.IsZero() {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b *lastingRun) int {
		return cmp.Or(a.end.Compare(b.end), cmp.Compare(a.candidate, b.candidate), cmp.Compare(a.number, b.number))
	})
	return all
}

// rest lets lander work until all that it has to do is to wait.
func (d *day) rest() error {
	for range 100 {
		if err := d.delivered(); err != nil {
			return err
		}
		before := d.life.versions()
		err := d.turn()
		switch {
		case d.life.dead.Load():
			d.kill(d.life)
			d.start()
			d.deaths++
		case err != nil:
			return err
		case before == d.life.versions():
			return nil
		}
	}
	return errors.New("lander never comes to rest")
}

// turn is one round of lander's, and of one that lives on though it has a successor, until it finds that out.
func (d *day) turn() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if z := d.zombie; z != nil {
		for _, k := range z.keepers {
			if err := k.Settle(ctx); errors.Is(err, queue.ErrStale) {
				d.kill(z)
				d.zombie = nil
				break
			} else if err != nil {
				return fmt.Errorf("settle zombie: %w", err)
			}
		}
	}
	for _, k := range d.life.keepers {
		if err := k.Settle(ctx); err != nil {
			return fmt.Errorf("settle: %w", err)
		}
	}
	if err := d.until("all that is left are runs that go on", d.quiet); err != nil {
		return err
	}
	for _, k := range d.life.keepers {
		if _, err := k.Flush(ctx); err != nil {
			return fmt.Errorf("flush: %w", err)
		}
	}
	return nil
}

// quiet reports whether all that goes on are runs whose time has not come.
func (d *day) quiet() bool {
	busy := d.life.busy()
	if d.zombie != nil {
		busy += d.zombie.busy()
	}
	return busy == len(d.lasting())
}

// at lets something happen later on.
func (d *day) at(at time.Duration, do func() error) {
	d.events = append(d.events, event{at, do})
	slices.SortStableFunc(d.events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
}

// pass lets the day pass, until nothing is left to happen.
func (d *day) pass() error {
	for range 10_000 {
		var next time.Time
		var do func() error
		soonest := func(at time.Time, then func() error) {
			if next.IsZero() || at.Before(next) {
				next, do = at, then
			}
		}
		if runs := d.lasting(); len(runs) > 0 {
			soonest(runs[0].end, func() error {
				d.drop(runs[0])
				close(runs[0].over)
				return d.until("lander has heard of it", d.quiet)
			})
		}
		if len(d.events) > 0 {
			first := d.events[0]
			soonest(d.dawn.Add(first.at), func() error {
				d.events = d.events[1:]
				return first.do()
			})
		}
		for _, k := range d.life.keepers {
			if at := k.State().Wake(d.Now()); !at.IsZero() {
				soonest(at, func() error { return nil })
			}
		}
		if do == nil {
			return nil
		}
		d.advance(max(next.Sub(d.Now()), 0))
		err := errors.Join(do(), d.rest())
		if err == nil && d.after != nil {
			err = errors.Join(d.after(), d.rest())
		}
		if err != nil {
			return fmt.Errorf("after %v: %w", d.Now().Sub(d.dawn), err)
		}
	}
	return errors.New("the day never ends")
}

// approve is what maya does.
func (d *day) approve(n int) error {
	id, err := d.hub.Review(repository, n, "maya", hub.EventApprove, "", "")
	if err != nil {
		return err
	}
	return d.consent(n, "maya", "", id)
}
