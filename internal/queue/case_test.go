package queue

import (
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
