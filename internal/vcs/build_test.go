package vcs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	raw, err := w.repo.git().Output(w.ctx, nil, "cat-file", "commit", string(built.SHA))
	w.must(err)
	want := "tree " + string(built.Tree) + "\nparent " + string(built.Commits[0].SHA) +
		"\nauthor Ann Author <ann@example.com> 1700000240 +0200\ncommitter lander <lander@example.com> 1714979289 +0000\n\ntwo\n"
	if string(raw) != want {
		t.Fatalf("commit %q\nwant   %q", raw, want)
	}
}

// The same request gives the same id on every machine and with every git: these ids may never change.
func TestCandidateIDsAreGolden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		format string
		style  queue.Style
		want   queue.SHA
	}{
		{"sha1", queue.StyleRebase, "99c62079ffc4ef0b9328d3fd3b22b3002785cd55"},
		{"sha1", queue.StyleSquash, "3c5da163728fea2db2d4ae2b8a52479b6d8d8c0c"},
		{"sha1", queue.StyleMerge, "b1a5964afff72c8f867d82b212d4c52050f4acf6"},
		{"sha256", queue.StyleRebase, "8458bb7836d1f7c68c656cdb0839b0cac3deb84f21b8c61b6c96a80229ac5544"},
		{"sha256", queue.StyleSquash, "6132ab4d5a977c5e5b58a9ef817ca600e777b3f42c7d1289988f9cb2535e7f17"},
		{"sha256", queue.StyleMerge, "8e6e127ca535f04cadc77a0cb1c2b427e19133b51cc86699f7ffef577a4589bb"},
	} {
		t.Run(c.format+" "+string(c.style), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.format)
			base := tree{"a": lines(9), "b": "b\n"}
			w.play(func(s *script) {
				s.commit("base", base)
				s.commit("trunk", base.with("a", lines(9, "line 1", "x")), "base")
				s.commit("one", base.with("b", "mine\n"), "base")
				s.commit("two", base.with("a", lines(9, "line 7", "y"), "b", "mine\n"), "one")
			}).mirror("trunk")
			req := w.request("trunk", "two")
			req.Style = c.style
			req.Members[0].Message = "Both at once\n\nCo-authored-by: Bea <bea@example.com>"
			if built := w.build(req); built.SHA != c.want {
				t.Fatalf("made %s, want %s", built.SHA, c.want)
			}
			w.must(w.repo.git().Run(w.ctx, "fsck", "--strict", "--no-dangling"))
		})
	}
}

func TestHeadOnTopOfTrunkIsTheCandidate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("trunk", tree{"a": "a\n"})
		s.commit("one", tree{"a": "1\n"}, "trunk")
		s.commit("two", tree{"a": "2\n"}, "one")
		s.commit("nothing", tree{"a": "a\n"}, "two")
	}).mirror("trunk")
	built := w.build(w.request("trunk", "two"))
	if built.SHA != w.ids["two"] || len(built.Commits) != 2 || built.Commits[0].SHA != w.ids["one"] {
		t.Fatalf("built %+v", built)
	}
	w.wantRefusal(w.request("trunk", "nothing"), "empty")
	w.wantRefusal(w.request("two", "one"), "empty")
	squash := w.request("trunk", "two")
	squash.Style = queue.StyleSquash
	if built := w.build(squash); len(built.Commits) != 1 || built.Commits[0].Title != "one" {
		t.Fatalf("squashed %+v", built)
	}
}

// wantRefusal wants a typed refusal, and for a conflict exactly these files, for another a part of its reason.
func (w *world) wantRefusal(req queue.BuildRequest, kind string, about ...string) {
	w.t.Helper()
	_, err := w.repo.Build(w.ctx, req)
	var (
		conflict    *queue.ConflictError
		unbuildable *queue.UnbuildableError
		empty       *queue.EmptyError
	)
	ok := false
	switch kind {
	case "conflict":
		ok = errors.As(err, &conflict) && slices.Equal(conflict.Files, about)
	case "unbuildable":
		ok = errors.As(err, &unbuildable) && strings.Contains(unbuildable.Reason, about[0])
	case "empty":
		ok = errors.As(err, &empty)
	}
	if !ok {
		w.t.Fatalf("got %v, want %s %q", err, kind, about)
	}
}

func TestAuthorsAndMessagesKeepTheirBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	latin := note{author: "Andr\xe9 <andre@example.com> 1600000000 -0730", encoding: "ISO-8859-1", message: "\xdcber\n\nno end \xff of line"}
	broken := note{message: "not UTF-8: \xff\xfe\n"}
	w.play(func(s *script) {
		s.commit("base", tree{"a": "a\n"})
		s.commit("trunk", tree{"a": "a\n", "t": "t\n"}, "base")
		s.commitAs("latin", latin, tree{"a": "1\n"}, "base")
		s.commitAs("broken", broken, tree{"a": "2\n"}, "latin")
	}).mirror("trunk")
	built := w.build(w.request("trunk", "broken"))
	if built.Commits[0].Title != "Über" || built.Commits[1].Title != "not UTF-8: \uFFFD" {
		t.Fatalf("titles %+v", built.Commits)
	}
	raw, err := w.repo.git().Output(w.ctx, nil, "cat-file", "commit", string(built.Commits[0].SHA))
	w.must(err)
	for _, want := range []string{"author " + latin.author + "\n", "encoding ISO-8859-1\n\n" + latin.message} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%q lacks %q", raw, want)
		}
	}
	squash := w.request("trunk", "broken")
	squash.Style = queue.StyleSquash
	raw, err = w.repo.git().Output(w.ctx, nil, "cat-file", "commit", string(w.build(squash).SHA))
	w.must(err)
	if !strings.Contains(string(raw), "author André <andre@example.com> 1600000000 -0730\n") || !strings.Contains(string(raw), "\n\nÜber\n") {
		t.Errorf("squashed %q", raw)
	}
}

func TestSignaturesAreNotCopied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("base", tree{"a": "a\n"})
		s.commit("trunk", tree{"a": "a\n", "t": "t\n"}, "base")
		s.commit("mine", tree{"a": "1\n"}, "base")
	}).mirror("trunk")
	raw, err := w.repo.git().Output(w.ctx, nil, "cat-file", "commit", string(w.ids["mine"]))
	w.must(err)
	signed := strings.Replace(string(raw), "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n author Mallory <m@example.com> 1 +0000\n -----END PGP SIGNATURE-----\nchange-id xyz\n\n", 1)
	out, err := w.repo.git().Output(w.ctx, []byte(signed), "hash-object", "-w", "-t", "commit", "--stdin")
	w.must(err)
	w.ids["signed"] = queue.SHA(strings.TrimSpace(string(out)))
	if a, b := w.build(w.request("trunk", "signed")), w.build(w.request("trunk", "mine")); a.SHA != b.SHA {
		t.Fatalf("with a signature %s, without %s", a.SHA, b.SHA)
	}
}

func TestEmptyCommitsAreDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	base := tree{"a": lines(9), "b": "b\n"}
	shared := base.with("a", lines(9, "line 1", "shared"))
	w.play(func(s *script) {
		s.commit("base", base)
		s.commit("trunk", shared.with("t", "t\n"), "base")
		s.commit("empty", base, "base")
		s.commit("shared", shared, "empty")
		s.commit("mine", shared.with("b", "mine\n"), "shared")
	}).mirror("trunk")
	built := w.build(w.request("trunk", "mine"))
	if len(built.Commits) != 1 || built.Commits[0].From != w.ids["mine"] {
		t.Fatalf("commits %+v", built.Commits)
	}
	w.wantRefusal(w.request("trunk", "shared"), "empty")
	w.wantRefusal(w.request("trunk", "empty"), "empty")
}

