package errands

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/rs/zerolog"

	"lander/internal/store/db"
)

// Taker takes errands, as many at a time as it has slots. It must not be copied.
type Taker struct {
	Pool     *pgxpool.Pool // required; of at least four connections
	Name     string        // required: no other living worker has it
	Protocol string        // required
	Also     []string      // further protocols that it understands
	Labels   []string      // as queue.ParseLabels gives them
	Slots    int           // required
	Version  string        // for people
	// Do carries an errand out. Its context ends when the verdict is not wanted any more, with ErrFenced as the cause when it would be
	// refused. What it returns is the verdict; nil: it has none, for it was stopped.
	Do  func(ctx context.Context, t *Task) []byte // required
	Log zerolog.Logger

	session string
	river   *river.Client[pgx.Tx]
	free    chan struct{}

	mu    sync.Mutex
	over  bool // no more is to be begun
	under map[Handed]context.CancelCauseFunc
	tasks sync.WaitGroup
}

// TakenError says that another living worker has the name.
type TakenError struct{ Name string }

func (e *TakenError) Error() string { return "another worker that is alive has the name " + e.Name }

// Join makes the name known. Where another worker that was killed had it, that takes until Silence has passed.
func (t *Taker) Join(ctx context.Context) error {
	t.session = rand.Text()
	deadline := time.Now().Add(Silence + 2*Beat)
	for {
		n, err := db.New(t.Pool).Join(ctx, db.JoinParams{
			Name: t.Name, Session: t.session, Labels: append([]string{}, t.Labels...), Slots: t.Slots, Protocol: t.Protocol,
			Version: t.Version, Silence: Silence.Seconds(),
		})
		switch {
		case err != nil:
			return fmt.Errorf("join as %s: %w", t.Name, err)
		case n > 0:
			return nil
		case time.Now().After(deadline):
			return &TakenError{t.Name}
		}
		if !wait(ctx, Beat) {
			return ctx.Err()
		}
	}
}

// Run takes errands until ctx ends, then gives back what is under way and returns when no Do is left. Call Join first. Its error is a
// *TakenError when another has taken the name, which happens to a process that was stopped for long.
func (t *Taker) Run(ctx context.Context) error {
	t.free, t.under = make(chan struct{}, t.Slots), map[Handed]context.CancelCauseFunc{}
	queues := map[string]river.QueueConfig{}
	for _, protocol := range append([]string{t.Protocol}, t.Also...) {
		for _, name := range queuesOf(protocol, t.Labels) {
			queues[name] = river.QueueConfig{MaxWorkers: t.Slots}
		}
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(t.work))
	var err error
	t.river, err = river.NewClient(riverpgxv5.New(t.Pool), &river.Config{
		Schema: schema, Logger: loggerOf(t.Log), Queues: queues, Workers: workers, JobTimeout: -1, MaxAttempts: 1,
		// A run may take a day. What is rescued is fenced anyway; this keeps River's tables telling the truth.
		RescueStuckJobsAfter: 48 * time.Hour,
		ReindexerIndexNames:  []string{}, // the tables are small, and a worker's login does not own them
	})
	if err != nil {
		return fmt.Errorf("make River's client: %w", err)
	}
	apart := context.WithoutCancel(ctx)
	if err := t.river.Start(apart); err != nil {
		return fmt.Errorf("start River's client: %w", err)
	}
	err = t.beat(ctx)
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	t.giveBack(apart)
	last, cancel := context.WithTimeout(apart, 5*time.Second)
	defer cancel()
	// It waits for work, which ends by itself now. What it cannot write of its own any more is of no consequence.
	_ = t.river.StopAndCancel(last)
	t.tasks.Wait()
	if left := db.New(t.Pool).Leave(last, t.Name, t.session); left != nil {
		t.Log.Warn().Err(left).Msg("nobody could be told that this worker has gone")
	}
	return err
}

