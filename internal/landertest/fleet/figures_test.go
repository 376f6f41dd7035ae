package fleet

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// figures are what a soak has to tell.
type figures struct {
	Seed      uint64         `json:"seed"`
	Seconds   float64        `json:"seconds"`
	Opened    int            `json:"pull_requests"`
	Landings  int            `json:"landings"`
	Merged    int            `json:"shown_as_merged"`
	Aborts    int            `json:"aborts"`
	Kills     int            `json:"kills"`
	Faults    map[string]int `json:"faults"`
	Pauses    int            `json:"pauses"`
	Takeovers int            `json:"takeovers"`
	P50       float64        `json:"takeover_p50_seconds"`
	P95       float64        `json:"takeover_p95_seconds"`
	Most      float64        `json:"takeover_max_seconds"`
	Drained   float64        `json:"drained_after_seconds"`
	Breaches  []string       `json:"breaches"`

	taken []time.Duration
}

// table is the figures for people, and as JSON.
func (f *figures) table() string {
	slices.Sort(f.taken)
	if n := len(f.taken); n > 0 {
		f.Takeovers, f.P50, f.P95, f.Most = n, f.taken[n/2].Seconds(), f.taken[n*95/100].Seconds(), f.taken[n-1].Seconds()
	}
	var b strings.Builder
	row := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-28s %s\n", what, fmt.Sprintf(format, args...))
	}
	b.WriteString("\n")
	row("soak", "%.0f s, seed %d", f.Seconds, f.Seed)
	row("pull requests", "%d", f.Opened)
	row("landings", "%d, %d of them shown as merged", f.Landings, f.Merged)
	row("aborts in the ledgers", "%d", f.Aborts)
	row("kills", "%d", f.Kills)
	for _, what := range keys(f.Faults) {
		row("  "+what, "%d", f.Faults[what])
	}
	row("pauses that held", "%d", f.Pauses)
	row("takeovers", "%d: p50 %.2f s, p95 %.2f s, at most %.2f s", f.Takeovers, f.P50, f.P95, f.Most)
	row("at rest after the last fault", "%.1f s", f.Drained)
	row("breaches", "%d", len(f.Breaches))
	text, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return b.String() + string(text) + "\n"
}
