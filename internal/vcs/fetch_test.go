package vcs

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lander/internal/queue"
)

func TestFetchBringsTrunkAndHeads(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, format)
			w.play(func(s *script) {
				s.commit("base", tree{"a": "a\n"})
				s.commit("one", tree{"a": "1\n"}, "base")
				s.commit("two", tree{"a": "2\n"}, "base")
			})
			w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(w.ids["base"])))
			w.must(w.repo.Init(w.ctx))
			w.must(w.repo.Init(w.ctx)) // nothing happens to a mirror that is there
			tip, err := w.repo.Fetch(w.ctx, "main", Want{Head: w.ids["one"]}, Want{Head: w.ids["two"], Number: 2}, Want{Head: w.ids["one"]})
			w.must(err)
			if tip != w.ids["base"] || !w.repo.Has(w.ctx, w.ids["one"]) || !w.repo.Has(w.ctx, w.ids["two"]) {
				t.Fatal("not everything came")
			}
			// What is pinned survives the strictest collection and the loss of its ref on the remote.
			w.must(w.repo.git().Run(w.ctx, "gc", "--quiet", "--prune=now"))
			w.must(w.origin.Run(w.ctx, "update-ref", "-d", "refs/made/2"))
			_, err = w.repo.Fetch(w.ctx, "main", Want{Head: w.ids["one"]})
			w.must(err)
			if !w.repo.Has(w.ctx, w.ids["one"]) {
				t.Fatal("a pinned head was collected")
			}
			w.must(w.repo.Tidy(w.ctx, w.ids["two"]))
			out, err := w.repo.git().Text(w.ctx, "for-each-ref", "--format=%(refname)", "refs/lander/heads")
			w.must(err)
			if out != headRef(w.ids["two"]) {
				t.Fatalf("kept %q", out)
			}
		})
	}
}

func TestFetchFollowsARewoundTrunk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("base", tree{"a": "a\n"})
		s.commit("next", tree{"a": "1\n"}, "base")
	}).mirror("next")
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(w.ids["base"])))
	tip, err := w.repo.Fetch(w.ctx, "main")
	w.must(err)
	if tip != w.ids["base"] {
		t.Fatalf("tip %s", tip)
	}
}

func TestMissingBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) { s.commit("base", tree{"a": "a\n"}) }).mirror("base")
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/x/refs/heads/gone", string(w.ids["base"]))) // ends in the name, but is not it
	if _, err := w.repo.Tip(w.ctx, "gone"); !errors.Is(err, ErrNoBranch) {
		t.Errorf("tip: got %v", err)
	}
	if _, err := w.repo.Fetch(w.ctx, "gone"); !errors.Is(err, ErrNoBranch) {
		t.Errorf("fetch: got %v", err)
	}
	w.repo.Remote = "file:///nonexistent/repo.git"
	var exit *ExitError
	if _, err := w.repo.Fetch(w.ctx, "main"); !errors.As(err, &exit) || errors.Is(err, ErrNoBranch) {
		t.Errorf("fetch from nowhere: got %v", err)
	}
}

func TestMissingHeads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("base", tree{"a": "a\n"})
		s.commit("one", tree{"a": "1\n"}, "base")
	})
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(w.ids["base"])))
	w.must(w.repo.Init(w.ctx))
	gone := queue.SHA(strings.Repeat("5", 40))
	tip, err := w.repo.Fetch(w.ctx, "main", Want{Head: gone, Number: 7}, Want{Head: w.ids["one"], Number: 8})
	var missing *MissingError
	if !errors.As(err, &missing) || !slices.Equal(missing.Heads, []queue.SHA{gone}) || tip != w.ids["base"] {
		t.Fatalf("got %s, %v", tip, err)
	}
	if !w.repo.Has(w.ctx, w.ids["one"]) {
		t.Fatal("one missing head kept another away")
	}
}

