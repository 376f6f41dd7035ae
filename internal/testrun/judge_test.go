package testrun

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"lander/internal/queue"
)

// Every run of up to two steps with one setup command that the records can tell of, and one record too many, under every
// ending. The rule is told again here the other way round: when is it allowed to be green?
func TestJudgeEveryRun(t *testing.T) {
	t.Parallel()
	kinds := []Record{
		{Ended: true},
		{Ended: true, Exit: 1},
		{Ended: true, Exit: 137, Signal: 9},
		{Ended: true, Fault: "fork: resource temporarily unavailable"},
		{Ended: true, Fault: "chdir: no such file", Lost: true},
		{},                                       // begun, no end
		{Ended: true, Failed: []string{"TestA"}}, // it exits with 0, and its results say otherwise
	}
	recipes := []queue.Recipe{
		{},
		{Setup: []string{"s"}},
		steps("x"),
		steps("x", "y"),
		{Setup: []string{"s"}, Steps: steps("x", "y").Steps},
	}
	endings := []How{Finished, Stopped, OutOfTime, WentQuiet, Faulted, Unreported, "", "something new"}
	cases, greens := 0, 0
	var grow func(records []Record, depth int)
	grow = func(records []Record, depth int) {
		for _, recipe := range recipes {
			for _, how := range endings {
				cases++
				v := Judge(recipe, slices.Clone(records), Ending{How: how, Fault: "the disk is full", Limit: time.Minute, Tail: []string{"t"}})
				all := len(records) == len(commands(recipe)) && !recipe.Empty() && how == Finished
				for _, r := range records {
					all = all && reflect.DeepEqual(r, kinds[0])
				}
				if (v.Outcome == queue.Green) != all {
					t.Fatalf("%q %+v of %+v: %+v", how, records, recipe, v)
				}
				if all {
					greens++
				}
				if (v.Reason == "") != all || len(v.Steps) != len(records) {
					t.Fatalf("%q %+v of %+v: %+v", how, records, recipe, v)
				}
				red := how == Finished && !recipe.Empty() && len(records) > 0 && len(records) <= len(commands(recipe))
				for i, r := range records {
					last := i == len(records)-1
					clean := r.Exit == 0 && r.Fault == "" && len(r.Failed) == 0
					red = red && r.Ended && (!last && clean || last && (r.Exit != 0 || len(r.Failed) > 0 || r.Lost && i > 0))
				}
				if (v.Outcome == queue.Red) != red {
					t.Fatalf("%q %+v of %+v: %+v", how, records, recipe, v)
				}
			}
		}
		if depth == 0 {
			return
		}
		for _, kind := range kinds {
			grow(append(slices.Clone(records), kind), depth-1)
		}
	}
	grow(nil, 4)
	for _, r := range []Record{{Ended: true, Failed: []string{"a"}}, {}} {
		if v := Judge(steps("x"), []Record{r}, Ending{How: Finished}); v.Steps[0].Exit == 0 {
			t.Errorf("what is red reads as passed: %+v", v.Steps)
		}
	}
	if greens != 3 {
		t.Errorf("%d green of %d, want one for each recipe that can be", greens, cases)
	}
}

func TestJudgeSays(t *testing.T) {
	t.Parallel()
	recipe := steps("make unit", "make lint")
	recipe.Steps[1].Name = ""
	recipe.Setup = []string{"npm ci\nnpm run build"}
	ok := Record{Ended: true}
	for _, c := range []struct {
		name    string
		records []Record
		end     Ending
		want    queue.Verdict
	}{
		{"green", []Record{ok, ok, ok}, Ending{How: Finished, Tail: []string{"t"}}, queue.Verdict{Outcome: queue.Green}},
		{"red", []Record{ok, {Ended: true, Exit: 2}}, Ending{How: Finished, Tail: []string{"t"}}, queue.Verdict{Outcome: queue.Red, Step: "a", Exit: 2, Reason: `step "a" exited with 2`}},
		{"a step without a name", []Record{ok, ok, {Ended: true, Exit: 2}}, Ending{How: Finished}, queue.Verdict{Outcome: queue.Red, Step: "step 2", Exit: 2, Reason: `step "step 2" exited with 2`}},
		{"setup", []Record{{Ended: true, Exit: 1}}, Ending{How: Finished}, queue.Verdict{Outcome: queue.Red, Step: "setup", Exit: 1, Reason: `setup (npm ci …) exited with 1`}},
		{"timeout", []Record{ok, {}}, Ending{How: OutOfTime, Limit: 30 * time.Minute}, queue.Verdict{Outcome: queue.TimedOut, Step: "a", Reason: `the run's limit of 30m (timeout) passed in step "a"`}},
		{"quiet", []Record{ok, {}}, Ending{How: WentQuiet, Limit: 90 * time.Second}, queue.Verdict{Outcome: queue.TimedOut, Step: "a", Reason: `step "a" wrote nothing for 1m30s, the limit for that (quiet)`}},
		{"cancelled before it began", nil, Ending{How: Stopped}, queue.Verdict{Outcome: queue.Cancelled, Reason: "stopped because the result was no longer wanted"}},
		{"host", nil, Ending{How: Faulted, Fault: "check out candidate: disk full"}, queue.Verdict{Outcome: queue.Infra, Reason: "check out candidate: disk full"}},
		{"no fork", []Record{{Ended: true, Fault: "fork/exec /bin/sh: cannot allocate memory"}}, Ending{How: Finished}, queue.Verdict{Outcome: queue.Infra, Step: "setup", Reason: "setup (npm ci …) could not be started: fork/exec /bin/sh: cannot allocate memory"}},
		{"dead supervisor", []Record{ok, ok, ok}, Ending{How: Unreported, Fault: "signal: killed"}, queue.Verdict{Outcome: queue.Infra, Step: "step 2", Reason: "the process that supervises the run ended without a report: signal: killed"}},
		{"cut short", []Record{ok, ok}, Ending{How: Finished}, queue.Verdict{Outcome: queue.Infra, Step: "a", Reason: `the report on step "step 2" is missing`}},
		{"unknown", []Record{ok, ok, ok}, Ending{}, queue.Verdict{Step: "step 2", Reason: "how the run ended is not known"}},
	} {
		v := Judge(recipe, c.records, c.end)
		if v.Outcome != c.want.Outcome || v.Reason != c.want.Reason || v.Step != c.want.Step || v.Exit != c.want.Exit {
			t.Errorf("%s: %+v\nwant %+v", c.name, v, c.want)
		}
		if v.Outcome == queue.Green && v.Tail != nil {
			t.Errorf("%s: a tail", c.name)
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, text := range map[time.Duration]string{
		0: "0s", 1500 * time.Microsecond: "2ms", 2540 * time.Millisecond: "2.5s", 30 * time.Minute: "30m", time.Hour: "1h",
		90*time.Minute + 1400*time.Millisecond: "1h30m1s", 10 * time.Second: "10s", 20 * time.Hour: "20h", 100 * time.Minute: "1h40m",
	} {
		if got := span(d); got != text {
			t.Errorf("span(%d) = %q, want %q", d, got, text)
		}
	}
}
