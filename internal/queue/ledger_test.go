package queue

import (
	"strings"
	"testing"
	"time"
)

// showMerged is a world whose first pull request has a branch that lander may push to.
func showMerged(t *testing.T) *world {
	w := newWorld(t)
	w.p.ShowMerged = true
	w.open(1)
	w.pulls[1].HeadRepo, w.pulls[1].Editable = "acme/app", true
	w.look(1)
	return w
}

// lateIsRefused shows that a push which left before its landing was given up can never be taken.
func (w *world) lateIsRefused(c *Candidate) {
	w.t.Helper()
	v := *w
	if v.pushed(c) || v.tip() != w.tip() {
		w.t.Fatal("a push that was given up arrived late, and was taken")
	}
}

func TestTheFirstDeedIsTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := &world{t: t, server: server{trunk: w.trunk}, q: Queue{Lane: w.q.Lane}, now: noon, p: w.p, pulls: map[Number]*Sight{}, suite: green, build: made}
	v.seeTrunk()
	v.plans("adopt f000f000")
	v.burned = "protected branch"
	v.step()
	v.plans() // later
	v.burned = ""
	v.wait(5 * time.Second)
	v.plans("adopt f000f000")
	v.step()
	v.plans()
	v.ledgerSays("adopt")
	if s := v.ledger[0].Statement; s.New != trunk(0) || s.Seq != 1 || s.Lane != "acme/app:main" || s.Format != 1 {
		t.Fatalf("adopted as %+v", s)
	}
}

func TestWhatTheLedgerSaysOfALanding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open(1)
	w.approve(1, rita)
	w.settle()
	w.is(1, Landed)
	w.ledgerSays("adopt", "land")
	s := w.ledger[1].Statement
	c := Candidate{Recipe: suite(), Verdict: &Verdict{Outcome: Green, Took: time.Minute, Steps: []StepResult{{Name: "unit", Took: time.Second}}}}
	if s.Seq != 2 || s.Attempt != 1 || s.Old != trunk(0) || s.New != commit(1) || s.Tree != commit(1) || s.Style != StyleRebase || s.Run != 1 ||
		s.Recipe != c.Recipe.Digest() || s.Verdict != c.Verdict.Digest() {
		t.Fatalf("the record says %s", text(s))
	}
	if got := text(s.Entries); got != `[{"number":1,"head":"0101010101010101010101010101010101010101","commits":["c001c001c001c001c001c001c001c001c001c001"],"approvals":[{"id":2,"login":"rita","via":"review","at":"2026-03-14T12:00:02Z"}]}]` {
		t.Fatalf("its entries are %s", got)
	}
}

// Whatever keeps an open landing from going on, it is made impossible before anybody is told that it does not come about.
func TestALandingThatIsNotWantedAnyMoreIsBurned(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world){
		"paused":          func(w *world) { w.apply(Paused{By: "ada", At: w.now}) },
		"dismissed":       func(w *world) { w.pulls[1].Reviews[0].State = ReviewDismissed; w.wait(time.Second); w.look(1) },
		"held":            func(w *world) { w.say(1, raj, "hold") },
		"closed":          func(w *world) { w.pulls[1].Open = false; w.wait(time.Second); w.look(1) },
		"pushed to":       func(w *world) { w.pushHead(1, 2); w.look(1) },
		"not looked at":   func(w *world) { w.wait(confirmFor) },
		"trunk moved":     func(w *world) { w.bypass(1) },
		"breached":        func(w *world) { w.apply(Breached{[]string{"a commit that no record names"}, w.now}) },
		"policy unusable": func(w *world) { w.p.Problem = "line 3" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := w.upto(CandidateLanding)
			change(w)
			w.plans("resolve 1")
			w.do(w.q.Plan(w.now, w.p)[0])
			w.ledgerSays("adopt", "abort")
			if s := w.ledger[1].Statement; s.Aborts != c.Intent.Record.SHA || s.Attempt != 1 || s.Seq != 2 {
				t.Fatalf("the record says %+v", s)
			}
			if w.q.Candidate(1).State != CandidatePassed {
				t.Fatalf("the candidate is %s", w.q.Candidate(1).State)
			}
			w.lateIsRefused(c)
			w.rewind(len(w.trunk) - 1) // nor does it help when trunk is back where it was
			w.lateIsRefused(c)
		})
	}
}

func TestThePushWonAgainstTheBurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.upto(CandidateLanding)
	w.apply(Paused{By: "ada", At: w.now})
	r := w.read(c)
	if what := w.q.Resolve(1, r, w.now, w.p); what != ResolveBurn {
		t.Fatalf("it is to %q", what)
	}
	w.pushed(c) // between the reading and the burn
	if w.add(r.Ledger, seal(r.Ledger, w.q.Abort(c, r, w.now))) {
		t.Fatal("the burn was taken, too")
	}
	w.settle()
	w.is(1, Landed)
	w.ledgerSays("adopt", "land")
}

