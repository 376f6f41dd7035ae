package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"lander/internal/queue"
)

func (k *Keeper) build(ctx context.Context, a queue.Build) error {
	request := a.Request
	a.Request.Under, a.Request.Members = nil, request.All()
	if ready, err := k.bring(ctx, a.Request); !ready || err != nil {
		return err
	}
	began := time.Now()
	built, err := k.made(ctx, a.Request)
	if err != nil {
		return k.unmade(ctx, a, request, err)
	}
	problem, err := k.checkPolicy(ctx, a.Request.Base, built.SHA)
	if err != nil {
		return fmt.Errorf("read the candidate's policy: %w", err)
	}
	if problem != "" {
		at, err := k.whoBreaksPolicy(ctx, a.Request, built)
		if err != nil {
			return fmt.Errorf("read the candidate's policy: %w", err)
		}
		k.unmake(queue.CandidateUnmade{
			ID: a.ID, Base: a.Request.Base, Below: a.Below, Member: at, Code: queue.DropUnbuildable, Reason: problem, At: k.Now(),
		}, request)
		return nil
	}
	k.Log.Debug().Int64("candidate", int64(a.ID)).Str("commit", string(built.SHA)).Dur("took", time.Since(began)).Msg("candidate built and checked")
	k.apply(queue.CandidateMade{ID: a.ID, Request: request, Built: built, Recipe: k.policy.Recipe, At: k.Now(), Apart: a.Apart})
	return nil
}

// made builds and checks by other means.
func (k *Keeper) made(ctx context.Context, r queue.BuildRequest) (queue.Built, error) {
	built, err := k.Builder.Build(ctx, r)
	if err == nil {
		err = k.Builder.Check(ctx, r, built)
	}
	return built, err
}

// bring fetches the heads that are not here yet. ready is false when that showed the plan to be old; then the next one is right.
func (k *Keeper) bring(ctx context.Context, r queue.BuildRequest) (ready bool, err error) {
	missing := k.missing(ctx, r.Members)
	if len(missing) == 0 {
		return true, nil
	}
	tip := k.q.Tip
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
	return k.q.Tip == tip && len(k.missing(ctx, missing)) == 0, nil
}

// unmade turns the builder's typed errors into a fact about the member at fault; any other error is the host's.
func (k *Keeper) unmade(ctx context.Context, a queue.Build, asked queue.BuildRequest, err error) error {
	ev := queue.CandidateUnmade{ID: a.ID, Base: a.Request.Base, Below: a.Below, At: k.Now()}
	var mismatch *queue.MismatchError
	at := blamed(err)
	switch {
	case ctx.Err() != nil:
		return err
	case at != 0:
		ev.Member = memberOf(a.Request, at)
		ev.With, err = k.against(ctx, a, ev.Member, err)
		ev.Code, ev.Files, ev.Reason = dropFor(err)
	case errors.As(err, &mismatch):
		// Never seen with an honest builder: a fault of lander or of git, and reason enough not to land.
		k.Log.Error().Err(err).Int64("candidate", int64(a.ID)).Msg("second check refused a candidate")
		ev.Member = k.firstAtFault(ctx, a.Request)
		ev.Code, ev.Files, ev.Reason = queue.DropUnbuildable, mismatch.Paths, queue.SayMismatch(mismatch.Paths)
	default:
		// It may be the change, or the host. Others may try, and nobody is dropped for it.
		m := k.firstAtFault(ctx, a.Request)
		k.Log.Error().Err(err).Int("change", int(m.Number)).Msg("candidate could not be built")
		k.apply(queue.ChangeStuck{Number: m.Number, Head: m.Head, Reason: sayUnbuilt(), At: k.Now()})
		return nil
	}
	k.unmake(ev, asked)
	return nil
}

// unmake tells of the member at fault. Where that is one that is in another candidate, which built it elsewhere, it is not its turn: who
// would stand on it waits for what becomes of it.
func (k *Keeper) unmake(ev queue.CandidateUnmade, asked queue.BuildRequest) {
	if !slices.ContainsFunc(asked.Under, func(m queue.Member) bool { return m.Number == ev.Member.Number }) {
		k.apply(ev)
		return
	}
	for _, m := range asked.Members {
		k.apply(queue.ChangeStuck{Number: m.Number, Head: m.Head, Reason: sayUnder(ev.Member.Number), At: k.Now()})
	}
}

// blamed is the member that the builder names; 0: it names none.
func blamed(err error) queue.Number {
	var (
		conflict    *queue.ConflictError
		unbuildable *queue.UnbuildableError
		empty       *queue.EmptyError
	)
	switch {
	case errors.As(err, &conflict):
		return conflict.Member
	case errors.As(err, &unbuildable):
		return unbuildable.Member
	case errors.As(err, &empty):
		return empty.Member
	}
	return 0
}

// dropFor says what an error that names a member means for it.
func dropFor(err error) (code queue.DropCode, files []string, reason string) {
	var (
		conflict    *queue.ConflictError
		unbuildable *queue.UnbuildableError
	)
	switch {
	case errors.As(err, &conflict):
		return queue.DropConflict, conflict.Files, queue.SayConflict(conflict.Files)
	case errors.As(err, &unbuildable):
		return queue.DropUnbuildable, nil, unbuildable.Reason
	}
	return queue.DropEmpty, nil, queue.SayEmpty()
}

// firstAtFault finds the member with which a candidate can no longer be built and checked, where nobody names it.
func (k *Keeper) firstAtFault(ctx context.Context, r queue.BuildRequest) queue.Member {
	all := r.Members
	for i := range len(all) - 1 {
		r.Members = all[:i+1]
		if _, err := k.made(ctx, r); err != nil {
			return all[i]
		}
	}
	return all[len(all)-1]
}

func memberOf(r queue.BuildRequest, n queue.Number) queue.Member {
	for _, m := range r.Members {
		if m.Number == n {
			return m
		}
	}
	return queue.Member{}
}
