package testrun

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"lander/internal/queue"
)

func TestGoRerun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		run    string
		names  []string
		some   string
		args   []string
		around string
	}{
		{"go test -json ./...", []string{"m/a TestA/x", "m/a TestA/y", "m/b TestB"}, `go test -json -run "${1}" "${2}" "${3}"`, []string{"^(TestA|TestB)$", "m/a", "m/b"}, `go test -json "${1}" "${2}"`},
		{"CGO_ENABLED=1 go test -race -json -count 2 -tags=x ./a ./b/...", []string{"m/a TestA"}, `CGO_ENABLED=1 go test -race -json -count 2 -tags=x -run "${1}" "${2}"`, []string{"^(TestA)$", "m/a"}, `CGO_ENABLED=1 go test -race -json -count 2 -tags=x "${1}"`},
		{"go test -C sub -json=true", []string{"m/a TestÄ"}, `go test -C sub -json=true -run "${1}" "${2}"`, []string{"^(TestÄ)$", "m/a"}, `go test -C sub -json=true "${1}"`},
		{"go test -json ./...", []string{"m/a"}, `go test -json "${1}"`, []string{"m/a"}, `go test -json "${1}"`},
		{"go test -json ./...", []string{"m/a", "m/a TestA", "m/b TestB"}, "is=0\ngo test -json \"${1}\" || is=$?\ngo test -json -run \"${2}\" \"${3}\" || is=$?\nexit $is", []string{"m/a", "^(TestB)$", "m/b"}, `go test -json "${1}" "${2}"`},
	} {
		some, around, ok := goRerun(c.run, c.names)
		if !ok || some.Text != c.some || !slices.Equal(some.Args, c.args) || around == nil || around.Text != c.around {
			t.Errorf("%s of %q: %+v, around %+v, %v", c.run, c.names, some, around, ok)
		}
	}
	one := []string{"m/a TestA"}
	for run, names := range map[string][]string{
		"go test ./...":                         one, // its results are nowhere
		"go test -json=false ./...":             one,
		"go test -json -failfast ./...":         one, // what comes after the first failure did not run
		"go test -json -run TestA ./...":        one,
		"go test -json -bench . ./...":          one,
		"go test -json -args -v":                one,
		"go test -json a_test.go":               one,
		"go test -json ./... && make check":     one, // what comes after it did not run
		"go test -json ./...; true":             one,
		"go test -json ./...\nmake check":       one,
		"go test -json ./... | tee log":         one,
		"go test -json $PACKAGES":               one,
		"go test -json -ldflags '-X a=b' ./...": one,
		"cd sub && go test -json ./...":         one,
		"gotestsum -- ./...":                    one,
		"go vet -json ./...":                    one,
		"go test -json -count":                  one,
		"go test -json ./a":                     {"-exec=evil TestA"},
		"go test -json ./b":                     {"m/a;evil TestA"},
		"go test -json ./c":                     {"m/a Test$(evil)"},
		"go test -json ./d":                     {"m/a Test A B"},
		"go test -json ./e":                     {"command-line-arguments TestA"},
	} {
		if some, _, ok := goRerun(run, names); ok {
			t.Errorf("%q of %q runs %+v", run, names, some)
		}
	}
}

