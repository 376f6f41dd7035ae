package vcs

import (
	"errors"
	"slices"
	"testing"

	"lander/internal/queue"
)

func TestRebaseReplaysEachCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	base := tree{"a.txt": lines(20), "b.txt": "b\n"}
	w.play(func(s *script) {
		s.commit("base", base)
		s.commit("trunk", base.with("a.txt", lines(20, "line 1", "trunk's")), "base")
		s.commit("one", base.with("a.txt", lines(20, "line 18", "mine")), "base")
		s.commit("two", base.with("a.txt", lines(20, "line 18", "mine"), "c.txt", "c\n"), "one")
	}).mirror("trunk")
	built := w.build(w.request("trunk", "two"))
	w.wantFiles(built.SHA, tree{"a.txt": lines(20, "line 1", "trunk's", "line 18", "mine"), "b.txt": "b\n", "c.txt": "c\n"})
	if len(built.Commits) != 2 || built.Commits[0].From != w.ids["one"] || built.Commits[1].Title != "two" {
		t.Fatalf("commits %+v", built.Commits)
	}
	if again := w.build(w.request("trunk", "two")); again.SHA != built.SHA {
		t.Fatalf("made again: %s, not %s", again.SHA, built.SHA)
	}
}

func TestConflictNamesItsFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	base := tree{"a.txt": "a\n", "b.txt": "b\n"}
	w.play(func(s *script) {
		s.commit("base", base)
		s.commit("trunk", tree{"a.txt": "trunk\n", "b.txt": "trunk\n"}, "base")
		s.commit("one", base.with("c.txt", "c\n"), "base")
		s.commit("two", tree{"a.txt": "mine\n", "b.txt": "mine\n", "c.txt": "c\n"}, "one")
	}).mirror("trunk")
	_, err := w.repo.Build(w.ctx, w.request("trunk", "two"))
	var conflict *queue.ConflictError
	if !errors.As(err, &conflict) || !slices.Equal(conflict.Files, []string{"a.txt", "b.txt"}) || conflict.Commit != w.ids["two"] {
		t.Fatalf("got %#v", err)
	}
}

func TestCheckoutSmoke(t *testing.T) {
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("base", tree{"a.txt": "a\n", "d/run": "100755|x", "l": "120000|a.txt", "sub": "160000|" + "1234567890123456789012345678901234567890"})
		s.commit("next", tree{"a.txt": "a\n", "d/run": "y"}, "base")
	}).mirror("base")
	slots := &Slots{Repo: w.repo, Dir: t.TempDir()}
	for _, name := range []string{"base", "next", "base"} {
		dir, release, err := slots.Checkout(w.ctx, w.ids[name])
		w.must(err)
		out, err := Git{Dir: dir + "/.git", WorkTree: dir}.Text(w.ctx, "status", "--porcelain", "--ignored")
		w.must(err)
		if out != "" {
			t.Fatal(out)
		}
		release()
	}
}