func TestAnAtomicPushThatIsSeenByHalves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.upto(CandidateLanding)
	own := []Written{unseal(c.Intent.Record)}
	for _, half := range []Reading{
		{Ledger: own[0].SHA, Above: own, Trunk: c.Base},
		{Ledger: c.Intent.Ledger, Trunk: c.Built.SHA, Contains: true},
	} {
		for half.Tries = range halfSeen {
			if what := w.q.Resolve(1, half, w.now, w.p); what != ResolveRead {
				t.Fatalf("at reading %d it is to %q", half.Tries, what)
			}
		}
		half.Tries = halfSeen
		want := ResolveBurn // the git server may still refuse that
		if len(half.Above) > 0 {
			want = ResolveLanded
		}
		if what := w.q.Resolve(1, half, w.now, w.p); what != want {
			t.Fatalf("in the end it is to %q, want %q", what, want)
		}
	}
}

func TestWhatLandedAndWasTakenOffTrunkLandedAndStopsTheLane(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pushed(w.upto(CandidateLanding))
	w.rewind(1) // before anybody had read it back
	w.settle()
	w.is(1, Landed)
	w.noted(0, "rewound")
	if w.q.Stop == nil || w.q.Stop.Ledger {
		t.Fatalf("stopped as %+v", w.q.Stop)
	}
	w.wait(time.Second)
	w.apply(Resumed{By: "ada", At: w.now})
	w.say(1, rita, "land")
	w.plans() // it landed once, and what landed never lands again
	w.is(1, Landed)
}

func TestADeniedPushWhoseBurnIsDeniedToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateConfirmed)
	w.denies, w.burned = "the repository is read-only", "the repository is read-only"
	w.step()
	w.is(1, Queued)
	w.waits(1, "trouble", "landing")
	if w.q.Candidate(1).State != CandidateLanding {
		t.Fatal("an intent that could not be burned was given up")
	}
	for range 10 { // whatever it takes, nobody is dropped for it
		w.plans()
		w.wait(w.q.Wake(w.now).Sub(w.now))
		w.plans("resolve 1")
		w.step()
		w.is(1, Queued)
	}
	w.denies, w.burned = "", ""
	w.wait(w.q.Wake(w.now).Sub(w.now))
	w.settle()
	w.is(1, Landed)
	w.ledgerSays("adopt", "abort", "land")
	if w.q.Trouble != nil {
		t.Fatal("the trouble is still shown after the landing")
	}
}

func TestOneBranchAfterTheOther(t *testing.T) {
	t.Parallel()
	single := func(t *testing.T) (*world, *Candidate) {
		w := newWorld(t)
		w.single = true
		w.seeTrunk()
		c := w.upto(CandidateLanding)
		if !unseal(c.Intent.Record).Statement.Single {
			t.Fatal("the record does not say that it came before trunk")
		}
		return w, c
	}
	t.Run("it stops between the two", func(t *testing.T) {
		w, c := single(t)
		w.add(c.Intent.Ledger, c.Intent.Record)
		w.wait(time.Hour) // the record stands, so trunk follows
		w.settle()
		w.is(1, Landed)
		w.ledgerSays("adopt", "land")
	})
	t.Run("and somebody pushes meanwhile", func(t *testing.T) {
		w, c := single(t)
		w.add(c.Intent.Ledger, c.Intent.Record)
		w.bypass(1)
		w.do(w.q.Plan(w.now, w.p)[0])
		w.is(1, Queued)
		w.ledgerSays("adopt", "land", "abort")
		w.lateIsRefused(c)
		w.settle()
		w.is(1, Landed)
		w.ledgerSays("adopt", "land", "abort", "land")
	})
	t.Run("and the database is lost", func(t *testing.T) {
		w, c := single(t)
		w.add(c.Intent.Ledger, c.Intent.Record)
		w.bypass(1)
		w.do(w.q.Plan(w.now, w.p)[0])
		w.q = Queue{Lane: w.q.Lane}
		w.seeTrunk()
		for _, m := range w.q.Moves {
			if m.Kind == MoveLand {
				t.Fatalf("the trunk log has %+v, which never was on trunk", m)
			}
		}
	})
}

