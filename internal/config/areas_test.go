package config

import (
	"slices"
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
