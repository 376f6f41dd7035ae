package queue

// Beneath lists the candidates in flight that a candidate stands on, nearest trunk first, and itself at the end.
func (q Queue) Beneath(c *Candidate) []*Candidate { return q.below(c) }

// Case returns an open case, or nil.
func (q Queue) Case(id CandidateID) *Case { return q.caseOf(id) }