// What a test is called never becomes a command, wherever it gets to.
func TestNamesAreNotCode(t *testing.T) {
	t.Parallel()
	evil := []string{
		"$(touch pwned)", "`touch pwned`", "'; touch pwned; '", `"; touch pwned; "`, "a; touch pwned", "a && touch pwned", "| touch pwned",
		"${IFS}", "$1", "\\", "*", "~", "a 'b' \"c\"", "# x", ">pwned", "{{names}}", "%s%n", "é ☃",
	}
	dir := t.TempDir()
	r, _ := newRunner(t)
	r.Checkouts = &shelf{dir: dir}
	// Each word is written by itself, so that what the shell made of it is seen.
	show := `one() { for x; do printf '%s' "$x" | base64 -w0; echo; done; }`
	recipe := steps("exit 1")
	recipe.Steps[0].Results = queue.Results{Format: queue.ResultsTAP}
	recipe.Steps[0].Rerun = show + "\none {{names}} > names\none {{ tests }} > tests\none {{regex}} > regex\nenv | grep -c ^LANDER_RERUN= > n\nprintf '%s' \"$LANDER_RERUN\" > env"
	job := jobOf(recipe)
	job.Rerun = queue.Rerun{Step: "a", Names: evil}
	r.Run(t.Context(), job)
	read := func(name string) []string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			word, err := base64.StdEncoding.DecodeString(line)
			if err != nil {
				t.Fatal(err)
			}
			words = append(words, string(word))
		}
		return words
	}
	if got := read("names"); !slices.Equal(got, evil) {
		t.Errorf("names %q", got)
	}
	if got := read("tests"); !slices.Equal(got, slices.Sorted(slices.Values(evil))) {
		t.Errorf("tests %q", got)
	}
	if got := read("regex"); len(got) != 1 || !strings.HasPrefix(got[0], "^(") || !strings.Contains(got[0], `\$\(touch pwned\)`) {
		t.Errorf("regex %q", got)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "env")); err != nil || string(text) != strings.Join(evil, "\n") {
		t.Errorf("%s is %q, %v", rerunKey, text, err)
	}
	if exists(filepath.Join(dir, "pwned")) {
		t.Error("a name was run")
	}
	for _, name := range []string{"--option", "", "two\nlines", "cut short…12345678", strings.Repeat("x", mostAsked+1)} {
		if c, _, ok := rerunOf(queue.Step{Rerun: "true {{names}}", Results: queue.Results{Format: queue.ResultsTAP}}, []string{name}); ok {
			t.Errorf("%.20q runs as %.100q", name, c.Args)
		}
	}
	for _, template := range []string{"true {{packages}}", "true {{unknown}}"} { // TAP has no packages
		if c, _, ok := rerunOf(queue.Step{Rerun: template, Results: queue.Results{Format: queue.ResultsTAP}}, []string{"a"}); ok {
			t.Errorf("%s runs as %+v", template, c)
		}
	}
	c, _, ok := rerunOf(queue.Step{Rerun: "t {{packages}} -- {{tests}}", Results: queue.Results{Format: queue.ResultsJUnit}}, []string{"B :: y", "A :: x", "A :: y"})
	if want := []string{"A", "B", "x", "y"}; !ok || c.Text != `t "${1}" "${2}" -- "${3}" "${4}"` || !slices.Equal(c.Args, want) {
		t.Errorf("%+v", c)
	}
}

// tap writes results, and the exit status that goes with them.
func tap(exit int, lines ...string) string {
	text := fmt.Sprintf("echo 1..%d\n", len(lines))
	for _, l := range lines {
		text += "echo '" + l + "'\n"
	}
	return text + fmt.Sprint("exit ", exit)
}

