package store_test

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
)

// Whatever the brain decides, the schema accepts: a constraint that a true state breaks would stop a lane for ever.
func TestTheSchemaAcceptsWhatQueueDecides(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	lanes, landed, recalled, seen := 0, 0, 0, map[queue.CandidateState]int{}
	trains := policy
	trains.Window, trains.Batch, trains.Environment = 4, 2, "here"
	trains.Recipe = queue.Recipe{Steps: []queue.Step{{Name: "lint", Run: "make lint"}, {Name: "unit", Run: "make", Needs: []string{}}}}
	rapid.Check(t, func(rt *rapid.T) {
		lanes++
		w := &walk{rt: rt, s: s, now: noon, tip: sha("a"), heads: map[queue.Number]queue.SHA{}, policy: trains, known: map[pin]bool{}, content: map[queue.SHA][]string{}, seen: seen}
		w.q = queue.Queue{Lane: queue.Lane{Repo: "acme/app", Trunk: fmt.Sprint("walk-", lanes)}}
		w.saved = w.q
		w.apply(queue.TrunkSeen{Tip: w.tip, At: w.now})
		w.save()
		for range 8 {
			w.now = w.now.Add(time.Duration(rapid.IntRange(1, 400).Draw(rt, "seconds")) * time.Second)
			w.fact()
			if rapid.Bool().Draw(rt, "save before acting") {
				w.save()
			}
			for range 4 {
				plan := w.q.Plan(w.now, w.policy)
				for _, a := range plan {
					w.do(a)
				}
				w.save()
				if len(plan) == 0 {
					break
				}
			}
		}
		log, err := s.Landings(t.Context(), w.q.Lane, 1000)
		if err != nil {
			rt.Fatal(err)
		}
		for _, l := range log {
			if !w.known[pin{l.Number, l.Head}] {
				rt.Fatalf("%v is said to have landed at %s", l.Number, l.Head)
			}
		}
		if len(log) != len(w.known) {
			rt.Fatalf("%d landings are listed of %d", len(log), len(w.known))
		}
		landed, recalled = landed+w.landed, recalled+w.recalled
	})
	t.Logf("%d landings, %d recalled, %v", landed, recalled, seen)
	// Few lanes need not have all that is rare.
	if landed == 0 || recalled == 0 || lanes >= 100 && (seen[queue.CandidateRed] == 0 || seen[probes] == 0 || seen[acquitted] == 0) ||
		lanes >= 1000 && (seen[queue.CandidateJoined] == 0 || seen[spared] == 0) {
		t.Errorf("%d landings, %d recalled, %v: the walk proves nothing", landed, recalled, seen)
	}
}

type pin struct {
	number queue.Number
	head   queue.SHA
}

type walk struct {
	rt       *rapid.T
	s        *store.Store
	q, saved queue.Queue
	policy   queue.Policy
	now      time.Time
	tip      queue.SHA // as the git server has it
	heads    map[queue.Number]queue.SHA
	asks     int
	landed   int
	recalled int
	known    map[pin]bool // what is on trunk, or was

	content map[queue.SHA][]string // what a commit has that is not on the trunk of the beginning

	seen map[queue.CandidateState]int // candidates that came so far
}

// What walks also count.
const (
	probes    queue.CandidateState = "probes"
	acquitted queue.CandidateState = "acquitted by a run of what failed"
	spared    queue.CandidateState = "green by the run of another"
)

func (w *walk) apply(ev queue.Event) { w.q = w.q.Apply(ev) }

func (w *walk) save() {
	w.rt.Helper()
	for _, c := range w.q.Candidates {
		w.seen[c.State]++
		if c.Of != 0 {
			w.seen[probes]++
		}
		if c.State == queue.CandidatePassed && slices.ContainsFunc(c.Verdict.Steps, func(s queue.StepResult) bool { return s.Run != 0 }) {
			w.seen[acquitted]++
		}
		if c.State == queue.CandidateLanding && c.Verdict.Reused != nil {
			w.seen[spared]++
		}
	}
	q, err := w.s.Save(w.rt.Context(), queue.Save{Old: w.saved, New: w.q.Fill(w.now, w.policy), Policy: &w.policy})
	if err != nil {
		w.rt.Fatal(err)
	}
	loaded, err := w.s.Load(w.rt.Context(), q.Lane)
	if err != nil {
		w.rt.Fatal(err)
	}
	same(w.rt, loaded, q)
	w.q, w.saved = q, q
}

