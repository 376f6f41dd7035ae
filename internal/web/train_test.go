package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
)

// batch is a candidate of two changes whose run is red.
func batch(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.db.apply(app, change(1, "one", "bob"), change(2, "two", "bob"), change(3, "three", "bob"))
	w.db.apply(app,
		queue.CandidateMade{
			ID: 1, At: noon.Add(10 * time.Minute), Recipe: policy().Recipe,
			Built: queue.Built{SHA: sha('c'), Tree: sha('d'), Commits: []queue.BuiltCommit{{SHA: sha('b'), Member: 1}, {SHA: sha('c'), Member: 2}}},
			Request: queue.BuildRequest{
				Base: sha('a'), Members: []queue.Member{{Number: 1, Head: headOf(1)}, {Number: 2, Head: headOf(2)}}, At: noon.Add(10 * time.Minute),
			},
		},
		queue.RunStarted{ID: 1, Run: 1, At: noon.Add(11 * time.Minute)},
		queue.RunReported{ID: 1, Run: 1, Verdict: failed(), At: noon.Add(20 * time.Minute)},
	)
	return w
}

func failed() queue.Verdict {
	return queue.Verdict{Outcome: queue.Red, Step: "test", Reason: "exit status 1", Took: time.Minute, Steps: []queue.StepResult{{Name: "test", Exit: 1}}}
}

func (w *world) says(t *testing.T, want string) {
	t.Helper()
	if got := w.get("/lanes/acme/app/main").words(); !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What becomes of a red run can be followed on the page and in JSON, trial by trial.
func TestARedRunIsShownUntilItIsKnownWhoseFaultItIs(t *testing.T) {
	t.Parallel()
	w := batch(t)
	w.says(t, "red as cccccccc on aaaaaaaa · run&nbsp;1 · 40 min ago Test failed, and is about to run again on the same commit, for it may have been chance. one #1")
	w.db.apply(app, queue.RunStarted{ID: 1, Run: 2, At: noon.Add(21 * time.Minute)})
	w.says(t, "being tested as cccccccc on aaaaaaaa · run&nbsp;2 · 39 min ago Test failed, and runs again on the same commit, for it may have been chance. one #1")
	w.db.apply(app,
		queue.RunReported{ID: 1, Run: 2, Verdict: failed(), At: noon.Add(22 * time.Minute)},
		queue.ProbesMade{ID: 2, Of: 1, At: noon.Add(23 * time.Minute), Probes: []queue.Probed{
			{Trial: queue.Trial{Base: sha('a')}, Built: queue.Built{SHA: sha('a')}},
			{Trial: queue.Trial{Base: sha('b')}, Built: queue.Built{SHA: sha('b')}},
			{Trial: queue.Trial{Base: sha('a'), Member: queue.Member{Number: 2, Head: headOf(2)}}, Built: queue.Built{SHA: sha('e'), Tree: sha('f')}},
		}},
		queue.RunStarted{ID: 3, Run: 1, At: noon.Add(24 * time.Minute)},
	)
	w.says(t, "red as cccccccc on aaaaaaaa · run&nbsp;2 · 38 min ago Test failed twice; whose fault that is is being found out. Only who broke it leaves the queue. "+
		"What failed runs again on trunk as it is, soon. What failed runs again on trunk with all up to #1. What failed runs again with #2 on trunk as it is, soon. one #1")

	var v QueueView
	a := w.get("/api/v1/queue?lane=acme/app:main")
	a.json(t, &v)
	if v.Lane.Flight != 1 || len(v.Flight) != 1 || !v.Flight[0].Sure || v.Flight[0].Failed[0] != "test" || len(v.Probes) != 3 || v.Probes[1].Upto != 1 || v.Probes[2].With != 2 {
		t.Errorf("%+v", v)
	}
	if s := v.Queued[0]; s.State != queue.CandidateRed || len(s.With) != 1 || s.With[0] != 2 || !s.Again {
		t.Errorf("#1 stands %+v", s)
	}
	has(t, w.get("/api/v1/changes/2?lane=acme/app:main"), http.StatusOK, `failed on cccccccc (together with #1) twice`)
}

// Of who waits for somebody else, the list says so too.
func TestTheLineSaysWhoWaitsForWhom(t *testing.T) {
	t.Parallel()
	w := batch(t)
	w.db.apply(app, queue.CandidateUnmade{
		ID: 2, Base: sha('a'), Below: 1, Member: queue.Member{Number: 3, Head: headOf(3)}, With: 2, Code: queue.DropConflict, At: noon.Add(30 * time.Minute),
	})
	w.says(t, "three #3 by ann · approved by bob · asked 59 min ago It conflicts with #2, which is ahead of it.")
	w.db.apply(app, change(4, "four", "bob"), queue.ChangeAsked{Number: 4, Ask: queue.Ask{
		ID: "x", Who: queue.Person{ID: 9, Login: "eve"}, Role: queue.RoleAdmin, At: noon.Add(time.Hour), Verb: queue.VerbAfter, After: 3,
	}})
	w.says(t, "four #4 by ann · approved by bob · asked 59 min ago A reviewer wants #3 to come first.")
}

func TestAnOrderOfThingsCanBeAskedFor(t *testing.T) {
	t.Parallel()
	w := batch(t)
	has(t, w.act("/api/v1/changes/3/after?lane=acme/app:main", `{"wait":"60ms"}`), http.StatusBadRequest, "not_before")
	done := w.asked("/api/v1/changes/3/after?lane=acme/app:main", `{"by":"eve","after":2,"not_before":"2026-03-04T14:00:00+01:00"}`)
	w.posted(t)
	w.db.keep(app)
	has(t, <-done, http.StatusOK, `"done":true`)
	if e := w.db.lanes[app].q.Entry(3); e.After != 2 || !e.NotBefore.Equal(noon.Add(time.Hour)) {
		t.Errorf("#3 comes after %v, not before %v", e.After, e.NotBefore)
	}
}
