package store_test

import (
	"testing"

	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
)

var areas = queue.AreaRules{Areas: []queue.Area{{Name: "api", Globs: []string{"api/**"}}}}

// apart is #2, in a lane with areas, that stands on #1 and was tested with it, by a commit that is not on trunk's tip.
func apart(t *testing.T, s *store.Store, v *queue.Verdict) queue.Queue {
	t.Helper()
	q := start(t, s, lane)
	n := q
	n.Entries = append(n.Entries[:2:2], entry(3, sha("3")))
	q = save(t, s, queue.Save{Old: q, New: n})
	c := candidate(1, sha("9"), sha("d"), q.Entries[1])
	c.Apart = &queue.Apart{Areas: queue.Areas{"api"}, Rules: areas.Digest(), Under: []queue.Member{{Number: 1, Head: sha("1")}}}
	c.Ground = q.Tip
	q = tested(t, s, q, c, v)
	p := policy
	p.Recipe, p.Areas = twoSteps, areas
	return save(t, s, queue.Save{Old: q, New: q, Policy: &p})
}

// combined puts it onto trunk as it is now.
func combined(q queue.Queue, change func(tested, whole *queue.Candidate)) queue.Queue {
	c := q.Candidate(1)
	whole := with(c, func(c *queue.Candidate) {
		c.ID, c.Base, c.Via, c.State = 2, q.Tip, 1, queue.CandidatePassed
		c.Built = queue.Built{SHA: sha("e"), Tree: sha("8"), Commits: []queue.BuiltCommit{{SHA: sha("e"), Member: 2, From: sha("2")}}}
		a := *c.Apart
		a.Under, a.Tested = nil, sha("d")
		c.Apart = &a
	})
	c = with(c, func(c *queue.Candidate) { c.State = queue.CandidateJoined })
	if change != nil {
		change(c, whole)
	}
	return put(put(q, c), whole)
}

var wholeRun = ran(queue.Green, step("lint", 0, 0), step("unit", 0, 0))

func TestWhatWasTestedApartLandsOnTrunkAsItIs(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := apart(t, s, wholeRun)
	q = save(t, s, queue.Save{Old: q, New: combined(q, nil)})
	same(t, load(t, s, lane), q)
	q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(2), func(c *queue.Candidate) { c.State = queue.CandidateConfirmed }))})
	q = save(t, s, queue.Save{Old: q, New: begin(q, 2)})
	q = save(t, s, queue.Save{Old: q, New: landed(q, 2, noon)})
	same(t, load(t, s, lane), q)
	if q.Tip != sha("e") || q.Entry(2).State != queue.Landed || q.Entry(1).State == queue.Landed {
		t.Errorf("the lane is %+v", q)
	}
}

