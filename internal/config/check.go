package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"lander/internal/queue"
)

// appForm is the slug of a GitHub App, or @ and a login.
var appForm = regexp.MustCompile(`^@?[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)

// checkName is a name that stands in the file, and where.
type checkName struct {
	name string
	node ast.Node
}

// check reads one check that is run elsewhere.
func (f *policyFile) check(i int, n ast.Node) {
	path := fmt.Sprintf("checks, item %d", i)
	var c queue.Check
	var at ast.Node
	given := 0
	before := len(f.problems)
	f.mapping(n, path, []field{
		{name: "name", read: func(v ast.Node) {
			given++
			name, ok := f.text(v, path+", name")
			if ok && (name == setupName || strings.ContainsAny(name, "\n\t") || strings.TrimSpace(name) != name || len([]rune(name)) > 200) {
				f.at(v, sayCheckName(path, name))
			}
			c.Name, at = name, v
		}},
		{name: "app", read: func(v ast.Node) {
			given++
			app, ok := f.text(v, path+", app")
			if ok && !appForm.MatchString(app) {
				f.at(v, sayCheckApp(path, app))
			}
			c.App = app
		}},
		{name: "timeout", read: func(v ast.Node) {
			if d, ok := f.duration(v, path+", timeout", time.Second, longest); ok {
				c.Timeout = d
			}
		}},
	})
	if given < 2 && len(f.problems) == before {
		f.at(n, sayCheckKeys(path))
	}
	if len(f.problems) > before {
		return
	}
	f.checks = append(f.checks, checkName{c.Name, at})
	f.policy.Recipe.Checks = append(f.policy.Recipe.Checks, c)
}

// together finds what is wrong with the checks beside the suite, wherever in the file they stand: each of both is known by its name alone.
func (f *policyFile) together() {
	r := f.policy.Recipe
	for i, c := range f.checks {
		other := slices.ContainsFunc(f.checks[:i], func(o checkName) bool { return o.name == c.name })
		if other || slices.ContainsFunc(r.Steps, func(s queue.Step) bool { return s.Name == c.name }) {
			f.at(c.node, sayCheckTwice(c.name))
		}
	}
	if f.setup != nil && len(r.Setup) > 0 && len(r.Steps) == 0 && len(r.Checks) > 0 {
		f.at(f.setup, saySetupAlone())
	}
}
