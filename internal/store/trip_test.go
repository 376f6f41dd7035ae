package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
)

// Whatever a lane can be, what was saved is what is loaded, through several steps, and what Save gave back is the same.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	lanes, intents, landed, recalled, joined, combined, cases := 0, 0, 0, 0, 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		lanes++
		q, err := s.Load(t.Context(), queue.Lane{Repo: "acme/app", Trunk: fmt.Sprint("trunk-", lanes)})
		if err != nil {
			rt.Fatal(err)
		}
		var policy queue.Policy
		known := past{}
		for range rapid.IntRange(1, 4).Draw(rt, "steps") {
			step := queue.Save{Old: q, New: anyStep(rt, q, known)}
			switch {
			case slices.ContainsFunc(step.New.Candidates, func(c *queue.Candidate) bool { return c.State == queue.CandidateLanding }):
				policy = anyPolicy(rt)
				policy.Approvals, policy.NoLabels, policy.Problem = 0, nil, "" // one that lets it land
				policy.Recipe, policy.Areas = recipeOfIntent(step.New), anyRules(rt)
				step.Policy = &policy
				intents++
			case rapid.Bool().Draw(rt, "policy moved") || slices.ContainsFunc(step.New.Candidates, elsewhere):
				policy = anyPolicy(rt)
				if slices.ContainsFunc(step.New.Candidates, elsewhere) {
					policy.Areas = anyRules(rt)
				}
				step.Policy = &policy
			}
			cases += len(step.New.Cases)
			for _, c := range step.New.Candidates {
				if c.Via != 0 && c.State == queue.CandidateLanding {
					joined++
				}
				if elsewhere(c) {
					combined++
				}
			}
			for _, m := range step.New.Moves {
				switch {
				case m.Candidate != 0:
					landed++
				case m.Kind == queue.MoveLand:
					recalled++
				}
			}
			journal, outbox := step.New.Journal, step.New.Outbox
			if q, err = s.Save(t.Context(), step); err != nil {
				rt.Fatal(err)
			}
			want := store.Fit(step.New.Saved(step.Old.Version + 1))
			got, gotPolicy, err := s.View(t.Context(), q.Lane)
			if err != nil {
				rt.Fatal(err)
			}
			same(rt, got, want)
			same(rt, q, want)
			if a, b := fmt.Sprintf("%#v", gotPolicy), fmt.Sprintf("%#v", store.Fit(policy)); a != b {
				rt.Fatalf("policy\n got %s\nwant %s", a, b)
			}
			records, err := s.Journal(t.Context(), q.Lane, 0, len(journal))
			if err != nil {
				rt.Fatal(err)
			}
			slices.Reverse(records)
			if a, b := fmt.Sprintf("%#v", records), fmt.Sprintf("%#v", store.Fit(journal)); a != b {
				rt.Fatalf("journal\n got %s\nwant %s", a, b)
			}
			told(t, rt, s, q.Lane, outbox)
			trunkTold(t, rt, s, step.New, known)
		}
	})
	if intents == 0 || landed == 0 || recalled == 0 || joined == 0 || combined == 0 || cases == 0 {
		t.Errorf("%d steps with an intent, %d landings, %d intents of trains, %d times what was tested elsewhere, %d recalled, %d cases: the trip proves nothing",
			intents, landed, joined, combined, recalled, cases)
	}
}

// told sends everything in the outbox and compares it with what was put there.
func told(t *testing.T, rt *rapid.T, s *store.Store, lane queue.Lane, want []queue.Notice) {
	out, err := s.Unsent(t.Context(), lane, noon, 1000)
	if err != nil {
		rt.Fatal(err)
	}
	if len(out) != len(want) {
		rt.Fatalf("outbox has %d notices, want %d", len(out), len(want))
	}
	living := func(n queue.Notice) int { // they are sent last
		if n.Kind == queue.NoticeLiving {
			return 1
		}
		return 0
	}
	want = slices.Clone(want)
	slices.SortStableFunc(want, func(a, b queue.Notice) int { return living(a) - living(b) })
	for i, o := range out {
		same(rt, queue.Queue{Outbox: []queue.Notice{o.Notice}}, queue.Queue{Outbox: []queue.Notice{store.Fit(want[i])}})
		if err := s.Sent(t.Context(), o.Seq, "1"); err != nil {
			rt.Fatal(err)
		}
	}
}

