package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
)

func stepOf(text string) string {
	return "suite:\n  steps:\n    - name: unit\n      run: make\n" + text
}

func TestStepsWithResults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]queue.Step{
		"":                         {},
		"      results: go-json\n": {Results: queue.Results{Format: queue.ResultsGo}},
		"      rerun: t {{names}}\n      results: tap\n":                                                        {Results: queue.Results{Format: queue.ResultsTAP}, Rerun: "t {{names}}"},
		"      results: {junit: \"reports/**/*.xml\"}\n":                                                        {Results: queue.Results{Format: queue.ResultsJUnit, Files: "reports/**/*.xml"}},
		"      results: {junit: r.xml}\n      rerun: |\n        a 'b' -k={{ regex }}\n        c {{packages}}\n": {Results: queue.Results{Format: queue.ResultsJUnit, Files: "r.xml"}, Rerun: "a 'b' -k={{ regex }}\nc {{packages}}\n"},
		"      results: tap\n      rerun: ./again\n":                                                            {Results: queue.Results{Format: queue.ResultsTAP}, Rerun: "./again"},
	} {
		p, err := ParsePolicy([]byte(stepOf(text)))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		want.Name, want.Run = "unit", "make"
		if !reflect.DeepEqual(p.Recipe.Steps, []queue.Step{want}) {
			t.Errorf("%s: %+v", text, p.Recipe.Steps)
		}
		again, err := ParsePolicy(SamplePolicy(p.Recipe))
		if err != nil || again.Recipe.Digest() != p.Recipe.Digest() {
			t.Errorf("%s: read back as %+v, %v", text, again.Recipe, err)
		}
	}
}

