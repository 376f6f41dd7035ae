package errands

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/rs/zerolog"

	"lander/internal/queue"
	"lander/internal/store/db"
)

// Giver hands out errands and looks after them. Its methods may be called at the same time.
type Giver struct {
	pool     *pgxpool.Pool
	river    *river.Client[pgx.Tx]
	protocol string
}

// Errand is a run to be handed out.
type Errand struct {
	Lane   queue.Lane // required
	Run    string     // required: the run's name, for people
	Labels []string   // that whoever takes it must have, as queue.ParseLabels gives them
	Job    []byte     // required: what to do, in the protocol's words; 1 MiB at most
	Pack   []byte     // 64 MiB at most
}

// Handed is an attempt of an errand.
type Handed struct {
	ID      int64
	Attempt int
}

// State is how an errand stands.
type State struct {
	Attempt int
	Worker  string // empty: nobody has taken this attempt
	Beats   int64  // of this attempt so far
	Ended   bool
	Verdict []byte // where it has ended with one
}

// NewGiver makes a Giver for errands of one protocol. The pool stays the caller's.
func NewGiver(pool *pgxpool.Pool, protocol string, log zerolog.Logger) (*Giver, error) {
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: schema, Logger: loggerOf(log)})
	if err != nil {
		return nil, fmt.Errorf("make River's client: %w", err)
	}
	return &Giver{pool: pool, river: client, protocol: protocol}, nil
}

// Give hands an errand out.
func (g *Giver) Give(ctx context.Context, e Errand) (Handed, error) {
	var id int64
	err := pgx.BeginFunc(ctx, g.pool, func(tx pgx.Tx) (err error) {
		name := queueOf(g.protocol, e.Labels)
		id, err = db.New(tx).GiveErrand(ctx, db.GiveErrandParams{
			Repo: e.Lane.Repo, Trunk: e.Lane.Trunk, Run: e.Run, Labels: append([]string{}, e.Labels...), Queue: name,
			Job: e.Job, Pack: append([]byte{}, e.Pack...),
		})
		if err != nil {
			return err
		}
		return post(ctx, g.river, tx, id, 1, name)
	})
	if err != nil {
		return Handed{}, fmt.Errorf("hand out run %s: %w", e.Run, err)
	}
	return Handed{ID: id, Attempt: 1}, nil
}

// post tells River of an attempt.
func post(ctx context.Context, client *river.Client[pgx.Tx], tx pgx.Tx, id int64, attempt int, name string) error {
	job, err := client.InsertTx(ctx, tx, ticket{Errand: id, Attempt: attempt}, &river.InsertOpts{Queue: name, MaxAttempts: 1})
	if err != nil {
		return err
	}
	return db.New(tx).TicketErrand(ctx, job.Job.ID, id, attempt)
}

// Look tells how an errand stands. ErrFenced: there is none of that number any more.
func (g *Giver) Look(ctx context.Context, id int64) (State, error) {
	row, err := db.New(g.pool).LookAtErrand(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrFenced
	}
	if err != nil {
		return State{}, fmt.Errorf("look at errand %d: %w", id, err)
	}
	return State{Attempt: row.Attempt, Worker: row.Worker, Beats: row.Beats, Ended: row.Ended != nil, Verdict: row.Verdict}, nil
}

// Output takes what an attempt has written since the last call: some of it, in order; nothing when there is nothing.
func (g *Giver) Output(ctx context.Context, h Handed) ([]byte, error) {
	rows, err := db.New(g.pool).TakeOutput(ctx, h.ID, h.Attempt)
	if err != nil {
		return nil, fmt.Errorf("take output of errand %d: %w", h.ID, err)
	}
	var all []byte
	for _, r := range rows {
		all = append(all, r.Data...)
	}
	return all, nil
}

// Move takes an attempt from the worker that has it and hands the errand out once more. ErrFenced: it is not that worker's any more.
func (g *Giver) Move(ctx context.Context, h Handed, worker string) (Handed, error) {
	h, err := move(ctx, g.pool, g.river, h, worker)
	if err != nil {
		return Handed{}, fmt.Errorf("move errand %d: %w", h.ID, err)
	}
	return h, nil
}