// anyStep makes any state that may follow q, and keeps known what has landed.
func anyStep(rt *rapid.T, q queue.Queue, known past) queue.Queue {
	n := q
	n.Pause = some(rt, "pause", func() queue.Pause {
		return queue.Pause{By: text(rt), Reason: text(rt), At: moment(rt), Until: moment(rt)}
	})
	n.Stop = some(rt, "stop", func() queue.Stop {
		return queue.Stop{Reason: text(rt), At: moment(rt), Ledger: rapid.Bool().Draw(rt, "for the ledger")}
	})
	n.Sound = ""
	if es := some(rt, "estimates", func() queue.Estimates { return anyEstimates(rt) }); es != nil {
		n.Estimates = es
	}
	if rapid.Bool().Draw(rt, "something is sound") {
		n.Sound = anySHA(rt, "sound")
	}
	n.Ledger.Single, n.Ledger.Mend = rapid.Bool().Draw(rt, "single"), rapid.Bool().Draw(rt, "mend")
	n.Red = some(rt, "red trunk", func() queue.RedTrunk {
		return queue.RedTrunk{Tip: anySHA(rt, "red"), Names: texts(rt), At: moment(rt), Tries: rapid.Int().Draw(rt, "tries"), NotTill: moment(rt)}
	})
	n.Trouble = some(rt, "trouble", func() queue.Trouble {
		return queue.Trouble{Reason: text(rt), At: moment(rt), Tries: rapid.Int().Draw(rt, "tries"), NotTill: moment(rt)}
	})
	n.Entries = nil
	for _, e := range q.Entries {
		if rapid.Bool().Draw(rt, "entry moved") {
			e = anyEntry(rt, e.Number, known)
		}
		n.Entries = append(n.Entries, e)
	}
	next := queue.Number(1)
	if k := len(q.Entries); k > 0 {
		next = q.Entries[k-1].Number + 1
	}
	for range rapid.IntRange(0, 3).Draw(rt, "new entries") {
		next += queue.Number(rapid.IntRange(0, 9).Draw(rt, "gap"))
		n.Entries = append(n.Entries, anyEntry(rt, next, known))
		next++
	}
	n.Candidates = nil
	for _, c := range q.Candidates {
		if c.State == queue.CandidateLanding {
			continue // see resolve
		}
		if rapid.Bool().Draw(rt, "candidate moved") {
			c = with(c, func(c *queue.Candidate) { progress(rt, c) })
		}
		n.Candidates = append(n.Candidates, c)
	}
	if len(n.Entries) > 0 {
		for range rapid.IntRange(0, 2).Draw(rt, "new candidates") {
			n.Next += queue.CandidateID(rapid.IntRange(1, 3).Draw(rt, "skip"))
			n.Candidates = append(n.Candidates, anyCandidate(rt, n))
		}
	}
	n = anyTrain(rt, n)
	n = resolve(rt, n, q, known)
	if rapid.IntRange(0, 3).Draw(rt, "intent") > 0 {
		n = intend(rt, n)
	}
	for range rapid.IntRange(0, 3).Draw(rt, "records") {
		n.Journal = append(n.Journal, queue.Record{
			At: moment(rt), Number: queue.Number(rapid.IntRange(0, 9).Draw(rt, "about")), Candidate: queue.CandidateID(rapid.IntRange(0, 9).Draw(rt, "of")),
			Kind: "k" + text(rt), Text: text(rt),
		})
	}
	for i := range rapid.IntRange(0, 3).Draw(rt, "notices") {
		n.Outbox = append(n.Outbox, anyNotice(rt, fmt.Sprintf("%d/%d/%s", q.Version, i, text(rt))))
	}
	return n
}

