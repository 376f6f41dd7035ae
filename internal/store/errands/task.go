package errands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lander/internal/store/db"
)

// Task is an errand that a Taker has taken.
type Task struct {
	Handed
	Run  string // its name
	Job  []byte
	Pack []byte

	taker *Taker
	end   context.CancelCauseFunc
	seq   int64
}

// mostAway is how long a verdict is tried to be handed in while the database does not answer. The errand has long moved on by then.
const mostAway = 2 * time.Minute

// Send hands in output: MostChunk of it at most, and one call at a time. It tries again until it succeeds or ctx ends. ErrFenced: nobody
// wants it any more.
func (t *Task) Send(ctx context.Context, chunk []byte) error {
	if len(chunk) == 0 {
		return nil
	}
	err := t.insist(ctx, func(ctx context.Context) (int64, error) {
		n, err := db.New(t.taker.Pool).AddOutput(ctx, db.AddOutputParams{Seq: t.seq, Data: chunk, ID: t.ID, Attempt: t.Attempt, Worker: t.taker.Name})
		if err != nil || n > 0 {
			return n, err
		}
		// It may stand there already, where an answer was lost.
		held, err := db.New(t.taker.Pool).HeldErrand(ctx, t.ID, t.Attempt, t.taker.Name)
		if held {
			n = 1
		}
		return n, err
	})
	if err != nil {
		return fmt.Errorf("hand in output of %s: %w", t.Run, err)
	}
	t.seq++
	return nil
}

// finish hands in the verdict.
func (t *Task) finish(ctx context.Context, verdict []byte) {
	ctx, cancel := context.WithTimeout(ctx, mostAway)
	defer cancel()
	err := t.insist(ctx, func(ctx context.Context) (int64, error) {
		return db.New(t.taker.Pool).EndErrand(ctx, db.EndErrandParams{Verdict: verdict, ID: t.ID, Attempt: t.Attempt, Worker: t.taker.Name})
	})
	log := t.taker.Log.With().Str("run", t.Run).Int("attempt", t.Attempt).Logger()
	switch {
	case errors.Is(err, ErrFenced):
		log.Warn().Msg("the verdict is refused: the run has been given to another worker, or is not wanted any more")
	case err != nil:
		log.Error().Err(err).Msg("the verdict could not be handed in")
	}
}

// insist does something until it is done, or is found not to be this worker's any more.
func (t *Task) insist(ctx context.Context, do func(context.Context) (int64, error)) error {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		short, cancel := context.WithTimeout(ctx, Silence)
		n, err := do(short)
		cancel()
		switch {
		case err == nil && n > 0:
			return nil
		case err == nil:
			t.end(ErrFenced)
			return ErrFenced
		}
		if !wait(ctx, pause) {
			return errors.Join(context.Cause(ctx), err)
		}
	}
}