// What a run of some tests says is never greener than what it saw.
func TestWhatARerunSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		whole, some string
		proof       bool
		outcome     queue.Outcome
		failed      []string
		asked       bool
		partial     bool
		wholeRan    bool
	}{
		"it fails again":                        {tap(1, "not ok a"), tap(1, "not ok a"), true, queue.Red, []string{"a"}, true, false, false},
		"it passes: elsewhere that is enough":   {tap(1, "not ok a"), tap(0, "ok a"), false, queue.Green, nil, true, false, false},
		"it passes: to land, all must":          {tap(0, "ok a", "ok b"), tap(0, "ok a"), true, queue.Green, nil, false, false, true},
		"it passes alone, and not in company":   {tap(1, "not ok a", "ok b"), tap(0, "ok a"), true, queue.Red, nil, false, true, true},
		"another fails in company":              {tap(1, "ok a", "not ok b"), tap(0, "ok a"), true, queue.Red, []string{"b"}, false, false, true},
		"it did not run, and all passes":        {tap(0, "ok b"), tap(0, "ok b"), false, queue.Green, nil, false, false, true},
		"it did not run, and another fails":     {tap(1, "not ok b"), tap(0), false, queue.Red, []string{"b", "a"}, false, false, true},
		"it was skipped, and runs in all":       {tap(0, "ok a"), tap(0, "ok a # SKIP no"), false, queue.Green, nil, false, false, true},
		"nothing is written, exit status 0":     {tap(1, "not ok a"), "exit 0", false, queue.Red, []string{"a"}, false, false, true},
		"nothing is written, exit status 1":     {tap(1, "not ok a"), "exit 1", false, queue.Red, []string{"a"}, true, false, false},
		"it prints PASS and exits with 1":       {tap(0, "ok a"), "echo PASS; echo ok a\necho 1..1; exit 1", false, queue.Red, nil, true, false, false},
		"it prints ok and fails":                {tap(0, "ok a"), tap(0, "ok a", "not ok a"), false, queue.Red, []string{"a"}, true, false, false},
		"it fails, and the exit status is 0":    {tap(0, "ok a"), tap(0, "not ok a"), true, queue.Red, []string{"a"}, true, false, false},
		"no template: the whole step":           {tap(1, "not ok a", "not ok b"), "", true, queue.Red, []string{"a", "b"}, false, false, true},
		"no template, and the whole step is ok": {tap(0, "ok a"), "", true, queue.Green, nil, false, false, true},
		"killed in the middle":                  {tap(0, "ok a"), "echo not ok a; kill -KILL $$", false, queue.Red, []string{"a"}, true, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, s := newRunner(t)
			recipe := steps("touch whole\n"+c.whole, "echo after")
			recipe.Steps[0].Results = queue.Results{Format: queue.ResultsTAP}
			if recipe.Steps[0].Rerun = c.some; c.some != "" {
				recipe.Steps[0].Rerun = ": {{names}}\n" + c.some
			}
			job := jobOf(recipe)
			job.Rerun = queue.Rerun{Step: "a", Names: []string{"a"}, Proof: c.proof}
			v := r.Run(t.Context(), job)
			want(t, v, c.outcome, "")
			if !slices.Equal(v.Failed, c.failed) || v.Partial != c.partial {
				t.Errorf("failed are %q, partial %v", v.Failed, v.Partial)
			}
			if c.asked != (v.Asked != nil) || v.Asked != nil && !slices.Equal(v.Asked, []string{"a"}) {
				t.Errorf("it is of %q", v.Asked)
			}
			if ran := exists(filepath.Join(s.dir, "whole")); ran != c.wholeRan {
				t.Errorf("the whole step ran: %v", ran)
			}
			if n := len(v.Steps); v.Outcome == queue.Green && n != 2 || v.Outcome == queue.Red && (n != 1 || v.Steps[0].Exit == 0) {
				t.Errorf("steps %+v", v.Steps)
			}
		})
	}
}

