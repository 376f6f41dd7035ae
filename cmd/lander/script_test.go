package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"lander/internal/store/embedded"
)

func TestMain(m *testing.M) {
	embedded.Supervise()
	testscript.Main(m, map[string]func(){"lander": func() { os.Exit(start(os.Args[1:])) }})
}

// TestScripts plays the sessions in testdata/script: what somebody types, and what comes of it. Beside testscript's own commands
// they know those of world_test.go.
func TestScripts(t *testing.T) {
	root, err := os.MkdirTemp("", "lander-cli-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(root); err != nil {
			t.Error(err)
		}
	})
	// Under root Postgres runs as another user, who must be able to walk here, and to what TestMain made.
	program, _, _ := strings.Cut(os.Getenv("PATH"), string(filepath.ListSeparator))
	for _, dir := range []string{root, filepath.Dir(program)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		WorkdirRoot:         root,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Cmds:                commands,
	})
}
