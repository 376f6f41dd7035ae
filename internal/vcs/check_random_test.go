package vcs

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lander/internal/queue"

	"pgregory.net/rapid"
)

// edit is one thing a person does to a tree. The same edit can be done on trunk and in a pull request.
type edit func(t tree) tree

// drawEdit draws an edit that does something at least to the base.
func drawEdit(t *rapid.T, base tree) edit {
	e := drawAnyEdit(t)
	if !maps.Equal(e(base), base) {
		return e
	}
	fallback := fmt.Sprintf("// fallback %d\n", rapid.IntRange(0, 9).Draw(t, "fallback"))
	return func(t tree) tree {
		if t["keep"] == "" {
			return t
		}
		return t.with("keep", t["keep"]+fallback)
	}
}

func drawAnyEdit(t *rapid.T) edit {
	path := rapid.SampledFrom([]string{"a.go", "b.go", "dir/c.go", "dir/d.go", "dir/e/f.go", "new1", "new2"}).Draw(t, "path")
	other := rapid.SampledFrom([]string{"a.go", "dir/g.go", "moved/c.go", "moved/d.go", "z"}).Draw(t, "other")
	at := rapid.IntRange(0, 29).Draw(t, "at")
	text := rapid.SampledFrom([]string{"}\n", "\n", "return nil\n", "alpha\n", "beta\n", "gamma\n"}).Draw(t, "text")
	switch rapid.IntRange(0, 15).Draw(t, "kind") {
	case 0:
		return func(t tree) tree { return t.with(path, "-") }
	case 1, 2:
		return func(t tree) tree {
			if _, taken := t[other]; taken || t[path] == "" {
				return t
			}
			return t.with(other, t[path], path, "-")
		}
	case 3:
		return func(t tree) tree {
			if content, ok := strings.CutPrefix(t[path], "100755|"); ok {
				return t.with(path, content)
			} else if t[path] != "" {
				return t.with(path, "100755|"+t[path])
			}
			return t
		}
	case 4:
		return func(t tree) tree { return t.with(path, lines(12, "line 3", strings.TrimSuffix(text, "\n"))) }
	case 5:
		return func(t tree) tree { return t.with("link", "120000|"+path) }
	}
	kind := rapid.IntRange(0, 2).Draw(t, "how")
	return func(t tree) tree {
		if t[path] == "" {
			return t
		}
		mode, content, ok := strings.Cut(t[path], "|")
		if !ok {
			mode, content = "", mode
		} else {
			mode += "|"
		}
		all := splitLines([]byte(content))
		i := min(at, len(all))
		switch {
		case kind == 0 || i == len(all):
			all = slices.Insert(all, i, text)
		case kind == 1:
			all[i] = text
		default:
			all = slices.Delete(all, i, i+1)
		}
		return t.with(path, mode+strings.Join(all, ""))
	}
}

func someCode(seed int) string {
	var b strings.Builder
	for i := range 8 {
		fmt.Fprintf(&b, "func f%d%d() {\n\tif x {\n\t\treturn nil\n\t}\n}\n\n", seed, i)
	}
	return b.String()
}

// randomHistory makes a trunk and a pull request that forked from it, and returns what was told.
func randomHistory(t *rapid.T, s *script) (heads []string) {
	base := tree{"a.go": someCode(1), "b.go": someCode(2), "dir/c.go": someCode(3), "dir/d.go": someCode(4), "dir/e/f.go": someCode(5), "keep": "keep\n"}
	pool := make([]edit, 10)
	for i := range pool {
		pool[i] = drawEdit(t, base)
	}
	do := func(files tree, label string) tree {
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(pool)-1), 1, 3).Draw(t, label) {
			files = pool[i](files)
		}
		return files
	}
	s.commit("base", base)
	trunk, files := "base", base
	trunks, trees := []string{"base"}, map[string]tree{"base": base}
	for i := range rapid.IntRange(1, 3).Draw(t, "trunk commits") {
		name := fmt.Sprintf("t%d", i)
		files = do(files, name)
		s.commit(name, files, trunk)
		trunks, trees[name], trunk = append(trunks, name), files, name
	}
	s.commit("trunk", files, trunk)
	for p := range rapid.IntRange(1, 2).Draw(t, "members") {
		head, mine := "base", base
		if p > 0 && rapid.Bool().Draw(t, "stacked") {
			head, mine = heads[0], trees[heads[0]]
		}
		for i := range rapid.IntRange(1, 4).Draw(t, "commits") {
			name := fmt.Sprintf("p%d-%d", p, i)
			if rapid.IntRange(0, 5).Draw(t, "merge") == 0 {
				from := rapid.SampledFrom(trunks).Draw(t, "merged")
				merged := maps.Clone(trees[from])
				for path, content := range mine { // a plain merge: what differs from the base is taken
					if base[path] != content {
						merged[path] = content
					}
				}
				s.commit(name, merged, head, from)
				head, mine = name, merged
				continue
			}
			mine = do(mine, name)
			s.commit(name, mine, head)
			head = name
		}
		trees[head] = mine
		heads = append(heads, head)
	}
	return heads
}

