package testrun

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"lander/internal/queue"
)

// What results and reruns do, they do in a sandbox as well.

func TestResultsFromASandbox(t *testing.T) {
	t.Parallel()
	report := `mkdir -p out/x; echo '<testsuite><testcase classname="C" name="a"><failure/></testcase></testsuite>' > out/x/r.xml; `
	junit := queue.Results{Format: queue.ResultsJUnit, Files: "out/**/*.xml"}
	for name, c := range map[string]struct {
		run     string
		results queue.Results
		failed  []string
		partial bool
	}{
		"in its output":                {tap(1, "ok a", "not ok b"), queue.Results{Format: queue.ResultsTAP}, []string{"b"}, false},
		"in a report":                  {report + "exit 1", junit, []string{"C :: a"}, false},
		"in a report, with exit 0":     {report, junit, []string{"C :: a"}, false},
		"in a report that leads out":   {report + "mv out /tmp/out; ln -s /tmp/out out; exit 1", junit, nil, false},
		"in a report that is a pipe":   {report + "mkfifo out/x/p.xml; exit 1", junit, []string{"C :: a"}, false},
		"in a report, and one too dim": {report + "echo '<testsuite' > out/b.xml; exit 1", junit, []string{"C :: a"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recipe := steps(c.run)
			recipe.Steps[0].Results = c.results
			endure(t, ordeal{Recipe: recipe}, func(t *testing.T, came outcome) {
				want(t, came.Verdict, queue.Red, `step "a" exited with`)
				if v := came.Verdict; !slices.Equal(v.Failed, c.failed) || v.Partial != c.partial {
					t.Errorf("failed are %q, partial %v\n%s", v.Failed, v.Partial, came.Log)
				}
			})
		})
	}
}

// Each command of a rerun comes into the sandbox that is there already, with the network of its step.
func TestARerunInASandbox(t *testing.T) {
	t.Parallel()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "from the network") }))
	t.Cleanup(site.Close)
	fetch := "TESTRUN_HOSTILE=fetch ./hostile " + site.URL
	evil := `"; touch /src/pwned; "$(touch /src/pwned)`
	recipe := steps(
		"echo whole >> ran\n"+fetch+"\n"+tap(0, "ok a"),
		"test -e /tmp/from-setup\nif "+fetch+"; then exit 9; fi\ntest ! -e pwned\ntest -z \"$LANDER_RERUN\"\ntest \"$(cat ran)\" = 'setup\nsome 1\nwhole'",
	)
	recipe.Steps[0].Results = queue.Results{Format: queue.ResultsTAP}
	recipe.Steps[0].Rerun = "set -- {{names}}\necho some $# >> ran; test \"$1\" = \"$LANDER_RERUN\"\n" + fetch + "\necho \"ok $1\"; echo 1..1"
	recipe.Steps[0].Network = true
	o := ordeal{
		Recipe: recipe, Setup: []string{"echo setup > ran; touch /tmp/from-setup"}, Program: true, Named: []string{strings.TrimPrefix(site.URL, "http://")},
		Rerun: queue.Rerun{Step: "a", Names: []string{evil}, Proof: true},
	}
	endure(t, o, func(t *testing.T, came outcome) {
		want(t, came.Verdict, queue.Green, "")
		for _, part := range []string{"only what failed, begins", "all of it, for a proof, begins"} {
			if strings.Count(came.Log, part) != 1 {
				t.Errorf("no %q in\n%s", part, came.Log)
			}
		}
	})
}

// What a limit cuts off has not passed.
func TestALimitOfASandboxInARerun(t *testing.T) {
	t.Parallel()
	recipe := steps("exit 9")
	recipe.Steps[0].Results = queue.Results{Format: queue.ResultsTAP}
	recipe.Steps[0].Rerun = "echo ok a; echo ok x; echo 1..3; tail /dev/zero"
	o := ordeal{Recipe: recipe, Limits: small, Rerun: queue.Rerun{Step: "a", Names: []string{"a", "b"}}}
	endure(t, o, func(t *testing.T, came outcome) {
		want(t, came.Verdict, queue.Red, `step "a" held more memory than the limit of 64 MiB (memory)`)
		if v := came.Verdict; !slices.Equal(v.Failed, []string{"b"}) || !slices.Equal(v.Asked, []string{"a", "b"}) {
			t.Errorf("%+v", v)
		}
	})
}

func TestSecretsInResultsFromASandbox(t *testing.T) {
	t.Parallel()
	const secret = "canary-of-the-operator"
	recipe := steps(`echo "<testsuite><testcase name='it is $TOKEN'><failure/></testcase></testsuite>" > r.xml; exit 1`)
	recipe.Steps[0].Results = queue.Results{Format: queue.ResultsJUnit, Files: "*.xml"}
	endure(t, ordeal{Recipe: recipe, Env: []string{"TOKEN=" + secret}, Secrets: []string{secret}}, func(t *testing.T, came outcome) {
		want(t, came.Verdict, queue.Red, "")
		if v := came.Verdict; !slices.Equal(v.Failed, []string{"it is [redacted]"}) || strings.Contains(came.Log, secret) || !strings.Contains(came.Log, redacted) {
			t.Errorf("%+v\n%s", v, came.Log)
		}
	})
}
