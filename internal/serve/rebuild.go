package serve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"lander/internal/gate"
	"lander/internal/queue"
)

// Rebuild brings back what ledger and forge know of every lane, into a database that was lost or is an old one, and lands nothing.
// No lander may be running on it. done is called after each lane. The errors are sentences for the operator.
func Rebuild(ctx context.Context, o Options, done func(queue.Lane, gate.Rebuilt)) (err error) {
	s := &Server{settings: o.Settings, log: o.Log, policy: o.Policy, keepers: map[queue.Lane]*gate.Keeper{}, free: func() {}, cancel: func() {}}
	if s.free, err = LockDir(s.settings.DataDir); err != nil {
		return err
	}
	defer s.Stop()
	if err := s.build(ctx); err != nil {
		return err
	}
	var errs []error
	for _, l := range slices.SortedFunc(slices.Values(s.settings.Lanes), func(a, b queue.Lane) int { return strings.Compare(a.String(), b.String()) }) {
		r, err := rebuild(ctx, s.keepers[l])
		if err != nil {
			errs = append(errs, fmt.Errorf("rebuild %v: %w", l, err))
			continue
		}
		done(l, r)
	}
	return errors.Join(errs...)
}

func rebuild(ctx context.Context, k *gate.Keeper) (gate.Rebuilt, error) {
	free, _, err := k.Hold(ctx)
	if err != nil {
		return gate.Rebuilt{}, err
	}
	defer free()
	return k.Rebuild(ctx)
}