func TestStepsWithWrongResults(t *testing.T) {
	t.Parallel()
	const at = "suite.steps, step 1, "
	for text, want := range map[string]string{
		"      results: go-jsn\n":                                  `line 5, column 16: ` + at + `results: "go-jsn" is not known; did you mean "go-json"?`,
		"      results: unit\n":                                    `line 5, column 16: ` + at + `results: junit needs to know where the reports are, as in results: {junit: "reports/**/*.xml"}`,
		"      results: junit\n":                                   "junit needs to know where the reports are",
		"      results: 5\n":                                       `line 5, column 16: ` + at + `results wants go-json or tap, or {junit: FILES}, not 5`,
		"      results: [tap]\n":                                   "or {junit: FILES}, not a list",
		"      results: {junt: a.xml}\n":                           `line 5, column 17: unknown key "` + at + `results.junt"; did you mean "` + at + `results.junit"?`,
		"      results: {junit: /etc/*}\n":                         "line 5, column 24: " + at + `results wants plain paths inside the repository, as in reports/**/*.xml, not "/etc/*"`,
		"      results: {junit: ../x.xml}\n":                       "plain paths inside the repository",
		"      results: {junit: 'a[.xml'}\n":                       "plain paths inside the repository",
		"      results: {junit: a//b.xml}\n":                       "plain paths inside the repository",
		"      reslts: tap\n":                                      `did you mean "suite.steps, step 1.results"?`,
		"      rerun: x {{names}}\n":                               "line 5, column 14: suite.steps, step 1 has rerun without results",
		"      results: tap\n      rerun: \" \"\n":                 "line 6, column 14: " + at + "rerun wants a command",
		"      results: tap\n      rerun: x {{name}}\n":            "line 6, column 14: " + at + "rerun: {{name}} is not known; did you mean {{names}}?",
		"      results: tap\n      rerun: x {{.Names}}\n":          "{{.Names}} is not known",
		"      results: tap\n      rerun: x '{{names}}'\n":         "line 6, column 14: " + at + "rerun: {{names}} has to stand by itself and without quotes",
		"      results: tap\n      rerun: 'x \"a {{names}}\"'\n":   "without quotes",
		"      results: tap\n      rerun: sh -c 'x {{names}} y'\n": "without quotes",
		"      results: tap\n      rerun: 'x `y {{names}}`'\n":     "without quotes",
		"      results: tap\n      rerun: x a{{names}}\n":          "to stand by itself",
		"      results: tap\n      rerun: x {{names}}b\n":          "to stand by itself",
		"      results: tap\n      rerun: x \\ {{names}}\n":        "",
	} {
		_, err := ParsePolicy([]byte(stepOf(text)))
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func TestLimitsOfASuiteAndItsSteps(t *testing.T) {
	t.Parallel()
	const text = "suite:\n  steps:\n    - {name: unit, run: make, timeout: 5m, quiet: 90s}\n  timeout: 10m\n  start: 5m\n"
	p, err := ParsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if s := p.Recipe.Steps[0]; s.Timeout != 5*time.Minute || s.Quiet != 90*time.Second || p.Recipe.Start != 5*time.Minute {
		t.Errorf("%+v", p.Recipe)
	}
	again, err := ParsePolicy(SamplePolicy(p.Recipe))
	if err != nil || again.Recipe.Digest() != p.Recipe.Digest() {
		t.Errorf("read back as %+v, %v", again.Recipe, err)
	}
	for text, want := range map[string]string{
		"suite:\n  steps:\n    - {name: unit, run: make, timeout: 11m}\n  timeout: 10m\n": "line 3, column 40: suite.steps, step 1, timeout is 11m, and suite.timeout, which bounds it, is 10m",
		"suite:\n  steps:\n    - {name: unit, run: make, quiet: 16m}\n":                   "suite.steps, step 1, quiet is 16m, and suite.quiet, which bounds it, is 15m",
		"suite:\n  start: never\n": `suite.start wants a time from 1s to 24h, as in 90s, 30m or 2h, not "never"`,
	} {
		if _, err := ParsePolicy([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestOptionalStepsAndEnvironment(t *testing.T) {
	t.Parallel()
	const text = "suite:\n  env: {MODE: full, EMPTY: \"\"}\n  steps:\n    - {name: cov, run: make cov, optional: true, env: {V: \"1.25\"}}\n    - {name: unit, run: make, optional: false}\n"
	p, err := ParsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := queue.Recipe{
		Timeout: defaultTimeout, Quiet: defaultQuiet, Env: map[string]string{"MODE": "full", "EMPTY": ""},
		Steps: []queue.Step{{Name: "unit", Run: "make"}}, Optional: []queue.Step{{Name: "cov", Run: "make cov", Env: map[string]string{"V": "1.25"}}},
	}
	if !reflect.DeepEqual(p.Recipe, want) {
		t.Errorf("%+v", p.Recipe)
	}
	again, err := ParsePolicy(SamplePolicy(p.Recipe))
	if err != nil || again.Recipe.Digest() != p.Recipe.Digest() {
		t.Errorf("read back as %+v, %v", again.Recipe, err)
	}
	const one = "suite:\n  steps:\n    - {name: cov, run: x, optional: true}\n"
	for text, want := range map[string]string{
		one + "    - {name: unit, run: make, needs: [cov]}\n":        `needs "cov", which is optional: whether it passes must not matter to any other step`,
		one + "    - {name: cov, run: make}\n":                       `has the name "cov", which another step has`,
		"suite: {env: [A]}\n":                                        `suite.env wants variables with their values, as in {CI_MODE: "full"}`,
		"suite: {env: {A: 1.25}}\n":                                  "suite.env.A wants text, not 1.25; put it in quotes if you mean it",
		"suite: {env: {LANDER_RUN: x}}\n":                            "line 1, column 15: suite.env sets LANDER_RUN, which is lander's to set; remove it",
		"suite: {env: {HOME: /x}}\n":                                 "which is lander's to set",
		"suite: {env: {A-B: x}}\n":                                   `"A-B" is no name of a variable`,
		"suite: {env: {A: " + strings.Repeat("x", 9<<10) + "}}\n":    "at most 100 variables of 8192 bytes each",
		"suite:\n  steps:\n    - {name: a, run: b, optional: yes}\n": "wants true or false",
	} {
		if _, err := ParsePolicy([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
