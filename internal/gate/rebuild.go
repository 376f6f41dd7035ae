package gate

import (
	"context"
	"fmt"
	"slices"

	"lander/internal/queue"
)

// Rebuilt is what Rebuild brought back.
type Rebuilt struct {
	Landings int // that the ledger knew and the database did not
	Changes  int // pull requests that landed, as the forge describes them
	Open     int // pull requests that are open now
}

// mostRecalled bounds the landed pull requests that the forge is asked about, newest first. What landed is known of all.
const mostRecalled = 500

// Rebuild brings back what ledger and forge know of a lane whose database was lost or is an old one, and does nothing else. The lane
// must be held.
func (k *Keeper) Rebuild(ctx context.Context) (Rebuilt, error) {
	k.init()
	var r Rebuilt
	if err := k.load(ctx); err != nil {
		return r, err
	}
	var numbers []queue.Number
	for _, m := range slices.Backward(k.q.Moves) {
		if m.Kind != queue.MoveLand || !m.Recalled {
			continue
		}
		r.Landings++
		for _, c := range m.Members {
			if !slices.Contains(numbers, c.Number) && len(numbers) < mostRecalled {
				numbers = append(numbers, c.Number)
			}
		}
	}
	if err := k.save(ctx); err != nil {
		return r, err
	}
	for chunk := range slices.Chunk(numbers, pollChunk) {
		for _, n := range chunk {
			recalled, err := k.recall(ctx, n)
			if err != nil {
				return r, err
			}
			if recalled {
				r.Changes++
			}
		}
		if err := k.save(ctx); err != nil {
			return r, err
		}
	}
	if err := k.poll(ctx); err != nil {
		return r, err
	}
	r.Open = len(k.q.Entries)
	return r, k.save(ctx)
}

// recall looks at a pull request that landed. One that the forge does not show any more is known by its landings alone.
func (k *Keeper) recall(ctx context.Context, n queue.Number) (bool, error) {
	former, err := k.Store.Former(ctx, k.Lane, n)
	if err != nil {
		return false, fmt.Errorf("recall %v: %w", n, err)
	}
	if former == nil || former.Head != "" {
		return false, nil // nothing is to be brought back
	}
	s, err := k.Forge.Look(ctx, n)
	if err != nil {
		k.Log.Warn().Err(err).Int("change", int(n)).Msg("look at a pull request that landed did not succeed")
		return false, nil
	}
	if s.Open && s.Base == k.Lane.Trunk {
		return false, nil // the poll sees it
	}
	k.apply(queue.ChangeRecalled{Sight: s, Past: former.Past})
	return true, nil
}