func anyEntry(rt *rapid.T, n queue.Number, known past) *queue.Entry {
	e := &queue.Entry{
		Change: queue.Change{
			Number: n, Head: anySHA(rt, "head"), Branch: text(rt), Fork: rapid.Bool().Draw(rt, "fork"), Draft: rapid.Bool().Draw(rt, "draft"),
			Title: text(rt), Body: text(rt), URL: text(rt), Author: anyPerson(rt), Labels: texts(rt),
			HeadRepo: text(rt), Editable: rapid.Bool().Draw(rt, "editable"),
		},
		Past:   slices.Clone(known[n]),
		State:  rapid.SampledFrom([]queue.State{queue.Idle, queue.Queued, queue.Landed, queue.Dropped}).Draw(rt, "state"),
		SeenAt: moment(rt), HeadSince: moment(rt), AskedBy: anyPerson(rt), AskedAt: moment(rt), Priority: rapid.Int().Draw(rt, "priority"),
		Held: rapid.Bool().Draw(rt, "held"), Unseen: rapid.Bool().Draw(rt, "unseen"), Handled: texts(rt), HeldBy: queue.Number(rapid.IntRange(0, 9).Draw(rt, "held by")),
		Gone:    rapid.IntRange(0, 4).Draw(rt, "gone") == 0,
		Cleared: rapid.Bool().Draw(rt, "cleared"), Alone: rapid.Bool().Draw(rt, "alone"), After: queue.Number(rapid.IntRange(0, 9).Draw(rt, "after")), NotBefore: moment(rt),
	}
	for i := range rapid.IntRange(0, 3).Draw(rt, "approvals") {
		who := queue.Person{ID: e.Author.ID + int64(i) + 1, Login: text(rt)}
		e.Approvals = append(e.Approvals, queue.Approval{ID: text(rt), Who: who, At: moment(rt), Via: rapid.SampledFrom([]string{"review", "command"}).Draw(rt, "via")})
	}
	for range rapid.IntRange(0, 2).Draw(rt, "objections") {
		e.Objections = append(e.Objections, anyPerson(rt))
	}
	if rapid.Bool().Draw(rt, "put aside") {
		e.Aside = &queue.Aside{Reason: text(rt), At: moment(rt), Tries: rapid.IntRange(1, 9).Draw(rt, "tries"), NotTill: moment(rt)}
	}
	if e.State == queue.Dropped || rapid.Bool().Draw(rt, "drop kept") {
		e.Drop = anyDrop(rt)
	}
	if e.State == queue.Landed || rapid.Bool().Draw(rt, "landing kept") {
		e.Landing = anyLanding(rt)
	}
	if rapid.Bool().Draw(rt, "mapped") {
		e.Areas, e.MappedBy = anyAreas(rt), anyRules(rt).Digest()
	}
	for range rapid.IntRange(0, 2).Draw(rt, "ours") {
		e.Ours = append(e.Ours, anySHA(rt, "our"))
		e.Displaced = anySHA(rt, "displaced")
	}
	return e
}

func anyCandidate(rt *rapid.T, n queue.Queue) *queue.Candidate {
	c := &queue.Candidate{
		ID: n.Next, Base: anySHA(rt, "base"), Below: queue.CandidateID(rapid.Int64Range(0, int64(n.Next)-1).Draw(rt, "below")),
		Style: rapid.SampledFrom([]queue.Style{"", queue.StyleRebase, queue.StyleSquash, queue.StyleMerge}).Draw(rt, "style"), At: moment(rt),
		Built: queue.Built{SHA: anySHA(rt, "built"), Tree: anySHA(rt, "tree"), Commits: anyCommits(rt)},
		State: queue.CandidateBuilt, Recipe: anyRecipe(rt),
	}
	for _, e := range n.Entries {
		if len(c.Members) == 0 || rapid.Bool().Draw(rt, "member") {
			c.Members = append(c.Members, queue.Member{Number: e.Number, Head: anySHA(rt, "member head"), Message: text(rt)})
		}
	}
	if rapid.Bool().Draw(rt, "apart") {
		c.Below, c.Apart = 0, &queue.Apart{Areas: anyAreas(rt), Rules: anyRules(rt).Digest()}
		for _, e := range n.Entries {
			if !slices.ContainsFunc(c.Members, func(m queue.Member) bool { return m.Number == e.Number }) && rapid.Bool().Draw(rt, "stands on it") {
				c.Apart.Under = append(c.Apart.Under, queue.Member{Number: e.Number, Head: anySHA(rt, "head below")})
			}
		}
		moveApart(rt, c)
	}
	if rapid.Bool().Draw(rt, "green at once") {
		c.Run, c.Verdict, c.State, c.Since = 1, anyVerdict(rt, c.Recipe, queue.Green), queue.CandidateConfirmed, moment(rt)
		return c
	}
	progress(rt, c)
	return c
}

