package sim

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const minute = time.Minute

// plain is a trace of runs that take ten minutes each, to the second, also when they are red.
func plain(workers int, changes ...Change) *Trace {
	for i := range changes {
		if changes[i].Good == 0 {
			changes[i].Good = .9
		}
	}
	return &Trace{
		Runs:    Runs{Workers: workers, Length: 10 * minute, Red: [2]float64{1, 1}, Rerun: [2]float64{.1, .1}, Named: 1},
		Changes: changes, To: len(changes),
	}
}

// fateOf writes down what became of all changes and when, in minutes, as in "10 20! 30": the second was dropped.
func fateOf(o Outcome, n int) string {
	var all []string
	for i := range n {
		at, hasLanded, ok := o.Fate(i)
		text := fmt.Sprintf("%g", at.Minutes())
		switch {
		case !ok:
			text = "-"
		case !hasLanded:
			text += "!"
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func play(t *testing.T, s Strategy, tr *Trace) string {
	t.Helper()
	return fateOf(s.Play(tr, 1), len(tr.Changes))
}

var every = []Strategy{Lander{}, Serial, BatchBisect, PoolBatch, Optimistic, Windowed, BestFirst, Oracle}
