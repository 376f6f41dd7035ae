package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"lander/internal/queue"
)

// do carries out one deed and applies its outcome.
func (k *Keeper) do(ctx context.Context, a queue.Action) error {
	switch a := a.(type) {
	case queue.Build:
		return k.build(ctx, a)
	case queue.StartRun:
		return k.start(ctx, a)
	case queue.Abandon:
		k.cancel(a.ID)
		k.apply(queue.Abandoned{ID: a.ID, Reason: a.Reason, At: k.Now()})
		return nil
	case queue.Confirm:
		return k.confirm(ctx, a)
	case queue.Land:
		return k.land(ctx, a.Candidate)
	case queue.Adopt:
		return k.adopt(ctx, a)
	case queue.Mend:
		return k.mend(ctx, a)
	case queue.PutBack:
		k.putBack(ctx, a.Move)
		return nil
	}
	return fmt.Errorf("no such deed %T", a)
}

func (k *Keeper) build(ctx context.Context, a queue.Build) error {
	if ready, err := k.bring(ctx, a.Request); !ready || err != nil {
		return err
	}
	began := time.Now()
	built, err := k.Builder.Build(ctx, a.Request)
	if err == nil {
		err = k.Builder.Check(ctx, a.Request, built)
	}
	if err != nil {
		return k.unmade(ctx, a, err)
	}
	problem, err := k.checkPolicy(ctx, a.Request.Base, built.SHA)
	if err != nil {
		return fmt.Errorf("read the candidate's policy: %w", err)
	}
	if problem != "" {
		return k.unmade(ctx, a, &queue.UnbuildableError{Member: a.Request.Members[len(a.Request.Members)-1].Number, Reason: problem})
	}
	k.Log.Debug().Int64("candidate", int64(a.ID)).Str("commit", string(built.SHA)).Dur("took", time.Since(began)).Msg("candidate built and checked")
	k.apply(queue.CandidateMade{ID: a.ID, Request: a.Request, Built: built, Recipe: k.policy.Recipe, At: k.Now()})
	return nil
}

// bring fetches the heads that are not here yet. ready is false when that showed the plan to be old; then the next one is right.
func (k *Keeper) bring(ctx context.Context, r queue.BuildRequest) (ready bool, err error) {
	var missing []queue.Member
	for _, m := range r.Members {
		if !k.Mirror.Has(ctx, m.Head) {
			missing = append(missing, m)
		}
	}
	if len(missing) == 0 {
		return true, nil
	}
	if err := k.seeTrunk(ctx, missing); err != nil {
		return false, err
	}
	for _, m := range missing {
		if k.Mirror.Has(ctx, m.Head) {
			continue
		}
		// The git server has it no more: a push replaced it, which the forge will say too.
		if _, err := k.look(ctx, []queue.Number{m.Number}); err != nil {
			return false, err
		}
		if e := k.q.Entry(m.Number); e != nil && e.Head == m.Head && e.State == queue.Queued {
			k.apply(queue.ChangeStuck{Number: m.Number, Head: m.Head, Reason: sayNoHead(m.Head), At: k.Now()})
			return false, nil
		}
	}
	return k.q.Tip == r.Base && !slices.ContainsFunc(missing, func(m queue.Member) bool { return !k.Mirror.Has(ctx, m.Head) }), nil
}

// unmade turns the builder's typed errors into a fact about the member at fault; any other error is the host's.
func (k *Keeper) unmade(ctx context.Context, a queue.Build, err error) error {
	ev := queue.CandidateUnmade{ID: a.ID, Base: a.Request.Base, Below: a.Below, At: k.Now()}
	var (
		conflict    *queue.ConflictError
		unbuildable *queue.UnbuildableError
		empty       *queue.EmptyError
		mismatch    *queue.MismatchError
		at          queue.Number
	)
	switch {
	case errors.As(err, &conflict):
		at, ev.Code, ev.Files, ev.Reason = conflict.Member, queue.DropConflict, conflict.Files, queue.SayConflict(conflict.Files)
	case errors.As(err, &unbuildable):
		at, ev.Code, ev.Reason = unbuildable.Member, queue.DropUnbuildable, unbuildable.Reason
	case errors.As(err, &empty):
		at, ev.Code, ev.Reason = empty.Member, queue.DropEmpty, queue.SayEmpty()
	case errors.As(err, &mismatch):
		// Never seen with an honest builder: a fault of lander or of git, and reason enough not to land.
		k.Log.Error().Err(err).Int64("candidate", int64(a.ID)).Msg("second check refused a candidate")
		at = a.Request.Members[len(a.Request.Members)-1].Number
		ev.Code, ev.Files, ev.Reason = queue.DropUnbuildable, mismatch.Paths, queue.SayMismatch(mismatch.Paths)
	case ctx.Err() != nil:
		return err
	default:
		// It may be the change, or the host. Others may try, and nobody is dropped for it.
		last := a.Request.Members[len(a.Request.Members)-1]
		k.Log.Error().Err(err).Int("change", int(last.Number)).Msg("candidate could not be built")
		k.apply(queue.ChangeStuck{Number: last.Number, Head: last.Head, Reason: sayUnbuilt(), At: k.Now()})
		return nil
	}
	for _, m := range a.Request.Members {
		if m.Number == at {
			ev.Member = m
		}
	}
	k.apply(ev)
	return nil
}

