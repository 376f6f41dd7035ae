package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"lander/internal/queue"
)

// Settle works until there is nothing left to do now: what is in the inbox, what the runs reported, what the plan asks for. A test
// run that is under way is not waited for. It is what Run does at every nudge; tests call it by hand, and then nobody else may.
func (k *Keeper) Settle(ctx context.Context) error {
	k.init()
	return k.settle(ctx, false)
}

// Poll is Settle after asking the forge and the git server what is new, as if no webhook had ever come.
func (k *Keeper) Poll(ctx context.Context) error {
	k.init()
	return k.settle(ctx, true)
}

// State is the lane as this Keeper sees it, for tests.
func (k *Keeper) State() queue.Queue { return k.q }

// Busy is how many runs, and looks at trunk beside them, are under way and have not reported yet, for tests.
func (k *Keeper) Busy() int { return int(k.busy.Load()) }

func (k *Keeper) settle(ctx context.Context, poll bool) error {
	if err := k.load(ctx); err != nil {
		return err
	}
	if poll {
		err := k.poll(ctx)
		if k.pollErr = err; err != nil {
			// What is known already goes on without it: an approved change needs no list of the others.
			k.Log.Warn().Err(err).Msg("poll did not succeed")
			if !k.loaded { // a save failed: what is in memory no longer counts
				return err
			}
		}
	}
	var failed error
	for range maxRounds {
		before := k.q
		if err := k.gather(ctx); err != nil {
			failed = errors.Join(failed, err)
		}
		k.reap()
		plan := k.q.Plan(k.Now(), k.within())
		for _, a := range plan {
			if err := k.do(ctx, a); err != nil {
				err = fmt.Errorf("%s: %w", a.Key(), err)
				if k.loaded { // else a save has failed already, and what is in memory no longer counts
					err = errors.Join(err, k.save(ctx))
				}
				return errors.Join(failed, err)
			}
		}
		if len(plan) > 0 {
			continue // deeds that others can see save before they act, so that one save often does for several facts
		}
		if err := k.save(ctx); err != nil {
			return errors.Join(failed, err)
		}
		if same(before, k.q) {
			return failed
		}
	}
	if err := k.save(ctx); err != nil {
		return errors.Join(failed, err)
	}
	return fmt.Errorf("settle lane %v: the plan did not become empty in %d rounds: %w", k.Lane, maxRounds, failed)
}

// within is the policy, with no more runs at a time than there are workers for: who waits for one is better off in a larger batch. Who
// waits for checks mostly takes none of them.
func (k *Keeper) within() queue.Policy {
	p := k.policy
	if k.Workers != nil && len(p.Recipe.Checks) == 0 {
		p.Window = min(p.Window, max(k.Workers(p), 1))
	}
	return p
}

// maxRounds bounds one settling: a plan that never empties is a fault to be told, not a loop to be burnt in.
const maxRounds = 1000

func (k *Keeper) load(ctx context.Context) error {
	if k.loaded {
		return nil
	}
	q, policy, err := k.Store.View(ctx, k.Lane)
	if err != nil {
		return fmt.Errorf("load lane %v: %w", k.Lane, err)
	}
	k.q, k.saved, k.policy, k.readAt, k.done, k.dirty = q, q, policy, "", nil, false
	k.polled, k.sweeps = zero, 0 // everything is compared again at the next poll
	k.single, k.unasked = k.q.Ledger.Single, k.Atomic != nil && k.q.Ledger.Tip == ""
	if err := k.ask(ctx); err != nil {
		return err
	}
	for _, c := range q.Candidates {
		if c.State == queue.CandidateTesting && !k.isRunning(run{c.ID, c.Run}) {
			k.apply(queue.RunLost{ID: c.ID, Run: c.Run, At: k.Now()})
		}
	}
	if err := k.seeTrunk(ctx, nil); err != nil {
		return err
	}
	for _, c := range k.q.Candidates {
		if c.State != queue.CandidateLanding && !k.Mirror.Has(ctx, c.Built.SHA) {
			k.cancel(c.ID)
			k.apply(queue.Abandoned{ID: c.ID, Reason: sayForgotten(), At: k.Now()})
		}
	}
	for _, s := range k.q.Cases {
		if slices.ContainsFunc(s.Chain, func(b queue.Boundary) bool { return !k.Mirror.Has(ctx, b.SHA) }) {
			k.apply(queue.CaseForgotten{ID: s.ID, At: k.Now()})
		}
	}
	k.loaded = true
	return nil
}

// apply records a fact in memory.
func (k *Keeper) apply(facts ...queue.Event) {
	for _, f := range facts {
		k.q = k.q.Apply(f)
	}
}

// save stores what was applied since the last time; nothing new, nothing stored.
func (k *Keeper) save(ctx context.Context) error {
	if same(k.saved, k.q) && len(k.done) == 0 && !k.dirty {
		return nil
	}
	step := queue.Save{Old: k.saved, New: k.q.Fill(k.Now(), k.policy), Done: k.done}
	if k.dirty {
		step.Policy = &k.policy
	}
	q, err := k.Store.Save(ctx, step)
	if err != nil {
		// What is in memory may be ahead of what is stored: only what is stored counts. A verdict is kept to be applied again,
		// for a run is dear.
		k.loaded = false
		k.mu.Lock()
		k.reports = append(k.heard, k.reports...)
		k.mu.Unlock()
		k.heard = nil
		return fmt.Errorf("save lane %v: %w", k.Lane, err)
	}
	for _, r := range step.New.Journal {
		k.Log.Info().Int("change", int(r.Number)).Int64("candidate", int64(r.Candidate)).Str("what", r.Kind).Msg(r.Text)
	}
	if len(step.New.Outbox) > 0 {
		select {
		case k.post <- struct{}{}:
		default:
		}
	}
	k.q, k.saved, k.done, k.heard, k.dirty = q, q, nil, nil, false
	return nil
}

// same reports whether nothing that is stored differs. Apply replaces what it changes, so comparing pointers is enough.
func same(a, b queue.Queue) bool {
	return a.Tip == b.Tip && a.Ledger == b.Ledger && a.Pause == b.Pause && a.Stop == b.Stop && a.Trouble == b.Trouble && a.Next == b.Next &&
		a.Sound == b.Sound && a.Estimates == b.Estimates && len(b.Journal) == 0 && len(b.Outbox) == 0 && len(b.Moves) == 0 &&
		slices.Equal(a.Entries, b.Entries) && slices.Equal(a.Candidates, b.Candidates) && slices.Equal(a.Cases, b.Cases)
}

// ask asks what the git server can do, before a ledger is begun there. One that takes no push at all is told of and asked again later.
func (k *Keeper) ask(ctx context.Context) error {
	if !k.unasked {
		return nil
	}
	atomic, err := k.Atomic(ctx)
	var denied *queue.DeniedError
	switch {
	case errors.As(err, &denied):
		k.apply(queue.LedgerDenied{Reason: denied.Output, At: k.Now()})
		return nil
	case err != nil:
		return fmt.Errorf("ask what the git server of %v can do: %w", k.Lane, err)
	}
	k.single, k.unasked = !atomic, false
	return nil
}
