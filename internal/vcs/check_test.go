package vcs

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"lander/internal/queue"
)

// What went wrong in 2026 on a large forge: the candidate was made from the head's own tree, which undid trunk.
func TestCheckSeesTrunkUndone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	base := tree{"a": lines(9), "b": "b\n"}
	w.play(func(s *script) {
		s.commit("base", base)
		s.commit("trunk", base.with("a", lines(9, "line 1", "trunk's"), "t", "t\n"), "base")
		s.commit("one", base.with("b", "mine\n"), "base")
		s.commit("two", base.with("b", "mine\n", "c", "c\n"), "one")
	}).mirror("trunk")
	for _, style := range []queue.Style{queue.StyleRebase, queue.StyleSquash, queue.StyleMerge} {
		req := w.request("trunk", "two")
		req.Style = style
		req.Members[0].Message = "Two at once"
		forged := w.remake(req, w.build(req), func(c *commit) { c.tree = queue.SHA(w.treeOf(w.ids["two"])) })
		w.wantAlarm(req, forged, "a", "t")
	}
}

func TestCheckSeesAForgedHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	base := tree{"a": lines(9), "b": "b\n"}
	w.play(func(s *script) {
		s.commit("base", base)
		s.commit("trunk", base.with("t", "t\n"), "base")
		s.commit("one", base.with("b", "mine\n"), "base")
		s.commit("two", base.with("b", "mine\n", "c", "c\n"), "one")
	}).mirror("trunk")
	req := w.request("trunk", "two")
	built := w.build(req)
	for name, forge := range map[string]func(c *commit){
		"another author":    func(c *commit) { c.author = strings.Replace(c.author, "Ann", "Eve", 1) },
		"another date":      func(c *commit) { c.author = strings.Replace(c.author, "1700000", "1700001", 1) },
		"another message":   func(c *commit) { c.message = "Approved by everybody\n" },
		"another committer": func(c *commit) { c.committer = c.author },
		"another parent":    func(c *commit) { c.parents = []queue.SHA{w.ids["trunk"]} },
		"a second parent":   func(c *commit) { c.parents = append(c.parents, w.ids["two"]) },
	} {
		t.Run(name, func(t *testing.T) {
			var mismatch *queue.MismatchError
			if err := w.repo.Check(w.ctx, req, w.remake(req, built, forge)); !errors.As(err, &mismatch) {
				t.Fatalf("got %v", err)
			}
		})
	}
	for name, forge := range map[string]func(b *queue.Built){
		"a commit not mentioned": func(b *queue.Built) { b.Commits = b.Commits[1:] },
		"the tip not mentioned":  func(b *queue.Built) { b.Commits = b.Commits[:1] },
		"another tree":           func(b *queue.Built) { b.Tree = queue.SHA(w.treeOf(w.ids["trunk"])) },
		"another member":         func(b *queue.Built) { b.Commits = slices.Clone(b.Commits); b.Commits[0].Member = 9 },
		"from a stranger":        func(b *queue.Built) { b.Commits = slices.Clone(b.Commits); b.Commits[0].From = w.ids["trunk"] },
		"in the wrong order":     func(b *queue.Built) { b.Commits = slices.Clone(b.Commits); slices.Reverse(b.Commits) },
	} {
		t.Run(name, func(t *testing.T) {
			forged := built
			forge(&forged)
			var mismatch *queue.MismatchError
			if err := w.repo.Check(w.ctx, req, forged); !errors.As(err, &mismatch) {
				t.Fatalf("got %v", err)
			}
		})
	}
	// A member that is left out altogether, and trunk itself as the candidate.
	two := w.request("trunk", "one", "two")
	half := w.build(w.request("trunk", "one"))
	w.wantAlarm(two, half, "(nothing of #2)")
	var mismatch *queue.MismatchError
	if err := w.repo.Check(w.ctx, req, queue.Built{SHA: w.ids["trunk"], Tree: queue.SHA(w.treeOf(w.ids["trunk"]))}); !errors.As(err, &mismatch) {
		t.Fatalf("got %v", err)
	}
}

func (w *world) wantAlarm(req queue.BuildRequest, built queue.Built, paths ...string) {
	w.t.Helper()
	var mismatch *queue.MismatchError
	if err := w.repo.Check(w.ctx, req, built); !errors.As(err, &mismatch) || !slices.Equal(mismatch.Paths, paths) {
		w.t.Fatalf("got %v, want an alarm about %q", err, paths)
	}
}

// remake makes the last commit of a candidate anew.
func (w *world) remake(req queue.BuildRequest, built queue.Built, forge func(c *commit)) queue.Built {
	w.t.Helper()
	objects, err := w.repo.objects(w.ctx)
	w.must(err)
	defer objects.close()
	c, err := objects.commit(built.SHA)
	w.must(err)
	forge(&c)
	made, err := w.repo.writeCommit(c)
	w.must(err)
	built.Commits = slices.Clone(built.Commits)
	built.Commits[len(built.Commits)-1].SHA = made.id
	built.SHA, built.Tree = made.id, made.tree
	return built
}

func FuzzMergeLines(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nx\nb\nc\n", "a\nb\nc\ny\n")
	f.Fuzz(func(t *testing.T, old, mine, below string) {
		o, m, b := splitLines([]byte(old)), splitLines([]byte(mine)), splitLines([]byte(below))
		toMine, ok1 := align(o, m)
		toBelow, ok2 := align(o, b)
		if !ok1 || !ok2 {
			return
		}
		// A side that changes nothing leaves the other as it is.
		if got, ok := mergeLines(o, m, o, toMine, nil); !ok || got != mine {
			t.Fatalf("%q merged with nothing is %q", mine, got)
		}
		if got, ok := mergeLines(o, m, m, toMine, toMine); !ok || got != mine {
			t.Fatalf("%q merged with itself is %q", mine, got)
		}
		x, okX := mergeLines(o, m, b, toMine, toBelow)
		y, okY := mergeLines(o, b, m, toBelow, toMine)
		if okX != okY || x != y {
			t.Fatalf("one way %q, the other way %q", x, y)
		}
	})
}

func FuzzParseIndex(f *testing.F) {
	f.Add([]byte("DIRC\x00\x00\x00\x02\x00\x00\x00\x01"), 20)
	f.Fuzz(func(t *testing.T, index []byte, width int) {
		if width != 20 && width != 32 {
			return
		}
		_, _ = listIndex(index, width)
	})
}
