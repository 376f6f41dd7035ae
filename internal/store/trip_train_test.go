package store_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"lander/internal/queue"
)

// anyTrain adds what trains leave in a lane: a green candidate that ended as part of another one, probes, and cases that are opened,
// go on or are closed.
func anyTrain(rt *rapid.T, n queue.Queue) queue.Queue {
	i := slices.IndexFunc(n.Candidates, func(c *queue.Candidate) bool {
		return c.Via == 0 && (c.State == queue.CandidatePassed || c.State == queue.CandidateConfirmed)
	})
	if i >= 0 && rapid.IntRange(0, 7).Draw(rt, "joined") > 0 {
		n.Next++
		top := n.Candidates[i]
		whole := with(top, func(c *queue.Candidate) {
			c.ID, c.Base, c.Below, c.Via, c.State, c.Since = n.Next, anySHA(rt, "base of the whole"), 0, top.ID, queue.CandidatePassed, moment(rt)
			c.Intent = nil
			if c.Apart != nil { // then it is put onto trunk, which makes another commit of it unless trunk is where it was
				a := *c.Apart
				a.Under, c.Awaits, c.Members = nil, nil, append(slices.Clone(a.Under), c.Members...)
				if rapid.IntRange(0, 3).Draw(rt, "trunk has moved on") > 0 {
					a.Tested, c.Built = c.Built.SHA, queue.Built{SHA: anySHA(rt, "combined"), Tree: anySHA(rt, "its tree"), Commits: c.Built.Commits}
				}
				c.Apart = &a
			}
		})
		n.Candidates = append(slices.Clone(n.Candidates), whole)
		n.Candidates[i] = with(top, func(c *queue.Candidate) { c.State = queue.CandidateJoined })
	}
	var about []queue.CandidateID
	cases := n.Cases
	n.Cases = nil
	for _, k := range cases {
		about = append(about, k.ID)
		switch rapid.IntRange(0, 2).Draw(rt, "case") {
		case 0:
			n.Cases = append(n.Cases, k)
		case 1:
			n.Cases = append(n.Cases, anyCase(rt, k.ID))
		}
	}
	for _, c := range n.Candidates {
		if c.Of == 0 && !slices.Contains(about, c.ID) && rapid.IntRange(0, 3).Draw(rt, "a case of it") == 0 {
			n.Cases = append(n.Cases, anyCase(rt, c.ID))
		}
	}
	slices.SortFunc(n.Cases, func(a, b *queue.Case) int { return int(a.ID - b.ID) })
	if n.Next > 0 && rapid.IntRange(0, 2).Draw(rt, "probe") == 0 {
		n.Next++
		c := &queue.Candidate{
			ID: n.Next, Of: queue.CandidateID(rapid.Int64Range(1, int64(n.Next)-1).Draw(rt, "probe of")), Trial: anyTrial(rt), At: moment(rt), Recipe: anyRecipe(rt),
		}
		if c.Base, c.Built.SHA = c.Trial.Base, c.Trial.Base; c.Trial.Member.Number != 0 {
			c.Built = queue.Built{SHA: anySHA(rt, "probe"), Tree: anySHA(rt, "its tree"), Commits: anyCommits(rt)}
		}
		progress(rt, c)
		n.Candidates = append(slices.Clone(n.Candidates), c)
	}
	return n
}

func anyTrial(rt *rapid.T) queue.Trial {
	t := queue.Trial{Base: anySHA(rt, "tried")}
	if rapid.Bool().Draw(rt, "with one more") {
		t.Member = anyMember(rt)
	}
	return t
}

func anyMember(rt *rapid.T) queue.Member {
	return queue.Member{Number: queue.Number(rapid.IntRange(1, 9).Draw(rt, "its number")), Head: anySHA(rt, "its head"), Message: text(rt)}
}

func anyCase(rt *rapid.T, of queue.CandidateID) *queue.Case {
	r := anyRecipe(rt)
	k := &queue.Case{
		ID: of, Names: texts(rt), Recipe: r, Chain: []queue.Boundary{{SHA: anySHA(rt, "trunk")}}, Sure: rapid.Bool().Draw(rt, "sure"),
		Red: *anyVerdict(rt, r, queue.Red), Run: rapid.IntRange(1, 3).Draw(rt, "red run"), At: moment(rt),
	}
	for range rapid.IntRange(0, 2).Draw(rt, "passed") {
		k.Passed = append(k.Passed, queue.StepResult{Name: text(rt), Took: time.Second, Run: rapid.IntRange(1, 3).Draw(rt, "in run")})
	}
	for range rapid.IntRange(0, 2).Draw(rt, "boundaries") {
		k.Chain = append(k.Chain, queue.Boundary{Member: anyMember(rt), SHA: anySHA(rt, "boundary")})
	}
	for range rapid.IntRange(0, 2).Draw(rt, "results") {
		k.Results = append(k.Results, queue.Result{Trial: anyTrial(rt), Failed: texts(rt), Asked: texts(rt), Verdict: some(rt, "evidence", func() queue.Verdict { return *anyVerdict(rt, r, queue.Red) })})
	}
	return k
}

func anyEstimates(rt *rapid.T) queue.Estimates {
	tally := func() queue.Tally {
		return queue.Tally{Good: rapid.Float64Range(0, 1e6).Draw(rt, "good"), Bad: rapid.Float64Range(0, 1e6).Draw(rt, "bad")}
	}
	e := queue.Estimates{All: tally()}
	if rapid.Bool().Draw(rt, "authors") {
		e.Authors = map[int64]queue.Tally{rapid.Int64().Draw(rt, "author"): tally(), 7: tally()}
	}
	if rapid.Bool().Draw(rt, "steps") {
		e.Steps = map[string]queue.Took{text(rt): {1, 2}}
	}
	return e
}

// recipeOfIntent is the recipe of the candidate that is landing.
func recipeOfIntent(n queue.Queue) queue.Recipe {
	i := slices.IndexFunc(n.Candidates, func(c *queue.Candidate) bool { return c.State == queue.CandidateLanding })
	return n.Candidates[i].Recipe
}
