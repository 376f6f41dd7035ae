package store_test

import (
	"testing"

	"lander/internal/queue"
	"lander/internal/store/storetest"
)

// A landing that is given up leaves its place in the ledger to the record that burnt it. Whoever gives it up on a guess cannot begin
// the next one there.
func TestNoTwoIntentsHaveOnePlaceInTheLedger(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := ready(t, s, lane)
	for _, step := range []func(c *queue.Candidate){
		func(*queue.Candidate) {},
		func(c *queue.Candidate) { c.State, c.Run = queue.CandidateTesting, 1 },
		func(c *queue.Candidate) {
			c.State, c.Verdict = queue.CandidateConfirmed, green()
		},
	} {
		c := q.Candidate(2)
		if c == nil {
			c = candidate(2, q.Tip, sha("d"), q.Entries[1])
		}
		q = save(t, s, queue.Save{Old: q, New: put(q, with(c, step))})
	}
	q = save(t, s, queue.Save{Old: q, New: begin(q, 1)})
	q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(1), func(c *queue.Candidate) { c.State = queue.CandidatePassed }))})
	if _, err := s.Save(t.Context(), queue.Save{Old: q, New: begin(q, 2)}); constraint(err) != "candidates_intent_fence" {
		t.Fatalf("a second intent for record 2: %v", err)
	}
	n := q
	n.Ledger = queue.Ledger{Tip: record(9), Seq: 2} // the record that burnt it
	q = save(t, s, queue.Save{Old: q, New: n})
	save(t, s, queue.Save{Old: q, New: begin(q, 2)})
}
