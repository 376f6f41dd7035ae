package hub

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAHubThatIsOpenedAgainKnowsEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.pull("feature", map[string]string{"f": "1\n"})
	w.must2(w.hub.Approve(app, n, "mia"))
	w.must2(w.hub.Comment(app, n, "rita", "Hello."))
	w.must(w.hub.Protect(app, "main", Protection{Push: []string{"lander-bot"}}))
	e := w.listen("pull_request")
	e.names()
	before := w.get(n)
	w.must(w.hub.Close())

	// While nobody looks, the branch moves; only git saw it.
	dir := filepath.Join(w.dir, "repos", "acme", "app.git")
	src := t.TempDir()
	w.mustGit(w.dir, "clone", "--quiet", "--branch", "feature", dir, filepath.Join(src, "x"))
	sha := w.commit(filepath.Join(src, "x"), "f", "2\n")
	w.mustGit(filepath.Join(src, "x"), "push", "--quiet", "origin", "HEAD:feature")

	w.open()
	after := w.get(n)
	if after.HeadSHA != sha || after.CommitCount != 2 || len(after.Reviews) != 1 || len(after.Comments) != 1 || after.Reviews[0].SHA != before.HeadSHA {
		t.Errorf("pull request %+v", after)
	}
	if got := e.names(); !slices.Equal(got, []string{"pull_request.synchronize"}) {
		t.Errorf("heard %q", got)
	}
	w.ok(200, "mia", "GET", repoPath("/pulls/%d", n), nil, nil)
	if _, err := w.hub.Push(app, Push{By: "wim", Branch: "main", SHA: sha}); err == nil {
		t.Error("the protection was forgotten")
	}
	if err := w.hub.AddRepo(app, Seed{}); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("a second repository of the name: %v", err)
	}
}

func TestWhatTheLogMissedIsSeenInGit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.pull("feature", map[string]string{"f": "1\n"})
	w.must(w.hub.Close())
	dir := filepath.Join(w.dir, "repos", "acme", "app.git")
	w.mustGit(dir, "update-ref", "refs/heads/main", w.mustGit(dir, "rev-parse", "refs/heads/feature"))
	w.open()
	if p := w.get(n); !p.Merged {
		t.Errorf("pull request %+v, want it merged", p)
	}
}

func TestABrokenStateIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "hub.json")
	if err := os.WriteFile(name, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("error %v does not name %s", err, name)
	}
}

func TestSyncWritesBeforeItReturns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h, err := Open(dir, Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if _, err := h.AddUser(User{Login: "ada"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "hub.json"))
	if err != nil || !strings.Contains(string(text), `"login":"ada"`) {
		t.Errorf("state on disk: %s, %v", text, err)
	}
}
