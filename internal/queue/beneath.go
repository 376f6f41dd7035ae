package queue

import "slices"

// Beneath lists the candidates in flight that a candidate stands on, nearest trunk first, and itself at the end.
func (q Queue) Beneath(c *Candidate) []*Candidate { return q.below(c) }

// Whole is a candidate together with all that it stands on: on trunk, with the members of what is below first. It is what a green run
// of it lands.
func (q Queue) Whole(c *Candidate) *Candidate {
	if c.Apart != nil {
		whole := c.clone()
		whole.Members = slices.Concat(c.Apart.Under, c.Members)
		return whole
	}
	below := q.below(c)
	if len(below) < 2 {
		return c
	}
	whole := c.clone()
	whole.Base, whole.Members = below[0].Base, nil
	for _, d := range below {
		whole.Members = append(whole.Members, d.Members...)
	}
	return whole
}

// Case returns an open case, or nil.
func (q Queue) Case(id CandidateID) *Case { return q.caseOf(id) }