// fact is something that happens outside.
func (w *walk) fact() {
	n := queue.Number(rapid.IntRange(1, 3).Draw(w.rt, "number"))
	switch rapid.IntRange(0, 10).Draw(w.rt, "fact") {
	case 0:
		w.heads[n] = "" // pushed
		w.look(n, true)
	case 1:
		w.look(n, false)
	case 2:
		w.tip = anySHA(w.rt, "pushed past lander")
		w.apply(queue.TrunkSeen{Tip: w.tip, Rewound: rapid.Bool().Draw(w.rt, "rewound"), At: w.now})
	case 3:
		w.apply(queue.Paused{By: "ada", Reason: "lunch", At: w.now, Until: w.now.Add(time.Minute)})
	case 4:
		w.apply(queue.Resumed{By: "ada", At: w.now})
	case 5:
		verbs := []queue.Verb{queue.VerbLand, queue.VerbWithdraw, queue.VerbRetry, queue.VerbHold, queue.VerbUnhold}
		w.asks++
		w.apply(queue.ChangeAsked{Number: n, Ask: queue.Ask{
			ID: fmt.Sprint("ask/", w.asks), Who: bob, Role: queue.RoleAdmin, At: w.now, Verb: rapid.SampledFrom(verbs).Draw(w.rt, "verb"),
		}})
	case 6:
		w.recall(n)
	default:
		w.look(n, true)
	}
}

// recall lets the ledger tell of a landing that this database does not know, as after an old backup was restored.
func (w *walk) recall(n queue.Number) {
	landing := slices.ContainsFunc(w.q.Candidates, func(c *queue.Candidate) bool { return c.State == queue.CandidateLanding })
	if landing || w.q.Ledger.Tip == "" || rapid.Bool().Draw(w.rt, "nothing to recall") {
		return
	}
	head := w.heads[n]
	if head == "" || rapid.Bool().Draw(w.rt, "an older head landed") {
		head = anySHA(w.rt, "head that landed")
	}
	old := w.q.Tip
	if rapid.Bool().Draw(w.rt, "bypass before") {
		old = anySHA(w.rt, "pushed before")
	}
	w.tip = anySHA(w.rt, "landed elsewhere")
	w.write(queue.Statement{
		Decision: queue.DecisionLand, Attempt: w.q.Next + 2, Old: old, New: w.tip, At: w.now,
		Entries: []queue.LedgerEntry{{Number: n, Head: head, Commits: []queue.SHA{w.tip}}, {Number: 9, Head: sha("9")}},
	})
	w.known[pin{n, head}], w.known[pin{9, sha("9")}] = true, true
	w.recalled++
}

// write puts a record onto the ledger and lets lander see it.
func (w *walk) write(s queue.Statement) {
	s.Format, s.Seq, s.Lane = 1, w.q.Ledger.Seq+1, w.q.Lane.String()
	at := anySHA(w.rt, "record")
	w.apply(queue.LedgerSeen{Tip: at, Above: []queue.Written{{SHA: at, Statement: s}}, At: w.now})
}

func (w *walk) look(n queue.Number, open bool) {
	if w.heads[n] == "" {
		w.heads[n] = anySHA(w.rt, "head")
	}
	if open && w.q.Entry(n) == nil {
		former, err := w.s.Former(w.rt.Context(), w.q.Lane, n)
		if err != nil {
			w.rt.Fatal(err)
		}
		if former != nil {
			w.apply(queue.ChangeRemembered{Entry: former})
		}
	}
	s := queue.Sight{Number: n, At: w.now, Open: open, Base: w.q.Lane.Trunk, Head: w.heads[n], Author: ann, HeadRepo: "ann/app", Branch: "topic", Editable: true, Draft: rapid.IntRange(0, 5).Draw(w.rt, "draft") == 0}
	for _, who := range []queue.Person{ann, bob, {ID: 3, Login: "robot", Bot: true}} {
		if rapid.Bool().Draw(w.rt, "reviewed") {
			w.asks++
			s.Reviews = append(s.Reviews, queue.Review{
				ID: fmt.Sprint("review/", w.asks), Who: who, Role: queue.RoleReview, Head: s.Head, State: queue.ReviewApproved, At: w.now,
			})
		}
	}
	w.apply(queue.ChangeSeen{Sight: s})
}