// start saves that the run is under way, then starts it. A look at trunk runs beside it: should a human have pushed past lander
// unnoticed, the run is not carried to its end in vain.
func (k *Keeper) start(ctx context.Context, a queue.StartRun) error {
	k.apply(queue.RunStarted{ID: a.Candidate.ID, Run: a.Run, At: k.Now()})
	if err := k.save(ctx); err != nil {
		return err
	}
	c := k.q.Candidate(a.Candidate.ID)
	if c == nil || c.State != queue.CandidateTesting || c.Run != a.Run {
		return nil
	}
	id := run{c.ID, a.Run}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	k.mu.Lock()
	k.running[id] = cancel
	k.mu.Unlock()
	k.busy.Add(2)
	k.runs.Go(func() {
		defer k.busy.Add(-1)
		tip, err := k.Mirror.Tip(ctx, k.Lane.Trunk)
		if err != nil || tip == c.Base {
			return // a trunk that cannot be asked now is asked again before the landing
		}
		k.mu.Lock()
		k.moved = true
		k.mu.Unlock()
		k.Nudge()
	})
	k.runs.Go(func() {
		defer k.busy.Add(-1)
		defer cancel()
		v := k.Test(ctx, c, a.Run)
		k.mu.Lock()
		if ctx.Err() == nil || v.Outcome != queue.Cancelled {
			k.reports = append(k.reports, queue.RunReported{ID: c.ID, Run: a.Run, Verdict: v, At: k.Now()})
		}
		delete(k.running, id)
		k.mu.Unlock()
		k.Nudge()
	})
	return nil
}

func (k *Keeper) cancel(id queue.CandidateID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for r, cancel := range k.running {
		if r.candidate == id {
			cancel()
		}
	}
}

// isRunning reports whether a run is under way here or has a verdict that is not applied yet.
func (k *Keeper) isRunning(r run) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.running[r] != nil || slices.ContainsFunc(k.reports, func(ev queue.Event) bool {
		report, ok := ev.(queue.RunReported)
		return ok && r == run{report.ID, report.Run}
	})
}

// patience is how many looks in a row may fail before others go ahead of a change.
const patience = 5

func headOf(c *queue.Candidate, n queue.Number) queue.SHA {
	for _, m := range c.Members {
		if m.Number == n {
			return m.Head
		}
	}
	return ""
}

// confirm looks at every member again, and at the inbox, so that nothing said before the intent is missed.
func (k *Keeper) confirm(ctx context.Context, a queue.Confirm) error {
	_, intent := k.q.Plead(a.Candidate, k.Now(), k.headsMayMove())
	asked := make(chan []queue.HeadMove, 1)
	go func() { asked <- k.movable(ctx, intent.Heads) }()
	looked, err := k.look(ctx, a.Candidate.Numbers())
	k.looked, k.moves = a.Candidate.ID, <-asked
	if err != nil {
		return err
	}
	for _, n := range a.Candidate.Numbers() {
		if looked[n] {
			continue
		}
		if k.lookErr[n].tries >= patience {
			k.apply(queue.ChangeStuck{Number: n, Head: headOf(a.Candidate, n), Reason: sayUnlooked(), At: k.Now()})
			return nil
		}
		return fmt.Errorf("%v could not be looked at again before landing", n)
	}
	if err := k.gather(ctx); err != nil {
		return err
	}
	k.apply(queue.Confirmed{ID: a.Candidate.ID, At: k.Now()})
	return nil
}
