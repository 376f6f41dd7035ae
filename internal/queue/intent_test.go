package queue

import (
	"testing"
	"time"
)

// The record of a landing stands on the newest record that lander knows, and nowhere else.
func TestAnIntentStandsOnTheLedgersTip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateConfirmed)
	good := begun(w.q, 1, w.now, w.p)
	for name, change := range map[string]func(in *Intent){
		"on no ledger":        func(in *Intent) { in.Ledger = "" },
		"on another record":   func(in *Intent) { in.Ledger = trunk(9) },
		"with a number again": func(in *Intent) { in.Seq-- },
		"with one left out":   func(in *Intent) { in.Seq++ },
		"without a record":    func(in *Intent) { in.Record = Sealed{} },
	} {
		bad := good
		change(&bad.Intent)
		if q := applied(t, w.q, bad); q.Candidate(1).State != CandidateConfirmed {
			t.Errorf("an intent %s was taken", name)
		}
	}
	if q := applied(t, w.q, good); q.Candidate(1).State != CandidateLanding {
		t.Fatal("the right one was not")
	}
}

func TestOfTwoCandidatesOneHasTheIntent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateLanding)
	w.open(2)
	w.approve(2, rita)
	build := Build{ID: 2, Request: BuildRequest{Base: w.q.Tip, Members: []Member{{Number: 2, Head: head(2, 1)}}, At: w.now}}
	w.apply(made(w, build))
	w.apply(RunStarted{2, 1, w.now})
	w.apply(RunReported{2, 1, green(nil, 1), w.now})
	w.apply(Confirmed{2, w.now})
	if got := w.q.Candidate(2).State; got != CandidateConfirmed {
		t.Fatalf("the second is %s, so this test proves nothing", got)
	}
	if w.begin(2).State == CandidateLanding {
		t.Fatal("two landings are open on one trunk")
	}
}

// One look at the git server may catch an atomic push half way: that says nothing yet.
func TestATrunkThatIsSeenBeforeItsLedgerIsReadAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.upto(CandidateLanding)
	for name, half := range map[string]Reading{
		"trunk first":      {Ledger: c.Intent.Ledger, Trunk: c.Built.SHA, Contains: true},
		"the ledger first": {Ledger: c.Intent.Record.SHA, Above: []Written{unseal(c.Intent.Record)}, Trunk: c.Base},
	} {
		if what := w.q.Resolve(1, half, w.now, w.p); what != ResolveRead {
			t.Errorf("%s: it is to %q", name, what)
		}
	}
}

// A candidate from before there was a ledger waits until it is begun.
func TestWithoutALedgerNothingLands(t *testing.T) {
	t.Parallel()
	for _, state := range []CandidateState{CandidatePassed, CandidateConfirmed} {
		t.Run(string(state), func(t *testing.T) {
			w := newWorld(t)
			w.upto(state)
			w.q.Ledger, w.ledger = Ledger{}, nil
			w.plans("adopt f000f000")
			w.settle()
			w.is(1, Landed)
			w.ledgerSays("adopt", "land")
		})
	}
}

// Pushed to and approved anew, the change is in the queue as before; what was built of it is not what is approved now.
func TestAHeadThatIsApprovedAnewDoesNotLandAsTheOldOne(t *testing.T) {
	t.Parallel()
	for _, state := range []CandidateState{CandidateBuilt, CandidateTesting, CandidatePassed, CandidateConfirmed} {
		t.Run(string(state), func(t *testing.T) {
			w := newWorld(t)
			w.upto(state)
			w.pushHead(1, 2)
			w.approve(1, rita)
			w.is(1, Queued)
			w.begin(1)
			if got := w.q.Candidate(1).State; got != state {
				t.Fatalf("the candidate of the old head is %s", got)
			}
			w.wait(time.Second)
			w.settle()
			w.is(1, Landed)
			if from := w.q.Entry(1).Landing.Commits[0].From; from != head(1, 2) {
				t.Fatalf("landed %s, want the head that is approved, %s", from.Short(), head(1, 2).Short())
			}
		})
	}
}

// Somebody may take a landing off trunk before it was read back, or put its commit there by hand: it is the ledger that tells.
func TestWhatTheLedgerHoldsHasLandedWhereverTrunkStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.upto(CandidateLanding)
	v := *w
	v.pushed(c)
	v.rewind(1)
	r := v.read(c)
	for r.Tries = range halfSeen + 2 {
		if what := w.q.Resolve(1, r, w.now, w.p); what != ResolveLanded && (what != ResolveRead || r.Tries >= halfSeen) {
			t.Fatalf("taken off trunk, at reading %d it is to %q", r.Tries, what)
		}
	}
	w.add(c.Intent.Ledger, seal(c.Intent.Ledger, w.q.Abort(c, w.read(c), w.now)))
	w.trunk = append(w.trunk, c.Built.SHA)
	if what := w.q.Resolve(1, w.read(c), w.now, w.p); what != ResolveAborted {
		t.Fatalf("burnt, and put on trunk by hand, it is to %q", what)
	}
}

// Between the plan and the intent the forge or the machine may have taken its time.
func TestAnIntentNeedsAFreshLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upto(CandidateConfirmed)
	late := begun(w.q, 1, w.now.Add(confirmFor), w.p)
	if q := applied(t, w.q, late); q.Candidate(1).State != CandidateConfirmed {
		t.Fatal("what was seen long ago was taken for what is")
	}
	back := begun(w.q, 1, w.now.Add(-time.Second), w.p)
	if q := applied(t, w.q, back); q.Candidate(1).State != CandidateConfirmed {
		t.Fatal("a clock that was set back makes a look fresh")
	}
}