func move(ctx context.Context, pool *pgxpool.Pool, client *river.Client[pgx.Tx], h Handed, worker string) (Handed, error) {
	next := h
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		row, err := db.New(tx).MoveErrand(ctx, h.ID, h.Attempt, worker)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrFenced
		}
		if err != nil {
			return err
		}
		next.Attempt = row.Attempt
		if err := cancelJob(ctx, client, tx, row.Ticket); err != nil {
			return err
		}
		return post(ctx, client, tx, h.ID, row.Attempt, row.Queue)
	})
	return next, err
}

// Recall takes an errand back that nobody has taken. ErrFenced: somebody has, or it has ended.
func (g *Giver) Recall(ctx context.Context, id int64) error {
	return g.end(ctx, id, db.New(g.pool).RecallErrand)
}

// Cancel ends an errand, whoever has it. ErrFenced: it has ended.
func (g *Giver) Cancel(ctx context.Context, id int64) error {
	return g.end(ctx, id, db.New(g.pool).CancelErrand)
}

// CancelAll ends all errands of a lane: nobody waits for them who could use what they say.
func (g *Giver) CancelAll(ctx context.Context, l queue.Lane) error {
	tickets, err := db.New(g.pool).CancelErrandsOf(ctx, l.Repo, l.Trunk)
	if err != nil {
		return fmt.Errorf("cancel errands of %v: %w", l, err)
	}
	for _, t := range tickets {
		g.cancelTicket(ctx, t)
	}
	return nil
}

// Drop forgets an errand that has ended.
func (g *Giver) Drop(ctx context.Context, id int64) error {
	if err := db.New(g.pool).DropErrand(ctx, id); err != nil {
		return fmt.Errorf("drop errand %d: %w", id, err)
	}
	return nil
}

func (g *Giver) end(ctx context.Context, id int64, by func(context.Context, int64) (int64, error)) error {
	t, err := by(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrFenced
	}
	if err != nil {
		return fmt.Errorf("end errand %d: %w", id, err)
	}
	g.cancelTicket(ctx, t)
	return nil
}

// cancelTicket makes River tell the worker at once. Where it cannot, the next beat does.
func (g *Giver) cancelTicket(ctx context.Context, t int64) {
	_, _ = g.river.JobCancel(ctx, t)
}

func cancelJob(ctx context.Context, client *river.Client[pgx.Tx], tx pgx.Tx, t int64) error {
	if _, err := client.JobCancelTx(ctx, tx, t); err != nil && !errors.Is(err, river.ErrNotFound) {
		return err
	}
	return nil
}

// Worker is one that takes errands.
type Worker struct {
	Name     string
	Labels   []string
	Slots    int
	Version  string
	Same     bool // it understands this giver: its protocol begins with the giver's
	Alive    bool
	Since    time.Time
	LastBeat time.Time
	Runs     []string // under way there
}

// Workers lists all that there are, and those that went without a word a while ago.
func (g *Giver) Workers(ctx context.Context) ([]Worker, error) {
	rows, err := db.New(g.pool).Workers(ctx, Silence.Seconds())
	if err != nil {
		return nil, fmt.Errorf("list workers: %w", err)
	}
	all := make([]Worker, len(rows))
	for i, r := range rows {
		all[i] = Worker{
			Name: r.Name, Labels: r.Labels, Slots: r.Slots, Version: r.Version, Same: strings.HasPrefix(r.Protocol, g.protocol), Alive: r.Alive,
			Since: r.Began, LastBeat: r.Beat, Runs: r.Runs,
		}
	}
	return all, nil
}

// loggerOf gives River a logger. What it tells of its own working is for those who look for a fault in it.
func loggerOf(log zerolog.Logger) *slog.Logger {
	return slog.New(zerolog.NewSlogHandler(log.Level(max(log.GetLevel(), zerolog.WarnLevel))))
}