func TestResultsOfAWholeRun(t *testing.T) {
	t.Parallel()
	report := `mkdir -p out/x; echo '<testsuite><testcase classname="C" name="a"><failure/></testcase><testcase name="b"/></testsuite>' > out/x/r.xml; `
	junit := queue.Results{Format: queue.ResultsJUnit, Files: "out/**/*.xml"}
	tapped := queue.Results{Format: queue.ResultsTAP}
	for name, c := range map[string]struct {
		run     string
		results queue.Results
		outcome queue.Outcome
		failed  []string
		partial bool
		reason  string
	}{
		"green":                         {tap(0, "ok a"), tapped, queue.Green, nil, false, ""},
		"red":                           {tap(1, "ok a", "not ok b", "not ok c"), tapped, queue.Red, []string{"b", "c"}, false, `step "a" exited with 1`},
		"red, by results that are told": {report + "exit 3", junit, queue.Red, []string{"C :: a"}, false, `step "a" exited with 3`},
		"results are worse than status": {report + "exit 0", junit, queue.Red, []string{"C :: a"}, false, `step "a" exited with 0, though its results tell of failures`},
		"status is worse than results":  {tap(1, "ok a", "ok b"), tapped, queue.Red, nil, false, `step "a" exited with 1`},
		"no results, red":               {"exit 1", junit, queue.Red, nil, false, `step "a" exited with 1`},
		"no results, green":             {"exit 0", junit, queue.Green, nil, false, ""},
		"not all results":               {"echo 1..5; echo not ok a; exit 1", tapped, queue.Red, []string{"a"}, true, `step "a" exited with 1`},
		"a report that is broken":       {"mkdir out; echo '<testsuite' > out/r.xml; exit 0", junit, queue.Green, nil, true, ""},
		"many":                          {"for i in $(seq 300); do echo not ok $i t$i; done; echo 1..300; exit 1", tapped, queue.Red, nil, true, `step "a" exited with 1`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := newRunner(t)
			recipe := steps(c.run)
			recipe.Steps[0].Results = c.results
			v := r.Run(t.Context(), jobOf(recipe))
			want(t, v, c.outcome, c.reason)
			if name == "many" {
				if len(v.Failed) != mostFailed || !v.Partial {
					t.Errorf("%d names, partial %v", len(v.Failed), v.Partial)
				}
				return
			}
			if !slices.Equal(v.Failed, c.failed) || v.Outcome == queue.Red && v.Partial != c.partial || v.Asked != nil {
				t.Errorf("%+v", v)
			}
			if v.Outcome == queue.Red && v.Steps[0].Exit == 0 {
				t.Error("a red step reads as passed")
			}
		})
	}
}

// What is cut off by a limit has not passed.
func TestALimitInARerun(t *testing.T) {
	t.Parallel()
	r, _ := newRunner(t)
	recipe := steps("exit 9")
	recipe.Steps[0].Results = queue.Results{Format: queue.ResultsTAP}
	recipe.Steps[0].Rerun = "echo ok a; echo ok x; echo 1..3; sleep 600"
	recipe.Quiet = 300 * 1e6
	job := jobOf(recipe)
	job.Rerun = queue.Rerun{Step: "a", Names: []string{"a", "b"}}
	v := r.Run(t.Context(), job)
	want(t, v, queue.TimedOut, "quiet")
	if !slices.Equal(v.Failed, []string{"b"}) || !slices.Equal(v.Asked, []string{"a", "b"}) {
		t.Errorf("%+v", v)
	}
}

// Only the step that failed is short; what it needs, and what comes after it, runs as it is.
func TestTheOtherStepsOfARerun(t *testing.T) {
	t.Parallel()
	r, s := newRunner(t)
	recipe := steps("echo a >> ran", "echo whole b >> ran", "echo c >> ran")
	recipe.Setup = []string{"echo setup >> ran"}
	recipe.Steps[1].Results = queue.Results{Format: queue.ResultsTAP}
	recipe.Steps[1].Rerun = "echo some b {{names}} >> ran; echo ok t; echo 1..1"
	job := jobOf(recipe)
	job.Rerun = queue.Rerun{Step: "b", Names: []string{"t"}}
	want(t, r.Run(t.Context(), job), queue.Green, "")
	text, err := os.ReadFile(filepath.Join(s.dir, "ran"))
	if err != nil || string(text) != "setup\na\nsome b t\nc\n" {
		t.Errorf("ran %q, %v", text, err)
	}
}

