package config

import (
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
)

func TestPolicySaysWhatResultsAreGoodFor(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]queue.Recipe{
		"suite: {retries: 0}":    {Retries: -1},
		"suite: {retries: 1}":    {},
		"suite: {retries: 3}":    {Retries: 3},
		"suite: {reuse: true}":   {},
		"suite: {reuse: false}":  {Reuse: -1},
		"suite: {reuse: 24h}":    {Reuse: 24 * time.Hour},
		"suite: {timeout: 1m}":   {},
		"suite: {reuse: 1m}":     {Reuse: time.Minute},
		"suite: {reuse: \"2h\"}": {Reuse: 2 * time.Hour},
	} {
		p, err := ParsePolicy([]byte(text))
		if err != nil || p.Recipe.Retries != want.Retries || p.Recipe.Reuse != want.Reuse {
			t.Errorf("%s: %+v, %v", text, p.Recipe, err)
			continue
		}
		p.Recipe.Steps = []queue.Step{{Name: "test", Run: "make"}}
		if back, err := ParsePolicy(SamplePolicy(p.Recipe)); err != nil || back.Recipe.Retries != want.Retries || back.Recipe.Reuse != want.Reuse {
			t.Errorf("%s is read back as %+v, %v", text, back.Recipe, err)
		}
	}
	for text, want := range map[string]string{
		"suite: {retries: -1}":  "suite.retries",
		"suite: {retries: 11}":  "suite.retries",
		"suite: {retries: yes}": "suite.retries",
		"suite: {reuse: 0s}":    "suite.reuse wants true, false or how long a green run counts",
		"suite: {reuse: 800h}":  "suite.reuse wants",
		"suite: {reuse: never}": "suite.reuse wants",
	} {
		if _, err := ParsePolicy([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
