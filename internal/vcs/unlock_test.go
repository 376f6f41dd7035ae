package vcs

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A git that was killed leaves its lock; whoever takes the mirror up again gets past it.
func TestAMirrorIsUnlocked(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	source := filepath.Join(t.TempDir(), "source.git")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(source, 0o755))
	far := Git{Dir: source}
	must(far.Run(ctx, "init", "-q", "--bare", "-b", "main"))
	grow := func(text string) {
		t.Helper()
		stream := "commit refs/heads/main\ncommitter A <a@example.com> 1700000000 +0000\ndata 1\n" + text + "\n"
		if text != "1" {
			stream += "from refs/heads/main^0\n"
		}
		_, err := far.Output(ctx, []byte(stream), "fast-import", "--quiet")
		must(err)
	}
	grow("1")
	dir := filepath.Join(t.TempDir(), "mirror.git")
	first := &Repo{Dir: dir, Remote: source}
	must(first.Init(ctx))
	_, err := first.Fetch(ctx, "main")
	must(err)

	grow("2")
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{trunkRef("main") + ".lock", "packed-refs.lock", "HEAD.lock", "objects/info/commit-graph.lock"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		must(os.WriteFile(path, nil, 0o600))
		must(os.Chtimes(path, old, old))
	}
	if _, err := first.Fetch(ctx, "main"); err == nil {
		t.Fatal("git fetched past a lock: there is nothing to unlock")
	}
	again := &Repo{Dir: dir, Remote: source}
	must(again.Init(ctx))
	if _, err := again.Fetch(ctx, "main"); err != nil {
		t.Error(err)
	}

	// A lock that somebody may still hold is waited for.
	young := filepath.Join(dir, "packed-refs.lock")
	must(os.WriteFile(young, nil, 0o600))
	short, stop := context.WithTimeout(ctx, abandoned/10)
	defer stop()
	if err := (Git{Dir: dir}).Unlock(short); err == nil {
		t.Error("a young lock was taken away")
	}
	must(Git{Dir: dir}.Unlock(ctx))
	if _, err := os.Stat(young); err == nil {
		t.Error("a lock that nobody gave back is still there")
	}
}

// A git that is no longer wanted takes its locks with it.
func TestACancelledGitLeavesNoLock(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "source.git")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	git := Git{Dir: dir}
	if err := git.Run(t.Context(), "init", "-q", "--bare", "-b", "main"); err != nil {
		t.Fatal(err)
	}
	made, err := git.Text(t.Context(), "-c", "user.name=a", "-c", "user.email=a@example.com", "commit-tree", "-m", "1", treeOfNothing(t, git))
	if err != nil {
		t.Fatal(err)
	}
	in, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer feed.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	over := make(chan error, 1)
	go func() { over <- git.Stream(ctx, in, nil, "update-ref", "--stdin") }()
	if _, err := feed.WriteString("start\ncreate refs/heads/main " + made + "\nprepare\n"); err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(dir, "refs", "heads", "main.lock")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) { // between two looks
		if _, err := os.Stat(lock); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("git takes no lock")
		}
	}
	cancel()
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-over; err == nil {
		t.Fatal("git was not cancelled")
	}
	if _, err := os.Stat(lock); err == nil {
		t.Error("the lock is still there")
	}
}

func treeOfNothing(t *testing.T, git Git) string {
	t.Helper()
	out, err := git.Output(t.Context(), nil, "mktree")
	if err != nil {
		t.Fatal(err)
	}
	return string(out[:len(out)-1])
}