// beat says that this worker is there, and which errands it is at, until ctx ends. Those that are not its own any more it stops.
func (t *Taker) beat(ctx context.Context) error {
	away := time.Time{}
	for wait(ctx, Beat) {
		short, cancel := context.WithTimeout(ctx, Silence)
		n, err := db.New(t.Pool).BeatWorker(short, t.Name, t.session)
		if err == nil && n == 0 {
			// Pruned, or another has come: to join again tells which.
			n, err = db.New(t.Pool).Join(short, db.JoinParams{
				Name: t.Name, Session: t.session, Labels: append([]string{}, t.Labels...), Slots: t.Slots, Protocol: t.Protocol,
				Version: t.Version, Silence: Silence.Seconds(),
			})
			if err == nil && n == 0 {
				cancel()
				return &TakenError{t.Name}
			}
		}
		if err == nil {
			err = t.beatErrands(short)
		}
		cancel()
		switch {
		case err != nil && ctx.Err() == nil && away.IsZero():
			away = time.Now()
			t.Log.Warn().Err(err).Msg("the database does not answer; runs go on, and count if it is back soon")
		case err == nil && !away.IsZero():
			t.Log.Info().Dur("away", time.Since(away)).Msg("the database answers again")
			away = time.Time{}
		}
	}
	return nil
}

func (t *Taker) beatErrands(ctx context.Context) error {
	t.mu.Lock()
	var ids []int64
	var attempts []int32
	was := map[Handed]context.CancelCauseFunc{}
	for h, end := range t.under {
		ids, attempts, was[h] = append(ids, h.ID), append(attempts, int32(h.Attempt)), end
	}
	t.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	rows, err := db.New(t.Pool).BeatErrands(ctx, t.Name, ids, attempts)
	if err != nil {
		return err
	}
	for _, r := range rows {
		delete(was, Handed(r))
	}
	for _, end := range was {
		end(ErrFenced)
	}
	return nil
}

// giveBack hands out again what is under way here, so that it begins elsewhere while its processes still die here.
func (t *Taker) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	t.mu.Lock()
	under := make(map[Handed]context.CancelCauseFunc, len(t.under))
	for h, end := range t.under {
		under[h] = end
	}
	t.mu.Unlock()
	for h, end := range under {
		if _, err := move(ctx, t.Pool, t.river, h, t.Name); err != nil && !errors.Is(err, ErrFenced) {
			t.Log.Warn().Err(err).Int64("errand", h.ID).Msg("a run is not given back; it begins elsewhere when this worker has been silent for a while")
		}
		end(ErrFenced)
	}
}

// work is what River calls with a ticket. Nothing that it returns makes River try again.
func (t *Taker) work(ctx context.Context, job *river.Job[ticket]) error {
	if !t.begin() {
		return river.JobSnooze(0)
	}
	defer t.tasks.Done()
	select {
	case t.free <- struct{}{}:
		defer func() { <-t.free }()
	default:
		// River counts what is under way in each queue by itself, and a worker with labels has several.
		return river.JobSnooze(300 * time.Millisecond)
	}
	h := Handed{ID: job.Args.Errand, Attempt: job.Args.Attempt}
	row, err := db.New(t.Pool).ClaimErrand(ctx, t.Name, h.ID, h.Attempt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // it has moved on
	}
	if err != nil {
		return river.JobSnooze(time.Second)
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	t.mu.Lock()
	t.under[h] = end
	t.mu.Unlock()
	task := &Task{Handed: h, Run: row.Run, Job: row.Job, Pack: row.Pack, taker: t, end: end}
	verdict := t.Do(ctx, task)
	if verdict != nil {
		task.finish(context.WithoutCancel(ctx), verdict)
	}
	t.mu.Lock()
	delete(t.under, h)
	t.mu.Unlock()
	return nil
}

// begin reports whether one more may be begun; if so, tasks has it.
func (t *Taker) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		t.tasks.Add(1)
	}
	return !t.over
}

// wait reports false when ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
