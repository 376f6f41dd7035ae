package gate

import (
	"context"

	"lander/internal/queue"
)

// against finds the change ahead that keeps a member out of a candidate: the first one on top of which it cannot be built any more. It
// may still leave. 0: the member cannot be built on trunk itself either, and the error says why.
func (k *Keeper) against(ctx context.Context, a queue.Build, m queue.Member, why error) (queue.Number, error) {
	chain, err := k.ahead(ctx, a, m.Number)
	if err != nil || len(chain) < 2 {
		return 0, why
	}
	on := func(b queue.Boundary) error {
		_, err := k.Builder.Build(ctx, queue.BuildRequest{Base: b.SHA, Members: []queue.Member{m}, Style: a.Request.Style, At: a.Request.At})
		return err
	}
	if err := on(chain[0]); blamed(err) != 0 {
		return 0, err
	}
	lo, hi := 0, len(chain)-1
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; blamed(on(chain[mid])) != 0 {
			hi = mid
		} else {
			lo = mid
		}
	}
	return chain[hi].Member.Number, why
}

// ahead is where trunk would stand after each change that is ahead of a member of a candidate to be: trunk as it is first, then the
// candidates below, then the members before it.
func (k *Keeper) ahead(ctx context.Context, a queue.Build, n queue.Number) ([]queue.Boundary, error) {
	chain := []queue.Boundary{{SHA: a.Request.Base}}
	if c := k.q.Candidate(a.Below); c != nil {
		below := k.q.Beneath(c)
		chain[0].SHA = below[0].Base
		for _, d := range below {
			chain = append(chain, boundaries(d.Members, d.Built)...)
		}
	}
	r := a.Request
	for i, m := range r.Members {
		if m.Number == n {
			r.Members = r.Members[:i]
			break
		}
	}
	if len(r.Members) == 0 {
		return chain, nil
	}
	built, err := k.Builder.Build(ctx, r)
	return append(chain, boundaries(r.Members, built)...), err
}

// boundaries are the last commits of each member.
func boundaries(members []queue.Member, built queue.Built) []queue.Boundary {
	var all []queue.Boundary
	for _, m := range members {
		if sha := last(built, m.Number); sha != "" {
			all = append(all, queue.Boundary{Member: m, SHA: sha})
		}
	}
	return all
}

// last is the newest of a member's own commits; empty: it has none.
func last(built queue.Built, n queue.Number) (sha queue.SHA) {
	for _, bc := range built.Commits {
		if bc.Member == n {
			sha = bc.SHA
		}
	}
	return sha
}

// asTested is a candidate as its run sees it: by the recipe that is to be run now, and with all that it would put onto trunk, for a
// green run lands what it stands on too.
func (k *Keeper) asTested(c *queue.Candidate, r queue.Recipe) *queue.Candidate {
	t := *k.q.Whole(c)
	if t.Recipe = r; c.Of == 0 {
		return &t
	}
	if s := k.q.Case(c.Of); s != nil {
		t.Base, t.Members = s.Chain[0].SHA, nil
		for _, b := range s.Chain {
			if b.Member.Number != 0 {
				t.Members = append(t.Members, b.Member)
			}
			if b.SHA == c.Trial.Base {
				break
			}
		}
	}
	if c.Trial.Member.Number != 0 {
		t.Members = append(t.Members, c.Trial.Member)
	}
	return &t
}
