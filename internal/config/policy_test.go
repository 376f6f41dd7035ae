package config

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
)

func defaults() queue.Policy {
	return queue.Policy{
		Style: queue.StyleRebase, ShowMerged: true, Approvals: 1, Window: 4, Batch: 8, TestEach: queue.TestBatch,
		Recipe: queue.Recipe{Timeout: 30 * time.Minute, Quiet: 15 * time.Minute},
	}
}

func TestPolicyWithNothingInItIsAllDefaults(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "# only words\n", "---\n", "version: 1\n", "\ufeffversion: 1\n", "{}"} {
		got, err := ParsePolicy([]byte(text))
		if err != nil || !reflect.DeepEqual(got, defaults()) {
			t.Errorf("ParsePolicy(%q) = %+v, %v", text, got, err)
		}
		if !got.Recipe.Empty() {
			t.Errorf("ParsePolicy(%q) tests something", text)
		}
	}
}

func TestPolicyInFull(t *testing.T) {
	t.Parallel()
	const text = `version: 1
trunk: [main, release/1.x]
style: squash
heads: keep
require:
  approvals: 2
  no_labels: [do-not-merge, wip]
batch: {max: 5, wait: 0s}
window: 3
test_each: commit
areas:
  web: ["web/**"]
  api: ["api/**", "*.proto"]
barrier: [go.mod, "**/go.sum"]
suite:
  timeout: 1h30m
  quiet: 90s
  setup: [go mod download]
  steps:
    - {name: unit, run: "go test ./..."}
    - name: lint
      network: true
      run: |
        make lint
        make vet
`
	for _, text := range []string{text, strings.ReplaceAll(text, "\n", "\r\n")} {
		got, err := ParsePolicy([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		want := queue.Policy{
			Style: queue.StyleSquash, Approvals: 2, NoLabels: []string{"do-not-merge", "wip"}, Window: 3, Batch: 5, TestEach: queue.TestChange,
			Areas: queue.AreaRules{
				Areas: []queue.Area{{Name: "web", Globs: []string{"web/**"}}, {Name: "api", Globs: []string{"api/**", "*.proto"}}}, Barrier: []string{"go.mod", "**/go.sum"},
			},
			Recipe: queue.Recipe{
				Timeout: 90 * time.Minute, Quiet: 90 * time.Second, Setup: []string{"go mod download"},
				Steps: []queue.Step{{Name: "unit", Run: "go test ./..."}, {Name: "lint", Run: "make lint\nmake vet\n", Network: true}},
			},
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		trunks, err := PolicyTrunks([]byte(text))
		if err != nil || !reflect.DeepEqual(trunks, []string{"main", "release/1.x"}) {
			t.Errorf("PolicyTrunks = %q, %v", trunks, err)
		}
	}
}

func TestPolicyProblems(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "stile: squash\n", `line 1, column 1: unknown key "stile"; did you mean "style"?`},
		{"unknown nested key", "require:\n  aprovals: 2\n", `line 2, column 3: unknown key "require.aprovals"; did you mean "require.approvals"?`},
		{"nothing near", "zebra: 1\n", `line 1, column 1: unknown key "zebra"; known here: version, trunk, style, heads, require, batch, window, test_each, areas, barrier, suite, checks`},
		{"number as key", "1: 2\n", `line 1, column 1: unknown key "1"; known here: version, trunk, style, heads, require, batch, window, test_each, areas, barrier, suite, checks`},
		{"wrong type", "window: four\n", `line 1, column 9: window wants a whole number from 1 to 100, not "four"`},
		{"quoted number", "window: \"4\"\n", `line 1, column 9: window wants a whole number from 1 to 100, not "4"`},
		{"no half approvals", "require: {approvals: 1.5}\n", "line 1, column 22: require.approvals wants a whole number from 0 to 100, not 1.5"},
		{"negative", "require:\n  approvals: -1\n", "line 2, column 14: require.approvals wants a whole number from 0 to 100, not -1"},
		{"beyond int", "window: 99999999999999999999\n", "line 1, column 9: window wants a whole number from 1 to 100, not \"99999999999999999999\""},
		{"time without unit", "suite:\n  timeout: 30\n", "line 2, column 12: suite.timeout wants a time from 1s to 24h, as in 90s, 30m or 2h, not 30"},
		{"zero time", "suite: {quiet: 0s}\n", `line 1, column 16: suite.quiet wants a time from 1s to 24h, as in 90s, 30m or 2h, not "0s"`},
		{"wait", "batch: {wait: 5s}\n", "line 1, column 15: batch.wait can only be 0s in this version; remove it"},
		{"mapping for text", "trunk: {a: b}\n", "line 1, column 8: trunk wants text, not a mapping"},
		{"number for text", "require: {no_labels: [7]}\n", "line 1, column 23: require.no_labels, item 1 wants text, not 7; put it in quotes if you mean it"},
		{"text for list", "require: {no_labels: wip}\n", "line 1, column 22: require.no_labels wants a list, as in [one, two]"},
		{"text for mapping", "suite: make test\n", "line 1, column 8: suite wants keys of its own: timeout, quiet, start, env, labels, setup, steps, retries, reuse"},
		{"list at the top", "- a\n", "line 1, column 1: want \"key: value\" lines; known keys: version, trunk, style, heads, require, batch, window, test_each, areas, barrier, suite, checks"},
		{"nothing after the key", "suite:\n", "line 1, column 8: suite wants keys of its own: timeout, quiet, start, env, labels, setup, steps, retries, reuse"},
		{"style", "style: rebasee\n", `line 1, column 8: style wants one of rebase, squash, merge, not "rebasee"`},
		{"test_each", "test_each: tip\n", `line 1, column 12: test_each wants one of batch, change, commit, not "tip"`},
		{"each commit of a rebase", "test_each: commit\nversion: 1\n", "line 1, column 12: test_each: commit can only be kept with style: squash, where a change is one commit; with style: rebase only the last commit of a change is tested, so write change"},
		{"each commit of a merge", "test_each: commit\nstyle: merge\n", "line 1, column 12: test_each: commit can only be kept with style: squash, where a change is one commit; with style: merge only the last commit of a change is tested, so write change"},
		{"near to areas", "area: {api: [\"api/**\"]}\n", `line 1, column 1: unknown key "area"; did you mean "areas"?`},
		{"near to barrier", "areas: {api: [a]}\nbarier: [go.mod]\n", `line 2, column 1: unknown key "barier"; did you mean "barrier"?`},
		{"areas as a list", "areas: [api, web]\n", `line 1, column 8: areas wants a mapping of names to globs, as in {api: ["api/**"], web: ["web/**"]}`},
		{"area without a list", "areas: {api: \"api/**\"}\n", "line 1, column 14: areas.api wants a list, as in [one, two]"},
		{"area of nothing", "areas:\n  api: []\n", `line 2, column 8: areas.api needs at least one glob, as in ["api/**"]`},
		{"area called everything", "areas: {\"*\": [a]}\n", `line 1, column 9: an area cannot be called "*"; a name has no comma, no space around it, at most 100 letters, and is not *`},
		{"area with a comma", "areas: {\"api,web\": [a]}\n", `line 1, column 9: an area cannot be called "api,web"; a name has no comma, no space around it, at most 100 letters, and is not *`},
		{"area twice", "areas:\n  api: [a]\n  api: [b]\n", "line 3, column 3: areas.api is given twice; keep one"},
		{"glob from the root of the machine", "areas: {api: [ok, /api/**]}\n", `line 1, column 19: areas.api, item 2: "/api/**" is no glob of paths from the root of the repository, as in api/** or **/*.proto`},
		{"glob of a folder", "areas: {api: [api/]}\n", `line 1, column 15: areas.api, item 1: "api/" is no glob of paths from the root of the repository, as in api/** or **/*.proto`},
		{"glob that takes away", "areas: {api: [\"!api\"]}\n", `line 1, column 15: areas.api, item 1: "!api" is no glob of paths from the root of the repository, as in api/** or **/*.proto`},
		{"glob that never ends", "areas: {api: [a]}\nbarrier: [\"[a\"]\n", `line 2, column 11: barrier, item 1: "[a" is no glob of paths from the root of the repository, as in api/** or **/*.proto`},
		{"barrier as text", "areas: {api: [a]}\nbarrier: go.mod\n", "line 2, column 10: barrier wants a list, as in [one, two]"},
		{"barrier without areas", "version: 1\nbarrier: [go.mod]\n", "line 2, column 10: barrier says what is in every area, and there are no areas; give areas or remove it"},
		{"later version", "version: 2\n", "line 1, column 10: version 2 is not known; this lander reads version 1"},
		{"twice", "window: 1\nwindow: 2\n", "line 2, column 1: window is given twice; keep one"},
		{"branch that is an option", "trunk: --upload-pack=x\n", `line 1, column 8: trunk wants the name of a branch, as in main, not "--upload-pack=x"`},
		{"full ref", "trunk: refs/heads/main\n", `line 1, column 8: trunk wants the name of a branch, as in main, not "refs/heads/main"`},
		{"trunk twice", "trunk: [main, main]\n", `line 1, column 15: trunk names "main" twice; keep one`},
		{"no trunk", "trunk: []\n", "line 1, column 8: trunk names no branch; name one or remove the key"},
		{"needs what is no step before it", "suite:\n  steps:\n    - {name: unit, run: make, needs: [build]}\n    - {name: build, run: make}\n", "line 3, column 39: suite.steps, step 1 needs \"build\", which is no step before it; name one that is"},
		{"network", "suite:\n  steps:\n    - {name: unit, run: make, network: often}\n", "line 3, column 40: suite.steps, step 1, network wants true or false, not \"often\""},
		{"half a step", "suite:\n  steps:\n    - name: unit\n", "line 3, column 7: suite.steps, step 1 needs both name and run, as in {name: unit, run: make test}"},
		{"two steps of one name", "suite: {steps: [{name: a, run: x}, {name: a, run: y}]}\n", `line 1, column 43: suite.steps, step 2 has the name "a", which another step has; choose another`},
		{"step named setup", "suite: {steps: [{name: setup, run: x}]}\n", `line 1, column 24: suite.steps, step 1 cannot be called "setup", which is the name of what runs before the steps; choose another`},
		{"blank command", "suite: {setup: [\"  \"]}\n", "line 1, column 17: suite.setup, item 1 wants a command, not only spaces"},
		{"empty command", "suite: {setup: [\"\"]}\n", "line 1, column 17: suite.setup, item 1 has no value"},
		{"control byte", "suite: {setup: [\"a\\u001bb\"]}\n", "line 1, column 17: suite.setup, item 1 holds a control character; remove it"},
		{"bad YAML", "suite: [1,\n", "line 1, column 8: this is not valid YAML: sequence end token ']' not found"},
		{"tab", "suite:\n\ttimeout: 1m\n", "line 2, column 1: this is not valid YAML: found character '\t' that cannot start any token"},
		{"two documents", "version: 1\n---\nwindow: 2\n", "line 3, column 1: a second document begins here; keep one, without a further \"---\""},
		{"anchor", "trunk: &t main\n", "line 1, column 8: anchors, aliases and merge keys are not allowed; write the value out"},
		{"merge key", "<<: {window: 1}\n", "line 1, column 1: anchors, aliases and merge keys are not allowed; write the value out"},
		{"tag", "window: !!int \"4\"\n", "line 1, column 9: tags and directives are not allowed; write the plain value"},
		{"question key", "? window\n: 4\n", "line 1, column 1: keys with \"?\" are not allowed; write \"key: value\""},
		{"not UTF-8", "version: 1\ntrunk: \xff\n", "line 2, column 1: the file is not UTF-8 text; save it as UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := ParsePolicy([]byte(c.text))
			var bad *PolicyError
			if !errors.As(err, &bad) {
				t.Fatalf("taken as %+v", p)
			}
			if got := bad.Error(); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPolicyTellsEveryProblemAtOnceInTheFilesOrder(t *testing.T) {
	t.Parallel()
	_, err := ParsePolicy([]byte("version: 3\nwindow: 0\nsuite:\n  steps:\n    - {nam: x}\n  quiet: long\nrequire: {code_owners: true}\n"))
	var bad *PolicyError
	if !errors.As(err, &bad) {
		t.Fatal("taken")
	}
	var lines []int
	for _, p := range bad.Problems {
		lines = append(lines, p.Line)
	}
	if !reflect.DeepEqual(lines, []int{1, 2, 5, 6, 7}) {
		t.Errorf("problems on lines %v: %v", lines, err)
	}
}

// A key that promises safety and is ignored would be worse than no key.
func TestPolicyRefusesWhatThisVersionDoesNotActOn(t *testing.T) {
	t.Parallel()
	for text, path := range map[string]string{
		"require: {code_owners: true}":                   "require.code_owners",
		"require: {code_owners: false}":                  "require.code_owners",
		"require: {resolved_threads: true}":              "require.resolved_threads",
		"message: {trailers: []}":                        "message",
		"environment: {A: b}":                            "environment",
		"suite: {steps: [{name: a, run: b, shards: 2}]}": "suite.steps, step 1.shards",
	} {
		_, err := ParsePolicy([]byte(text))
		if want := path + " is not available in this version; remove it"; err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestPolicyBombsAreRefusedQuickly(t *testing.T) {
	t.Parallel()
	laughs := "a: &a [x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'z'; c++ {
		laughs += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 8) + "]\n"
	}
	for name, text := range map[string]string{
		"a billion laughs": laughs,
		"open brackets":    strings.Repeat("[", mostBytes),
		"open braces":      strings.Repeat("{a: ", mostBytes/4),
		"dashes":           strings.Repeat("- ", mostBytes/2),
		"too long":         strings.Repeat("# words\n", mostBytes),
		"many problems":    strings.Repeat("zebra: 1\n", mostBytes/10),
	} {
		begin := time.Now()
		_, err := ParsePolicy([]byte(text))
		var bad *PolicyError
		if !errors.As(err, &bad) || len(bad.Problems) > mostProblems {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: %v", name, time.Since(begin))
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func TestSamplePolicyIsReadBack(t *testing.T) {
	t.Parallel()
	for _, r := range []queue.Recipe{
		{},
		{Timeout: time.Hour, Quiet: time.Minute, Steps: []queue.Step{{Name: "test", Run: "go test ./..."}}},
		{Setup: []string{"npm ci", "true", "a: b # c"}, Steps: []queue.Step{{Name: "yes", Run: "echo \"a\" '<&>' \\ \t%s\nexit 1\n"}, {Name: "#2", Run: "- é ☃", Network: true}}},
	} {
		text := SamplePolicy(r)
		p, err := ParsePolicy(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		want := defaults()
		want.Recipe.Setup, want.Recipe.Steps = r.Setup, r.Steps
		if r.Timeout != 0 {
			want.Recipe.Timeout, want.Recipe.Quiet = r.Timeout, r.Quiet
		}
		if !reflect.DeepEqual(p, want) {
			t.Errorf("got  %+v\nwant %+v\n%s", p, want, text)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	for _, s := range []string{
		"", "version: 1\nsuite: {steps: [{name: a, run: b}]}\n", "a: &x 1\nb: *x\n", "trunk: [a, 'b', \"c\"]\n", "? a\n: b\n", "- - - x", "suite:\n  setup:\n    - |\n      x\n",
		"%YAML 1.2\n---\n", "<<: *a", "window: 0x10\n", "{", "a: !!binary x", "\xff", "trunk: >-\n  a\n",
	} {
		f.Add([]byte(s))
	}
	f.Add([]byte("suite: {steps: [{name: a, run: b, results: {junit: '**/*.xml'}, rerun: 'x {{names}}'}, {name: c, run: d, results: tap}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePolicy(data)
		if err != nil {
			var bad *PolicyError
			if !errors.As(err, &bad) || len(bad.Problems) == 0 || err.Error() == "" {
				t.Fatalf("error %#v says nothing", err)
			}
			return
		}
		if p.Window < 1 || p.Batch < 1 || p.Approvals < 0 || p.Recipe.Timeout <= 0 || p.Recipe.Quiet <= 0 {
			t.Fatalf("impossible policy %+v", p)
		}
		again, err := ParsePolicy(SamplePolicy(p.Recipe))
		if err != nil || again.Recipe.Digest() != p.Recipe.Digest() {
			t.Fatalf("recipe %+v is not read back: %+v, %v", p.Recipe, again.Recipe, err)
		}
	})
}

func TestWhatStepsNeed(t *testing.T) {
	t.Parallel()
	r := queue.Recipe{Timeout: time.Hour, Quiet: time.Minute, Steps: []queue.Step{
		{Name: "build", Run: "make"}, {Name: "unit", Run: "make unit", Needs: []string{"build"}}, {Name: "lint", Run: "make lint", Needs: []string{}},
	}}
	p, err := ParsePolicy(SamplePolicy(r))
	if err != nil {
		t.Fatal(err)
	}
	if p.Recipe.Digest() != r.Digest() {
		t.Errorf("read back as %+v", p.Recipe)
	}
}
