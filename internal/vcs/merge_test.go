package vcs

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"lander/internal/queue"
)

func TestConflictsNameTheirFiles(t *testing.T) {
	t.Parallel()
	base := tree{"a": "a\n", "b": lines(9), "d/x": lines(10) + "x\n", "d/y": lines(10) + "y\n", "bin": "\x00\x01", "l": "120000|a", "s": "160000|" + strings.Repeat("1", 40)}
	for name, c := range map[string]struct {
		trunk, mine tree
		files       []string
	}{
		"content":             {base.with("a", "1\n", "b", "1\n"), base.with("a", "2\n", "b", "2\n"), []string{"a", "b"}},
		"delete and edit":     {base.with("a", "-"), base.with("a", "2\n"), []string{"a"}},
		"edit and delete":     {base.with("a", "1\n"), base.with("a", "-"), []string{"a"}},
		"both add":            {base.with("n", "1\n"), base.with("n", "2\n"), []string{"n"}},
		"binary":              {base.with("bin", "\x00\x02"), base.with("bin", "\x00\x03"), []string{"bin"}},
		"symlink":             {base.with("l", "120000|b"), base.with("l", "120000|c"), []string{"l"}},
		"submodule":           {base.with("s", "160000|"+strings.Repeat("2", 40)), base.with("s", "160000|"+strings.Repeat("3", 40)), []string{"s"}},
		"file and directory":  {base.with("a", "-", "a/b", "1\n"), base.with("a", "2\n"), []string{"a"}},
		"renamed in two ways": {base.with("b", "-", "b1", lines(9)), base.with("b", "-", "b2", lines(9)), []string{"b", "b1", "b2"}},
		"mode and mode":       {base.with("b", "100755|"+lines(9, "line 1", "x")), base.with("b", "120000|a"), []string{"b"}},
		"into a moved directory": {
			base.with("d/x", "-", "d/y", "-", "e/x", base["d/x"], "e/y", base["d/y"]), base.with("d/z", "z\n"),
			[]string{"e/z"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "sha1")
			w.play(func(s *script) {
				s.commit("base", base)
				s.commit("trunk", c.trunk, "base")
				s.commit("fine", base.with("fine", "fine\n"), "base")
				s.commit("mine", c.mine.with("fine", "fine\n"), "fine")
			}).mirror("trunk")
			for _, style := range []queue.Style{queue.StyleRebase, queue.StyleSquash, queue.StyleMerge} {
				req := w.request("trunk", "mine")
				req.Style = style
				_, err := w.repo.Build(w.ctx, req)
				var conflict *queue.ConflictError
				if !errors.As(err, &conflict) || conflict.Commit != w.ids["mine"] || conflict.Member != 1 {
					t.Fatalf("%s: got %v", style, err)
				}
				if !slices.Equal(conflict.Files, c.files) {
					t.Fatalf("%s: files %q, want %q", style, conflict.Files, c.files)
				}
			}
		})
	}
}

func TestCleanMergesComeOutRight(t *testing.T) {
	t.Parallel()
	sub := func(c string) string { return "160000|" + strings.Repeat(c, 40) }
	long := func(changes ...string) string { return lines(30, changes...) }
	crlf := func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }
	base := tree{
		"a": long(), "run": "100755|" + long(), "bin": "\x00\x01", "l": "120000|a", "s": sub("1"),
		"win": crlf(long()), "latin-\xe9": "\xe9\n", "new\nline": "x\n", "no end": "x", "dir/f": long(),
	}
	for name, c := range map[string]struct{ trunk, mine, want tree }{
		"both edit": {
			base.with("a", long("line 1", "x")), base.with("a", long("line 20", "y")),
			base.with("a", long("line 1", "x", "line 20", "y")),
		},
		"trunk renames what the change edits": {
			base.with("a", "-", "b", long("line 1", "x")), base.with("a", long("line 20", "y")),
			base.with("a", "-", "b", long("line 1", "x", "line 20", "y")),
		},
		"the change renames what trunk edits": {
			base.with("a", long("line 1", "x")), base.with("a", "-", "b", long("line 20", "y")),
			base.with("a", "-", "b", long("line 1", "x", "line 20", "y")),
		},
		"both rename alike": {
			base.with("a", "-", "b", long("line 1", "x")), base.with("a", "-", "b", long("line 20", "y")),
			base.with("a", "-", "b", long("line 1", "x", "line 20", "y")),
		},
		"mode here, content there": {
			base.with("a", long("line 1", "x")), base.with("a", "100755|"+long()),
			base.with("a", "100755|"+long("line 1", "x")),
		},
		"the same on both sides, and more": {
			base.with("a", long("line 1", "x")), base.with("a", long("line 1", "x"), "bin", "\x00\x02"),
			base.with("a", long("line 1", "x"), "bin", "\x00\x02"),
		},
		"symlink, submodule, odd names": {
			base.with("a", long("line 1", "x")), base.with("l", "120000|run", "s", sub("2"), "latin-\xe9", "\xe8\n", "new\nline", "y\n"),
			base.with("a", long("line 1", "x"), "l", "120000|run", "s", sub("2"), "latin-\xe9", "\xe8\n", "new\nline", "y\n"),
		},
		"CRLF": {
			base.with("win", crlf(long("line 1", "x"))), base.with("win", crlf(long("line 20", "y"))),
			base.with("win", crlf(long("line 1", "x", "line 20", "y"))),
		},
		"no line end at the end": {
			base.with("a", long("line 1", "x")), base.with("no end", "y", "a", long()+"z"),
			base.with("a", long("line 1", "x")+"z", "no end", "y"),
		},
		"a file becomes a directory": {
			base.with("a", long("line 1", "x")), base.with("bin", "-", "bin/x", "x\n"),
			base.with("a", long("line 1", "x"), "bin", "-", "bin/x", "x\n"),
		},
		"a submodule goes": {
			base.with("a", long("line 1", "x")), base.with("s", "-"), base.with("a", long("line 1", "x"), "s", "-"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "sha1")
			w.play(func(s *script) {
				s.commit("base", base)
				s.commit("trunk", c.trunk, "base")
				s.commit("first", base.with("first", "first\n"), "base")
				s.commit("mine", c.mine.with("first", "first\n"), "first")
			}).mirror("trunk")
			for _, style := range []queue.Style{queue.StyleRebase, queue.StyleSquash, queue.StyleMerge} {
				req := w.request("trunk", "mine")
				req.Style = style
				w.wantFiles(w.build(req).SHA, c.want.with("first", "first\n"))
			}
		})
	}
}
