package gate

import (
	"context"
	"strings"
	"time"

	"lander/internal/queue"
)

const (
	// hinderedTries and hinderedFor are how often in a row, and for how long, the lane must have failed to go on before people are told.
	hinderedTries = 5
	hinderedFor   = 10 * time.Second
	// hinderedAgain is how soon they are told of another reason.
	hinderedAgain = time.Minute
)

// spell is a time in which the lane could not go on.
type spell struct {
	since time.Time // the first failure
	tries int
	told  time.Time
}

// weigh says so when the lane has failed to go on for a while, and when it goes on again. err is how settling ended; polled: it polled.
func (k *Keeper) weigh(ctx context.Context, err error, polled bool) {
	switch {
	case err != nil:
		k.hindered(ctx, err)
	case k.pollErr == nil && k.starved(ctx):
	case k.pollErr == nil:
		k.eased(ctx)
	case polled: // what is known is dealt with, and nothing new can be learnt
		k.hindered(ctx, k.pollErr)
	}
}

func (k *Keeper) hindered(ctx context.Context, err error) {
	now, s := k.Now(), &k.spell
	if s.tries == 0 || now.Before(s.since) {
		*s = spell{since: now}
	}
	s.tries++
	if s.tries < hinderedTries || now.Before(s.since.Add(hinderedFor)) || now.Before(s.told.Add(hinderedAgain)) {
		return
	}
	reason := ""
	if k.Diagnose != nil {
		reason = k.Diagnose(ctx, err)
	}
	if reason == "" {
		reason = sayCannotGoOn(once(err))
	}
	if ctx.Err() != nil {
		return
	}
	if err := k.note(ctx, queue.Hindered{Reason: reason, At: now}); err != nil {
		k.Log.Error().Err(err).Str("reason", reason).Msg("nobody could be told why the lane cannot go on")
		return
	}
	s.told = now
}

// starved tells people where runs wait for what does not come by itself.
func (k *Keeper) starved(ctx context.Context) bool {
	if k.Starved == nil {
		return false
	}
	why := k.Starved()
	if why == "" {
		return false
	}
	if err := k.note(ctx, queue.Hindered{Reason: why, At: k.Now()}); err != nil {
		k.Log.Warn().Err(err).Str("reason", why).Msg("nobody could be told what runs wait for")
	}
	return true
}

func (k *Keeper) eased(ctx context.Context) {
	k.spell = spell{}
	if t := k.q.Trouble; t == nil || !t.Host {
		return
	}
	if err := k.note(ctx, queue.Eased{At: k.Now()}); err != nil {
		k.Log.Warn().Err(err).Msg("nobody could be told that the lane goes on")
	}
}

// note stores a fact at once, also when the lane could not be loaded to its end.
func (k *Keeper) note(ctx context.Context, fact queue.Event) error {
	if !k.loaded {
		q, policy, err := k.Store.View(ctx, k.Lane)
		if err != nil {
			return err
		}
		k.q, k.saved, k.policy, k.done, k.dirty = q, q, policy, nil, false
	}
	k.apply(fact)
	return k.save(ctx)
}

// once is the text of an error that may have been joined from several that say the same.
func once(err error) string {
	var said []string
next:
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		for i, other := range said {
			if strings.HasSuffix(other, line) {
				continue next
			}
			if strings.HasSuffix(line, other) {
				said[i] = line
				continue next
			}
		}
		said = append(said, line)
	}
	return strings.Join(said, "; ")
}