func TestTheBranchThatIsMovedSoThatItShowsAsMerged(t *testing.T) {
	t.Parallel()
	t.Run("it lands", func(t *testing.T) {
		w := showMerged(t)
		w.approve(1, rita)
		w.settle()
		w.is(1, Landed)
		if w.pulls[1].Head != commit(1) || w.tip() != commit(1) {
			t.Fatalf("the branch stands on %s, trunk on %s", w.pulls[1].Head, w.tip())
		}
		w.forget()
		w.wait(time.Second)
		w.look(1) // an open one, as before the forge has noticed
		w.is(1, Landed)
		w.says()
		w.plans()
	})
	t.Run("killed before the push", func(t *testing.T) {
		w := showMerged(t)
		w.approve(1, rita)
		for w.q.Candidate(1) == nil || w.q.Candidate(1).State != CandidateConfirmed {
			w.step()
		}
		c := w.begin(1)
		w.forget()
		if m := c.Intent.Heads; len(m) != 1 || !w.moveHead(m[0]) {
			t.Fatalf("the intent moves %+v", m)
		}
		w.wait(time.Minute)
		w.look(1) // the forge shows lander's own push
		w.is(1, Queued)
		w.approved(1, "rita")
		w.says()
		w.apply(Paused{By: "ada", At: w.now})
		w.do(w.q.Plan(w.now, w.p)[0])
		w.ledgerSays("adopt", "abort")
		w.plans("put #1 back from c001c001 to 01010101")
		w.settle()
		if w.pulls[1].Head != head(1, 1) {
			t.Fatalf("the branch was left at %s", w.pulls[1].Head)
		}
		w.wait(time.Second)
		w.look(1)
		w.is(1, Queued)
		w.approved(1, "rita")
		w.noted(1, "put back")
		if w.moveHead(c.Intent.Heads[0]); w.pulls[1].Head != commit(1) {
			t.Fatal("the late push of its branch was not taken")
		}
		w.look(1)
		w.plans("put #1 back from c001c001 to 01010101")
		w.settle()
		w.apply(Resumed{By: "ada", At: w.now})
		w.settle()
		w.is(1, Landed)
	})
	t.Run("the author pushes between", func(t *testing.T) {
		w := showMerged(t)
		w.approve(1, rita)
		for w.q.Candidate(1) == nil || w.q.Candidate(1).State != CandidateConfirmed {
			w.step()
		}
		c := w.begin(1)
		w.pushHead(1, 2)
		if w.moveHead(c.Intent.Heads[0]) {
			t.Fatal("the author's push was overwritten")
		}
		w.look(1)
		w.settle()
		w.is(1, Idle)
		w.lateIsRefused(c)
		if w.pulls[1].Head != head(1, 2) {
			t.Fatalf("the branch stands on %s", w.pulls[1].Head)
		}
		w.pulls[1].Head = commit(1) // what lander once made is a head like any other, if it is the author who puts it there
		w.wait(time.Second)
		w.look(1)
		if w.q.Entry(1).Head != commit(1) {
			t.Fatalf("it is known at %s", w.q.Entry(1).Head)
		}
		w.plans()
	})
	t.Run("not where it may not", func(t *testing.T) {
		for name, change := range map[string]func(w *world){
			"not editable":    func(w *world) { w.pulls[1].Editable = false },
			"repository gone": func(w *world) { w.pulls[1].HeadRepo = "" },
			"trunk itself":    func(w *world) { w.pulls[1].Branch = "main" },
			"the ledger":      func(w *world) { w.pulls[1].Branch = w.q.Lane.LedgerBranch() },
			"not wished":      func(w *world) { w.p.ShowMerged = false },
			"a merge":         func(w *world) { w.p.Style = StyleMerge },
		} {
			w := showMerged(t)
			change(w)
			w.wait(time.Second)
			w.approve(1, rita)
			w.settle()
			w.is(1, Landed)
			if w.pulls[1].Head != head(1, 1) {
				t.Errorf("%s: the branch was moved to %s", name, w.pulls[1].Head)
			}
		}
	})
}

func TestARestoredBackupLearnsFromTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.p.Batch = 1
	w.open(1)
	w.approve(1, rita)
	w.open(2)
	w.approve(2, rita)
	w.save()
	backup := w.q
	w.settle()
	w.is(1, Landed)
	w.is(2, Landed)

	v := *w
	v.q, v.wrote = backup, nil
	v.seeTrunk()
	v.is(1, Landed)
	v.is(2, Landed)
	v.noted(0, "recalled")
	v.noted(2, "landed")
	for _, r := range v.wrote {
		if r.Kind == "bypass" {
			t.Fatalf("the journal calls our own landing a bypass: %s", r.Text)
		}
	}
	if v.q.Next != 2 || v.q.Ledger.Seq != 3 || v.q.Tip != commit(2) {
		t.Fatalf("newest candidate %d, record %d, trunk %s", v.q.Next, v.q.Ledger.Seq, v.q.Tip)
	}
	v.settle()
	v.ledgerSays("adopt", "land", "land")

	// With nothing left at all, the landings are in the trunk log, and a change that is seen again is known by it.
	v.q = Queue{Lane: w.q.Lane}
	v.seeTrunk()
	if n := len(v.q.Moves); n != 3 || v.q.Moves[0].Kind != MoveAdopt || v.q.Moves[2].Members[0] != (Member{Number: 2, Head: head(2, 1)}) {
		t.Fatalf("the trunk log is %s", text(v.q.Moves))
	}
	v.look(1)
	v.is(1, Landed)
	v.plans()
}

