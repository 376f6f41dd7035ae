package gate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lander/internal/queue"
)

// postman sends what is in the outbox, beside everything else, so that a slow forge never holds up a landing.
func (k *Keeper) postman(ctx context.Context) {
	for {
		next, err := k.Flush(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := k.Every
		if err != nil {
			wait = min(wait, 5*time.Second)
			k.Log.Error().Err(err).Msg("outbox cannot be worked off, trying again")
		} else if !next.IsZero() {
			wait = min(wait, max(next.Sub(k.Now()), 10*time.Millisecond))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-k.post:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Flush sends all that may be sent now. next is when something that could not be sent may be tried again; zero: nothing is left.
func (k *Keeper) Flush(ctx context.Context) (next time.Time, err error) {
	k.init()
	for {
		batch, err := k.Outbox.Unsent(ctx, k.Lane, k.Now(), backlog)
		if err != nil {
			return time.Time{}, fmt.Errorf("read outbox of %v: %w", k.Lane, err)
		}
		ripe := 0
		for _, o := range batch {
			if till := ripeAt(o, len(batch)); k.Now().Before(till) {
				next = sooner(next, till)
				continue
			}
			if ripe++; ripe > atATime {
				break // by now there may be newer words for some
			}
			remote, err := k.Forge.Tell(ctx, o.Notice, o.Remote)
			if ctx.Err() != nil {
				k.lookBack(ctx, o.Notice.Number)
				return next, ctx.Err()
			}
			if err == nil {
				if err := k.Outbox.Sent(ctx, o.Seq, remote); err != nil {
					return next, fmt.Errorf("mark notice %s sent: %w", o.Notice.Key, err)
				}
				continue
			}
			if k.Hopeless != nil && k.Hopeless(err) {
				// As when the pull request was deleted: nobody is left to be told.
				k.Log.Error().Err(err).Int("change", int(o.Notice.Number)).Str("notice", o.Notice.Key).Msg("notice can never be sent, given up")
				if err := k.Outbox.Sent(ctx, o.Seq, o.Remote); err != nil {
					return next, fmt.Errorf("give up notice %s: %w", o.Notice.Key, err)
				}
				continue
			}
			till := k.Now().Add(min(time.Second<<min(o.Tries, 8), 5*time.Minute))
			var later interface{ Until() time.Time }
			if errors.As(err, &later) && later.Until().After(till) {
				till = later.Until()
			}
			k.Log.Warn().Err(err).Int("change", int(o.Notice.Number)).Str("notice", o.Notice.Key).Time("again_at", till).Msg("notice not sent")
			if err := k.Outbox.SendFailed(ctx, o.Seq, err.Error(), till); err != nil {
				return next, fmt.Errorf("mark notice %s unsent: %w", o.Notice.Key, err)
			}
			next = sooner(next, till)
		}
		if ripe == 0 {
			return next, nil
		}
	}
}

// lookBack looks at a change that was being told of something when the lane was lost. Its next keeper may have told it the same by then,
// and the forge's look takes back what was said twice; but who keeps the lane looks no more at a change that has closed.
func (k *Keeper) lookBack(ctx context.Context, n queue.Number) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookBackFor)
	defer cancel()
	if _, err := k.Forge.Look(ctx, n); err != nil {
		k.Log.Warn().Err(err).Int("change", int(n)).Msg("lane was lost while something was being said, and whether it was said twice could not be seen")
	}
}

// lookBackFor bounds what a lander that must stop still does.
const lookBackFor = 3 * time.Second

// settling is how long a living comment waits while its change is on the move: by then it has often landed, and one edit is enough.
const settling = 2 * time.Second

const (
	backlog = 200 // notices that are looked over at a time
	atATime = 50  // of them, that are sent before they are looked over again
)

// What a forge takes in the long run is some eighty comments and edits a minute. Where more wait than a few, a living comment that only
// says that things go their way waits for about as long as it would take to send them all, within bounds; what comes of it is mostly
// one edit less.
const (
	crowd       = 16
	perNotice   = 750 * time.Millisecond
	mostCrowded = 30 * time.Second
)

// ripeAt is when a notice may be sent, of so many that wait: at once, but for a living comment that only says that things go their way.
func ripeAt(o queue.Outgoing, waiting int) time.Time {
	n := o.Notice
	if n.Kind != queue.NoticeLiving || n.Standing == nil {
		return time.Time{}
	}
	crowded := min(time.Duration(max(waiting-crowd, 0))*perNotice, mostCrowded)
	switch n.Standing.Stage {
	case queue.StageTesting, queue.StageLanding:
		return n.At.Add(settling + crowded)
	case queue.StageWaiting:
		if o.Remote != "" { // people have read already that it waits
			return n.At.Add(crowded)
		}
	}
	return time.Time{}
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