// progress takes a candidate to any state that it may be in next, except to the intent.
func progress(rt *rapid.T, c *queue.Candidate) {
	c.Since, c.NotTill, c.Reason = moment(rt), moment(rt), text(rt)
	moveApart(rt, c)
	if c.Via != 0 { // it has no runs
		states := []queue.CandidateState{queue.CandidatePassed, queue.CandidateConfirmed, queue.CandidateFailed, queue.CandidateAbandoned}
		c.State = rapid.SampledFrom(states).Draw(rt, "joined state")
		return
	}
	if more := rapid.IntRange(0, 2).Draw(rt, "runs"); more > 0 {
		c.Run, c.Verdict = c.Run+more, nil
	}
	if c.Run > 0 && c.Verdict == nil && rapid.Bool().Draw(rt, "reported") {
		c.Verdict = anyVerdict(rt, c.Recipe, anyOutcome(rt))
	}
	states := []queue.CandidateState{queue.CandidateBuilt, queue.CandidateTesting, queue.CandidateFailed, queue.CandidateAbandoned}
	switch {
	case c.Of != 0 || c.Verdict == nil: // neither passes
	case c.Verdict.Outcome == queue.Green:
		states = append(states, queue.CandidatePassed, queue.CandidateConfirmed)
	case c.Verdict.Outcome == queue.Red, c.Verdict.Outcome == queue.TimedOut:
		states = append(states, queue.CandidateRed)
	}
	c.State = rapid.SampledFrom(states).Draw(rt, "candidate state")
}

func anyNotice(rt *rapid.T, key string) queue.Notice {
	kinds := []queue.NoticeKind{queue.NoticeLiving, queue.NoticeThumb, queue.NoticeAnswer, queue.NoticeVoided, queue.NoticeDropped, queue.NoticeLanded}
	n := queue.Notice{
		Key: key, Kind: rapid.SampledFrom(kinds).Draw(rt, "kind"), Number: 1, Head: anySHA(rt, "head"), At: moment(rt), Author: anyPerson(rt),
		Comment: rapid.Int64().Draw(rt, "comment"), Text: text(rt), Base: anySHA(rt, "base"), ID: 2, Run: 3, Approvers: texts(rt),
		Waited: time.Duration(rapid.Int64().Draw(rt, "waited")),
	}
	n.Standing = some(rt, "standing", func() queue.Standing {
		return queue.Standing{
			Number: 1, Title: text(rt), Author: anyPerson(rt), Stage: queue.StageHeld, Since: moment(rt), AskedAt: moment(rt), Ahead: []queue.Number{4, 5},
			Reasons: []queue.Reason{{Code: "c", Text: text(rt), Since: moment(rt), Held: true}}, Landing: anyLanding(rt),
		}
	})
	n.Drop, n.Landing, n.Verdict = anyDrop(rt), anyLanding(rt), anyVerdict(rt, anyRecipe(rt), anyOutcome(rt))
	return n
}

func anyDrop(rt *rapid.T) *queue.Drop {
	return &queue.Drop{Code: queue.DropConflict, At: moment(rt), Reason: text(rt), Files: texts(rt), Candidate: 1}
}

func anyLanding(rt *rapid.T) *queue.Landing {
	return &queue.Landing{Candidate: 1, Tip: anySHA(rt, "landed"), Commits: anyCommits(rt), At: moment(rt)}
}

