package verify

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// Where a lane has areas a record names the commit that was tested, and in which areas. What landed is proven as ever.
func TestLandingsTestedPerAreaAreCounted(t *testing.T) {
	t.Parallel()
	w := adopted(t)
	tested := func(areas ...any) landing {
		return landing{said: func(m map[string]any) { m["tested"], m["areas"] = strings.Repeat("7", 40), areas }}
	}
	w.land(w.one(1))
	w.landAs(tested("web", "api"), w.one(2))
	w.landAs(tested("web"), w.one(3))
	r := w.must(Options{})
	expect(t, r, nil)
	text, err := json.Marshal(r)
	if err != nil || r.Landings != 3 || r.PerArea != 2 || !slices.Equal(r.Areas, []string{"api", "web"}) || !strings.Contains(string(text), `"per_area":2`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestARecordThatTellsHalfOfWhatWasTestedIsForged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(m map[string]any){
		"no areas":             func(m map[string]any) { m["tested"] = strings.Repeat("7", 40) },
		"no commit":            func(m map[string]any) { m["areas"] = []any{"api"} },
		"the very commit":      func(m map[string]any) { m["tested"], m["areas"] = m["new"], []any{"api"} },
		"no name of a commit":  func(m map[string]any) { m["tested"], m["areas"] = "main", []any{"api"} },
		"areas that are words": func(m map[string]any) { m["tested"], m["areas"] = strings.Repeat("7", 40), "api" },
	} {
		w := adopted(t)
		w.landAs(landing{said: change}, w.one(1))
		r := w.must(Options{})
		if len(r.Findings) == 0 || r.Findings[0].Kind != Forged || r.PerArea != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
