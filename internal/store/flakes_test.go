package store_test

import (
	"testing"
	"time"

	"lander/internal/queue"
	"lander/internal/store/storetest"
)

// What was seen of chance is counted against the runs that could have shown it, the dearest first, and forgotten after a while.
func TestFlakesAreCounted(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := start(t, s, lane)
	q = tested(t, s, q, candidate(1, q.Tip, sha("c"), q.Entries[0]), ran(queue.Red, step("lint", 0, 0), step("unit", 1, 0)), ran(queue.Green, step("lint", 0, 1), step("unit", 0, 0)))
	seen := func(run int, test string, after, cost time.Duration) queue.Flake {
		return queue.Flake{At: noon.Add(after), Step: "unit", Test: test, Candidate: 1, Run: run, Commit: sha("c"), Cost: cost}
	}
	n := q
	n.Flakes = []queue.Flake{seen(2, "TestA", time.Minute, time.Second), seen(2, "", time.Minute, time.Hour), seen(1, "TestA", time.Hour, time.Second), seen(2, "TestA", time.Minute, time.Second)}
	q = save(t, s, queue.Save{Old: q, New: n})
	same(t, load(t, s, lane), q)
	all, err := s.Flakes(t.Context(), lane, noon.Add(-time.Hour), 10)
	if err != nil || len(all) != 2 || all[0].Test != "" || all[0].Cost != time.Hour || all[0].Times != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	if a := all[1]; a.Test != "TestA" || a.Step != "unit" || a.Times != 2 || a.Runs != 2 || a.Cost != 2*time.Second || !a.First.Equal(noon.Add(time.Minute)) || !a.Last.Equal(noon.Add(time.Hour)) || a.Rate() != 1 {
		t.Errorf("%+v", a)
	}
	if all, err := s.Flakes(t.Context(), lane, noon.Add(30*time.Minute), 10); err != nil || len(all) != 1 || all[0].Times != 1 {
		t.Errorf("lately %+v, %v", all, err)
	}
	if all, err := s.Flakes(t.Context(), lane, noon.Add(-time.Hour), 1); err != nil || len(all) != 1 {
		t.Errorf("the worst %+v, %v", all, err)
	}
	if err := s.Prune(t.Context(), noon.AddDate(0, 1, 0)); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Flakes(t.Context(), lane, noon.Add(-time.Hour), 10); err != nil || len(all) != 2 {
		t.Errorf("a month later %+v, %v", all, err)
	}
	if err := s.Prune(t.Context(), noon.AddDate(0, 3, 0)); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Flakes(t.Context(), lane, noon.Add(-time.Hour), 10); err != nil || len(all) != 0 {
		t.Errorf("a quarter later %+v, %v", all, err)
	}
	if all, err := s.Flakes(t.Context(), queue.Lane{Repo: "acme/app", Trunk: "unknown"}, noon, 10); err != nil || len(all) != 0 {
		t.Errorf("of an unknown lane %+v, %v", all, err)
	}
}
