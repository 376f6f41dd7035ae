package errands_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"lander/internal/queue"
	"lander/internal/store/errands"
)

func TestAnErrandIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.worker("a", 1), w.worker("b", 1)
	given := w.give("main.1.1")
	var j *job
	select {
	case j = <-a.took:
	case j = <-b.took:
	case <-time.After(patience):
		t.Fatal("nobody takes it")
	}
	if j.Run != "main.1.1" || string(j.Job) != "do main.1.1" || len(j.Pack) != 2 || j.Handed != given {
		t.Errorf("taken: %+v", j.Task)
	}
	for _, text := range []string{"one ", "two ", "three"} {
		if err := j.Send(j.ctx, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	w.until("beats", func() bool { return w.look(given.ID).Beats > 1 })
	j.verdict <- []byte("green")
	w.until("a verdict", func() bool { return w.look(given.ID).Ended })
	if s := w.look(given.ID); string(s.Verdict) != "green" || s.Attempt != 1 || s.Worker == "" {
		t.Errorf("ended: %+v", s)
	}
	if out, err := w.giver.Output(t.Context(), given); err != nil || string(out) != "one two three" {
		t.Errorf("output %q, %v", out, err)
	}
	if out, err := w.giver.Output(t.Context(), given); err != nil || len(out) > 0 {
		t.Errorf("output again %q, %v", out, err)
	}
	if err := w.giver.Drop(t.Context(), given.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.giver.Look(t.Context(), given.ID); !errors.Is(err, errands.ErrFenced) {
		t.Errorf("after it was dropped: %v", err)
	}
}

// Who was taken for dead and is not finds that nothing of what it does counts any more.
func TestAZombieIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.worker("a", 1)
	given := w.give("main.1.1")
	zombie := w.takes(a)
	if err := zombie.Send(zombie.ctx, []byte("before")); err != nil {
		t.Fatal(err)
	}
	moved, err := w.giver.Move(t.Context(), given, "a")
	if err != nil || moved.Attempt != 2 {
		t.Fatalf("moved: %+v, %v", moved, err)
	}
	if err := zombie.Send(t.Context(), []byte("after")); !errors.Is(err, errands.ErrFenced) {
		t.Errorf("its output: %v", err)
	}
	if err := w.stopped(zombie); err == nil {
		t.Error("it was not told")
	}
	b := w.worker("b", 1)
	var second *job
	select { // either has a slot
	case second = <-a.took:
	case second = <-b.took:
	case <-time.After(patience):
		t.Fatal("nobody takes it again")
	}
	if second.Attempt != 2 {
		t.Errorf("attempt %d", second.Attempt)
	}
	if out, err := w.giver.Output(t.Context(), moved); err != nil || len(out) > 0 {
		t.Errorf("the second attempt wrote %q, %v", out, err)
	}
	second.verdict <- []byte("green")
	w.until("a verdict", func() bool { return w.look(given.ID).Ended })
	if _, err := w.giver.Move(t.Context(), given, "a"); !errors.Is(err, errands.ErrFenced) {
		t.Errorf("moved once more: %v", err)
	}
}

func TestTheVerdictOfAZombieIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.worker("a", 1)
	given := w.give("main.1.1")
	zombie := w.takes(a)
	if _, err := w.giver.Move(t.Context(), given, "a"); err != nil {
		t.Fatal(err)
	}
	select {
	case zombie.verdict <- []byte("a lie"):
	case <-zombie.ctx.Done(): // it was told before
	}
	second := w.takes(a)
	if s := w.look(given.ID); s.Ended || s.Verdict != nil || s.Attempt != 2 {
		t.Fatalf("after the zombie's verdict: %+v", s)
	}
	second.verdict <- []byte("the truth")
	w.until("a verdict", func() bool { return w.look(given.ID).Ended })
	if s := w.look(given.ID); string(s.Verdict) != "the truth" {
		t.Errorf("ended: %+v", s)
	}
}

