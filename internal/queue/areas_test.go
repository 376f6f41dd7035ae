package queue

import (
	"slices"
	"testing"
	"time"
)

// mapsFor lists the changes whose areas a plan wants to know.
func (w *world) mapsFor() (ns []Number) {
	for _, a := range w.q.Plan(w.now, w.p) {
		if m, ok := a.(Map); ok {
			ns = append(ns, m.Number)
		}
	}
	return ns
}

// Finding out which areas a change touches can fail, and it can be put aside for another reason before that was found out. It is not asked
// for again at once, and not forgotten either, or the change would wait for ever.
func TestWhoIsPutAsideBeforeItsAreasAreKnownIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.p.Areas = AreaRules{Areas: []Area{{Name: "api", Globs: []string{"api/**"}}}}
	w.open(1)
	w.approve(1, rita)
	if got := w.mapsFor(); !slices.Equal(got, []Number{1}) {
		t.Fatalf("the areas of %v are asked for", got)
	}
	w.apply(ChangeStuck{Number: 1, Head: head(1, 1), Reason: "the disk is full", At: w.now})
	if got := w.mapsFor(); got != nil {
		t.Fatalf("the areas of %v are asked for while it is put aside", got)
	}
	w.waits(1, "aside")
	w.wait(time.Hour)
	if got := w.mapsFor(); !slices.Equal(got, []Number{1}) {
		t.Fatalf("when its time is over the areas of %v are asked for", got)
	}
	w.apply(ChangeMapped{Number: 1, Head: head(1, 1), Rules: w.p.Areas.Digest(), Areas: Areas{"api"}})
	w.plans("build 1 of #1 on " + trunk(0).Short())
}
