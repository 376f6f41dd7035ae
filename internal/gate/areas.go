package gate

import (
	"context"
	"fmt"

	"lander/internal/queue"
)

// mapAreas finds out which areas a change touches: those of the files that it changes, seen from where it left trunk.
func (k *Keeper) mapAreas(ctx context.Context, a queue.Map) error {
	m := queue.Member{Number: a.Number, Head: a.Head}
	if ready, err := k.bring(ctx, queue.BuildRequest{Members: []queue.Member{m}}); !ready || err != nil {
		return err
	}
	areas, err := k.Touched(ctx, a.Rules, k.q.Tip, a.Head)
	if err != nil {
		return fmt.Errorf("find the areas of %v: %w", a.Number, err)
	}
	k.apply(queue.ChangeMapped{Number: a.Number, Head: a.Head, Rules: a.Rules.Digest(), Areas: areas})
	return nil
}

// combine puts what was tested elsewhere onto trunk as it is now. Where it does not apply there, or would change there what its members
// do not, it is given up, and tested anew on trunk as it is.
func (k *Keeper) combine(ctx context.Context, a queue.Combine) error {
	if ready, err := k.bring(ctx, a.Request); !ready || err != nil {
		return err
	}
	built, err := k.made(ctx, a.Request)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var problem string
	if err == nil {
		problem, err = k.checkPolicy(ctx, a.Request.Base, built.SHA)
	}
	if err != nil || problem != "" {
		k.Log.Warn().Err(err).Str("problem", problem).Int64("candidate", int64(a.ID)).Msg("a green candidate does not apply on trunk as it is now")
		k.apply(queue.Abandoned{ID: a.ID, Reason: sayNoCombination(a.Request.Base), At: k.Now()})
		return nil
	}
	k.apply(queue.Combined{ID: a.ID, As: a.As, Request: a.Request, Built: built, At: k.Now()})
	return nil
}