func TestAWorkerThatIsStoppedGivesBackAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.worker("a", 1)
	given := w.give("main.1.1")
	first := w.takes(a)
	b := w.worker("b", 1)
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	_ = w.stopped(first) // by the worker itself or by River's word that its job is void, whichever comes first
	if again := w.takes(b); again.ID != given.ID || again.Attempt != 2 {
		t.Errorf("taken again: %+v", again.Handed)
	}
	all, err := w.giver.Workers(t.Context())
	if err != nil || len(all) != 1 || all[0].Name != "b" || !all[0].Alive || !all[0].Same || len(all[0].Runs) != 1 {
		t.Errorf("workers %+v, %v", all, err)
	}
}

func TestCancelReachesTheWorker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.worker("a", 2)
	one, two := w.give("main.1.1"), w.give("main.2.1")
	jobs := []*job{w.takes(a), w.takes(a)}
	if err := w.giver.Cancel(t.Context(), one.ID); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(jobs, func(j *job) bool { return j.ID == one.ID })
	_ = w.stopped(jobs[i])
	if jobs[1-i].ctx.Err() != nil {
		t.Error("the other one was stopped too")
	}
	if err := w.giver.Cancel(t.Context(), one.ID); !errors.Is(err, errands.ErrFenced) {
		t.Errorf("cancelled twice: %v", err)
	}
	// A lane that changes hands takes all that is its own with it, and no other's.
	if err := w.giver.CancelAll(t.Context(), queue.Lane{Repo: "acme/app", Trunk: "release"}); err != nil || jobs[1-i].ctx.Err() != nil {
		t.Errorf("another lane's: %v, %v", err, jobs[1-i].ctx.Err())
	}
	if err := w.giver.CancelAll(t.Context(), lane); err != nil {
		t.Fatal(err)
	}
	_ = w.stopped(jobs[1-i])
	if s := w.look(two.ID); !s.Ended || s.Verdict != nil {
		t.Errorf("cancelled: %+v", s)
	}
}

// The word of River may be lost: the beat finds out by itself.
func TestCancelReachesTheWorkerWithoutRiver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.worker("a", 1)
	given := w.give("main.1.1")
	j := w.takes(a)
	w.sql("update errands set ended = now() where id = $1", given.ID)
	if err := w.stopped(j); !errors.Is(err, errands.ErrFenced) {
		t.Errorf("stopped for %v", err)
	}
}

func TestWhatNobodyTookIsRecalled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	given := w.give("main.1.1")
	if err := w.giver.Recall(t.Context(), given.ID); err != nil {
		t.Fatal(err)
	}
	a := w.worker("a", 1)
	other := w.give("main.2.1")
	j := w.takes(a)
	if j.ID != other.ID {
		t.Errorf("taken although recalled: %+v", j.Handed)
	}
	if err := w.giver.Recall(t.Context(), other.ID); !errors.Is(err, errands.ErrFenced) {
		t.Errorf("recalled from who has it: %v", err)
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain, big := w.worker("plain", 1), w.worker("big", 1, "big", "linux")
	for _, asks := range [][]string{{"big"}, {"big", "linux"}, {"linux"}} {
		given := w.give("main.1.1", asks...)
		j := w.takes(big)
		if j.ID != given.ID {
			t.Errorf("taken for %v: %+v", asks, j.Handed)
		}
		j.verdict <- []byte("green")
		w.until("a verdict", func() bool { return w.look(given.ID).Ended })
	}
	nobody := w.give("main.2.1", "gpu")
	given := w.give("main.3.1")
	var j *job
	select {
	case j = <-plain.took:
	case j = <-big.took:
	case <-time.After(patience):
		t.Fatal("nobody takes it")
	}
	if j.ID != given.ID || w.look(nobody.ID).Worker != "" {
		t.Errorf("taken: %+v", j.Handed)
	}
}

// A worker with labels listens in several places, and still has no more under way than it has slots.
func TestSlotsHoldOverAllLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.worker("a", 1, "big", "linux")
	w.give("1")
	w.give("2", "big")
	w.give("3", "big", "linux")
	for range 3 {
		j := w.takes(a)
		all, err := w.giver.Workers(t.Context())
		if err != nil || len(all) != 1 || len(all[0].Runs) != 1 {
			t.Fatalf("under way: %+v, %v", all, err)
		}
		j.verdict <- []byte("green")
	}
}

