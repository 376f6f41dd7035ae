package store_test

import (
	"testing"
	"time"

	"lander/internal/queue"
	"lander/internal/store/storetest"
)

// BenchmarkAnswer is the floor: one round trip that does nothing.
func BenchmarkAnswer(b *testing.B) {
	conn := sql(b, storetest.New(b))
	for b.Loop() {
		ask[int](b, conn, "select 1")
	}
}

// BenchmarkSave stores a typical landing: two entries, one candidate, three journal lines, one notice.
func BenchmarkSave(b *testing.B) {
	s := open(b, storetest.New(b))
	q := ready(b, s, lane)
	c := q.Candidates[0]
	var slowest time.Duration
	began := time.Now()
	for i := 0; b.Loop(); i++ {
		n := edit(q, 1, func(e *queue.Entry) { e.SeenAt = noon.Add(time.Duration(i) * time.Second) })
		n = edit(n, 2, func(e *queue.Entry) { e.SeenAt = noon.Add(time.Duration(i) * time.Second) })
		n = put(n, with(c, func(c *queue.Candidate) { c.Since = noon.Add(time.Duration(i) * time.Second) }))
		n.Journal = []queue.Record{{At: noon, Kind: "one"}, {At: noon, Number: 1, Kind: "two"}, {At: noon, Number: 2, Kind: "three"}}
		n.Outbox = []queue.Notice{{Key: "living/1", Kind: queue.NoticeLiving, Number: 1}}
		at := time.Now()
		q = save(b, s, queue.Save{Old: q, New: n})
		slowest = max(slowest, time.Since(at))
	}
	b.ReportMetric(float64(time.Since(began).Microseconds())/1000/float64(b.N), "ms/save")
	b.ReportMetric(float64(slowest.Microseconds())/1000, "ms/slowest")
}

// BenchmarkIntent stores an intent: one serializable transaction with all its checks. Giving it up again is not counted.
func BenchmarkIntent(b *testing.B) {
	s := open(b, storetest.New(b))
	q := ready(b, s, lane)
	var took time.Duration
	for b.Loop() {
		at := time.Now()
		q = save(b, s, queue.Save{Old: q, New: begin(q, 1)})
		took += time.Since(at)
		n := put(q, with(q.Candidates[0], func(c *queue.Candidate) { c.State = queue.CandidateConfirmed }))
		n.Ledger.Seq++
		n.Ledger.Tip = record(n.Ledger.Seq)
		q = save(b, s, queue.Save{Old: q, New: n})
	}
	b.ReportMetric(float64(took.Microseconds())/1000/float64(b.N), "ms/intent")
}