func anyCommits(rt *rapid.T) (all []queue.BuiltCommit) {
	for range rapid.IntRange(0, 2).Draw(rt, "commits") {
		all = append(all, queue.BuiltCommit{SHA: anySHA(rt, "commit"), Member: 1, From: anySHA(rt, "from"), Title: text(rt)})
	}
	return all
}

func anyOutcome(rt *rapid.T) queue.Outcome {
	outcomes := []queue.Outcome{queue.Unmeasured, queue.Green, queue.Green, queue.Green, queue.Red, queue.TimedOut, queue.Infra, queue.Cancelled}
	return rapid.SampledFrom(outcomes).Draw(rt, "outcome")
}

// anyVerdict is one of a run of a recipe.
func anyVerdict(rt *rapid.T, r queue.Recipe, o queue.Outcome) *queue.Verdict {
	v := &queue.Verdict{
		Outcome: o, Reason: text(rt), Step: text(rt), Exit: rapid.Int().Draw(rt, "exit"), Tail: texts(rt), Failed: texts(rt), Partial: rapid.Bool().Draw(rt, "partial"),
		Asked: texts(rt),
		Took:  time.Duration(rapid.Int64().Draw(rt, "took")),
	}
	for range r.Setup {
		v.Steps = append(v.Steps, queue.StepResult{Name: "setup", Took: time.Second})
	}
	for _, s := range r.Steps {
		v.Steps = append(v.Steps, queue.StepResult{Name: s.Name, Took: time.Second})
		if o != queue.Green && rapid.Bool().Draw(rt, "step failed") {
			v.Steps[len(v.Steps)-1].Exit = rapid.IntRange(-1, 255).Draw(rt, "exit of the step")
			break
		}
	}
	return v
}

func anyRecipe(rt *rapid.T) queue.Recipe {
	return queue.Recipe{Setup: texts(rt), Steps: []queue.Step{{Name: text(rt), Run: text(rt)}, {Name: "lint", Run: text(rt), Results: queue.Results{Format: queue.ResultsJUnit, Files: text(rt)}, Rerun: text(rt), Needs: rapid.SampledFrom([][]string{nil, {}, {"x"}}).Draw(rt, "needs")}}, Timeout: time.Duration(rapid.Int64().Draw(rt, "timeout"))}
}

func anyPolicy(rt *rapid.T) queue.Policy {
	p := queue.Policy{Style: queue.StyleMerge, Approvals: rapid.Int().Draw(rt, "n"), NoLabels: texts(rt), Recipe: anyRecipe(rt), Warning: text(rt), Problem: text(rt)}
	if rapid.Bool().Draw(rt, "areas") {
		p.Areas = anyRules(rt)
	}
	return p
}

func anyPerson(rt *rapid.T) queue.Person {
	return queue.Person{ID: rapid.Int64Range(0, 1<<53).Draw(rt, "person"), Login: text(rt), Bot: rapid.Bool().Draw(rt, "bot")}
}

func anySHA(rt *rapid.T, label string) queue.SHA {
	return queue.SHA(rapid.StringMatching(`[0-9a-f]{40}|[0-9a-f]{64}`).Draw(rt, label))
}

// moment is any time, often none, with nanoseconds and in any zone.
func moment(rt *rapid.T) time.Time {
	if rapid.IntRange(0, 3).Draw(rt, "no time") == 0 {
		return time.Time{}
	}
	at := time.Unix(rapid.Int64Range(0, 1<<33).Draw(rt, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(rt, "nanoseconds"))
	return at.In(time.FixedZone("", rapid.IntRange(-12, 14).Draw(rt, "zone")*3600))
}

func text(rt *rapid.T) string { return rapid.StringN(0, 12, -1).Draw(rt, "text") }

func texts(rt *rapid.T) []string {
	return rapid.SliceOfN(rapid.StringN(0, 5, -1), 0, 2).Draw(rt, "texts")
}

func some[T any](rt *rapid.T, label string, of func() T) *T {
	if !rapid.Bool().Draw(rt, label) {
		return nil
	}
	v := of()
	return &v
}