// The second check never cries wolf over a candidate that Build made, and always does when the candidate was tampered
// with. A plain run tries the same few histories each time; -rapid.checks=5000 -rapid.seed=N goes hunting.
func TestCheckOnRandomHistories(t *testing.T) {
	w := newWorld(t, "sha1")
	w.play(func(s *script) { s.commit("start", tree{"x": "x\n"}) }).mirror("start")
	w.origin = w.repo.git() // histories are made in the mirror itself, which saves fetching them
	for name, value := range map[string]string{"rapid.checks": "40", "rapid.seed": "20240506", "rapid.nofailfile": "true"} {
		if f := flag.Lookup(name); f.Value.String() == f.DefValue {
			w.must(f.Value.Set(value))
		}
	}
	outcomes := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		var heads []string
		w.ids = map[string]queue.SHA{}
		w.playQuickly(t, func(s *script) { heads = randomHistory(t, s) })
		req := w.request("trunk", heads...)
		req.Style = rapid.SampledFrom([]queue.Style{"", "", queue.StyleRebase, queue.StyleSquash, queue.StyleMerge}).Draw(t, "style")
		built, err := w.repo.Build(w.ctx, req)
		if err != nil {
			outcomes[refusalKind(t, err)]++
			return
		}
		outcomes["built"]++
		if err := w.repo.Check(w.ctx, req, built); err != nil {
			if !w.gitLost(req, built, err) {
				t.Fatalf("false alarm: %v", err)
			}
			outcomes["true alarm"]++
			return
		}
		for range 2 {
			how := rapid.SampledFrom(tampers).Draw(t, "tamper")
			forged, ok := w.tamper(t, req, built, how)
			if !ok {
				continue
			}
			outcomes["forged"]++
			var mismatch *queue.MismatchError
			if err := w.repo.Check(w.ctx, req, forged); !errors.As(err, &mismatch) {
				t.Fatalf("no alarm about %s: %v", how, err)
			}
		}
	})
	t.Log(outcomes)
	if outcomes["built"] < 8 || outcomes["forged"] < 8 || outcomes["conflict"] < 3 {
		t.Fatalf("the histories do not try much: %v", outcomes)
	}
}

// gitLost reports that git's own merge lost what trunk had written to every path of the alarm. It does when the change
// moves a file, trunk has a copy of it at the new place, and has written the old place anew.
func (w *world) gitLost(req queue.BuildRequest, built queue.Built, err error) bool {
	var mismatch *queue.MismatchError
	if !errors.As(err, &mismatch) {
		return false
	}
	fork, trunk := w.listing(w.ids["base"]), w.listing(req.Base)
	lost := func(path string) bool {
		if trunk[path] == (file{}) || trunk[path] == fork[path] {
			return false
		}
		return slices.ContainsFunc(built.Commits, func(c queue.BuiltCommit) bool {
			files := w.listing(c.SHA)
			return files[path] == (file{}) && !slices.Contains(slices.Collect(maps.Values(files)), trunk[path])
		})
	}
	return !slices.ContainsFunc(mismatch.Paths, func(path string) bool { return !lost(path) })
}

func refusalKind(t *rapid.T, err error) string {
	var (
		conflict    *queue.ConflictError
		unbuildable *queue.UnbuildableError
		empty       *queue.EmptyError
	)
	switch {
	case errors.As(err, &conflict):
		return "conflict"
	case errors.As(err, &unbuildable):
		return "unbuildable"
	case errors.As(err, &empty):
		return "empty"
	}
	t.Fatalf("build: %v", err)
	return ""
}

var tampers = []string{"the head's tree", "a file taken back", "a file added", "a line added", "two lines swapped", "a mode", "a member's file left out", "a file removed"}

