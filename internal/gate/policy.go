package gate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"

	"lander/internal/queue"
)

// readPolicy reads the policy at trunk's tip, once for each tip.
func (k *Keeper) readPolicy(ctx context.Context) error {
	tip := k.q.Tip
	if tip == k.readAt || tip == "" {
		return nil
	}
	text, err := k.Mirror.Show(ctx, tip, queue.PolicyFile)
	if errors.Is(err, fs.ErrNotExist) && k.Policy != nil {
		text, err = k.Policy, nil
	}
	var p queue.Policy
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// No file is no recipe, and then nothing lands: queue says so to everybody who waits.
		p = queue.Policy{Approvals: 1}
	case err != nil:
		return fmt.Errorf("read policy of %v: %w", k.Lane, err)
	default:
		p, err = k.ReadPolicy(text)
		if err != nil {
			p = k.lastGood(tip, err)
		}
	}
	k.readAt = tip
	if !reflect.DeepEqual(p, k.policy) {
		k.policy, k.dirty = p, true
	}
	return nil
}

// lastGood goes on by the policy that trunk held before a broken one got past lander, and says so.
func (k *Keeper) lastGood(tip queue.SHA, problem error) queue.Policy {
	k.Log.Error().Err(problem).Str("tip", tip.Short()).Msg("policy file on trunk is broken")
	p := k.policy
	if p.Recipe.Empty() {
		return queue.Policy{Approvals: 1, Problem: problem.Error()}
	}
	p.Warning = sayPolicyBroken(tip, problem)
	return p
}

// whoBreaksPolicy finds the member that makes of the policy file what no candidate may.
func (k *Keeper) whoBreaksPolicy(ctx context.Context, r queue.BuildRequest, built queue.Built) (queue.Member, error) {
	on := r.Base
	for _, b := range boundaries(r.Members, built) {
		problem, err := k.checkPolicy(ctx, on, b.SHA)
		if err != nil || problem != "" {
			return b.Member, err
		}
		on = b.SHA
	}
	return r.Members[len(r.Members)-1], nil
}

// checkPolicy says why a candidate must not land because of what it does to the policy file; empty: it may.
func (k *Keeper) checkPolicy(ctx context.Context, base, candidate queue.SHA) (string, error) {
	was, err := k.Mirror.Show(ctx, base, queue.PolicyFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	is, err := k.Mirror.Show(ctx, candidate, queue.PolicyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if was == nil {
			return "", nil
		}
		return sayPolicyDeleted(), nil
	case err != nil:
		return "", err
	case string(was) == string(is):
		return "", nil
	}
	p, err := k.ReadPolicy(is)
	switch {
	case err != nil:
		return sayPolicyBreaks(err), nil
	case p.Recipe.Empty() && !k.policy.Recipe.Empty():
		return sayPolicyEmptied(), nil
	}
	return "", nil
}
