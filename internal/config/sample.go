package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lander/internal/queue"
)

// SamplePolicy writes the policy file that a repository begins with: the defaults, spelled out, and the recipe. ParsePolicy reads
// the same recipe back. A limit of 0 is written as its default.
func SamplePolicy(recipe queue.Recipe) []byte {
	if recipe.Timeout == 0 {
		recipe.Timeout = defaultTimeout
	}
	if recipe.Quiet == 0 {
		recipe.Quiet = defaultQuiet
	}
	var b bytes.Buffer
	b.WriteString(sampleHead)
	fmt.Fprintf(&b, sampleSuite, span(recipe.Timeout), span(recipe.Quiet))
	if recipe.Start > 0 {
		fmt.Fprintf(&b, "  start: %s\n", span(recipe.Start))
	}
	sampleEnv(&b, "  ", recipe.Env)
	if len(recipe.Setup) > 0 {
		b.WriteString(sampleSetup)
		for _, cmd := range recipe.Setup {
			fmt.Fprintf(&b, "    - %s\n", quoted(cmd))
		}
	}
	switch {
	case recipe.Retries < 0:
		b.WriteString("  retries: 0\n")
	case recipe.Retries > 1:
		fmt.Fprintf(&b, "  retries: %d\n", recipe.Retries)
	}
	switch {
	case recipe.Reuse < 0:
		b.WriteString("  reuse: false\n")
	case recipe.Reuse > 0:
		fmt.Fprintf(&b, "  reuse: %s\n", span(recipe.Reuse))
	}
	if len(recipe.Steps)+len(recipe.Optional) == 0 {
		if len(recipe.Checks) == 0 {
			b.WriteString(sampleNoSteps)
		} else {
			b.WriteString("  steps: []\n")
		}
		sampleChecks(&b, recipe.Checks)
		return b.Bytes()
	}
	b.WriteString(sampleSteps)
	for i, s := range slices.Concat(recipe.Steps, recipe.Optional) {
		fmt.Fprintf(&b, "    - name: %s\n      run: %s\n", quoted(s.Name), quoted(s.Run))
		if s.Needs != nil {
			var names []string
			for _, n := range s.Needs {
				names = append(names, quoted(n))
			}
			fmt.Fprintf(&b, "      needs: [%s]\n", strings.Join(names, ", "))
		}
		switch {
		case s.Results.Files != "":
			fmt.Fprintf(&b, "      results: {%s: %s}\n", s.Results.Format, quoted(s.Results.Files))
		case s.Results.Format != "":
			fmt.Fprintf(&b, "      results: %s\n", s.Results.Format)
		}
		if s.Rerun != "" {
			fmt.Fprintf(&b, "      rerun: %s\n", quoted(s.Rerun))
		}
		if s.Timeout > 0 {
			fmt.Fprintf(&b, "      timeout: %s\n", span(s.Timeout))
		}
		if s.Quiet > 0 {
			fmt.Fprintf(&b, "      quiet: %s\n", span(s.Quiet))
		}
		if len(s.Paths) > 0 {
			globs := make([]string, len(s.Paths))
			for i, g := range s.Paths {
				globs[i] = quoted(g)
			}
			fmt.Fprintf(&b, "      paths: [%s]\n", strings.Join(globs, ", "))
		}
		sampleEnv(&b, "      ", s.Env)
		if i >= len(recipe.Steps) {
			b.WriteString("      optional: true\n")
		}
		if s.Network {
			b.WriteString("      network: true\n")
		}
	}
	sampleChecks(&b, recipe.Checks)
	return b.Bytes()
}

func sampleEnv(b *bytes.Buffer, indent string, env map[string]string) {
	if len(env) == 0 {
		return
	}
	b.WriteString(indent + "env:\n")
	for _, name := range slices.Sorted(maps.Keys(env)) {
		fmt.Fprintf(b, "%s  %s: %s\n", indent, quoted(name), quoted(env[name]))
	}
}

func sampleChecks(b *bytes.Buffer, checks []queue.Check) {
	for i, c := range checks {
		if i == 0 {
			b.WriteString("checks:\n")
		}
		fmt.Fprintf(b, "  - name: %s\n    app: %s\n", quoted(c.Name), quoted(c.App))
		if c.Timeout != 0 {
			fmt.Fprintf(b, "    timeout: %s\n", span(c.Timeout))
		}
	}
}

// quoted is s as a YAML value: plain where that can be nothing else, in double quotes otherwise.
func quoted(s string) string {
	if plain(s) {
		return s
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b) // a JSON text is a YAML double-quoted one
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func plain(s string) bool {
	switch strings.ToLower(s) {
	case "", "true", "false", "yes", "no", "on", "off", "null", "y", "n":
		return false
	}
	if first := s[0]; (first < 'a' || first > 'z') && (first < 'A' || first > 'Z') {
		return false
	}
	for _, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune(" -_./=+", rune(c)) {
			return false
		}
	}
	return !strings.HasSuffix(s, " ")
}
