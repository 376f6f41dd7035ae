package store_test

import (
	"reflect"
	"testing"
	"time"

	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
)

// One change landed, one was red only together with it, one was taken back, one was dropped for a conflict, one still waits.
func TestALanesPast(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	if got, err := s.Trace(t.Context(), lane); err != nil || len(got.Changes)+len(got.Green) > 0 {
		t.Fatalf("of a lane that is not known: %+v, %v", got, err)
	}
	minute := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	tell := func(q queue.Queue, at int, n queue.Number, c queue.CandidateID, kind string) queue.Queue {
		q.Journal = append(q.Journal, queue.Record{At: minute(at), Number: n, Candidate: c, Kind: kind, Text: kind})
		return q
	}
	q := start(t, s, lane) // #1 was queued at noon
	c := candidate(1, q.Tip, sha("c"), q.Entries[0])
	q = save(t, s, queue.Save{Old: q, New: put(q, c)})
	q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(1), func(c *queue.Candidate) { c.State, c.Run, c.Since = queue.CandidateTesting, 1, minute(1) }))})
	q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(1), func(c *queue.Candidate) {
		c.State, c.Since, c.Verdict = queue.CandidateConfirmed, minute(11), &queue.Verdict{Outcome: queue.Green, Steps: []queue.StepResult{{Name: "unit", Took: 10 * time.Minute}}, Took: 10 * time.Minute}
	}))})
	q = save(t, s, queue.Save{Old: q, New: begin(q, 1)})
	q = save(t, s, queue.Save{Old: q, New: tell(landed(q, 1, minute(12)), 12, 1, 1, "landed")})

	n := tell(q, 3, 2, 0, "queued")
	n = tell(n, 4, 3, 0, "queued")
	n = tell(n, 5, 4, 0, "queued")
	n = tell(n, 6, 3, 0, "withdrawn")
	n = tell(n, 7, 4, 0, "dropped")
	n = tell(n, 8, 5, 0, "queued")
	q = save(t, s, queue.Save{Old: q, New: put(n, candidate(2, q.Tip, sha("d"), q.Entries[1]))})
	q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(2), func(c *queue.Candidate) { c.State, c.Run, c.Since = queue.CandidateTesting, 1, minute(13) }))})
	q = put(q, with(q.Candidate(2), func(c *queue.Candidate) {
		c.State, c.Since, c.Verdict = queue.CandidateFailed, minute(20), &queue.Verdict{Outcome: queue.Red, Step: "unit", Took: 7 * time.Minute}
	}))
	old := load(t, s, lane)
	q = edit(q, 2, func(e *queue.Entry) {
		e.State, e.Drop = queue.Dropped, &queue.Drop{Code: queue.DropFailed, At: minute(20), Reason: "red", Candidate: 2, With: 1}
	})
	save(t, s, queue.Save{Old: old, New: tell(q, 20, 2, 2, "dropped")})

	got, err := s.Trace(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	want := store.Trace{
		Changes: []store.Traced{{Number: 1, Asked: noon, Settled: minute(12)}, {Number: 2, Asked: minute(3), Settled: minute(20), Bad: true, With: 1}},
		Green:   []time.Duration{10 * time.Minute},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}
