package queue

import "slices"

// A train is the candidates in flight, each standing on the one before it and the first on trunk. The last one that is green lands
// with all that is below it: what it stands on was tested as part of it.

// train lists the candidates that stand on trunk, directly or through one another, nearest trunk first.
func (q Queue) train() []*Candidate {
	var train []*Candidate
	at := q.Tip
	for range q.Candidates { // none is in it twice, whatever it claims to stand on
		i := slices.IndexFunc(q.Candidates, func(c *Candidate) bool { return c.Of == 0 && c.Apart == nil && !c.ended() && c.Base == at })
		if i < 0 {
			break
		}
		c := q.Candidates[i]
		train = append(train, c)
		at = c.Built.SHA
	}
	return train
}

// grounded reports whether a candidate stands on trunk, directly or through others in flight.
func (q Queue) grounded(c *Candidate) bool {
	if c.Apart != nil {
		return c.Ground == q.Tip
	}
	return q.below(c)[0].Base == q.Tip
}

// below lists what a candidate stands on between trunk and itself, nearest trunk first, and itself at the end.
func (q Queue) below(c *Candidate) []*Candidate {
	if c.Apart != nil {
		return q.under(c)
	}
	chain := []*Candidate{c}
	at := c
	for range q.Candidates {
		if at.Base == q.Tip {
			break
		}
		i := slices.IndexFunc(q.Candidates, func(d *Candidate) bool { return d.Of == 0 && !d.ended() && d.Built.SHA == at.Base })
		if i < 0 {
			break
		}
		at = q.Candidates[i]
		chain = append(chain, at)
	}
	slices.Reverse(chain)
	return chain
}

// joined makes one candidate of a green one and of those below it that have not landed: the same commit, tested as it is, standing
// on trunk itself.
func (q *Queue) joined(ev Joined) {
	top := q.Candidate(ev.ID)
	if top == nil || top.Apart != nil || top.State != CandidatePassed && top.State != CandidateConfirmed || ev.As != q.Next+1 {
		return
	}
	chain := q.below(top)
	if len(chain) < 2 || chain[0].Base != q.Tip || slices.ContainsFunc(chain, func(c *Candidate) bool { return c.State == CandidateLanding }) {
		return
	}
	whole := top.clone()
	whole.ID, whole.Base, whole.Below, whole.Via, whole.State, whole.Since, whole.Intent = ev.As, q.Tip, 0, top.runID(), CandidatePassed, ev.At, nil
	whole.Members, whole.Built.Commits = nil, nil
	for _, c := range chain {
		whole.Members = append(whole.Members, c.Members...)
		whole.Built.Commits = append(whole.Built.Commits, c.Built.Commits...)
		q.end(c, CandidateJoined, sayJoined(ev.As), ev.At)
	}
	q.Next = ev.As
	q.Candidates = append(slices.Clip(q.Candidates), whole)
	q.record(ev.At, 0, whole.ID, "joined", recordJoined(whole, top))
	q.livingAll(whole, ev.At)
}

// runID is the candidate whose run gave the verdict.
func (c *Candidate) runID() CandidateID {
	if c.Via != 0 {
		return c.Via
	}
	return c.ID
}