func TestABackupWithAnOpenLandingIsResolvedFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateLanding)
	backup := w.q
	w.settle()
	w.is(1, Landed)
	w.open(2)
	w.approve(2, rita)
	w.settle()
	w.is(2, Landed)
	w.q = backup
	w.seeTrunk()
	w.plans("resolve 1")
	w.do(w.q.Plan(w.now, w.p)[0])
	w.is(1, Landed)
	if w.q.Ledger.Tip != w.ledgerTip() || w.q.Tip != commit(2) {
		t.Fatalf("the ledger is known at %s, trunk at %s", w.q.Ledger.Tip, w.q.Tip)
	}
	w.look(2)
	w.is(2, Landed)
}

func TestEveryHeadThatLandedIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for rev := range 2 {
		if rev == 0 {
			w.open(1)
		} else {
			w.pushHead(1, 2)
		}
		w.approve(1, rita)
		w.settle()
		w.is(1, Landed)
	}
	for _, rev := range []int{1, 2, 1} {
		w.pushHead(1, rev)
		w.approve(1, raj)
		w.is(1, Landed)
		w.plans()
		if got := w.q.Entry(1).Landing.Head; got != head(1, rev) {
			t.Fatalf("shown as the landing of %s", got)
		}
	}
	w.ledgerSays("adopt", "land", "land")
}

func TestRecordsThatAreMissingAreNotPutBackUnasked(t *testing.T) {
	t.Parallel()
	for name, landing := range map[string]bool{"at rest": false, "with an open landing": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.open(2)
			w.approve(2, rita)
			w.settle()
			known := w.ledgerTip()
			if landing {
				w.upto(CandidateLanding)
			}
			w.ledger = nil
			w.seeTrunk()
			w.plans()
			if s := w.q.Stop; s == nil || !s.Ledger || !strings.Contains(s.Reason, "lander-ledger/main was rewound or deleted") {
				t.Fatalf("stopped as %+v", s)
			}
			w.bypass(1)
			w.seeTrunk() // a rewind of trunk on top of it does not make it good
			w.trunk = w.trunk[:1]
			w.seeTrunk()
			w.plans()
			w.wait(2 * time.Second)
			w.apply(Resumed{By: "ada", At: w.now})
			if got := w.plan()[0]; got != "mend up to "+known.Short() {
				t.Fatalf("the first deed is to %s", got)
			}
			w.do(w.q.Plan(w.now, w.p)[0])
			w.settle()
			w.apply(Resumed{By: "ada", At: w.now}) // with an open landing, the rewind was looked at only now
			w.settle()
			if w.ledgerTip() == "" || w.ledger[1].Statement.Entries[0].Number != 2 {
				t.Fatalf("the ledger holds %s", text(w.ledger))
			}
			if landing {
				w.is(1, Landed)
			}
		})
	}
}

func TestARecordThatIsNotLanders(t *testing.T) {
	t.Parallel()
	for name, forged := range map[string]Statement{
		"of another lane": {Format: 1, Seq: 2, Lane: "acme/app:dev", Decision: DecisionLand},
		"out of order":    {Format: 1, Seq: 7, Lane: "acme/app:main", Decision: DecisionLand},
		"a second first":  {Format: 1, Seq: 2, Lane: "acme/app:main", Decision: DecisionAdopt},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c := w.upto(CandidateLanding)
			clean := w.ledger
			w.add(w.ledgerTip(), seal(w.ledgerTip(), forged))
			w.plans("resolve 1")
			w.do(w.q.Plan(w.now, w.p)[0])
			w.plans() // neither landed nor given up: that is known again when the ledger is
			if s := w.q.Stop; s == nil || !s.Ledger || w.q.Candidate(1).State != CandidateLanding {
				t.Fatalf("stopped as %+v, candidate %+v", s, w.q.Candidate(1))
			}
			w.ledger = clean
			w.wait(time.Second)
			w.apply(Resumed{By: "ada", At: w.now})
			v := *w
			v.pushed(c) // it had been under way all the time
			v.settle()
			v.is(1, Landed)
			w.settle()
			w.is(1, Landed)
		})
	}
}

func TestABreachStopsTheLane(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateConfirmed)
	w.apply(Breached{[]string{"trunk holds f001f001, which no record names"}, w.now})
	w.plans()
	w.waits(1, "stopped", "landing")
	w.noted(0, "breach")
	w.apply(Resumed{By: "ada", At: w.now})
	w.settle()
	w.is(1, Landed)
}