// A member that was stacked upon one that landed by rebase still holds the other's commits under their old ids.
func TestStackedUponWhatHasLanded(t *testing.T) {
	t.Parallel()
	line := func(text string) tree { return tree{"a": lines(9, "line 4", text), "b": "b\n"} }
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("base", line("A"))
		s.commit("one", line("B"), "base")
		s.commit("two", line("C"), "one")
		s.commit("far", line("C").with("b", "mine\n"), "two")
		s.commit("near", line("D"), "two")
		s.commit("other", line("A").with("t", "t\n"), "base")
		s.commit("one landed", line("B").with("t", "t\n"), "other")
		s.commit("two landed", line("C").with("t", "t\n"), "one landed")
	}).mirror("two landed")
	w.wantFiles(w.build(w.request("two landed", "far")).SHA, line("C").with("b", "mine\n", "t", "t\n"))
	// Trunk has only the first of two: the second goes onto it.
	w.wantFiles(w.build(w.request("one landed", "near")).SHA, line("D").with("t", "t\n"))
	// In one candidate the stack is known for what it is.
	for _, style := range []queue.Style{queue.StyleRebase, queue.StyleSquash, queue.StyleMerge} {
		req := w.request("other", "two", "near")
		req.Style = style
		built := w.build(req)
		w.wantFiles(built.SHA, line("D").with("t", "t\n"))
		if n := map[queue.Style]int{queue.StyleRebase: 3, queue.StyleSquash: 2, queue.StyleMerge: 2}[style]; len(built.Commits) != n || built.Commits[n-1].Member != 2 {
			t.Fatalf("%s: commits %+v", style, built.Commits)
		}
	}
}

// Reviewers saw no change to the file at all; replayed one by one, the commits would undo trunk's.
func TestCommitsThatUndoTrunkAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	base := tree{"a": lines(9), "b": "b\n"}
	fixed := base.with("a", lines(9, "line 4", "fixed"))
	w.play(func(s *script) {
		s.commit("base", base)
		s.commit("trunk", fixed.with("t", "t\n"), "base")
		s.commit("fix", fixed, "base")
		s.commit("unfix", base, "fix")
		s.commit("mine", base.with("b", "mine\n"), "unfix")
	}).mirror("trunk")
	w.wantRefusal(w.request("trunk", "mine"), "unbuildable", "one by one")
	squash := w.request("trunk", "mine")
	squash.Style = queue.StyleSquash
	w.wantFiles(w.build(squash).SHA, fixed.with("t", "t\n", "b", "mine\n"))
}

func TestMergeCommitsAreFlattened(t *testing.T) {
	t.Parallel()
	base := tree{"a": lines(20), "b": "b\n"}
	a := func(changes ...string) tree { return base.with("a", lines(20, changes...)) }
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("base", base)
		s.commit("t1", a("line 1", "t1"), "base")
		s.commit("t2", a("line 1", "t1", "line 10", "t2"), "t1")
		s.commit("one", a("line 18", "mine"), "base")
		s.commit("merge", a("line 1", "t1", "line 18", "mine"), "one", "t1")
		s.commit("two", a("line 1", "t1", "line 18", "mine").with("c", "c\n"), "merge")
		s.commit("side", a("line 18", "mine").with("s", "s\n"), "one")
		s.commit("octopus", a("line 1", "t1", "line 18", "mine").with("c", "c\n", "s", "s\n"), "two", "side")
		s.commit("evil", a("line 1", "t1", "line 18", "mine").with("b", "evil\n"), "one", "t1")
		s.commit("after evil", a("line 1", "t1", "line 18", "mine").with("b", "evil\n", "c", "c\n"), "evil")
		s.commit("against", a("line 1", "mine"), "base")
		s.commit("resolved", a("line 1", "both"), "against", "t1")
		s.commit("after resolved", a("line 1", "both").with("c", "c\n"), "resolved")
	}).mirror("t2")
	built := w.build(w.request("t2", "two"))
	w.wantFiles(built.SHA, a("line 1", "t1", "line 10", "t2", "line 18", "mine").with("c", "c\n"))
	if len(built.Commits) != 2 {
		t.Fatalf("commits %+v", built.Commits)
	}
	// Trunk stands where the branch merged it: still flattened.
	w.wantFiles(w.build(w.request("t1", "two")).SHA, a("line 1", "t1", "line 18", "mine").with("c", "c\n"))
	if built := w.build(w.request("t2", "octopus")); len(built.Commits) != 3 {
		t.Fatalf("commits %+v", built.Commits)
	}
	w.wantRefusal(w.request("t2", "after evil"), "unbuildable", w.ids["evil"].Short())
	w.wantRefusal(w.request("t2", "after resolved"), "unbuildable", w.ids["resolved"].Short())
	for _, head := range []string{"after evil", "after resolved", "octopus"} {
		for _, style := range []queue.Style{queue.StyleSquash, queue.StyleMerge} {
			req := w.request("t2", head)
			req.Style = style
			w.build(req)
		}
	}
}

