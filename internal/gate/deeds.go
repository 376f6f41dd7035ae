package gate

import (
	"context"
	"fmt"
	"slices"

	"lander/internal/queue"
)

// do carries out one deed and applies its outcome.
func (k *Keeper) do(ctx context.Context, a queue.Action) error {
	switch a := a.(type) {
	case queue.Build:
		return k.build(ctx, a)
	case queue.StartRun:
		return k.start(ctx, a)
	case queue.Reuses:
		k.apply(queue.Reused{ID: a.ID, Run: a.Run, Proof: a.Proof, At: k.Now()})
		return nil
	case queue.Abandon:
		k.cancel(a.ID)
		k.apply(queue.Abandoned{ID: a.ID, Reason: a.Reason, At: k.Now()})
		return nil
	case queue.Probe:
		return k.probe(ctx, a)
	case queue.Join:
		k.apply(queue.Joined{ID: a.ID, As: a.As, At: k.Now()})
		return nil
	case queue.Map:
		return k.mapAreas(ctx, a)
	case queue.Combine:
		return k.combine(ctx, a)
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
	failed := ""
	if s := k.q.Case(c.ID); s != nil {
		failed = s.Red.Step
	}
	id, tested, known := run{c.ID, a.Run}, k.asTested(c, a.Recipe), k.q.Tip
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	k.mu.Lock()
	k.running[id] = cancel
	k.mu.Unlock()
	k.busy.Add(2)
	k.runs.Go(func() {
		defer k.busy.Add(-1)
		tip, err := k.Mirror.Tip(ctx, k.Lane.Trunk)
		if err != nil || tip == known {
			return // a trunk that cannot be asked now is asked again before the landing
		}
		k.mu.Lock()
		k.moved = true
		k.mu.Unlock()
		k.Nudge()
	})
	k.runs.Go(func() {
		defer k.busy.Add(-1)
		defer cancel(nil)
		v := k.test(ctx, tested, a.Run, a.Rerun, failed)
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

// test runs what is needed of a candidate's recipe. That is decided here, from git, each time, and part of the verdict from here on. A step
// that failed on this very commit is needed whatever differs, and trials are of nothing else.
func (k *Keeper) test(ctx context.Context, c *queue.Candidate, run int, again queue.Rerun, failed string) queue.Verdict {
	if c.Of != 0 || k.Unneeded == nil {
		return k.Test(ctx, c, run, again)
	}
	out, err := k.Unneeded(ctx, c.Recipe, c.Base, c.Built.SHA)
	if err != nil {
		k.Log.Warn().Err(err).Int64("candidate", int64(c.ID)).Msg("it is not known which steps are needed, so all are run")
		return k.Test(ctx, c, run, again)
	}
	out.Keep(c.Recipe, failed)
	left := *c
	if left.Recipe = c.Recipe.Without(out); left.Recipe.Empty() && !c.Recipe.Empty() {
		return out.Verdict(c.Recipe)
	}
	return out.Tell(c.Recipe, k.Test(ctx, &left, run, again))
}

// Moved puts into the journal that a run of Test begins again on another worker.
func (k *Keeper) Moved(id queue.CandidateID, number int, reason string) {
	k.mu.Lock()
	k.reports = append(k.reports, queue.RunMoved{ID: id, Run: number, Reason: reason, At: k.Now()})
	k.mu.Unlock()
	k.Nudge()
}

// reap ends the runs that nobody waits for any more, as of a candidate that lands with one above it.
func (k *Keeper) reap() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for r, cancel := range k.running {
		if c := k.q.Candidate(r.candidate); c == nil || c.State != queue.CandidateTesting || c.Run != r.number {
			cancel(queue.ErrUnwanted)
		}
	}
}

func (k *Keeper) cancel(id queue.CandidateID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for r, cancel := range k.running {
		if r.candidate == id {
			cancel(queue.ErrUnwanted)
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
