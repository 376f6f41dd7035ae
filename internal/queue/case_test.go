package queue

import (
	"slices"
	"testing"
	"time"
)

// parted brings a lane with one batch to where it is sure that something fails, and whose fault it is is not known.
func parted(t *testing.T, changes int, faults ...fault) *world {
	w := crew(t, 1, 0, changes)
	w.fails(faults...)
	for len(w.q.Cases) == 0 || !w.q.Cases[0].Sure {
		w.step()
	}
	w.forget()
	return w
}

// What a case finds out is worth knowing also when its candidate is no more.
func TestACaseOutlivesItsCandidate(t *testing.T) {
	t.Parallel()
	w := parted(t, 6, fault{"TestA", []Number{4}})
	w.say(2, ann, "withdraw")
	w.step()
	if c := w.q.Candidate(1); c != nil && !c.ended() || len(w.q.Cases) != 1 {
		t.Fatalf("the candidate is %s, its cases are %s", text(c), text(w.q.Cases))
	}
	w.settle()
	w.all(Landed, 1, 3, 5, 6)
	w.is(4, Dropped)
	w.is(2, Idle)
}

func TestASuspectLeaves(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(w *world){
		"withdrawn": func(w *world) { w.say(4, ann, "withdraw") },
		"new head":  func(w *world) { w.pushHead(4, 2); w.look(4) },
		"closed":    func(w *world) { w.pulls[4].Open = false; w.wait(time.Second); w.look(4) },
	} {
		t.Run(name, func(t *testing.T) {
			w := parted(t, 6, fault{"TestA", []Number{4}})
			leave(w)
			w.rounds()
			w.all(Landed, 1, 2, 3, 5, 6)
			if s := w.state(4); s == string(Dropped) || s == string(Landed) {
				t.Fatalf("#4 is %s", s)
			}
			if len(w.q.Cases) > 0 {
				t.Fatalf("left are %s", text(w.q.Cases))
			}
		})
	}
}

// Without its partner it breaks nothing.
func TestAPartnerLeaves(t *testing.T) {
	t.Parallel()
	w := parted(t, 7, fault{"TestA", []Number{4, 7}})
	w.say(4, ann, "withdraw")
	w.rounds()
	w.all(Landed, 1, 2, 3, 5, 6, 7)
	w.is(4, Idle)
}

// Who breaks nothing by itself does not wait for a partner that itself waits for a person.
func TestAPartnerIsHeld(t *testing.T) {
	t.Parallel()
	w := parted(t, 7, fault{"TestA", []Number{4, 7}})
	w.say(4, raj, "hold")
	w.rounds()
	w.all(Landed, 1, 2, 3, 5, 6, 7)
	w.say(4, raj, "unhold")
	w.rounds()
	w.is(4, Dropped) // it is the second of the two now
}

// A partner that has landed meanwhile does not take it back.
func TestAPartnerLands(t *testing.T) {
	t.Parallel()
	w := crew(t, 2, 1, 2)
	w.fails(fault{"TestA", []Number{1, 2}})
	w.busy()
	w.ends(2, w.suite(w.q.Candidate(2), 1))
	w.ends(1, green(nil, 1))
	w.rounds()
	w.is(1, Landed)
	w.is(2, Dropped)
}

// What was red on a trunk that somebody has moved says nothing of the one that is: a case ends with it, and nobody is blamed.
func TestNobodyIsBlamedOnATrunkThatIsNoMore(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(w *world){"by a push": func(w *world) { w.bypass(1) }, "by a rewind": func(w *world) { w.trunk = []SHA{trunk(8)} }} {
		t.Run(name, func(t *testing.T) {
			w := parted(t, 3, fault{"TestA", []Number{2}})
			old := w.q.Next
			move(w) // and what was missing is there now
			w.seeTrunk()
			suite := w.suite
			w.suite = func(c *Candidate, run int) Verdict {
				if c.ID <= old || c.Of == 1 {
					return suite(c, run)
				}
				return green(c, run)
			}
			w.settle()
			w.apply(Resumed{By: "ada", At: w.now})
			w.settle()
			w.landsAllBut(3)
		})
	}
}