func TestANameHasOneWorker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.worker("a", 1)
	second := &errands.Taker{Pool: w.connect(), Name: "a", Protocol: "p", Slots: 1}
	var taken *errands.TakenError
	if err := second.Join(t.Context()); !errors.As(err, &taken) {
		t.Fatalf("joined under a name that is taken: %v", err)
	}
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	if err := second.Join(t.Context()); err != nil {
		t.Errorf("after the first has left: %v", err)
	}
	// One that was killed holds its name until it has been silent for long enough.
	w.sql("update workers set beat = now() - interval '1 minute'")
	if all, err := w.giver.Workers(t.Context()); err != nil || len(all) != 1 || all[0].Alive {
		t.Errorf("workers %+v, %v", all, err)
	}
	third := &errands.Taker{Pool: w.connect(), Name: "a", Protocol: "q", Slots: 1}
	if err := third.Join(t.Context()); err != nil {
		t.Errorf("after the second fell silent: %v", err)
	}
	if all, err := w.giver.Workers(t.Context()); err != nil || len(all) != 1 || !all[0].Alive || all[0].Same {
		t.Errorf("workers %+v, %v", all, err)
	}
}

// The connections of a worker are cut, again and again: the run goes on, is beaten for, and its verdict counts.
func TestAWorkerOutlivesItsConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.worker("a", 1)
	given := w.give("main.1.1")
	j := w.takes(a)
	for range 3 {
		beats := w.look(given.ID).Beats
		w.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
		if err := j.Send(j.ctx, []byte("x")); err != nil {
			t.Fatal(err)
		}
		w.until("more beats", func() bool {
			s, err := w.giver.Look(t.Context(), given.ID)
			return err == nil && s.Beats > beats
		})
	}
	j.verdict <- []byte("green")
	w.until("a verdict", func() bool {
		s, err := w.giver.Look(t.Context(), given.ID)
		return err == nil && s.Ended
	})
	if out, err := w.giver.Output(t.Context(), given); err != nil || string(out) != "xxx" {
		t.Errorf("output %q, %v", out, err)
	}
	// And it is told of the next one.
	w.give("main.2.1")
	w.takes(a)
}

func TestTheSchemaKeepsTheFence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	given := w.give("main.1.1")
	ended := w.give("main.2.1")
	w.sql("update errands set worker = 'a', begun = now() where id = $1", given.ID)
	w.sql("update errands set attempt = 3, worker = 'a', begun = now(), verdict = 'x', ended = now() where id = $1", ended.ID)
	for name, c := range map[string]struct{ sql, want string }{
		"an attempt that goes back":  {"update errands set attempt = 2 where run = 'main.2.1'", "errands_attempt_grows"},
		"a second worker":            {"update errands set worker = 'b' where run = 'main.1.1'", "errands_taken_once"},
		"a worker out of nothing":    {"update errands set worker = '', begun = now(), attempt = 2 where run = 'main.1.1'", "errands_taken"},
		"a verdict twice":            {"update errands set verdict = 'y' where run = 'main.2.1'", "errands_end_once"},
		"an end taken back":          {"update errands set ended = null, verdict = null where run = 'main.2.1'", "errands_end_once"},
		"a verdict without an end":   {"update errands set verdict = 'y' where run = 'main.1.1'", "errands_verdict"},
		"a verdict without a worker": {"update errands set verdict = 'y', ended = now(), worker = '', begun = null, attempt = 2 where run = 'main.1.1'", "errands_verdict"},
		"a chunk too large":          {"insert into errand_output values (1, 1, 1, convert_to(repeat('x', 65537), 'UTF8'))", "errand_output_data_check"},
		"a worker without slots":     {"insert into workers (name, session, slots, protocol) values ('a', '', 0, '')", "workers_slots_check"},
	} {
		_, err := w.pool.Exec(t.Context(), c.sql)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.ConstraintName != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
