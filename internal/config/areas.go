package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/goccy/go-yaml/ast"

	"lander/internal/queue"
)

// Touched says which areas files are in. A file of the barrier, one that no area has, and the policy file itself are in every area: what
// nobody spoke of may hang together with anything. No files are everything, too.
func Touched(r queue.AreaRules, paths []string) queue.Areas {
	var touched queue.Areas
	for _, path := range paths {
		known := false
		for _, a := range r.Areas {
			if matches(a.Globs, path) {
				known = true
				if !slices.Contains(touched, a.Name) {
					touched = append(touched, a.Name)
				}
			}
		}
		if !known || path == queue.PolicyFile || matches(r.Barrier, path) {
			return queue.Areas{queue.Everything}
		}
	}
	if len(touched) == 0 {
		return queue.Areas{queue.Everything}
	}
	slices.Sort(touched)
	return touched
}

// Unneeded says which steps of a recipe need not run where only some files differ from trunk. A step that one which runs names in its
// needs runs too. A change of the policy file needs all steps, and so does no change at all.
func Unneeded(r queue.Recipe, paths []string) queue.Unneeded {
	if len(paths) == 0 || slices.Contains(paths, queue.PolicyFile) {
		return nil
	}
	out := queue.Unneeded{}
	for _, s := range slices.Concat(r.Steps, r.Optional) {
		if len(s.Paths) > 0 && !slices.ContainsFunc(paths, func(p string) bool { return matches(s.Paths, p) }) {
			out[s.Name] = queue.SayUnneeded(s.Paths)
		}
	}
	out.Keep(r, "")
	return out
}

func matches(globs []string, path string) bool {
	return slices.ContainsFunc(globs, func(g string) bool { return doublestar.MatchUnvalidated(g, path) })
}

// areas reads which files make up which area.
func (f *policyFile) areas(n ast.Node) {
	m, ok := n.(ast.MapNode)
	if !ok {
		f.at(n, sayWantAreas())
		return
	}
	for it := m.MapRange(); it.Next(); {
		name, ok := f.text(it.Key(), "areas, name")
		if !ok {
			continue
		}
		switch {
		case name == queue.Everything || strings.TrimSpace(name) != name || strings.Contains(name, ",") || len([]rune(name)) > 100:
			f.at(it.Key(), sayAreaName(name))
		case slices.ContainsFunc(f.policy.Areas.Areas, func(a queue.Area) bool { return a.Name == name }):
			f.at(it.Key(), sayTwice("areas."+name))
		default:
			before := len(f.problems)
			globs := f.globs(it.Value(), "areas."+name)
			if len(globs) == 0 && len(f.problems) == before {
				f.at(it.Value(), sayNoGlobs("areas."+name))
			}
			f.policy.Areas.Areas = append(f.policy.Areas.Areas, queue.Area{Name: name, Globs: globs})
		}
	}
}

// globs reads patterns of paths.
func (f *policyFile) globs(n ast.Node, path string) []string {
	var all []string
	f.items(n, path, func(i int, v ast.Node) {
		where := fmt.Sprintf("%s, item %d", path, i)
		g, ok := f.text(v, where)
		switch {
		case !ok:
		case !doublestar.ValidatePattern(g) || strings.HasPrefix(g, "/") || strings.HasPrefix(g, "./") || strings.HasPrefix(g, "!") || strings.HasSuffix(g, "/"):
			f.at(v, sayGlob(where, g))
		default:
			all = append(all, g)
		}
	})
	return all
}
