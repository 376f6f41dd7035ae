package gate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lander/internal/queue"
)

// probe makes the commits that a case wants tested. They are never landed, so nothing is checked of them. Where one cannot be made for
// a reason that is not the change's, the case is given up: testing its changes anew costs time only.
func (k *Keeper) probe(ctx context.Context, a queue.Probe) error {
	style := k.policy.Style
	if c := k.q.Candidate(a.Of); c != nil {
		style = c.Style
	}
	made := queue.ProbesMade{ID: a.ID, Of: a.Of, At: k.Now()}
	for _, t := range a.Trials {
		built, err := k.tried(ctx, t, style)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			k.Log.Error().Err(err).Int64("candidate", int64(a.Of)).Msg("a trial could not be made")
			k.apply(queue.CaseForgotten{ID: a.Of, At: k.Now()})
			return nil
		}
		made.Probes = append(made.Probes, queue.Probed{Trial: t, Built: built})
	}
	k.apply(made)
	return nil
}

// tried is what a trial tests; without a commit when the member does not apply there.
func (k *Keeper) tried(ctx context.Context, t queue.Trial, style queue.Style) (queue.Built, error) {
	if !k.Mirror.Has(ctx, t.Base) {
		return queue.Built{}, fmt.Errorf("try %s: %w", t.Base.Short(), errForgotten)
	}
	if t.Member.Number == 0 {
		return queue.Built{SHA: t.Base}, nil
	}
	if !k.Mirror.Has(ctx, t.Member.Head) {
		if _, err := k.Mirror.Fetch(ctx, k.Lane.Trunk, []queue.Member{t.Member}); err != nil {
			return queue.Built{}, fmt.Errorf("fetch %v: %w", t.Member.Number, err)
		}
		if !k.Mirror.Has(ctx, t.Member.Head) {
			return queue.Built{}, fmt.Errorf("try %v: %w", t.Member.Number, errForgotten)
		}
	}
	built, err := k.Builder.Build(ctx, queue.BuildRequest{
		Base: t.Base, Members: []queue.Member{t.Member}, Style: style, At: k.Now().Truncate(time.Second),
	})
	var empty *queue.EmptyError
	switch {
	case errors.As(err, &empty):
		return queue.Built{SHA: t.Base}, nil // all of it is there already
	case blamed(err) != 0:
		return queue.Built{}, nil
	}
	return built, err
}

var errForgotten = errors.New("it is not on this machine any more")