// A Go module with all the ways to fail, run for real.
func TestAGoModuleRunsAgain(t *testing.T) {
	t.Parallel()
	r, s := newRunner(t)
	r.Env = []string{"GOCACHE=" + goEnv(t, "GOCACHE"), "GOFLAGS=-mod=mod -vet=off", "GOPROXY=off", "GOTOOLCHAIN=local"}
	head := "package p\nimport (\"os\"; \"testing\")\nvar once = os.Getenv(\"ONCE\") + \".x\"\nvar _ testing.TB\n"
	for name, text := range map[string]string{
		"go.mod":            "module m\n\ngo 1.24\n",
		"good/a_test.go":    head + "func TestGood(t *testing.T) {}\n",
		"bad/a_test.go":     head + "func TestBad(t *testing.T) { t.Run(\"x\", func(t *testing.T) { t.Error(\"no\") }); t.Run(\"y\", func(t *testing.T) {}) }\nfunc TestFine(t *testing.T) {}\n",
		"panics/a_test.go":  head + "func TestFirst(t *testing.T) { if _, err := os.Stat(\"stay\"); err != nil { panic(1) } }\nfunc TestSecond(t *testing.T) {}\n",
		"exits/a_test.go":   head + "func TestExit(t *testing.T) { os.Stdout.WriteString(\"PASS\\nok\\n\"); os.Exit(3) }\n",
		"compile/a_test.go": head + "func TestNot(t *testing.T) { undefined() }\n",
		// It fails in company only.
		"together/a_test.go": head + "var first bool\nfunc TestOne(t *testing.T) { first = true }\nfunc TestTwo(t *testing.T) { if first { t.Error(\"no\") } }\n",
	} {
		path := filepath.Join(s.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	recipe := steps("go test -json ./...")
	recipe.Steps[0].Results = queue.Results{Format: queue.ResultsGo}
	run := func(id string, again queue.Rerun) queue.Verdict {
		t.Helper()
		job := jobOf(recipe)
		job.ID, job.Rerun = id, again
		return r.Run(t.Context(), job)
	}
	v := run("whole", queue.Rerun{})
	all := []string{"m/bad TestBad/x", "m/compile", "m/exits", "m/panics", "m/panics TestFirst", "m/together TestTwo"}
	if v.Outcome != queue.Red || !slices.Equal(v.Failed, all) || v.Partial {
		t.Fatalf("%+v", v)
	}
	if tail := strings.Join(v.Tail, "\n"); strings.Contains(tail, `"Action"`) || !strings.Contains(tail, "panic: 1") {
		t.Errorf("tail\n%s", tail)
	}
	v = run("again", queue.Rerun{Step: "a", Names: all, Proof: true})
	if want := slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == "m/together TestTwo" }); !reflect.DeepEqual(v.Failed, want) || !slices.Equal(v.Asked, all) {
		t.Errorf("%+v", v)
	}
	if log := readLog(t, r, "again"); strings.Contains(log, "TestGood") || strings.Contains(log, "TestFine") {
		t.Error("what had passed ran again")
	}
	v = run("panics", queue.Rerun{Step: "a", Names: []string{"m/panics TestSecond"}, Proof: true})
	if !slices.Equal(v.Failed, []string{"m/panics", "m/panics TestFirst"}) { // it takes the whole package to land
		t.Errorf("%+v", v)
	}
	two := []string{"m/together TestTwo"}
	if v = run("alone", queue.Rerun{Step: "a", Names: two}); v.Outcome != queue.Green || !slices.Equal(v.Asked, two) {
		t.Errorf("%+v", v)
	}
	if v = run("company", queue.Rerun{Step: "a", Names: two, Proof: true}); v.Outcome != queue.Red || !slices.Equal(v.Failed, []string{"m/together"}) {
		t.Errorf("%+v", v)
	}
	if v = run("fine", queue.Rerun{Step: "a", Names: []string{"m/good TestGood"}, Proof: true}); v.Outcome != queue.Green || v.Asked == nil {
		t.Errorf("%+v", v)
	}
}
