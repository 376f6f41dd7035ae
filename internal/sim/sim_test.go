package sim

import (
	"fmt"
	"testing"
	"time"
)

func TestCells(t *testing.T) {
	for _, c := range []struct {
		rate float64
		d    int
		w    int
	}{{2, 20, 1}, {6, 20, 1}, {12, 20, 1}, {12, 20, 4}, {30, 20, 8}, {60, 20, 16}, {60, 20, 32}} {
		for _, st := range Strategies()[:1] {
			began := time.Now()
			o := st.Play(Chain{Rate: c.rate, Length: time.Duration(c.d) * time.Minute, Workers: c.w, Bad: .05, Clash: .0003, Changes: 2000, Warm: 200, Rerun: [2]float64{.06, .10}, Named: 1}, 1)
			stable := ""
			if o.Unfinished > 0 {
				stable = "unstable"
			}
			fmt.Printf("%4.0f/%d,%3d %-17s P50 %6.2f P95 %6.2f P99 %6.2f  runs %.2f busy %.2f use %.2f unfinished %d false %d red %d  %v %s\n", c.rate, c.d, c.w, st.Name, o.P50, o.P95, o.P99, o.PerChange, o.BusyPerChange, o.Use, o.Unfinished, o.FalseDrops, o.RedLanded, time.Since(began).Round(time.Millisecond), stable)
		}
	}
}
