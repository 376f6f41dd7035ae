package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/store/embedded"
	"lander/internal/vcs"
)

func TestMain(m *testing.M) {
	embedded.Supervise()
	if dir := os.Getenv(storyVariable); dir != "" {
		os.Exit(playAsProcess(dir))
	}
	os.Exit(m.Run())
}

// dataDir is a directory that the user whom Postgres runs as can walk to.
func dataDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "lander-demo-test-")
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func options(tb testing.TB) Options {
	tb.Helper()
	dir := dataDir(tb)
	log, err := os.Create(filepath.Join(dir, "lander.log"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = log.Close()
		if tb.Failed() {
			text, _ := os.ReadFile(log.Name())
			lines := strings.Split(string(text), "\n")
			tb.Logf("the end of the log:\n%s", strings.Join(lines[max(0, len(lines)-60):], "\n"))
		}
	})
	return Options{Data: dir, Log: zerolog.New(log).With().Timestamp().Logger()}
}

func TestTheStoryPlaysOut(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	r, err := Play(ctx, options(t), func(n News) {
		if n.Line != "" {
			t.Log(n.Line)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Fates {
		if !f.Met {
			t.Errorf("#%d %s: %s (%s), expected %s", f.Number, f.Title, f.Actual, f.Reason, f.Expected)
		}
	}
	for _, w := range r.Wrong {
		t.Error(w)
	}
	if !r.OK || len(r.Fates) != 19 {
		t.Errorf("%d fates, ok %v", len(r.Fates), r.OK)
	}
}

// A history with a merge, and with a merge that somebody mended by hand, comes out with the same files.
func TestAHistoryLandsAgain(t *testing.T) {
	dir := t.TempDir()
	git := vcs.Git{Dir: dir}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := git.Run(ctx, "init", "-q", "--bare", "-b", "main"); err != nil {
		t.Fatal(err)
	}
	var stream strings.Builder
	commit := func(mark int, branch, message string, from, merge int, files map[string]string) {
		fmt.Fprintf(&stream, "commit refs/heads/%s\nmark :%d\nauthor A U Thor <a@example.com> %d +0100\ncommitter C <c@example.com> %d +0000\ndata %d\n%s\n",
			branch, mark, 1700000000+mark, 1700000000+mark, len(message), message)
		if from > 0 {
			fmt.Fprintf(&stream, "from :%d\n", from)
		}
		if merge > 0 {
			fmt.Fprintf(&stream, "merge :%d\n", merge)
		}
		for path, text := range files {
			fmt.Fprintf(&stream, "M 100644 inline %s\ndata %d\n%s\n", path, len(text), text)
		}
	}
	commit(1, "main", "one", 0, 0, map[string]string{"a": "1\n", "b": "1\n"})
	commit(2, "main", "two", 1, 0, map[string]string{"a": "2\n"})
	commit(3, "side", "side, first", 1, 0, map[string]string{"c": "1\n"})
	commit(4, "side", "side, second", 3, 0, map[string]string{"c": "2\n"})
	commit(5, "main", "merge side", 2, 4, map[string]string{"c": "2\n"})
	commit(6, "main", "three", 5, 0, map[string]string{"b": "2\n"})
	commit(7, "other", "other", 5, 0, map[string]string{"b": "3\n"})
	commit(8, "main", "merge other, mended", 6, 7, map[string]string{"b": "2 and 3\n"})
	commit(9, "main", "four", 8, 0, map[string]string{"d": "1\n"})
	if _, err := git.Output(ctx, []byte(stream.String()), "fast-import", "--quiet"); err != nil {
		t.Fatal(err)
	}
	r, err := Replay(ctx, options(t), ReplayOptions{Repo: dir, Last: 50, Suite: "test -f a"}, func(Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	if r.Landed != 5 || r.Of != 5 || !r.TreeEqual || r.Merges != 2 || r.Remade != 1 || r.SameCommit {
		t.Fatalf("%+v", r)
	}

	// Without the merges the history is straight, and then even the commit is the same.
	r, err = Replay(ctx, options(t), ReplayOptions{Repo: dir, Last: 1, Suite: "test -f d"}, func(Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	if r.Landed != 1 || !r.SameCommit {
		t.Fatalf("%+v", r)
	}

	// A suite that is red lands nothing, and says what differs.
	r, err = Replay(ctx, options(t), ReplayOptions{Repo: dir, Last: 1, Suite: "false"}, func(Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	if r.Landed != 0 || r.TreeEqual || len(r.Left) != 1 || !strings.Contains(r.Difference, "d") {
		t.Fatalf("%+v", r)
	}
}
