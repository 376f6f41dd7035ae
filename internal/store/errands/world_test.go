package errands_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/errands"
	"lander/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m, store.Migrate) }

// patience is for anything that another goroutine brings about; far more than it takes.
const patience = time.Minute

var lane = queue.Lane{Repo: "acme/app", Trunk: "main"}

// world is a database with a giver.
type world struct {
	*testing.T
	url   string
	giver *errands.Giver
	pool  *pgxpool.Pool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, url: storetest.New(t)}
	w.pool = w.connect()
	var err error
	if w.giver, err = errands.NewGiver(w.pool, "p", zerolog.Nop()); err != nil {
		t.Fatal(err)
	}
	return w
}

// connect is a set of connections of one process.
func (w *world) connect() *pgxpool.Pool {
	w.Helper()
	s, err := store.Open(w.Context(), w.url, zerolog.Nop())
	if err != nil {
		w.Fatal(err)
	}
	pool, err := s.Pool(w.Context(), 8)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { pool.Close(); s.Close() })
	return pool
}

// hand is a worker whose tasks a test does by hand.
type hand struct {
	*errands.Taker
	took chan *job
	stop func() error // as SIGTERM does
}

// job is a task that was taken, and what becomes of it.
type job struct {
	*errands.Task
	ctx     context.Context
	verdict chan []byte
}

func (w *world) worker(name string, slots int, labels ...string) *hand {
	w.Helper()
	h := &hand{took: make(chan *job, 10)}
	h.Taker = &errands.Taker{Pool: w.connect(), Name: name, Protocol: "p", Labels: labels, Slots: slots, Log: zerolog.Nop()}
	h.Do = func(ctx context.Context, t *errands.Task) []byte {
		j := &job{Task: t, ctx: ctx, verdict: make(chan []byte)}
		h.took <- j
		select {
		case v := <-j.verdict:
			return v
		case <-ctx.Done():
			return nil
		}
	}
	if err := h.Join(w.Context()); err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	h.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return errors.New("the worker does not end")
		}
	})
	w.Cleanup(func() {
		if err := h.stop(); err != nil {
			w.Error(err)
		}
	})
	return h
}

func (w *world) give(run string, labels ...string) errands.Handed {
	w.Helper()
	h, err := w.giver.Give(w.Context(), errands.Errand{Lane: lane, Run: run, Labels: labels, Job: []byte("do " + run), Pack: []byte{1, 2}})
	if err != nil {
		w.Fatal(err)
	}
	return h
}

// takes waits until the worker has taken something.
func (w *world) takes(h *hand) *job {
	w.Helper()
	select {
	case j := <-h.took:
		return j
	case <-time.After(patience):
		w.Fatalf("%s takes nothing", h.Name)
		return nil
	}
}

// stopped waits until a job is told to end, and gives the reason.
func (w *world) stopped(j *job) error {
	w.Helper()
	select {
	case <-j.ctx.Done():
		return context.Cause(j.ctx)
	case <-time.After(patience):
		w.Fatalf("%s goes on", j.Run)
		return nil
	}
}

// until polls.
func (w *world) until(what string, is func() bool) {
	w.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) { // between two looks
		if time.Now().After(deadline) {
			w.Fatalf("never: %s", what)
		}
	}
}

func (w *world) look(id int64) errands.State {
	w.Helper()
	s, err := w.giver.Look(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func (w *world) sql(text string, args ...any) {
	w.Helper()
	if _, err := w.pool.Exec(w.Context(), text, args...); err != nil {
		w.Fatal(err)
	}
}
