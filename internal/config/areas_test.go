package config

import (
	"slices"
	"strings"
	"testing"

	"lander/internal/queue"
)

func TestTouched(t *testing.T) {
	t.Parallel()
	p, err := ParsePolicy([]byte(`
areas:
  web: ["web/**", "shared/*.css"]
  api: ["api/**", "**/*.proto"]
  root: ["*.md"]
barrier: [go.mod, "api/schema/**", "**/Makefile"]
`))
	if err != nil {
		t.Fatal(err)
	}
	everything := queue.Areas{queue.Everything}
	for _, c := range []struct {
		name  string
		paths []string
		want  queue.Areas
	}{
		{"one area", []string{"api/a.go", "api/deep/er/b.go"}, queue.Areas{"api"}},
		{"several areas are sorted by name", []string{"web/x.ts", "README.md", "api/a.go"}, queue.Areas{"api", "root", "web"}},
		{"one file in two areas", []string{"web/calls.proto"}, queue.Areas{"api", "web"}},
		{"a star stays in its folder", []string{"shared/x.css"}, queue.Areas{"web"}},
		{"a star goes no deeper", []string{"shared/deep/x.css"}, everything},
		{"a star of the root is not one of folders", []string{"docs/guide.md"}, everything},
		{"capitals count", []string{"API/a.go"}, everything},
		{"hidden files are files", []string{"api/.env", "web/.ci/run"}, queue.Areas{"api", "web"}},
		{"names that look like globs", []string{"api/[x]*?.go"}, queue.Areas{"api"}},
		{"names that git would quote", []string{"web/\xff\n\u00e9"}, queue.Areas{"web"}},
		{"the barrier", []string{"api/a.go", "go.mod"}, everything},
		{"the barrier goes before an area", []string{"api/schema/1.sql"}, everything},
		{"the barrier in any folder", []string{"web/Makefile"}, everything},
		{"a file of no area", []string{"api/a.go", "tools/x"}, everything},
		{"the policy file", []string{queue.PolicyFile}, everything},
		{"no files", nil, everything},
	} {
		if got := Touched(p.Areas, c.paths); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q touch %q, want %q", c.name, c.paths, got, c.want)
		}
	}
}

// Who writes the policy may think to hold it in an area; what it says holds for all of them.
func TestThePolicyFileIsInNoAreaOfItsOwn(t *testing.T) {
	t.Parallel()
	rules := queue.AreaRules{Areas: []queue.Area{{Name: "all", Globs: []string{"**"}}}}
	for path, want := range map[string]string{queue.PolicyFile: queue.Everything, "sub/" + queue.PolicyFile: "all"} {
		if got := Touched(rules, []string{path}); !slices.Equal(got, queue.Areas{want}) {
			t.Errorf("%s touches %q, want %q", path, got, want)
		}
	}
}

func TestNoAreasAreEverything(t *testing.T) {
	t.Parallel()
	if got := Touched(queue.AreaRules{}, []string{"api/a.go"}); !slices.Equal(got, queue.Areas{queue.Everything}) {
		t.Errorf("touches %q", got)
	}
}

func TestStepsThatAreNotNeeded(t *testing.T) {
	t.Parallel()
	r := queue.Recipe{
		Steps: []queue.Step{
			{Name: "gen", Paths: []string{"proto/**"}},
			{Name: "api", Paths: []string{"api/**", "**/*.go"}, Needs: []string{"gen"}},
			{Name: "web", Paths: []string{"web/**"}, Needs: []string{}},
			{Name: "unit", Needs: []string{}},
			{Name: "site", Paths: []string{"docs/*"}},
		},
		Optional: []queue.Step{{Name: "links", Paths: []string{"docs/**"}, Needs: []string{"site"}}},
	}
	for paths, want := range map[string]string{
		"README.md":             "api gen links site web",
		"web/app/x.js":          "api gen links site",
		"cmd/main.go":           "links site web", // gen is needed by what runs
		"proto/a.proto":         "api links site web",
		"docs/a/b.md":           "api gen web", // site is needed by links
		"docs/a.md web/x":       "api gen",
		".lander.yml":           "",
		"README.md .lander.yml": "",
		"":                      "",
		"web":                   "api gen links site", // a file in the place of the folder
	} {
		out := Unneeded(r, strings.Fields(paths))
		var names []string
		for name, why := range out {
			names = append(names, name)
			if !strings.HasPrefix(why, "not needed: nothing differs from trunk in ") {
				t.Errorf("%s: %s", name, why)
			}
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", paths, got, want)
		}
	}
	if why := queue.SayUnneeded([]string{"a", "b", "c", "d", "e", "f"}); why != "not needed: nothing differs from trunk in a, b, c, d and 2 more" {
		t.Error(why)
	}
	p, err := ParsePolicy([]byte("suite:\n  steps:\n    - {name: web, run: npm test, paths: [\"web/**\", \"**/*.ts\"]}\n"))
	if err != nil || !slices.Equal(p.Recipe.Steps[0].Paths, []string{"web/**", "**/*.ts"}) {
		t.Fatalf("%+v, %v", p.Recipe, err)
	}
	if again, err := ParsePolicy(SamplePolicy(p.Recipe)); err != nil || again.Recipe.Digest() != p.Recipe.Digest() {
		t.Errorf("read back as %+v, %v", again.Recipe, err)
	}
	for text, want := range map[string]string{
		"[]":       "paths needs at least one glob",
		"[/web]":   `"/web" is no glob of paths from the root of the repository`,
		"[web/]":   "is no glob",
		"web/**":   "wants a list",
		"[\"a[\"]": "is no glob",
	} {
		if _, err := ParsePolicy([]byte("suite:\n  steps:\n    - {name: web, run: npm test, paths: " + text + "}\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
