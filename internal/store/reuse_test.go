package store_test

import (
	"testing"
	"time"

	"lander/internal/queue"
	"lander/internal/store/storetest"
)

// reused is #1 green as candidate 1, which was given up, and #1 again as candidate 2: the same tree on another commit of trunk, green by
// the run of the first.
func reused(t *testing.T, each queue.TestEach, change func(first, second *queue.Candidate, was, is *queue.Verdict)) (err error) {
	t.Helper()
	s := open(t, storetest.New(t))
	q := start(t, s, lane)
	first, second := candidate(1, q.Tip, sha("c"), q.Entries[0]), candidate(2, q.Tip, sha("d"), q.Entries[0])
	was := ran(queue.Green, step("lint", 0, 0), step("unit", 0, 0))
	was.Environment = "here"
	is := &queue.Verdict{
		Outcome: queue.Green, Steps: was.Steps, Environment: "here",
		Reused: &queue.Reuse{Candidate: 1, Run: 1, Commit: sha("c"), At: noon},
	}
	for _, c := range []*queue.Candidate{first, second} {
		c.Recipe = twoSteps
	}
	second.Since = noon.Add(time.Hour)
	if change != nil {
		change(first, second, was, is)
	}
	p := policy
	p.Recipe, p.TestEach = second.Recipe, each
	q = save(t, s, queue.Save{Old: q, New: q, Policy: &p})
	q = save(t, s, queue.Save{Old: q, New: put(q, first)})
	q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(1), func(c *queue.Candidate) { c.State, c.Run = queue.CandidateTesting, 1 }))})
	q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(1), func(c *queue.Candidate) {
		c.State, c.Verdict = queue.CandidatePassed, was
		if was.Outcome != queue.Green {
			c.State = queue.CandidateFailed
		}
	}))})
	if q.Candidate(1) != nil {
		q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(1), func(c *queue.Candidate) { c.State = queue.CandidateAbandoned }))})
	}
	q = save(t, s, queue.Save{Old: q, New: put(q, second)})
	q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(2), func(c *queue.Candidate) { c.State, c.Run, c.Verdict = queue.CandidateConfirmed, 1, is }))})
	same(t, load(t, s, lane), q)
	_, err = s.Save(t.Context(), queue.Save{Old: q, New: begin(q, 2)})
	return err
}

// The database lets nothing land by the run of another but where that was whole, green, of the same tree, by the same recipe, in the same
// environment, and not too long ago.
func TestALandingByTheRunOfAnother(t *testing.T) {
	t.Parallel()
	type c = *queue.Candidate
	type v = *queue.Verdict
	for name, is := range map[string]struct {
		change func(first, second c, was, is v)
		lands  bool
	}{
		"of the same tree":               {nil, true},
		"of another tree":                {func(first, _ c, _, _ v) { first.Built.Tree = sha("8") }, false},
		"of another commit than named":   {func(_, _ c, _, is v) { is.Reused.Commit = sha("9") }, false},
		"that is not there":              {func(_, _ c, _, is v) { is.Reused.Run = 2 }, false},
		"of a candidate that is not":     {func(_, _ c, _, is v) { is.Reused.Candidate = 7 }, false},
		"of itself":                      {func(_, _ c, _, is v) { is.Reused.Candidate = 2 }, false},
		"that was red":                   {func(_, _ c, was, _ v) { was.Outcome, was.Step = queue.Red, "unit" }, false},
		"that was red in a step":         {func(_, _ c, was, is v) { was.Steps = []queue.StepResult{step("lint", 1, 0), step("unit", 0, 0)} }, false},
		"of which it says more":          {func(_, _ c, was, _ v) { was.Steps = was.Steps[:1] }, false},
		"that left a step out":           {func(_, _ c, was, is v) { was.Steps, is.Steps = was.Steps[:1], was.Steps[:1] }, false},
		"that was of some tests":         {func(_, _ c, was, _ v) { was.Asked = []string{"TestA"} }, false},
		"that was itself taken over":     {func(_, _ c, was, _ v) { was.Reused = &queue.Reuse{Candidate: 1, Run: 1} }, false},
		"in another environment":         {func(_, _ c, was, _ v) { was.Environment = "elsewhere" }, false},
		"in no environment":              {func(_, _ c, was, is v) { was.Environment, is.Environment = "", "" }, false},
		"by another recipe":              {func(first, _ c, _, _ v) { first.Recipe.Timeout = time.Hour }, false},
		"a week ago":                     {func(_, second c, _, _ v) { second.Since = noon.Add(queue.DefaultReuse + time.Second) }, false},
		"almost a week ago":              {func(_, second c, _, _ v) { second.Since = noon.Add(queue.DefaultReuse) }, true},
		"longer ago than the recipe has": {func(first, second c, _, _ v) { first.Recipe.Reuse, second.Recipe.Reuse = time.Minute, time.Minute }, false},
		"as long ago as the recipe has":  {func(first, second c, _, _ v) { first.Recipe.Reuse, second.Recipe.Reuse = time.Hour, time.Hour }, true},
		"where the recipe refuses it":    {func(first, second c, _, _ v) { first.Recipe.Reuse, second.Recipe.Reuse = -1, -1 }, false},
		"for the same areas": {func(first, second c, _, _ v) {
			first.Apart, first.Ground = &queue.Apart{Areas: queue.Areas{"api"}, Rules: "rules"}, sha("a")
			second.Apart, second.Ground = first.Apart, sha("a")
		}, true},
		"for the same areas, of another change": {func(first, second c, _, _ v) {
			first.Apart, first.Ground = &queue.Apart{Areas: queue.Areas{"api"}, Rules: "rules"}, sha("a")
			second.Apart, second.Ground = first.Apart, sha("a")
			first.Members = []queue.Member{{Number: 2, Head: sha("2")}}
		}, false},
		"for other areas": {func(first, second c, _, _ v) {
			first.Apart, first.Ground = &queue.Apart{Areas: queue.Areas{"api"}, Rules: "rules"}, sha("a")
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := reused(t, "", is.change)
			if want := map[bool]string{false: "candidates_intent_proven"}[is.lands]; constraint(err) != want || (err == nil) != is.lands {
				t.Errorf("want %q, got %v", want, err)
			}
		})
	}
}

// Where each change is to be tested by itself, a run of several shows nothing of one.
func TestARunOfSeveralIsNoneOfOne(t *testing.T) {
	t.Parallel()
	for each, lands := range map[queue.TestEach]bool{queue.TestBatch: true, queue.TestChange: false} {
		t.Run(string(each), func(t *testing.T) {
			t.Parallel()
			err := reused(t, each, func(first, _ *queue.Candidate, _, _ *queue.Verdict) {
				first.Members = append(first.Members, queue.Member{Number: 2, Head: sha("2")})
			})
			if (err == nil) != lands {
				t.Errorf("it lands: %v", err)
			}
		})
	}
}
