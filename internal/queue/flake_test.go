package queue

import (
	"fmt"
	"slices"
	"testing"
)

// flakesOf are the observations of chance that a world's suite leaves behind.
func flakesOf(t *testing.T, changes int, verdict func(c *Candidate, run int) Verdict) (seen []string) {
	t.Helper()
	w := crew(t, 1, 0, changes)
	w.suite = verdict
	for range 1000 {
		plan := w.q.Plan(w.now, w.p)
		if len(plan) == 0 {
			return seen
		}
		w.do(plan[0])
		for _, f := range w.q.Flakes {
			seen = append(seen, fmt.Sprintf("%s/%s in %d.%d for %v", f.Step, f.Test, f.Candidate, f.Run, f.Cost))
			if f.Commit == "" || f.At.IsZero() {
				t.Errorf("it is not said where or when: %+v", f)
			}
		}
		w.save()
	}
	t.Fatal("no end of deeds")
	return nil
}

// What failed and passed on the same commit is written down, with what it took to find out; and nothing else is.
func TestChanceIsWrittenDown(t *testing.T) {
	t.Parallel()
	red := func(names ...string) Verdict {
		v := says(Red, "exit status 1")
		v.Failed = names
		return v
	}
	for name, c := range map[string]struct {
		suite func(c *Candidate, run int) Verdict
		want  []string
	}{
		"nothing failed": {green, nil},
		"one test that passed the next time": {func(c *Candidate, run int) Verdict {
			if run == 1 {
				return red("TestA")
			}
			return green(c, run)
		}, []string{"unit/TestA in 1.2 for 1m0s"}},
		"two tests": {func(c *Candidate, run int) Verdict {
			if run == 1 {
				return red("TestA", "TestB")
			}
			return green(c, run)
		}, []string{"unit/TestA in 1.2 for 30s", "unit/TestB in 1.2 for 30s"}},
		"a step that tells of no tests": {func(c *Candidate, run int) Verdict {
			if run == 1 {
				return red()
			}
			return green(c, run)
		}, []string{"unit/ in 1.2 for 1m0s"}},
		"one of two, and the other is broken": {func(c *Candidate, run int) Verdict {
			if c.Of != 0 && !slices.Equal(c.Numbers(), []Number{1}) && c.Built.SHA == trunk(0) {
				return green(c, run)
			}
			if run == 1 && c.Of == 0 {
				return red("TestA", "TestB")
			}
			return red("TestB")
		}, []string{"unit/TestA in 1.2 for 1s"}},
		"what fails each time": {func(c *Candidate, run int) Verdict {
			if c.Built.SHA == trunk(0) {
				return green(c, run)
			}
			return red("TestB")
		}, nil},
		"a run that was lost to the machine": {func(c *Candidate, run int) Verdict {
			if run == 1 {
				return says(Infra, "no space left on device")
			}
			return green(c, run)
		}, nil},
	} {
		if got := flakesOf(t, 1, c.suite); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