func TestUnrelatedAndSeveralRoots(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	base := tree{"a": "a\n"}
	w.play(func(s *script) {
		s.commit("base", base)
		s.commit("trunk", base.with("t", "t\n"), "base")
		s.commit("stranger", tree{"s": "s\n"})
		s.commit("adopts", base.with("s", "s\n"), "base", "stranger")
		s.commit("then", base.with("s", "s2\n"), "adopts")
		s.commit("clash", tree{"a": "other\n"})
		s.commit("adopts clash", base, "base", "clash")
	}).mirror("trunk")
	for _, style := range []queue.Style{queue.StyleRebase, queue.StyleSquash, queue.StyleMerge} {
		req := w.request("trunk", "stranger")
		req.Style = style
		w.wantRefusal(req, "unbuildable", "shares no history")
	}
	built := w.build(w.request("trunk", "then"))
	w.wantFiles(built.SHA, base.with("t", "t\n", "s", "s2\n"))
	w.wantRefusal(w.request("trunk", "adopts clash"), "unbuildable", w.ids["adopts clash"].Short())
}

func TestCrissCrossMergesBuild(t *testing.T) {
	t.Parallel()
	base := tree{"a": lines(30)}
	a := func(changes ...string) tree { return base.with("a", lines(30, changes...)) }
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("base", base)
		s.commit("t1", a("line 1", "t"), "base")
		s.commit("p1", a("line 15", "p"), "base")
		s.commit("t2", a("line 1", "t", "line 15", "p"), "t1", "p1")
		s.commit("p2", a("line 1", "t", "line 15", "p"), "p1", "t1")
		s.commit("trunk", a("line 1", "tt", "line 15", "p"), "t2")
		s.commit("mine", a("line 1", "t", "line 15", "p", "line 28", "m"), "p2")
	}).mirror("trunk")
	for _, style := range []queue.Style{queue.StyleRebase, queue.StyleSquash, queue.StyleMerge} {
		req := w.request("trunk", "mine")
		req.Style = style
		w.wantFiles(w.build(req).SHA, a("line 1", "tt", "line 15", "p", "line 28", "m"))
	}
}

func TestBatchPutsEachMemberOntoTheFormer(t *testing.T) {
	t.Parallel()
	base := tree{"a": lines(30)}
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("trunk", base)
		for i := range 4 {
			s.commit(fmt.Sprint("m", i), base.with("a", lines(30, fmt.Sprintf("line %d", 2+8*i), "mine"), fmt.Sprint("f", i), "x\n"), "trunk")
		}
		s.commit("clash", base.with("a", lines(30, "line 10", "clash")), "trunk")
	}).mirror("trunk")
	built := w.build(w.request("trunk", "m0", "m1", "m2", "m3"))
	w.wantFiles(built.SHA, tree{
		"a":  lines(30, "line 2", "mine", "line 10", "mine", "line 18", "mine", "line 26", "mine"),
		"f0": "x\n", "f1": "x\n", "f2": "x\n", "f3": "x\n",
	})
	if built.Commits[0].SHA != w.ids["m0"] || built.Commits[3].Member != 4 {
		t.Fatalf("commits %+v", built.Commits)
	}
	_, err := w.repo.Build(w.ctx, w.request("trunk", "m0", "m1", "clash"))
	var conflict *queue.ConflictError
	if !errors.As(err, &conflict) || conflict.Member != 3 {
		t.Fatalf("got %v", err)
	}
	if !maps.Equal(w.files(w.ids["trunk"]), base) {
		t.Fatal("trunk has changed")
	}
}