// do carries out a deed with any outcome that it may have.
func (w *walk) do(a queue.Action) {
	switch a := a.(type) {
	case queue.Build:
		if rapid.IntRange(0, 5).Draw(w.rt, "conflict") == 0 {
			un := queue.CandidateUnmade{
				ID: a.ID, Base: a.Request.Base, Below: a.Below, Member: rapid.SampledFrom(a.Request.Members).Draw(w.rt, "member"),
				Code: queue.DropConflict, Reason: "conflict", At: w.now,
			}
			if other := a.Request.Members[0]; other != un.Member {
				un.With = other.Number
			}
			w.apply(un)
			return
		}
		w.apply(queue.CandidateMade{ID: a.ID, Request: a.Request, Built: w.built(a.Request.Base, a.Request.Members), Recipe: w.policy.Recipe, At: w.now})
	case queue.Join:
		w.apply(queue.Joined{ID: a.ID, As: a.As, At: w.now})
	case queue.Probe:
		made := queue.ProbesMade{ID: a.ID, Of: a.Of, At: w.now}
		for _, t := range a.Trials {
			p := queue.Probed{Trial: t, Built: queue.Built{SHA: t.Base}}
			if t.Member.Number != 0 {
				if p.Built = w.built(t.Base, []queue.Member{t.Member}); rapid.IntRange(0, 5).Draw(w.rt, "trial conflicts") == 0 {
					p.Built = queue.Built{}
				}
			}
			made.Probes = append(made.Probes, p)
		}
		w.apply(made)
	case queue.StartRun:
		w.apply(queue.RunStarted{ID: a.Candidate.ID, Run: a.Run, At: w.now})
		w.save()
		outcomes := []queue.Outcome{queue.Green, queue.Green, queue.Green, queue.Red, queue.TimedOut, queue.Infra, queue.Cancelled, queue.Unmeasured, "lost"}
		if o := rapid.SampledFrom(outcomes).Draw(w.rt, "outcome"); o == "lost" {
			w.apply(queue.RunLost{ID: a.Candidate.ID, Run: a.Run, At: w.now})
		} else {
			w.apply(queue.RunReported{ID: a.Candidate.ID, Run: a.Run, Verdict: w.verdict(a.Recipe, o), At: w.now})
		}
	case queue.Reuses:
		w.apply(queue.Reused{ID: a.ID, Run: a.Run, Proof: a.Proof, At: w.now})
	case queue.Abandon:
		w.apply(queue.Abandoned{ID: a.ID, Reason: a.Reason, At: w.now})
	case queue.Confirm:
		w.apply(queue.Confirmed{ID: a.Candidate.ID, At: w.now})
	case queue.Adopt:
		w.write(a.Statement)
	case queue.Mend:
		w.apply(queue.LedgerMended{At: w.now})
	case queue.PutBack:
		w.apply(queue.HeadPutBack{Number: a.Move.Number, From: a.Move.From, At: w.now})
	case queue.Land:
		w.land(a)
	default:
		w.rt.Fatalf("%T is not known here", a)
	}
}

// built is a new commit for each member. Its tree is what it holds, whoever put it there: a push past lander changes nothing.
func (w *walk) built(base queue.SHA, members []queue.Member) queue.Built {
	var built queue.Built
	content := w.content[base]
	for _, m := range members {
		built.SHA = anySHA(w.rt, "built")
		if what := fmt.Sprint(m.Number, m.Head); !slices.Contains(content, what) {
			content = append(slices.Clip(content), what)
			slices.Sort(content)
		}
		w.content[built.SHA] = content
		built.Commits = append(built.Commits, queue.BuiltCommit{SHA: built.SHA, Member: m.Number, From: m.Head})
	}
	built.Tree = queue.SHA(fmt.Sprintf("%x", sha1.Sum([]byte(fmt.Sprint(content)))))
	return built
}