func TestACaseThatIsGivenUp(t *testing.T) {
	t.Parallel()
	w := parted(t, 3, fault{"TestA", []Number{2}})
	w.apply(CaseForgotten{w.q.Cases[0].ID, w.now})
	w.all(Queued, 1, 2, 3)
	if len(w.q.Cases) != 0 {
		t.Fatalf("left are %s", text(w.q.Cases))
	}
	w.rounds() // and another one finds out
	w.landsAllBut(3, 2)
}

// A partner that has landed, and is closed by the time it is found out who it was, is on trunk all the same.
func TestAPartnerHasLandedAndIsGone(t *testing.T) {
	t.Parallel()
	w := parted(t, 9, fault{"TestA", []Number{4, 9}})
	w.p.Window = 8
	search := func(a Action) bool { // for the partner
		r, ok := a.(StartRun)
		return ok && r.Candidate.Trial.Member.Number == 9 && r.Candidate.Trial.Base != trunk(0)
	}
	gone := false
	for range 2000 {
		plan := w.q.Plan(w.now, w.p)
		i := slices.IndexFunc(plan, func(a Action) bool { return gone || !search(a) })
		if i < 0 && len(plan) > 0 && w.state(4) == string(Landed) {
			w.pulls[4].Open = false
			w.wait(time.Second)
			w.look(4)
			w.save()
			gone = true
			continue
		}
		if i < 0 {
			break
		}
		w.do(plan[i])
	}
	if w.q.Entry(4) != nil || !gone {
		t.Fatalf("#4 is remembered: %v %v %s", gone, w.plan(), w.journal())
	}
	w.is(9, Dropped)
	if d := w.q.Entry(9).Drop; d.With != 4 {
		t.Fatalf("#9 was dropped as %+v", d)
	}
}

// In a lane in which what is red is often chance two red runs are not believed.
func TestChanceTwiceIsAcquittedWhereItIsOften(t *testing.T) {
	t.Parallel()
	for _, often := range []bool{true, false} {
		w := crew(t, 2, 1, 1)
		if often {
			w.q.Estimates = &Estimates{Reds: Tally{Bad: 5, Good: 5}}
		}
		w.suite = func(c *Candidate, run int) Verdict {
			if c.Of == 0 && run < 3 {
				v := says(Red, "exit status 1")
				v.Failed = []string{"TestNow"}
				return v
			}
			return green(c, run)
		}
		w.rounds()
		if want := map[bool]State{true: Landed, false: Dropped}[often]; w.state(1) != string(want) {
			t.Errorf("often chance %v: it is %s, want %s", often, w.state(1), want)
		}
	}
}

// Who may be to blame is passed over by nobody who asked later.
func TestWhoIsDoubtedKeepsItsPlace(t *testing.T) {
	t.Parallel()
	w := crew(t, 1, 0, 6)
	fs := findings{{lens: lens{Case: &Case{Sure: true, Chain: []Boundary{{}, {Member: Member{2, head(2, 1), ""}}, {Member: Member{3, head(3, 1), ""}}}}, names: []string{"TestA"}}, found: found{open: []span{{0, 2}}}}}
	line := w.q.inTurn(w.q.line(w.now, w.p, nil), fs)
	if len(line) != 1 || line[0].Number != 1 {
		t.Fatalf("in turn are %s", text(line))
	}
	fs[0].parted = true
	if line := w.q.inTurn(w.q.line(w.now, w.p, nil), fs); len(line) != 6 {
		t.Fatalf("in turn are %s", text(line))
	}
}

// A long train is not made longer for a few, unless they are urgent.
func TestALongTrainWaitsForMore(t *testing.T) {
	t.Parallel()
	w := crew(t, 8, 0, 4*pace)
	w.busy()
	was := len(w.q.train())
	for n := Number(4*pace + 1); n <= 4*pace+2; n++ {
		w.open(n)
		w.approve(n, rita)
	}
	w.busy()
	if is := len(w.q.train()); is != was {
		t.Fatalf("%d candidates became %d for two changes", was, is)
	}
	w.open(999)
	w.approve(999, rita)
	w.say(999, rita, "p=1000")
	w.busy()
	if c := w.q.CandidateOf(999); c == nil {
		t.Fatalf("a hotfix waits for more: %s", w.journal())
	}
}
