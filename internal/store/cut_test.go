package store_test

import (
	"context"
	"errors"
	"net"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
)

// landing is a step that touches every table that a save may touch.
func landing(t testing.TB, s *store.Store, lane queue.Lane) queue.Save {
	t.Helper()
	q := ready(t, s, lane)
	q = save(t, s, queue.Save{Old: q, New: begin(q, 1)})
	n := landed(q, 1, noon.Add(time.Hour))
	n = edit(n, 2, func(e *queue.Entry) { e.Approvals, e.Head = nil, sha("8") })
	n.Journal = []queue.Record{{At: noon, Number: 1, Kind: "landed", Text: "1"}, {At: noon, Kind: "two"}, {At: noon, Kind: "three"}}
	n.Outbox = []queue.Notice{{Key: "landed/1", Kind: queue.NoticeLanded, Number: 1}, {Key: "living/1", Kind: queue.NoticeLiving, Number: 1}}
	return queue.Save{Old: q, New: n}
}

// whole fails unless the lane is as before the step, or as after it, in every table. It reports which.
func whole(t *testing.T, s *store.Store, step queue.Save) (saved bool) {
	t.Helper()
	q := load(t, s, step.Old.Lane)
	want, lines, notices := step.Old, 1, 0
	if saved = q.Version > step.Old.Version; saved {
		want, lines, notices = store.Fit(step.New.Saved(step.Old.Version+1)), 4, 2
	}
	same(t, q, want)
	records, err := s.Journal(t.Context(), q.Lane, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Unsent(t.Context(), q.Lane, noon, 10)
	if err != nil {
		t.Fatal(err)
	}
	heads, err := s.Landings(t.Context(), q.Lane, 10)
	if err != nil {
		t.Fatal(err)
	}
	log, err := s.TrunkLog(t.Context(), q.Lane, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != lines || len(out) != notices || (len(heads) == 1) != saved || (len(log) == 2) != saved {
		t.Errorf("half a step: saved %v, %d journal lines, %d notices, %d landings, %d moves", saved, len(records), len(out), len(heads), len(log))
	}
	return saved
}

// The backend is killed while it is in the middle of a save, waiting for a row that somebody else holds.
func TestKilledInTheMiddleOfASaveNothingOfItIsThere(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	s, admin := open(t, url), sql(t, url)
	step := landing(t, s, lane)

	blocker := sql(t, url)
	run(t, blocker, "begin")
	run(t, blocker, "select from entries where number = 2 for update")
	done := make(chan error, 1)
	go func() {
		_, err := s.Save(context.Background(), step)
		done <- err
	}()
	const waiting = "select coalesce(min(pid), 0) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
	until(t, "a save that waits for the row", func() bool { return ask[int](t, admin, waiting) != 0 })
	run(t, admin, "select pg_terminate_backend($1)", ask[int](t, admin, waiting))
	if err := <-done; err == nil || errors.Is(err, queue.ErrStale) {
		t.Fatalf("want the error of a cut connection, got %v", err)
	}
	run(t, blocker, "rollback")
	if whole(t, s, step) {
		t.Error("a step that was cut off in the middle was saved")
	}
	same(t, save(t, s, step), load(t, s, lane))
}

// The line is cut after every so many bytes of a save, so also within a statement, before and after the one that commits.
func TestCutAnywhereASaveIsAllOrNothing(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	s := open(t, url)
	wire := &wire{}
	measured := through(t, url, wire)
	step := landing(t, measured, queue.Lane{Repo: "acme/app", Trunk: "measured"})
	wire.left.Store(1 << 40)
	save(t, measured, step)
	total := 1<<40 - wire.left.Load()

	done := 0
	const cuts = 16
	for i := range int64(cuts + 1) {
		lane := queue.Lane{Repo: "acme/app", Trunk: "cut-" + string(rune('a'+i))}
		wire := wire.whole()
		cut := through(t, url, wire)
		step := landing(t, cut, lane)
		wire.left.Store(total * i / cuts)
		_, err := cut.Save(t.Context(), step)
		if whole(t, s, step) {
			done++
		} else if err == nil {
			t.Errorf("cut %d: Save reports success and nothing is saved", i)
		}
	}
	if done == 0 || done > 2 {
		t.Errorf("%d of %d saves came through: only the one that was sent whole may", done, cuts+1)
	}
}

// The commit's answer is lost: Save cannot know, a Load can.
func TestLostAnswerIsAnErrorAndStillSaved(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	s := open(t, url)
	w := (&wire{}).whole()
	deaf := through(t, url, w)
	// Once to its end, so that the connection has prepared every statement and the next answer is that of the save itself.
	save(t, deaf, landing(t, deaf, queue.Lane{Repo: "acme/app", Trunk: "before"}))
	step := landing(t, deaf, lane)
	w.deaf.Store(true)
	if _, err := deaf.Save(t.Context(), step); err == nil || errors.Is(err, queue.ErrStale) {
		t.Fatalf("want the error of a cut connection, got %v", err)
	}
	until(t, "the commit", func() bool { return load(t, s, lane).Version > step.Old.Version })
	whole(t, s, step)
	if _, err := s.Save(t.Context(), step); !errors.Is(err, queue.ErrStale) {
		t.Errorf("the same step again: want ErrStale, got %v", err)
	}
}

// wire is what a Store's connections go through.
type wire struct {
	left atomic.Int64 // bytes that may still be written
	deaf atomic.Bool  // answers are lost
	turn atomic.Bool  // the last thing that happened was an answer
	asks atomic.Int64 // how often something was sent after an answer
}

func (*wire) whole() *wire {
	w := &wire{}
	w.left.Store(1 << 40)
	return w
}

func through(t *testing.T, url string, w *wire) *store.Store {
	t.Helper()
	if w.left.Load() == 0 {
		w.left.Store(1 << 40)
	}
	s, err := store.OpenWith(t.Context(), url, func(cfg *pgxpool.Config) {
		cfg.MaxConns = 1
		cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
		dial := cfg.ConnConfig.DialFunc
		cfg.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &cuttable{conn, w}, nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

type cuttable struct {
	net.Conn
	wire *wire
}

func (c *cuttable) Write(p []byte) (int, error) {
	if c.wire.turn.Swap(false) {
		c.wire.asks.Add(1)
	}
	left := c.wire.left.Add(-int64(len(p)))
	if left >= 0 {
		return c.Conn.Write(p)
	}
	n, _ := c.Conn.Write(p[:max(0, int64(len(p))+left)])
	return n, errors.Join(net.ErrClosed, c.Conn.Close())
}

func (c *cuttable) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wire.turn.Store(true)
	if c.wire.deaf.Load() {
		return 0, errors.Join(net.ErrClosed, c.Conn.Close())
	}
	return n, err
}

// However much is in it, a save waits for one answer.
func TestASaveIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	w := (&wire{}).whole()
	s := through(t, storetest.New(t), w)
	save(t, s, landing(t, s, queue.Lane{Repo: "acme/app", Trunk: "before"})) // prepares the statements
	step := landing(t, s, lane)
	q := ready(t, s, queue.Lane{Repo: "acme/app", Trunk: "begun"})
	for name, step := range map[string]queue.Save{"an intent": {Old: q, New: begin(q, 1)}, "a landing": step} {
		before := w.asks.Load()
		save(t, s, step)
		if n := w.asks.Load() - before; n != 1 {
			t.Errorf("%s: %d round trips", name, n)
		}
	}
}

// An untouched part of a step costs nothing, and is the same object afterwards.
func TestWhatDidNotChangeIsNotWritten(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	s, admin := open(t, url), sql(t, url)
	q := ready(t, s, lane)
	rows := func(table string) string {
		return ask[string](t, admin, "select coalesce(string_agg(ctid::text, ' ' order by ctid), '') from "+table)
	}
	before := []string{rows("entries"), rows("approvals"), rows("candidates"), rows("members"), rows("runs")}
	n := q
	n.Pause = &queue.Pause{By: "ada", At: noon}
	after := save(t, s, queue.Save{Old: q, New: n})
	if now := []string{rows("entries"), rows("approvals"), rows("candidates"), rows("members"), rows("runs")}; !reflect.DeepEqual(now, before) {
		t.Errorf("rows moved\nfrom %v\n  to %v", before, now)
	}
	if after.Entries[0] != q.Entries[0] || after.Candidates[0] != q.Candidates[0] {
		t.Error("an entry that did not change was replaced")
	}
}
