package queue

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestNonsense applies any fact in any order, sensible or not: nothing panics, nothing is mutated, a second time adds nothing, and
// no candidate takes a way to trunk that it may not take.
func TestNonsense(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWalk(t)
		for range rapid.IntRange(15, 50).Draw(t, "steps") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(-5, 20).Draw(t, "seconds")) * time.Second)
			if rapid.IntRange(0, 9).Draw(t, "save") == 9 {
				w.save()
			}
			w.apply(w.nonsense())
			w.whole()
			w.q.Wake(w.now)
		}
	})
}

// nonsense draws a fact from small pools, so that many of them are nearly right.
func (w *walker) nonsense() Event {
	when := w.now.Add(time.Duration(rapid.IntRange(-3, 3).Draw(w.T, "skew")) * time.Second)
	number := func() Number { return Number(rapid.IntRange(0, 3).Draw(w.T, "number")) }
	id := func() CandidateID {
		return max(0, w.q.Next+CandidateID(rapid.SampledFrom([]int{0, 1, 0, 1, -1, 2}).Draw(w.T, "id")))
	}
	run := func() int { return rapid.SampledFrom([]int{1, 1, 2, 3, 0, -1}).Draw(w.T, "run") }
	tip := func() SHA {
		top := w.q.Tip
		if train := w.q.train(); len(train) > 0 {
			top = train[len(train)-1].Built.SHA
		}
		return rapid.SampledFrom([]SHA{w.q.Tip, top, w.q.Tip, top, trunk(1), trunk(2), commit(1), ""}).Draw(w.T, "tip")
	}
	member := func() Member {
		n := number()
		if e := w.q.Entry(n); e != nil && rapid.IntRange(0, 4).Draw(w.T, "pinned") < 4 {
			return Member{Number: n, Head: e.Head}
		}
		return Member{Number: n, Head: head(n, rapid.IntRange(1, 3).Draw(w.T, "rev"))}
	}
	switch rapid.IntRange(0, 22).Draw(w.T, "fact") {
	case 0, 1, 2, 3:
		return ChangeSeen{Sight: w.anySight(number(), when)}
	case 4:
		var e *Entry
		if n := number(); n > 0 {
			e = &Entry{Change: Change{Number: n, Head: head(n, 1), Author: ann}, State: rapid.SampledFrom([]State{Idle, Queued, "?"}).Draw(w.T, "state"), SeenAt: when, Gone: true}
		}
		return ChangeRemembered{e}
	case 5:
		p := &pull{Sight: Sight{Number: number()}, revs: 3, meant: map[string]SHA{}}
		a := w.command(p)
		a.Role = w.roles[a.Who.ID]
		return ChangeAsked{p.Number, a}
	case 6:
		return TrunkSeen{Tip: tip(), Rewound: rapid.Bool().Draw(w.T, "rewound"), Gone: rapid.IntRange(0, 9).Draw(w.T, "gone") == 9, At: when}
	case 7, 8:
		members := make([]Member, rapid.SampledFrom([]int{1, 1, 1, 2, 0}).Draw(w.T, "members"))
		for i := range members {
			members[i] = member()
		}
		b := Build{ID: id(), Request: BuildRequest{Base: tip(), Members: members, At: when}}
		return CandidateMade{b.ID, b.Request, builtOf(b), suite(), when, nil}
	case 9:
		return CandidateUnmade{ID: id(), Base: tip(), Below: id(), Member: member(), Code: rapid.SampledFrom([]DropCode{DropConflict, DropEmpty, ""}).Draw(w.T, "code"), Reason: "it says why", At: when}
	case 10:
		return RunStarted{id(), run(), when}
	case 11:
		v := Verdict{Outcome: rapid.SampledFrom([]Outcome{Green, Green, Red, Infra, Unmeasured, Cancelled, TimedOut, "purple"}).Draw(w.T, "outcome")}
		v.Step = rapid.SampledFrom([]string{"lint", "unit", ""}).Draw(w.T, "step")
		v.Failed = rapid.SampledFrom([][]string{nil, {"test a"}, {"test b", "test c"}}).Draw(w.T, "failed")
		if rapid.Bool().Draw(w.T, "whole") {
			v = v.whole(w.p.Recipe)
		}
		return RunReported{id(), run(), v, when}
	case 12:
		return RunLost{id(), run(), when}
	case 13:
		return Confirmed{id(), when}
	case 14:
		return w.anyIntent(id(), when)
	case 15:
		return rapid.SampledFrom([]Event{
			LandingDone{id(), when},
			LandingUndone{ID: id(), At: when},
			LandingUndone{ID: id(), Denied: "protected branch", At: when},
			LandingUndone{ID: id(), Failed: "cut off", At: when},
			LandingHindered{id(), "protected branch", when},
			Hindered{rapid.SampledFrom([]string{"the disk is full", "nobody answers"}).Draw(w.T, "reason"), when},
			Eased{when},
		}).Draw(w.T, "landing")
	case 16:
		return rapid.SampledFrom([]Event{Abandoned{id(), "any reason", when}, ChangeUnseen{number(), when}}).Draw(w.T, "leave")
	case 17:
		return w.anyLook(when)
	case 19:
		return rapid.SampledFrom([]Event{Joined{id(), id(), when}, CaseForgotten{id(), when}}).Draw(w.T, "join")
	case 20, 21:
		return w.anyTrials(id(), id(), tip(), member(), when)
	case 18:
		return rapid.SampledFrom([]Event{
			LedgerMended{when},
			LedgerDenied{"protected branch", when},
			Breached{[]string{"trunk has a commit that no record names"}, when},
			HeadPutBack{Number: number(), From: tip(), At: when},
			HeadPutBack{Number: number(), From: commit(w.q.Next), Problem: "it says why", At: when},
		}).Draw(w.T, "ledger")
	}
	return rapid.SampledFrom([]Event{Resumed{"ada", when}, Resumed{"ada", when}, Paused{By: "ada", At: when}, Paused{By: "raj", At: when, Until: when.Add(3)}}).Draw(w.T, "pause")
}

