package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
)

func TestChecks(t *testing.T) {
	t.Parallel()
	windows := queue.Check{Name: "windows-ci", App: "github-actions"}
	for text, want := range map[string]queue.Recipe{
		"checks: [{name: windows-ci, app: github-actions}]": {Checks: []queue.Check{windows}},
		"checks:\n- {app: github-actions, name: windows-ci}\n- {name: \"ci/jenkins: a b\", app: \"@ci-user\", timeout: 90m}": {
			Checks: []queue.Check{windows, {Name: "ci/jenkins: a b", App: "@ci-user", Timeout: 90 * time.Minute}},
		},
		"checks: [{name: windows-ci, app: github-actions}]\nsuite: {setup: [get], steps: [{name: unit, run: make}]}": {
			Setup: []string{"get"}, Steps: []queue.Step{{Name: "unit", Run: "make"}}, Checks: []queue.Check{windows},
		},
	} {
		p, err := ParsePolicy([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		want.Timeout, want.Quiet = defaultTimeout, defaultQuiet
		if !reflect.DeepEqual(p.Recipe, want) || p.Recipe.Empty() {
			t.Errorf("%s: %+v", text, p.Recipe)
		}
		again, err := ParsePolicy(SamplePolicy(p.Recipe))
		if err != nil || again.Recipe.Digest() != p.Recipe.Digest() {
			t.Errorf("%s: read back as %+v, %v", text, again.Recipe, err)
		}
	}
	if p, err := ParsePolicy([]byte("checks: []")); err != nil || !p.Recipe.Empty() {
		t.Errorf("no checks: %+v, %v", p.Recipe, err)
	}
}

func TestChecksThatAreWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"checks: [{name: ci}]":                                                  "checks, item 1 needs both name and app",
		"checks: [ci]":                                                          "checks, item 1",
		"checks: {name: ci, app: x}":                                            "checks wants",
		"checks: [{name: ci, ap: x}]":                                           `did you mean "checks, item 1.app"?`,
		"checks: [{name: ci, app: \"x y\"}]":                                    `wants as app the slug of a GitHub App`,
		"checks: [{name: ci, app: \"x[bot]\"}]":                                 `not "x[bot]"`,
		"checks: [{name: ci, app: \"\"}]":                                       "app",
		"checks: [{name: \"a\\nb\", app: x}]":                                   "wants a name of one line",
		"checks: [{name: setup, app: x}]":                                       `cannot be called "setup"`,
		"checks: [{name: ci, app: x, timeout: 25h}]":                            "timeout",
		"checks: [{name: ci, app: x, optional: true}]":                          "unknown key",
		"checks: [{name: ci, app: x}, {name: ci, app: y}]":                      `line 1, column 37: the name "ci" stands for another check or step already`,
		"checks: [{name: ci, app: x}]\nsuite: {steps: [{name: ci, run: make}]}": `line 1, column 17: the name "ci" stands for another check or step already`,
		"checks: [{name: ci, app: x}]\nsuite: {setup: [get]}":                   "line 2, column 16: suite.setup has no steps to come before",
	} {
		_, err := ParsePolicy([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
