package verify

import (
	"strings"
	"testing"
)

// A record may name a run of another commit of the same tree. What landed is proven as ever.
func TestLandingsByTheRunOfAnotherAreCounted(t *testing.T) {
	t.Parallel()
	w := adopted(t)
	w.land(w.one(1))
	w.landAs(landing{said: func(m map[string]any) {
		m["reused"] = map[string]any{"attempt": 1, "run": 1, "commit": strings.Repeat("7", 40), "at": "2026-11-23T09:30:00Z"}
	}}, w.one(2))
	r := w.must(Options{})
	expect(t, r, nil)
	if r.Landings != 2 || r.Reused != 1 {
		t.Errorf("%+v", r)
	}
}

func TestARecordThatDoesNotSayWhichRunIsForged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(m map[string]any){
		"no run":              func(m map[string]any) { delete(m, "run") },
		"no attempt":          func(m map[string]any) { delete(m, "attempt") },
		"its own attempt":     func(m map[string]any) { m["attempt"] = 99 },
		"no name of a commit": func(m map[string]any) { m["commit"] = "main" },
	} {
		w := adopted(t)
		w.land(w.one(1))
		w.landAs(landing{said: func(m map[string]any) {
			is := map[string]any{"attempt": 1, "run": 1, "commit": strings.Repeat("7", 40)}
			change(is)
			m["reused"] = is
		}}, w.one(2))
		if r := w.must(Options{}); len(r.Findings) == 0 || r.Findings[0].Kind != Forged || r.Reused != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
