package vcs

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
)

// at is when every candidate of these tests is made.
var at = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

// tree is the files of a commit. A value "120000|x" is a symlink to x, "160000|id" a submodule, "100755|x" an executable.
type tree map[string]string

// with is the tree with some files changed; the content "-" removes one.
func (t tree) with(changes ...string) tree {
	t = maps.Clone(t)
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "-" {
			delete(t, changes[i])
			continue
		}
		t[changes[i]] = changes[i+1]
	}
	return t
}

// script is a history to be made in one go, by git fast-import.
type script struct {
	text  bytes.Buffer
	names []string
}

type note struct{ author, encoding, message string }

// commit adds a commit; parents are names of earlier ones, or full ids.
func (s *script) commit(name string, files tree, parents ...string) {
	s.commitAs(name, note{}, files, parents...)
}

func (s *script) commitAs(name string, n note, files tree, parents ...string) {
	s.names = append(s.names, name)
	if n.author == "" {
		n.author = fmt.Sprintf("Ann Author <ann@example.com> %d +0200", 1700000000+60*len(s.names))
	}
	if n.message == "" {
		n.message = name + "\n"
	}
	fmt.Fprintf(&s.text, "commit refs/made/%d\nmark :%d\nauthor %s\ncommitter Carl <carl@example.com> %d +0000\n", len(s.names), len(s.names), n.author, 1700000000+60*len(s.names))
	if n.encoding != "" {
		fmt.Fprintf(&s.text, "encoding %s\n", n.encoding)
	}
	fmt.Fprintf(&s.text, "data %d\n%s\n", len(n.message), n.message)
	for i, parent := range parents {
		word := "merge"
		if i == 0 {
			word = "from"
		}
		if len(parent) < 40 {
			parent = fmt.Sprintf(":%d", 1+slices.Index(s.names, parent))
		}
		fmt.Fprintf(&s.text, "%s %s\n", word, parent)
	}
	s.text.WriteString("deleteall\n")
	for _, path := range slices.Sorted(maps.Keys(files)) {
		mode, data, ok := strings.Cut(files[path], "|")
		if !ok || len(mode) != 6 {
			mode, data = "100644", files[path]
		}
		if mode == "160000" {
			fmt.Fprintf(&s.text, "M 160000 %s %s\n", data, quote(path))
			continue
		}
		fmt.Fprintf(&s.text, "M %s inline %s\ndata %d\n%s\n", mode, quote(path), len(data), data)
	}
}

func quote(path string) string {
	if !strings.ContainsAny(path, "\n\"") {
		return path
	}
	return `"` + strings.NewReplacer("\n", `\n`, `"`, `\"`).Replace(path) + `"`
}

// world is a remote and a mirror of it.
type world struct {
	t      testing.TB
	ctx    context.Context
	origin Git // the remote's repository, on disk
	repo   *Repo
	ids    map[string]queue.SHA
}

func newWorld(t testing.TB, format string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, ctx: context.Background(), origin: Git{Dir: filepath.Join(dir, "origin.git")}, ids: map[string]queue.SHA{}}
	w.must(Git{}.Run(w.ctx, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", "--object-format="+format, w.origin.Dir))
	w.repo = &Repo{Dir: filepath.Join(dir, "mirror.git"), Remote: "file://" + w.origin.Dir, Email: "lander@example.com"}
	return w
}

// play makes a history; the first commit becomes main. Then the mirror is made, if need be, and brought up to date.
func (w *world) play(tell func(s *script)) *world {
	w.t.Helper()
	s := &script{}
	tell(s)
	marks := filepath.Join(w.t.TempDir(), "marks")
	if _, err := w.origin.Output(w.ctx, s.text.Bytes(), "fast-import", "--quiet", "--force", "--export-marks="+marks); err != nil {
		w.t.Fatal(err)
	}
	text, err := os.ReadFile(marks)
	w.must(err)
	for line := range strings.Lines(string(text)) {
		var n int
		var id string
		if _, err := fmt.Sscanf(line, ":%d %s", &n, &id); err != nil {
			w.t.Fatal(err)
		}
		w.ids[s.names[n-1]] = queue.SHA(id)
	}
	return w
}

// mirror points main at a commit and fetches everything that was made.
func (w *world) mirror(trunk string) *world {
	w.t.Helper()
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(w.ids[trunk])))
	w.must(w.repo.Init(w.ctx))
	var wants []Want
	for _, name := range slices.Sorted(maps.Keys(w.ids)) {
		wants = append(wants, Want{Head: w.ids[name]})
	}
	tip, err := w.repo.Fetch(w.ctx, "main", wants...)
	w.must(err)
	if tip != w.ids[trunk] {
		w.t.Fatalf("tip %s, want %s", tip, w.ids[trunk])
	}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) request(base string, heads ...string) queue.BuildRequest {
	req := queue.BuildRequest{Base: w.ids[base], At: at}
	for i, head := range heads {
		req.Members = append(req.Members, queue.Member{Number: queue.Number(i + 1), Head: w.ids[head]})
	}
	return req
}

// build makes a candidate that must come out, and lets the second check look at it.
func (w *world) build(req queue.BuildRequest) queue.Built {
	w.t.Helper()
	built, err := w.repo.Build(w.ctx, req)
	w.must(err)
	w.must(w.repo.Check(w.ctx, req, built))
	return built
}

// files reads a commit's tree back in the form it is written in tests.
func (w *world) files(sha queue.SHA) tree {
	w.t.Helper()
	out, err := w.repo.git().Output(w.ctx, nil, "ls-tree", "-r", "-z", string(sha))
	w.must(err)
	files := tree{}
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		facts, path, _ := strings.Cut(entry, "\t")
		f := strings.Fields(facts)
		if len(f) < 3 {
			continue
		}
		if f[0] == "160000" {
			files[path] = "160000|" + f[2]
			continue
		}
		data, err := w.repo.git().Output(w.ctx, nil, "cat-file", "blob", f[2])
		w.must(err)
		files[path] = string(data)
		if f[0] != "100644" {
			files[path] = f[0] + "|" + string(data)
		}
	}
	return files
}

func (w *world) wantFiles(sha queue.SHA, want tree) {
	w.t.Helper()
	if got := w.files(sha); !maps.Equal(got, want) {
		w.t.Fatalf("files %q\nwant  %q", got, want)
	}
}

func lines(n int, changes ...string) string {
	var b strings.Builder
	for i := range n {
		text := fmt.Sprintf("line %d", i)
		for j := 0; j < len(changes); j += 2 {
			if changes[j] == text {
				text = changes[j+1]
			}
		}
		b.WriteString(text + "\n")
	}
	return b.String()
}
