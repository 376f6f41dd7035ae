//go:build unix

package testrun

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
)

// optional is a recipe of a gating step and of optional ones, p, q, ...
func optional(gate string, commands ...string) queue.Recipe {
	recipe := steps(gate)
	for i, command := range commands {
		recipe.Optional = append(recipe.Optional, queue.Step{Name: string(rune('p' + i)), Run: command})
	}
	return recipe
}

// What an optional step comes to is told, and makes no difference.
func TestAnOptionalStepHoldsNothingUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		recipe queue.Recipe
		change func(*queue.Recipe)
		exit   int
		why    string
	}{
		"it passes":      {recipe: optional("true", "true", "true")},
		"it fails":       {recipe: optional("true", "echo no; exit 3", "true"), exit: 3, why: `optional step "p" exited with 3`},
		"it is no shell": {recipe: optional("true", ")", "true"), exit: 2, why: "exited with 2"},
		"it is killed":   {recipe: optional("true", "kill -KILL $$", "true"), exit: 137, why: "SIGKILL"},
		"its tests failed": {
			recipe: optional("true", "echo 1..1; echo not ok 1 - x", "true"), exit: -1, why: `exited with 0, though its results tell of failures: "x"`,
			change: func(r *queue.Recipe) { r.Optional[0].Results.Format = queue.ResultsTAP },
		},
		"it hits its limit": {
			recipe: optional("true", "sleep 600"), exit: -1, why: `optional step "p" ran longer than its limit of 300ms (timeout of the step)`,
			change: func(r *queue.Recipe) { r.Optional[0].Timeout = 300 * time.Millisecond },
		},
		"the run's time is over": {
			recipe: optional("true", "sleep 600"), exit: -1, why: "limit of 1s (timeout) passed in optional step",
			change: func(r *queue.Recipe) { r.Timeout = time.Second },
		},
		"it falls silent": {
			recipe: optional("true", "sleep 600"), exit: -1, why: "wrote nothing for 300ms",
			change: func(r *queue.Recipe) { r.Quiet = 300 * time.Millisecond },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := newRunner(t)
			if c.change != nil {
				c.change(&c.recipe)
			}
			v := r.Run(t.Context(), jobOf(c.recipe))
			want(t, v, queue.Green, "")
			if v.Reason != "" || v.Step != "" || v.Tail != nil || v.Failed != nil || len(v.Steps) != 1 || len(v.Optional) != len(c.recipe.Optional) {
				t.Fatalf("verdict %+v", v)
			}
			if o := v.Optional[0]; o.Name != "p" || o.Exit != c.exit || !strings.Contains(o.Why, c.why) || (o.Why == "") != (c.why == "") {
				t.Errorf("it says %+v", o)
			}
			if len(v.Optional) > 1 && v.Optional[1].Exit != 0 {
				t.Errorf("the next says %+v", v.Optional[1])
			}
		})
	}
}

func TestOptionalStepsComeLastAndProveNothing(t *testing.T) {
	t.Parallel()
	r, s := newRunner(t)
	v := r.Run(t.Context(), jobOf(optional("exit 1", "touch too-far")))
	want(t, v, queue.Red, `step "a" exited with 1`)
	if len(v.Optional) != 0 || exists(filepath.Join(s.dir, "too-far")) {
		t.Errorf("verdict %+v", v)
	}
	only := optional("true", "true")
	only.Steps = nil
	want(t, r.Run(t.Context(), jobOf(only)), queue.Unmeasured, "no test step")

	// Whatever the records are, green is what it is without optional steps.
	gate, fail, begun := Record{Ended: true}, Record{Ended: true, Exit: 1}, Record{}
	recipe := optional("true", "true")
	for _, how := range []How{Finished, Stopped, OutOfTime, WentQuiet, WentOver, Faulted, Unreported, NotBegun, ""} {
		for _, records := range [][]Record{{}, {gate}, {fail}, {begun}, {gate, gate}, {gate, fail}, {gate, begun}, {fail, gate}, {begun, gate}, {gate, gate, gate}} {
			green := len(records) == 2 && records[0].Ended && records[0].Exit == 0 && (how == Finished || how == OutOfTime || how == WentQuiet || how == WentOver) ||
				len(records) == 1 && records[0].Ended && records[0].Exit == 0 && how == Finished
			if v := Judge(recipe, records, Ending{How: how, Limit: time.Minute}); (v.Outcome == queue.Green) != green {
				t.Errorf("%q %+v: %+v", how, records, v)
			}
		}
	}
}

func TestARecipesEnvironment(t *testing.T) {
	t.Parallel()
	r, s := newRunner(t)
	r.Env = []string{"MODE=machine", "KEPT=machine"}
	recipe := steps(`echo "$MODE $KEPT $ONE" > a; env | grep -c ^MODE= >> a`, `echo "$MODE $KEPT $ONE" > b`)
	recipe.Setup = []string{`echo "$MODE" > setup`}
	recipe.Env = map[string]string{"MODE": "of the suite $HOME"}
	recipe.Steps[0].Env = map[string]string{"MODE": "of the step", "ONE": "1", "LANDER_RUN": "x", "HOME": "/"}
	want(t, r.Run(t.Context(), jobOf(recipe)), queue.Green, "")
	for name, want := range map[string]string{"setup": "of the suite $HOME\n", "a": "of the step machine 1\n1\n", "b": "of the suite $HOME machine \n"} {
		if got, err := os.ReadFile(filepath.Join(s.dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"LANDER_RUN", "HOME", "TMPDIR", "A B", ""} {
		recipe.Env = map[string]string{name: "x"}
		want(t, r.Run(t.Context(), jobOf(recipe)), queue.Infra, "cannot be set by it")
	}
}
