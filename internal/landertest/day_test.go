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
	says  func(ctx context.Context, c *queue.Candidate, run int, really runner) (queue.Verdict, time.Duration)
	dawn  time.Time     // from which events are counted
	after func() error  // called when lander is at rest after each event
	runs  []*lastingRun // under way
	mu    sync.Mutex
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
	d := &day{world: w, after: func() error { return nil }}
	w.timed = func(really runner) runner {
		return func(ctx context.Context, c *queue.Candidate, run int) queue.Verdict {
			r := &lastingRun{candidate: c.ID, number: run, wanted: ctx, over: make(chan struct{})}
			d.mu.Lock()
			d.runs = append(d.runs, r)
			d.mu.Unlock()
			v, took := d.says(ctx, c, run, really)
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
		if err := d.turn(); err != nil {
			return err
		}
		if before == d.life.versions() {
			return d.after()
		}
	}
	return errors.New("lander never comes to rest")
}

// turn is one round of lander's.
func (d *day) turn() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, k := range d.life.keepers {
		if err := k.Settle(ctx); err != nil {
			return fmt.Errorf("settle: %w", err)
		}
	}
	if err := d.until("all that is left are runs that go on", func() bool { return d.life.busy() == len(d.lasting()) }); err != nil {
		return err
	}
	for _, k := range d.life.keepers {
		if _, err := k.Flush(ctx); err != nil {
			return fmt.Errorf("flush: %w", err)
		}
	}
	return nil
}

// pass lets the day pass, until nothing is left to happen. Events are in order.
func (d *day) pass(events ...event) error {
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
				return d.until("lander has heard of it", func() bool { return d.life.busy() == len(d.lasting()) })
			})
		}
		if len(events) > 0 {
			soonest(d.dawn.Add(events[0].at), events[0].do)
		}
		for _, k := range d.life.keepers {
			if at := k.State().Wake(d.Now()); !at.IsZero() {
				soonest(at, func() error { return nil })
			}
		}
		if do == nil {
			return nil
		}
		if len(events) > 0 && next.Equal(d.dawn.Add(events[0].at)) {
			do, events = events[0].do, events[1:]
		}
		d.advance(max(next.Sub(d.Now()), 0))
		if err := errors.Join(do(), d.rest()); err != nil {
			return fmt.Errorf("at %v: %w", d.Now().Sub(d.dawn), err)
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
