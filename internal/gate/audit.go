package gate

import (
	"context"
	"time"

	"lander/internal/queue"
)

const (
	// auditEvery is how often everything since adoption is proved anew.
	auditEvery = time.Hour
	// auditAgain is how soon after an audit that came to no end; then later and later.
	auditAgain = time.Minute
	// manyAudits is after how many of those in a row somebody has to do something.
	manyAudits = 3
)

// auditAll proves the whole lane, if it is due.
func (k *Keeper) auditAll(ctx context.Context) {
	now := k.Now()
	k.mu.Lock()
	due := !now.Before(k.proof.till) || k.proof.till.Sub(now) > auditEvery // the clock was set back
	if due = due && k.loaded && k.q.Ledger.Tip != ""; due {
		k.proof.till = now.Add(auditEvery)
	}
	k.mu.Unlock()
	if due {
		k.audit(ctx, "")
	}
}

// audit proves beside everything else what landed since a record. Its findings are heard like a run's verdict. What could not be proved
// is proved with everything else, soon.
func (k *Keeper) audit(ctx context.Context, since queue.SHA) {
	if k.Audit == nil {
		return
	}
	tips := Tips{Trunk: k.q.Tip, Ledger: k.q.Ledger.Tip}
	k.busy.Add(1)
	k.runs.Go(func() {
		defer k.busy.Add(-1)
		found, err := k.Audit(ctx, since, tips)
		if ctx.Err() != nil {
			return
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if err != nil {
			k.unproved(err)
			return
		}
		if since == "" {
			k.proof.tries = 0
		}
		fresh := found[:0]
		for _, f := range found {
			if !k.breaches[f] {
				k.breaches[f] = true
				fresh = append(fresh, f)
			}
		}
		if len(fresh) == 0 {
			return
		}
		k.Log.Error().Strs("breaches", fresh).Msg("audit found what must not be")
		k.reports = append(k.reports, queue.Breached{Findings: fresh, At: k.Now()})
		k.Nudge()
	})
}

// unproved puts the next audit of everything at an early time. Callers hold mu.
func (k *Keeper) unproved(err error) {
	k.proof.tries++
	wait := min(auditAgain<<min(k.proof.tries-1, 6), auditEvery)
	k.proof.till = k.Now().Add(wait)
	if k.proof.tries < manyAudits {
		k.Log.Warn().Err(err).Dur("again_in", wait).Msg("audit did not come to an end")
		return
	}
	k.Log.Error().Err(err).Dur("again_in", wait).Msg(sayUnaudited(k.proof.tries))
}