// anyTrials are what a case may have wanted to know.
func (w *walker) anyTrials(id, of CandidateID, base SHA, m Member, when time.Time) Event {
	ev := ProbesMade{ID: id, Of: of, At: when}
	if k := w.q.caseOf(of); k != nil && rapid.IntRange(0, 3).Draw(w.T, "wanted") > 0 {
		for _, t := range w.q.findings(1).of(of).want {
			ev.Probes = append(ev.Probes, Probed{t, Built{SHA: t.Base}})
		}
	}
	for range rapid.IntRange(0, 2).Draw(w.T, "trials") {
		t := Trial{Base: base, Member: rapid.SampledFrom([]Member{{}, m}).Draw(w.T, "trial of")}
		ev.Probes = append(ev.Probes, Probed{t, Built{SHA: rapid.SampledFrom([]SHA{base, commit(id), ""}).Draw(w.T, "trial")}})
	}
	return ev
}

// anyIntent is the right one of a candidate, or nearly.
func (w *walker) anyIntent(id CandidateID, when time.Time) Event {
	ev := LandingBegun{ID: id, At: when}
	if c := w.q.Candidate(id); c != nil {
		ev = begun(w.q, id, when, w.p)
	}
	switch rapid.IntRange(0, 9).Draw(w.T, "intent") {
	case 0:
		ev.Intent.Seq++
	case 1:
		ev.Intent.Ledger = commit(1)
	case 2:
		ev.Intent.Record = Sealed{}
	case 3:
		ev.Intent = Intent{}
	}
	return ev
}

// anyLook is a look at a ledger whose records are nearly right.
func (w *walker) anyLook(when time.Time) Event {
	ev := LedgerSeen{Single: rapid.IntRange(0, 5).Draw(w.T, "single") == 5, At: when}
	switch rapid.IntRange(0, 7).Draw(w.T, "problem") {
	case 0:
		ev.Problem = &LedgerError{Missing: true, Reason: "a record is not there any more"}
	case 1:
		ev.Problem = &LedgerError{Reason: "a record is not lander's"}
	}
	parent, seq := w.q.Ledger.Tip, w.q.Ledger.Seq
	for range rapid.IntRange(0, 3).Draw(w.T, "records") {
		seq += int64(rapid.SampledFrom([]int{1, 1, 1, 1, 1, 0, 2}).Draw(w.T, "seq"))
		n := Number(rapid.IntRange(1, 3).Draw(w.T, "number"))
		s := Statement{
			Format: 1, Seq: seq, Lane: rapid.SampledFrom([]string{"acme/app:main", "acme/app:main", "acme/app:main", "acme/app:main", "acme/app:dev"}).Draw(w.T, "lane"),
			Decision: rapid.SampledFrom([]Decision{DecisionLand, DecisionLand, DecisionAbort, DecisionAdopt}).Draw(w.T, "decision"),
			Attempt:  w.q.Next + CandidateID(rapid.IntRange(0, 1).Draw(w.T, "attempt")), Old: w.q.Tip, New: trunk(int(seq)), At: when,
			Entries: []LedgerEntry{{Number: n, Head: head(n, rapid.IntRange(1, 2).Draw(w.T, "rev")), Commits: []SHA{trunk(int(seq))}}},
		}
		if seq == 1 && rapid.Bool().Draw(w.T, "first") {
			s.Decision = DecisionAdopt
		}
		if s.Decision == DecisionAbort {
			s.Aborts = commit(9)
			if len(ev.Above) > 0 {
				s.Aborts = parent
			}
		}
		r := seal(parent, s)
		ev.Above, ev.Tip, parent = append(ev.Above, Written{r.SHA, s}), r.SHA, r.SHA
	}
	if ev.Problem == nil && w.q.follows(ev.Above) == nil {
		w.ledger = append(slices.Clip(w.ledger), ev.Above...) // as if it had stood there
	}
	return ev
}

func (w *walker) anySight(n Number, when time.Time) Sight {
	s := Sight{
		Number: n, At: when, Open: rapid.IntRange(0, 5).Draw(w.T, "closed") < 5, Merged: rapid.Bool().Draw(w.T, "merged"), Base: "main",
		Head: head(n, rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(w.T, "rev")), Draft: rapid.IntRange(0, 9).Draw(w.T, "draft") == 9,
		Author: rapid.SampledFrom([]Person{ann, ann, rita}).Draw(w.T, "author"), PushedAt: when.Add(-2 * time.Second),
	}
	for range rapid.IntRange(0, 3).Draw(w.T, "reviews") {
		who := w.somebody()
		s.Reviews = append(s.Reviews, Review{
			ID: rapid.SampledFrom([]string{"r1", "r2", "r3", "r4", "r5", ""}).Draw(w.T, "review id"), Who: who, Role: w.roles[who.ID], Head: head(n, rapid.IntRange(1, 2).Draw(w.T, "of")),
			State: rapid.SampledFrom([]ReviewState{ReviewApproved, ReviewApproved, ReviewObjected, ReviewDismissed, ReviewCommented, "?"}).Draw(w.T, "review"), At: when,
		})
	}
	p := &pull{Sight: s, revs: 2, meant: map[string]SHA{}}
	for range rapid.IntRange(0, 2).Draw(w.T, "asks") {
		a := w.command(p)
		a.Role = w.roles[a.Who.ID]
		s.Asks = append(s.Asks, a)
	}
	return s
}