// tamper makes the last commit of a candidate anew with another tree; it is not ok when that changes nothing.
func (w *world) tamper(t *rapid.T, req queue.BuildRequest, built queue.Built, how string) (queue.Built, bool) {
	was := w.listing(built.SHA)
	now := maps.Clone(was)
	names := slices.Sorted(maps.Keys(was))
	if len(names) == 0 {
		return built, false
	}
	name := rapid.SampledFrom(names).Draw(t, "victim")
	head, base, fork := w.listing(req.Members[len(req.Members)-1].Head), w.listing(req.Base), w.listing(w.ids["base"])
	switch how {
	case "the head's tree":
		now = head
	case "a file taken back":
		for _, name := range names {
			if fork[name] != base[name] && fork[name] != (file{}) {
				now[name] = fork[name]
				break
			}
		}
	case "a member's file left out":
		for _, name := range names {
			if base[name] != was[name] && base[name] != (file{}) {
				now[name] = base[name]
				break
			}
		}
	case "a file added":
		now["evil"] = file{mode: "100644", id: w.blob("evil\n")}
	case "a file removed":
		delete(now, name)
	case "a mode":
		if was[name].mode == "100644" {
			now[name] = file{mode: "100755", id: was[name].id}
		}
	default:
		if !was[name].text() {
			return built, false
		}
		text, err := w.origin.Output(w.ctx, nil, "cat-file", "blob", string(was[name].id))
		w.must(err)
		all := splitLines(text)
		i := rapid.IntRange(0, max(0, len(all)-2)).Draw(t, "line")
		if how == "a line added" {
			all = slices.Insert(all, min(i, len(all)), "evil()\n")
		} else if i+1 < len(all) {
			all[i], all[i+1] = all[i+1], all[i]
		}
		now[name] = file{mode: was[name].mode, id: w.blob(strings.Join(all, ""))}
	}
	if maps.Equal(was, now) {
		return built, false
	}
	last, err := w.repo.objects(w.ctx)
	w.must(err)
	defer last.close()
	c, err := last.commit(built.SHA)
	w.must(err)
	c.tree = w.makeTree(now)
	c.committer = w.repo.committer(req.At)
	made, err := w.repo.writeCommit(c)
	w.must(err)
	built.Commits = slices.Clone(built.Commits)
	built.Commits[len(built.Commits)-1].SHA = made.id
	built.SHA, built.Tree = made.id, made.tree
	return built, true
}

func (w *world) listing(sha queue.SHA) map[string]file {
	out, err := w.origin.Output(w.ctx, nil, "ls-tree", "-r", "-z", string(sha))
	w.must(err)
	files := map[string]file{}
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if facts, path, ok := strings.Cut(entry, "\t"); ok {
			f := strings.Fields(facts)
			files[path] = file{mode: f[0], id: queue.SHA(f[2])}
		}
	}
	return files
}

func (w *world) blob(text string) queue.SHA {
	out, err := w.origin.Output(w.ctx, []byte(text), "hash-object", "-w", "--stdin")
	w.must(err)
	return queue.SHA(strings.TrimSpace(string(out)))
}

func (w *world) makeTree(files map[string]file) queue.SHA {
	index := filepath.Join(w.t.TempDir(), "index")
	var in bytes.Buffer
	for path, f := range files {
		fmt.Fprintf(&in, "%s %s\t%s\x00", f.mode, f.id, path)
	}
	g := w.origin
	g.Env = []string{"GIT_INDEX_FILE=" + index}
	_, err := g.Output(w.ctx, in.Bytes(), "update-index", "-z", "--index-info")
	w.must(err)
	id, err := g.Text(w.ctx, "write-tree")
	w.must(err)
	return queue.SHA(id)
}

func (w *world) playQuickly(t *rapid.T, tell func(s *script)) {
	s := &script{}
	tell(s)
	marks := filepath.Join(w.repo.Dir, "marks")
	if _, err := w.origin.Output(w.ctx, s.text.Bytes(), "fast-import", "--quiet", "--force", "--export-marks="+marks); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(marks)
	w.must(err)
	for line := range strings.Lines(string(text)) {
		var n int
		var id string
		if _, err := fmt.Sscanf(line, ":%d %s", &n, &id); err != nil {
			t.Fatal(err)
		}
		w.ids[s.names[n-1]] = queue.SHA(id)
	}
}
