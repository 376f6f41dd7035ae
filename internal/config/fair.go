package config

import (
	"time"

	"github.com/goccy/go-yaml/ast"
)

const (
	mostRetries = 10
	longestKept = 30 * 24 * time.Hour
)

// fair are the keys of a suite that say what its results are good for.
func (f *policyFile) fair() []field {
	return []field{
		{name: "retries", read: f.retries},
		{name: "reuse", read: f.reuse},
	}
}

// retries says how often what failed runs again before it counts. The default is 1, and none at all is written as -1.
func (f *policyFile) retries(n ast.Node) {
	v, ok := f.number(n, "suite.retries", 0, mostRetries)
	switch {
	case !ok:
	case v == 0:
		f.policy.Recipe.Retries = -1
	case v > 1:
		f.policy.Recipe.Retries = v
	}
}

// reuse says for how long a green run counts when the same tree comes up again.
func (f *policyFile) reuse(n ast.Node) {
	if b, ok := n.(*ast.BoolNode); ok {
		if f.policy.Recipe.Reuse = -1; b.Value {
			f.policy.Recipe.Reuse = 0
		}
		return
	}
	s, _ := text(n)
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Minute || d > longestKept {
		f.at(n, sayReuse(shown(n)))
		return
	}
	f.policy.Recipe.Reuse = d
}