// Some servers do not hand out commits by id: the pull request's ref leads to its head, if it still contains it.
func TestHeadsByWayOfTheirPullRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("base", tree{"a": "a\n"})
		s.commit("one", tree{"a": "1\n"}, "base")
		s.commit("two", tree{"a": "2\n"}, "one")
		s.commit("replaced", tree{"a": "3\n"}, "base")
	})
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(w.ids["base"])))
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/pull/7/head", string(w.ids["two"])))
	w.must(w.repo.Init(w.ctx))
	out, err := w.origin.Output(w.ctx, nil, "for-each-ref", "--format=delete %(refname)", "refs/made")
	w.must(err)
	_, err = w.origin.Output(w.ctx, out, "update-ref", "--stdin")
	w.must(err)
	w.serve(func(in *http.Request) { in.Header.Del("Git-Protocol") }) // makes it speak the first protocol, which is that strict
	if w.repo.fetch(w.ctx, string(w.ids["one"])) == nil {
		t.Fatal("the server hands out commits by id")
	}
	for name, want := range map[string]bool{"one": true, "replaced": false} {
		_, err := w.repo.Fetch(w.ctx, "main", Want{Head: w.ids[name], Number: 7})
		var missing *MissingError
		if got := err == nil; got != want || !want && !errors.As(err, &missing) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestFsckLetsOldHarmlessFaultsThrough(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) { s.commit("base", tree{"a": "a\n"}) })
	blob := w.rawObject("blob", "x\n")
	id := string(unhex(t, string(blob)))
	padded := w.rawObject("tree", "0100644 a\x00"+id)
	bad := w.rawObject("tree", "100644 .git\x00"+id)
	old := w.rawObject("commit", "tree "+string(padded)+"\nauthor Nobody <> 1 +0000\ncommitter No <body@x> 999999999 +051800\n\nold\n")
	evil := w.rawObject("commit", "tree "+string(bad)+"\nauthor A <a@x> 1 +0000\ncommitter A <a@x> 1 +0000\n\nevil\n")
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(old)))
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/evil", string(evil)))
	w.must(w.repo.Init(w.ctx))
	if _, err := w.repo.Fetch(w.ctx, "main"); err != nil {
		t.Errorf("an old history: %v", err)
	}
	if _, err := w.repo.Fetch(w.ctx, "evil"); err == nil || w.repo.Has(w.ctx, evil) {
		t.Errorf("a tree with .git in it came in: %v", err)
	}
}

func (w *world) rawObject(kind, text string) queue.SHA {
	w.t.Helper()
	out, err := w.origin.Output(w.ctx, []byte(text), "hash-object", "-w", "--literally", "--stdin", "-t", kind)
	w.must(err)
	return queue.SHA(strings.TrimSpace(string(out)))
}

func TestInitSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	empty := newWorld(t, "sha1")
	for name, c := range map[string]struct {
		repo *Repo
		want string
	}{
		"empty remote":      {empty.repo, "no branch yet"},
		"relative mirror":   {&Repo{Dir: "mirror", Remote: "/x"}, "not an absolute path"},
		"password in URL":   {&Repo{Dir: "/nonexistent/m", Remote: "https://me:hunter2@example.com/x"}, "holds a user name or a password"},
		"other scheme":      {&Repo{Dir: "/nonexistent/m", Remote: "ext::sh -c id"}, "want an http"},
		"an option":         {&Repo{Dir: "/nonexistent/m", Remote: "--upload-pack=x"}, "want an http"},
		"no such remote":    {&Repo{Dir: filepath.Join(t.TempDir(), "m"), Remote: "file:///nonexistent/x"}, "open remote"},
		"branch, not a URL": {&Repo{Dir: "/nonexistent/m", Remote: "origin"}, "want an http"},
	} {
		err := c.repo.Init(context.Background())
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestOldGitIsRefused(t *testing.T) {
	t.Parallel()
	for out, ok := range map[string]bool{
		"git version 2.39.5": true, "git version 2.38.0.rc1": true, "git version 2.45.2 (Apple Git-154)": true, "git version 3.0": true,
		"git version 2.37.7": false, "git version 1.9.1": false, "gitty": false,
	} {
		if err := oldEnough(out); (err == nil) != ok {
			t.Errorf("%s: %v", out, err)
		}
	}
}

func TestMissingGit(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := CheckVersion(context.Background()); err == nil || err.Error() != sayNoGit {
		t.Fatalf("got %v", err)
	}
	if _, err := exec.LookPath("git"); err == nil {
		t.Fatal("git is still there")
	}
}

func TestCancelEndsGitAndItsChildren(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	pids := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() {
		g := w.origin
		g.Config = []string{"alias.wait=!echo $$ >" + pids + "; while true; do sleep 60; done"}
		done <- g.Run(ctx, "wait")
	}()
	var pid string
	waitFor(t, func() bool {
		text, err := os.ReadFile(pids)
		pid = strings.TrimSpace(string(text))
		return err == nil && pid != ""
	})
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	waitFor(t, func() bool {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
}

// What is in flight outlives the collection of what has been out of use, and no longer than it is in flight.
func TestTidyKeepsWhatIsInFlight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("base", tree{"a": "a\n"})
		s.commit("trunk", tree{"a": "a\n", "b": "b\n"}, "base")
		s.commit("one", tree{"a": "1\n"}, "base")
	}).mirror("trunk")
	built := w.build(w.request("trunk", "one"))
	w.must(w.repo.Tidy(w.ctx, built.SHA, queue.SHA(strings.Repeat("f", 40))))
	w.must(w.repo.git().Run(w.ctx, "gc", "--quiet", "--prune=now"))
	if !w.repo.Has(w.ctx, built.SHA) {
		t.Fatal("a candidate in flight is gone")
	}
	w.must(w.repo.Tidy(w.ctx))
	w.must(w.repo.git().Run(w.ctx, "gc", "--quiet", "--prune=now"))
	if w.repo.Has(w.ctx, built.SHA) {
		t.Fatal("what nobody needs is kept for ever")
	}
}