func TestNothingElseIsTakenForTestedApart(t *testing.T) {
	t.Parallel()
	red := ran(queue.Red, step("lint", 1, 0))
	for name, c := range map[string]struct {
		run  *queue.Verdict
		make func(tested, whole *queue.Candidate)
		want string
	}{
		"what it stood on may come along":       {wholeRun, func(_, c *queue.Candidate) { c.Members = append(c.Members, queue.Member{Number: 1, Head: sha("1")}) }, ""},
		"a member that was not there":           {wholeRun, func(_, c *queue.Candidate) { c.Members = append(c.Members, queue.Member{Number: 3, Head: sha("3")}) }, "candidates_via_proven"},
		"a member at another head":              {wholeRun, func(_, c *queue.Candidate) { c.Members[0].Head = sha("3") }, "candidates_via_proven"},
		"what it stood on, at another head":     {wholeRun, func(_, c *queue.Candidate) { c.Members = append(c.Members, queue.Member{Number: 1, Head: sha("3")}) }, "candidates_via_proven"},
		"areas by other rules":                  {wholeRun, func(_, c *queue.Candidate) { c.Apart.Rules = "others" }, "candidates_via_proven"},
		"a run of another commit than it names": {wholeRun, func(_, c *queue.Candidate) { c.Apart.Tested = sha("f") }, "candidates_via_proven"},
		"another commit that it does not name":  {wholeRun, func(_, c *queue.Candidate) { c.Apart.Tested = "" }, "candidates_via_proven"},
		"another commit of a train":             {wholeRun, func(_, c *queue.Candidate) { c.Apart, c.Ground = nil, "" }, "candidates_via_proven"},
		"by another recipe":                     {wholeRun, func(_, c *queue.Candidate) { c.Recipe = policy.Recipe }, "candidates_via_proven"},
		"with others in its commit":             {wholeRun, func(tested, c *queue.Candidate) { c.Apart.Under = tested.Apart.Under }, "candidates_via_proven"},
		"of one that is still in flight":        {wholeRun, func(tested, _ *queue.Candidate) { tested.State = queue.CandidateConfirmed }, "candidates_via_proven"},
		"a red run":                             {red, nil, "candidates_pass_green"},
		"a red run that is called green":        {red, func(_, c *queue.Candidate) { c.Verdict = wholeRun }, "candidates_outcome_of_run"},
		"a part of a run":                       {ran(queue.Green, step("unit", 0, 0)), nil, "candidates_via_proven"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, storetest.New(t))
			q := apart(t, s, c.run)
			_, err := s.Save(t.Context(), queue.Save{Old: q, New: combined(q, func(tested, whole *queue.Candidate) {
				whole.Members = append([]queue.Member(nil), whole.Members...)
				if c.make != nil {
					c.make(tested, whole)
				}
			})})
			if got := constraint(err); got != c.want || (err == nil) != (c.want == "") {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
}

// The lane may lose its areas after a candidate was combined, and before it lands.
func TestWithoutAreasOnlyTheVeryCommitWillDo(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	p := policy
	p.Recipe = twoSteps
	q := apart(t, s, wholeRun)
	if _, err := s.Save(t.Context(), queue.Save{Old: q, New: combined(q, nil), Policy: &p}); constraint(err) != "candidates_via_proven" {
		t.Errorf("combined in a lane without areas: %v", err)
	}
	q = save(t, s, queue.Save{Old: q, New: combined(q, nil)})
	if _, err := s.Save(t.Context(), queue.Save{Old: q, New: begin(q, 2), Policy: &p}); constraint(err) != "candidates_intent_proven" {
		t.Errorf("landed in a lane without areas: %v", err)
	}
}

// A green run proves a candidate that stands on another one together with that; by itself it has not been tested.
func TestWhatStandsOnAnotherOneDoesNotLandAsItIs(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := apart(t, s, wholeRun)
	q = save(t, s, queue.Save{Old: q, New: move(q, queue.Move{Kind: queue.MoveBypass, New: sha("9"), At: noon})})
	if _, err := s.Save(t.Context(), queue.Save{Old: q, New: begin(q, 1)}); constraint(err) != "candidates_intent_proven" {
		t.Errorf("it took an intent: %v", err)
	}
}

func TestOnlyWhatIsApartHasGroundAndAwaits(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	for name, change := range map[string]func(*queue.Candidate){
		"ground": func(c *queue.Candidate) { c.Ground = sha("a") },
		"awaits": func(c *queue.Candidate) { c.Awaits = []queue.Member{{Number: 1, Head: sha("1")}} },
		"below": func(c *queue.Candidate) {
			c.Apart, c.Below = &queue.Apart{Areas: queue.Areas{"api"}}, 1
		},
	} {
		q := start(t, s, queue.Lane{Repo: "acme/app", Trunk: name})
		q = save(t, s, queue.Save{Old: q, New: put(q, candidate(1, q.Tip, sha("b"), q.Entries[0]))})
		_, err := s.Save(t.Context(), queue.Save{Old: q, New: put(q, with(candidate(2, q.Tip, sha("c"), q.Entries[1]), change))})
		if constraint(err) != "candidates_apart" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
