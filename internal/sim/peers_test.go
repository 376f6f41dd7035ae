package sim

import (
	"slices"
	"testing"
	"time"
)

// Small days, worked out by hand: a run takes ten minutes, and what stands there is when each change was settled; dropped with "!".
func TestEveryStrategyIsPlayedAsItIs(t *testing.T) {
	t.Parallel()
	bad := Change{Bad: true}
	three := func() []Change { return []Change{{}, bad, {}} } // at once, and the second is bad
	for _, c := range []struct {
		name     string
		strategy Strategy
		trace    *Trace
		want     string
	}{
		{"serial: one after the other", Serial, plain(3, three()...), "10 20! 30"},
		{"serial: who comes later waits for the run under way", Serial, plain(1, Change{}, Change{At: 4 * minute}), "10 20"},

		{"batch: all in one run", BatchBisect, plain(1, Change{}, Change{}, Change{}), "10 10 10"},
		// abc red, a green, bc red, b red, c green.
		{"batch: halves, in order", BatchBisect, plain(1, three()...), "20 40! 50"},
		{"batch: who comes during a run waits for all its halves", BatchBisect, plain(1, bad, Change{At: minute}, bad), "10! 30 40!"},

		// Beside a, the batch abc is red; a lands, and then b alone is red beside bc; then c.
		{"pool: one run beside a batch", PoolBatch, plain(2, three()...), "10 20! 30"},
		{"pool: a green batch lands at once", PoolBatch, slow(plain(2, Change{}, Change{}, Change{}), 0, 30), "30 30 30"},
		{"pool: with one worker it is serial", PoolBatch, plain(1, three()...), "10 20! 30"},
		{"pool: five in a batch", PoolBatch, plain(2, make([]Change, 7)...), "10 10 10 10 10 20 20"},

		{"optimistic: all at once", Optimistic, plain(3, Change{}, Change{}, Change{}), "10 10 10"},
		{"optimistic: who assumed a bad one begins anew", Optimistic, plain(3, three()...), "10 10! 20"},
		{"optimistic: no more runs than workers", Optimistic, plain(2, Change{}, Change{}, Change{}), "10 10 20"},
		// The second is red while the first still runs: the third begins anew without it, is through after twenty minutes, and waits for the first.
		{"optimistic: it begins anew at once", Optimistic, slow(plain(3, three()...), 0, 30), "30 30! 30"},
		// The second is red because of the first. When that is dropped the second begins anew, and the third on both outcomes.
		{"optimistic: red because of one ahead", Optimistic, plain(2, bad, Change{}), "10! 20"},

		{"windowed: twenty at first", Windowed, plain(100, make([]Change, 22)...), "10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 20 20"},
		{"windowed: who assumed a bad one begins anew", Windowed, plain(3, three()...), "10 10! 20"},

		// Runs of a and of b on a; a is bad, so b begins when that is known.
		{"best first: the probable ways first", BestFirst, plain(2, bad, Change{}), "10! 20"},
		// The third run is of b without a, the fourth would be of c on both.
		{"best first: then the others", BestFirst, doubtful(plain(3, bad, Change{}), .6), "10! 10"},
		{"best first: a warned one is left out", BestFirst, warned(plain(2, bad, Change{}), 0), "10! 10"},

		{"oracle: each once, at once", Oracle, plain(3, three()...), "10 10! 10"},
		{"oracle: no more runs than workers", Oracle, plain(2, three()...), "10 10! 20"},
		{"oracle: nobody is settled before those ahead", Oracle, slow(plain(3, three()...), 0, 30), "30 30! 30"},

		{"lander: all that wait together", Lander{}, plain(1, Change{}, Change{At: minute}, Change{At: minute}), "10 20 20"},
		// A tenth of a run shows that it was no chance, and another one that it is not trunk's.
		{"lander: one that is bad", Lander{}, plain(1, bad), "12!"},
		{"lander: both at a time", Lander{}, plain(2, bad), "11!"},
		{"lander: no larger candidates than it may have", Lander{Batch: 1}, plain(1, Change{}, Change{}), "10 20"},
		{"lander: no more runs than it may have", Lander{Window: 1, Batch: 1}, plain(5, Change{}, Change{}), "10 20"},
		{"lander: a run waits for a worker", Lander{Window: 2, Batch: 1}, plain(1, Change{}, Change{}), "10 20"},
		{"lander: a train", Lander{Batch: 1}, plain(5, Change{}, Change{At: minute}), "10 11"},

		{"areas, serial: who shares nothing does not wait", Serial, apart(plain(3, Change{}, Change{}, Change{})), "10 20 10"},
		{"areas, optimistic: who shares nothing lands first", Optimistic, slow(apart(plain(3, Change{}, Change{}, Change{})), 0, 30), "30 30 10"},
		{"areas, optimistic: nor does it begin anew", Optimistic, apart(plain(3, bad, Change{}, Change{})), "10! 20 10"},
		{"areas, best first: nor is it a matter of probability", BestFirst, apart(plain(3, bad, Change{}, Change{})), "10! 20 10"},
		{"areas, oracle", Oracle, slow(apart(plain(3, bad, Change{}, Change{})), 0, 30), "30! 30 10"},
		{"areas: one that touches everything waits for all", Serial, everything(apart(plain(3, Change{}, Change{}, Change{})), 2), "10 20 30"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := play(t, c.strategy, c.trace); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// slow makes runs of one change take so many minutes.
func slow(t *Trace, i, minutes int) *Trace {
	t.Changes[i].Length = time.Duration(minutes) * minute
	return t
}

// doubtful makes everybody as probable to pass.
func doubtful(t *Trace, good float64) *Trace {
	for i := range t.Changes {
		t.Changes[i].Good = good
	}
	return t
}

// warned makes a predictor warn of a change.
func warned(t *Trace, i int) *Trace {
	t.Changes[i].Good = .1
	return t
}

// apart lets the first two share an area and the others touch one each.
func apart(t *Trace) *Trace {
	t.Areas = true
	for i := range t.Changes {
		t.Changes[i].Areas = []int32{int32(max(i, 1))}
	}
	return t
}

func everything(t *Trace, i int) *Trace {
	t.Changes[i].All = true
	return t
}

func TestTwoThatAreBadTogether(t *testing.T) {
	t.Parallel()
	for _, s := range every {
		tr := plain(4, Change{With: []int{1}}, Change{With: []int{0}}, Change{})
		o := s.Play(tr, 1)
		var fates []bool
		for i := range tr.Changes {
			_, hasLanded, ok := o.Fate(i)
			if !ok {
				t.Errorf("%s: change %d is not settled", s.Name(), i)
			}
			fates = append(fates, hasLanded)
		}
		if !slices.Equal(fates, []bool{true, false, true}) || o.FalseDrops+o.RedLanded != 0 {
			t.Errorf("%s: landed %v, want the second one dropped", s.Name(), fates)
		}
	}
}

// A window shrinks by half when a change is red, and never below three.
func TestTheWindowShrinks(t *testing.T) {
	t.Parallel()
	changes := make([]Change, 60)
	for i := range 5 {
		changes[i].Bad = true
	}
	// All five are red at first, each because of the first one ahead too. One after the other is dropped, a run later each.
	o := Windowed.Play(plain(100, changes...), 1)
	for i := range 5 {
		if at, hasLanded, ok := o.Fate(i); !ok || hasLanded || at != time.Duration(i+1)*10*minute {
			t.Errorf("change %d was settled after %v, landed %v", i, at, hasLanded)
		}
	}
	// 20, 10, 5, 3, 3, 3: in the fifth run only the fifth bad one, and two that stand on it and begin anew.
	if at, _, _ := o.Fate(5); at != 60*minute {
		t.Errorf("the first good one landed after %v", at)
	}
	if at, _, _ := o.Fate(8); at <= 60*minute {
		t.Errorf("the fourth good one landed after %v: the window did not shrink to three", at)
	}
}
