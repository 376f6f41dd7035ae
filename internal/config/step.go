package config

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"lander/internal/queue"
)

func (f *policyFile) step(i int, n ast.Node) {
	path := fmt.Sprintf("suite.steps, step %d", i)
	var s queue.Step
	given, good, optional := 0, 0, false
	var rerun ast.Node
	fields := []field{
		{name: "name", read: func(v ast.Node) {
			given++
			name, ok := f.text(v, path+", name")
			if !ok {
				return
			}
			switch {
			case name == setupName || strings.ContainsAny(name, "\n\t") || strings.TrimSpace(name) != name || len([]rune(name)) > 100:
				f.at(v, sayStepName(path, name))
				return
			case slices.ContainsFunc(slices.Concat(f.policy.Recipe.Steps, f.policy.Recipe.Optional), named(name)):
				f.at(v, sayStepTwice(path, name))
				return
			}
			s.Name, good = name, good+1
		}},
		{name: "run", read: func(v ast.Node) {
			given++
			if cmd, ok := f.command(v, path+", run"); ok {
				s.Run, good = cmd, good+1
			}
		}},
		{name: "needs", read: func(v ast.Node) { s.Needs = f.needs(v, path) }},
		{name: "timeout", read: func(v ast.Node) { f.stepLimit(v, path, "timeout", &s.Timeout) }},
		{name: "quiet", read: func(v ast.Node) { f.stepLimit(v, path, "quiet", &s.Quiet) }},
		{name: "optional", read: func(v ast.Node) { optional = f.flag(v, path+", optional") }},
		{name: "env", read: func(v ast.Node) { s.Env = f.env(v, path+", env") }},
		{name: "paths", read: func(v ast.Node) {
			before := len(f.problems)
			if s.Paths = f.globs(v, path+", paths"); len(s.Paths) == 0 && len(f.problems) == before {
				f.at(v, sayNoGlobs(path+", paths"))
			}
		}},
		{name: "network", read: func(v ast.Node) { s.Network = f.flag(v, path+", network") }},
		{name: "results", read: func(v ast.Node) { s.Results = f.results(v, path+", results") }},
		{name: "rerun", read: func(v ast.Node) { s.Rerun, rerun = f.rerun(v, path+", rerun"), v }},
	}
	before := len(f.problems)
	f.mapping(n, path, append(fields, later(path, "shards")...))
	if given < 2 && len(f.problems) == before {
		f.at(n, sayStepKeys(path))
	}
	if rerun != nil && s.Results.Format == "" && len(f.problems) == before {
		f.at(rerun, sayRerunAlone(path))
	}
	if good == 2 && optional {
		f.policy.Recipe.Optional = append(f.policy.Recipe.Optional, s)
	} else if good == 2 {
		f.policy.Recipe.Steps = append(f.policy.Recipe.Steps, s)
	}
}

// stepLimit is a limit of a step, which is to be held against the suite's when that is known.
type stepLimit struct {
	node      ast.Node
	path, key string
	is        time.Duration
}

func (f *policyFile) stepLimit(n ast.Node, path, key string, into *time.Duration) {
	f.limit(n, path+", "+key, into)
	f.limits = append(f.limits, stepLimit{n, path, key, *into})
}

func named(name string) func(queue.Step) bool {
	return func(s queue.Step) bool { return s.Name == name }
}

// Bounds of an environment: what every system can start a program with.
const (
	mostEnv   = 100
	mostValue = 8 << 10
)

// env reads variables and their values.
func (f *policyFile) env(n ast.Node, path string) map[string]string {
	m, ok := n.(ast.MapNode)
	if !ok {
		f.at(n, sayWantEnv(path))
		return nil
	}
	env := map[string]string{}
	for it := m.MapRange(); it.Next(); {
		name, ok := f.text(it.Key(), path+", name")
		if !ok {
			continue
		}
		value := ""
		if s, is := it.Value().(*ast.StringNode); !is || s.Value != "" {
			if value, ok = f.text(it.Value(), path+"."+name); !ok {
				continue
			}
		}
		switch {
		case !queue.EnvName(name):
			f.at(it.Key(), sayEnvName(path, name))
		case len(value) > mostValue || len(env) == mostEnv:
			f.at(it.Value(), sayEnvSize(path))
		default:
			env[name] = value
		}
	}
	if len(env) == 0 {
		return nil
	}
	return env
}

