package verify

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHostileRepository: nothing in a repository's own settings can make a breach look right, or start a program.
func TestHostileRepository(t *testing.T) {
	t.Parallel()
	w := adopted(t)
	p := w.pull(1, w.tip(), draft{edits: []edit{{"a.txt", "one\n", "uno\n"}}})
	w.land(w.pull(2, w.tip(), draft{edits: []edit{{"a.txt", "one\n", "ein\n"}}}))
	honest := w.tip()
	p.steps[0].edits = []edit{{"a.txt", "ein\n", "ein\nuno\n"}} // what merge=union would make of the conflict
	w.land(p)
	w.push(maya, edit{"hand", "", "1\n"})
	w.flush()
	want := []string{"change: conflicts with trunk: a.txt", "bypass: past lander"}
	expect(t, w.must(Options{}), want)

	// Whoever looks through replacements and grafts sees a trunk without the two last commits.
	w.git("replace", w.tip(), honest)
	w.git("replace", "--graft", w.refs[ledgerRef], w.refs[ledgerRef]+"^")
	trap := filepath.Join(t.TempDir(), "trapped")
	write := func(name, text string) {
		name = filepath.Join(w.dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write("info/attributes", "* merge=union\n*.txt merge=mine\n")
	for _, hook := range []string{"post-checkout", "reference-transaction", "post-index-change"} {
		write("hooks/"+hook, "#!/bin/sh\ntouch "+trap+"\n")
	}
	for _, setting := range [][2]string{
		{"merge.mine.driver", "touch " + trap + "; cp %B %A"},
		{"core.fsmonitor", "touch " + trap},
		{"core.sshCommand", "touch " + trap},
		{"core.pager", "touch " + trap},
		{"core.alternateRefsCommand", "touch " + trap},
		{"diff.external", "touch " + trap},
		{"merge.default", "union"},
		{"diff.ignoreSubmodules", "all"},
		{"core.attributesFile", filepath.Join(w.dir, "info/attributes")},
	} {
		w.git("config", setting[0], setting[1])
	}
	write("info/grafts", w.tip()+" "+honest+"\n")
	r, err := Run(t.Context(), Options{Dir: w.dir})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, r, want)
	if _, err := os.Stat(trap); err == nil {
		t.Error("a program of the repository was started")
	}
}

// TestForgedObject: a commit that is not what its name says proves nothing.
func TestForgedObject(t *testing.T) {
	t.Parallel()
	w := adopted(t)
	w.land(w.one(1))
	w.flush()
	tip := w.tip()
	text := w.git("cat-file", "commit", tip)
	other := w.object("commit", []byte(strings.Replace(text, "change 1", "change 7", 1)+"\n"))
	w.flush()
	// The other one's bytes under the name of the tip: a loose object is found first.
	w.git("cat-file", "-e", other)
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	body := w.git("cat-file", "commit", other) + "\n"
	fmt.Fprintf(z, "commit %d\x00%s", len(body), body)
	z.Close()
	dir := filepath.Join(w.dir, "objects", tip[:2])
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, tip[2:]), packed.Bytes(), 0o444); err != nil {
		t.Fatal(err)
	}
	packs, err := filepath.Glob(filepath.Join(w.dir, "objects/pack/*"))
	if err != nil {
		t.Fatal(err)
	}
	loosen(t, w, packs)
	_, err = Run(t.Context(), Options{Dir: w.dir})
	refused(t, err, "holds as "+tip+" is something else: it is damaged, or was tampered with", false)
}

// loosen takes packs apart, which leaves the objects alone that are loose already.
func loosen(t *testing.T, w *world, packs []string) {
	t.Helper()
	hold := t.TempDir()
	for _, p := range packs {
		if err := os.Rename(p, filepath.Join(hold, filepath.Base(p))); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range packs {
		if !strings.HasSuffix(p, ".pack") {
			continue
		}
		in, err := os.Open(filepath.Join(hold, filepath.Base(p)))
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		cmd := exec.Command("git", "unpack-objects", "-q")
		cmd.Dir, cmd.Stdin = w.dir, in
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
}