// verdict is one of a run of a recipe, as testrun gives it.
func (w *walk) verdict(r queue.Recipe, o queue.Outcome) queue.Verdict {
	v := queue.Verdict{Outcome: o, Took: time.Second, Environment: rapid.SampledFrom([]string{"here", "here", "elsewhere", ""}).Draw(w.rt, "environment")}
	last := len(r.Steps) - 1
	if o != queue.Green {
		last = rapid.IntRange(0, last).Draw(w.rt, "last step")
	}
	for i, s := range r.Steps[:last+1] {
		v.Steps = append(v.Steps, queue.StepResult{Name: s.Name, Took: time.Second})
		if o != queue.Green && i == last {
			v.Step, v.Steps[i].Exit = s.Name, 1
		}
	}
	return v
}

func (w *walk) land(a queue.Land) {
	c := a.Candidate
	if c.State != queue.CandidateLanding {
		merged := w.policy
		merged.ShowMerged = true
		_, intent := w.q.Plead(c, w.now, merged)
		intent.Record = queue.Sealed{SHA: anySHA(w.rt, "record"), Text: "tree 4b825dc\n\nland\n"}
		w.apply(queue.LandingBegun{ID: c.ID, Intent: intent, At: w.now})
		w.save()
		if c = w.q.Candidate(c.ID); c == nil || c.State != queue.CandidateLanding {
			w.rt.Fatalf("an intent was planned and not taken")
		}
		w.once(c)
	}
	switch rapid.IntRange(0, 4).Draw(w.rt, "push") {
	case 0:
		w.undone(c, "")
	case 1:
		w.undone(c, "protected")
	case 2: // killed before the answer: the intent stays
	default:
		w.tip = c.Built.SHA
		w.apply(queue.LandingDone{ID: c.ID, At: w.now})
		w.landed += len(c.Members)
		for _, m := range c.Members {
			w.known[pin{m.Number, m.Head}] = true
		}
		if rapid.Bool().Draw(w.rt, "pushed to meanwhile") {
			w.tip = anySHA(w.rt, "pushed past lander")
		}
		w.apply(queue.TrunkSeen{Tip: w.tip, At: w.now})
	}
}

// undone is an intent that was burnt.
func (w *walk) undone(c *queue.Candidate, denied string) {
	abort := w.q.Abort(c, queue.Reading{}, w.now)
	w.apply(queue.LandingUndone{ID: c.ID, Denied: denied, At: w.now})
	w.write(abort)
}

// once tries to save a second intent beside the first, and to take the verdict back.
func (w *walk) once(c *queue.Candidate) {
	other := with(c, func(o *queue.Candidate) {
		o.ID, o.Intent = w.q.Next+1, with(c.Intent, func(i *queue.Intent) { i.Seq++ })
	})
	if _, err := w.s.Save(w.rt.Context(), queue.Save{Old: w.q, New: put(w.q, other)}); constraint(err) != "candidates_one_intent" {
		w.rt.Fatalf("a second intent: %v", err)
	}
	red := with(c, func(c *queue.Candidate) {
		c.State, c.Verdict = queue.CandidateFailed, &queue.Verdict{Outcome: queue.Red}
	})
	law := "runs_verdict_once"
	if c.Via != 0 { // the run is another candidate's
		law = "candidates_outcome_of_run"
	}
	if _, err := w.s.Save(w.rt.Context(), queue.Save{Old: w.q, New: put(w.q, red)}); constraint(err) != law {
		w.rt.Fatalf("a second verdict: %v", err)
	}
	if _, err := w.s.Save(w.rt.Context(), queue.Save{Old: queue.Queue{Lane: w.q.Lane}, New: w.q}); !errors.Is(err, queue.ErrStale) {
		w.rt.Fatalf("a stale save: %v", err)
	}
}