// needs reads the names of steps that come before one.
func (f *policyFile) needs(n ast.Node, path string) []string {
	names := []string{}
	f.items(n, path+", needs", func(_ int, v ast.Node) {
		name, ok := f.text(v, path+", needs")
		if !ok {
			return
		}
		if slices.ContainsFunc(f.policy.Recipe.Optional, named(name)) {
			f.at(v, sayNeedsOptional(path, name))
			return
		}
		if !slices.ContainsFunc(f.policy.Recipe.Steps, named(name)) {
			f.at(v, sayNeeds(path, name))
			return
		}
		names = append(names, name)
	})
	return names
}

// results reads where a step tells of its tests.
func (f *policyFile) results(n ast.Node, where string) (r queue.Results) {
	known := []string{string(queue.ResultsGo), string(queue.ResultsTAP)}
	if _, ok := n.(ast.MapNode); ok {
		f.mapping(n, where, []field{{name: string(queue.ResultsJUnit), read: func(v ast.Node) {
			if files, ok := f.text(v, where+"."+string(queue.ResultsJUnit)); ok && f.pattern(v, where, files) {
				r = queue.Results{Format: queue.ResultsJUnit, Files: files}
			}
		}}})
		return r
	}
	s, _ := text(n)
	switch {
	case slices.Contains(known, s):
		return queue.Results{Format: queue.ResultFormat(s)}
	case s == string(queue.ResultsJUnit):
		f.at(n, sayReports(where))
	default:
		f.at(n, sayWantResults(where, s, known, shown(n)))
	}
	return r
}

// pattern checks paths inside the checkout.
func (f *policyFile) pattern(n ast.Node, where, files string) bool {
	_, err := path.Match(files, "")
	clean := path.Clean(files)
	if err != nil || path.IsAbs(files) || clean != files || clean == "." || clean == ".." || strings.HasPrefix(clean, "../") || strings.ContainsAny(files, "\n\t") || len(files) > 300 {
		f.at(n, sayPattern(where, files))
		return false
	}
	return true
}

// rerunWords are what stands for the tests that run again.
var (
	rerunWords = []string{"names", "tests", "packages", "regex"}
	rerunWord  = regexp.MustCompile(`\{\{([^{}]*)\}\}`)
)

// rerun reads a command with words that stand for tests. These become arguments, which need no quotes, and in quotes would be something
// else than they seem.
func (f *policyFile) rerun(n ast.Node, where string) string {
	cmd, ok := f.command(n, where)
	if !ok {
		return ""
	}
	for _, at := range rerunWord.FindAllStringSubmatchIndex(cmd, -1) {
		word := strings.TrimSpace(cmd[at[2]:at[3]])
		switch {
		case !slices.Contains(rerunWords, word):
			f.at(n, sayRerunWord(where, word))
			return ""
		case inQuotes(cmd[:at[0]]) || !apart(cmd, at[0], at[1]):
			f.at(n, sayRerunQuoted(where, word))
			return ""
		}
	}
	return cmd
}

// inQuotes reports whether a shell that has read this much is inside quotes.
func inQuotes(read string) bool {
	var in rune
	escaped := false
	for _, c := range read {
		switch {
		case escaped:
			escaped = false
		case c == '\\' && in != '\'':
			escaped = true
		case in != 0:
			if c == in {
				in = 0
			}
		case c == '\'' || c == '"' || c == '`':
			in = c
		}
	}
	return in != 0 || escaped
}

// apart reports whether what is between two places is a word by itself, or the value of an option.
func apart(cmd string, from, to int) bool {
	before := from == 0 || strings.ContainsRune(" \t\n=(", rune(cmd[from-1]))
	after := to == len(cmd) || strings.ContainsRune(" \t\n;)&|", rune(cmd[to]))
	return before && after
}
