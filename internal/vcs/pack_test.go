package vcs

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lander/internal/queue"
)

// elsewhere is another machine's mirror of the same remote.
func (w *world) elsewhere() *Repo {
	w.t.Helper()
	r := &Repo{Dir: filepath.Join(w.t.TempDir(), "elsewhere.git"), Remote: w.repo.Remote}
	w.must(r.Init(w.ctx))
	return r
}

// hidden makes a commit that only the mirror has, as a candidate is.
func (w *world) hidden(files tree, parent queue.SHA) queue.SHA {
	w.t.Helper()
	s := &script{}
	s.commit("hidden", files, string(parent))
	text := bytes.ReplaceAll(s.text.Bytes(), []byte("refs/made/1"), []byte("refs/hidden/"+string(parent)[:8]))
	if _, err := w.repo.git().Output(w.ctx, text, "fast-import", "--quiet", "--force"); err != nil {
		w.t.Fatal(err)
	}
	id, err := w.repo.git().Text(w.ctx, "rev-parse", "refs/hidden/"+string(parent)[:8])
	w.must(err)
	return queue.SHA(id)
}

func TestAParcelBringsWhatTheRemoteNeverSaw(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, format)
			w.play(func(s *script) {
				s.commit("base", tree{"a": strings.Repeat("line\n", 1000), "b": "b\n"})
			}).mirror("base")
			far := w.elsewhere()
			made := w.hidden(tree{"a": strings.Repeat("line\n", 1000) + "more\n", "b": "b\n"}, w.ids["base"])
			p, err := w.repo.Pack(w.ctx, "main", made, 0)
			w.must(err)
			if p.Tip != w.ids["base"] || len(p.Pack) == 0 || len(p.Pack) > 1000 {
				t.Fatalf("a parcel of %d bytes on %s", len(p.Pack), p.Tip)
			}
			release, err := far.Unpack(w.ctx, "main.1.1", "main", p)
			w.must(err)
			slots := &Slots{Repo: far, Dir: filepath.Join(t.TempDir(), "slots")}
			dir, done, err := slots.Checkout(w.ctx, made)
			w.must(err)
			if text, err := os.ReadFile(filepath.Join(dir, "a")); err != nil || !strings.HasSuffix(string(text), "more\n") {
				t.Errorf("checked out %d bytes, %v", len(text), err)
			}
			done()
			// Kept until it is given up, whatever is collected meanwhile; then it goes.
			w.must(far.git().Run(w.ctx, "gc", "--quiet", "--prune=now"))
			if !far.Has(w.ctx, made) {
				t.Fatal("collected while in use")
			}
			release()
			w.must(far.git().Run(w.ctx, "gc", "--quiet", "--prune=now"))
			if far.Has(w.ctx, made) {
				t.Error("kept after its use")
			}
		})
	}
}

// A control run tests a commit that trunk has already: there is nothing to send.
func TestAParcelOfTrunkItselfIsEmpty(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("old", tree{"a": "a\n"})
		s.commit("base", tree{"a": "b\n"}, "old")
	}).mirror("base")
	far := w.elsewhere()
	p, err := w.repo.Pack(w.ctx, "main", w.ids["old"], 0)
	w.must(err)
	release, err := far.Unpack(w.ctx, "x", "main", p)
	w.must(err)
	release()
}

func TestAParcelStandsOnTrunkAsItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) { s.commit("base", tree{"a": "a\n"}) }).mirror("base")
	far := w.elsewhere()
	made := w.hidden(tree{"a": "b\n"}, w.ids["base"])
	p, err := w.repo.Pack(w.ctx, "main", made, 0)
	w.must(err)
	w.play(func(s *script) { s.commit("next", tree{"a": "a\n", "c": "c\n"}, string(w.ids["base"])) })
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(w.ids["next"])))
	_, err = far.Unpack(w.ctx, "x", "main", p)
	w.must(err)
	w.must(far.Forget(w.ctx))
	if kept, err := far.refs(w.ctx, strings.TrimSuffix(errandRefs, "/")); err != nil || len(kept) > 0 {
		t.Errorf("kept %v, %v", kept, err)
	}

	// A trunk that was taken back is not there to stand on.
	w.play(func(s *script) { s.commit("other", tree{"z": "z\n"}) })
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(w.ids["other"])))
	third := w.elsewhere()
	if _, err := third.Unpack(w.ctx, "x", "main", p); !errors.Is(err, ErrNotFound) {
		t.Errorf("on a trunk that was rewound: %v", err)
	}
}

func TestAParcelThatIsTooLargeIsNotMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) { s.commit("base", tree{"a": "a\n"}) }).mirror("base")
	noise := make([]byte, 300<<10)
	_, _ = rand.Read(noise)
	made := w.hidden(tree{"a": hex.EncodeToString(noise)}, w.ids["base"])
	if _, err := w.repo.Pack(w.ctx, "main", made, 100<<10); !errors.Is(err, ErrTooLarge) {
		t.Errorf("packed: %v", err)
	}
	if _, err := w.elsewhere().Unpack(w.ctx, "x", "main", Parcel{Commit: made, Tip: w.ids["base"], Pack: make([]byte, MostParcel+1)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("unpacked: %v", err)
	}
}

func TestAParcelIsNotBelieved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) { s.commit("base", tree{"a": "a\n", "d/e": "e\n"}) }).mirror("base")
	made := w.hidden(tree{"a": "b\n", "d/e": "f\n"}, w.ids["base"])
	good, err := w.repo.Pack(w.ctx, "main", made, 0)
	w.must(err)

	object := func(kind string, text []byte) queue.SHA {
		t.Helper()
		out, err := w.repo.git().Output(w.ctx, text, "hash-object", "-t", kind, "-w", "--stdin", "--literally")
		w.must(err)
		return queue.SHA(strings.TrimSpace(string(out)))
	}
	raw := func(id queue.SHA) string { b, _ := hex.DecodeString(string(id)); return string(b) }
	blob := object("blob", []byte("x\n"))
	commit := func(tree queue.SHA) queue.SHA {
		return object("commit", []byte("tree "+string(tree)+"\nparent "+string(w.ids["base"])+"\nauthor A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n\nx\n"))
	}
	// exactly packs the objects named and nothing else.
	exactly := func(ids ...queue.SHA) []byte {
		t.Helper()
		var names strings.Builder
		for _, id := range ids {
			names.WriteString(string(id) + "\n")
		}
		out, err := w.repo.git().Output(w.ctx, []byte(names.String()), "pack-objects", "--quiet", "--stdout")
		w.must(err)
		return out
	}
	gitDir := object("tree", []byte("100644 .git\x00"+raw(blob)))
	twice := object("tree", []byte("100644 a\x00"+raw(blob)+"100644 a\x00"+raw(blob)))
	sound := object("tree", []byte("100644 a\x00"+raw(blob)))
	flipped := bytes.Clone(good.Pack)
	flipped[len(flipped)/2] ^= 0x40

	for name, p := range map[string]Parcel{
		"nothing":                {Commit: made, Pack: nil},
		"noise":                  {Commit: made, Pack: []byte(strings.Repeat("PACK\x00\x00\x00\x02\xff\xff\xff\xff", 50))},
		"cut short":              {Commit: made, Pack: good.Pack[:len(good.Pack)-30]},
		"a bit turned":           {Commit: made, Pack: flipped},
		"another commit":         {Commit: queue.SHA(strings.Repeat("ab", 20)), Pack: good.Pack},
		"no id":                  {Commit: "HEAD", Pack: good.Pack},
		"a file .git":            {Commit: commit(gitDir), Pack: exactly(commit(gitDir), gitDir, blob)},
		"a name twice":           {Commit: commit(twice), Pack: exactly(commit(twice), twice, blob)},
		"a tree left out":        {Commit: commit(sound), Pack: exactly(commit(sound), blob)},
		"a file left out":        {Commit: commit(sound), Pack: exactly(commit(sound), sound)},
		"a tree for a commit":    {Commit: sound, Pack: exactly(sound, blob)},
		"an option for a commit": {Commit: "--upload-pack=true", Pack: good.Pack},
	} {
		t.Run(name, func(t *testing.T) {
			far := w.elsewhere()
			p.Tip = w.ids["base"]
			if _, err := far.Unpack(w.ctx, "x", "main", p); err == nil {
				t.Error("believed")
			}
			if kept, err := far.refs(context.Background(), strings.TrimSuffix(errandRefs, "/")); err != nil || len(kept) > 0 {
				t.Errorf("kept %v, %v", kept, err)
			}
		})
	}
	for _, name := range []string{"", "../heads/main", "a..b", "a b", "-x/.y", "x.lock"} {
		if _, err := w.elsewhere().Unpack(w.ctx, name, "main", good); err == nil {
			t.Errorf("kept by the name %q", name)
		}
	}
}
