package vcs

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func slotsWorld(t *testing.T, format string) (*world, *Slots) {
	t.Helper()
	w := newWorld(t, format)
	width := map[string]int{"sha1": 40, "sha256": 64}[format]
	files := tree{
		"README": "read me\n", "run.sh": "100755|#!/bin/sh\n", "link": "120000|README", "dangling": "120000|/nonexistent/x",
		"sub": "160000|" + strings.Repeat("1", width), "deep/sub": "160000|" + strings.Repeat("2", width),
		"d/e/f.txt": lines(5), "d/e/g.txt": "g\n", "d/h.txt": "h\n", "crlf.txt": "a\r\nb\r\n", "win.bat": "echo\n",
		".gitattributes": "*.bat text eol=crlf\n*.bin filter=lfs diff=lfs merge=lfs -text\n*.id ident\n", "big.bin": "version https://git-lfs.github.com/spec/v1\n",
		".gitignore": "*.log\nbuild/\n", "d/.gitignore": "!*.log\n", "latin-\xe9": "x\n",
	}
	w.play(func(s *script) {
		s.commit("base", files)
		s.commit("next", files.with("README", "changed\n", "d/e", "now a file\n", "d/e/f.txt", "-", "d/e/g.txt", "-", "sub", "-", "link", "120000|run.sh", "n/new", "new\n"), "base")
	}).mirror("base")
	return w, &Slots{Repo: w.repo, Dir: t.TempDir()}
}

// snapshot is every entry of a checkout but .git, with its mode and content.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if name == ".git" {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		stat := info.Sys().(*syscall.Stat_t)
		text := fmt.Sprintf("%v %d:%d", info.Mode(), stat.Uid, stat.Gid)
		switch {
		case info.Mode().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += fmt.Sprintf(" %d %q", stat.Nlink, content)
		case info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			text += " " + to
		}
		found[name] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// status is what a test suite sees that asks git in a checkout.
func (w *world) status(dir string) string {
	w.t.Helper()
	out, err := Git{Dir: filepath.Join(dir, ".git"), WorkTree: dir}.Text(w.ctx, "status", "--porcelain", "--ignored")
	w.must(err)
	return out
}

func TestCheckoutIsExactlyTheCommit(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			w, slots := slotsWorld(t, format)
			for _, name := range []string{"base", "next", "base", "base"} {
				dir, release, err := slots.Checkout(w.ctx, w.ids[name])
				w.must(err)
				if got := w.status(dir); got != "" {
					t.Fatalf("%s: status %q", name, got)
				}
				fresh, releaseFresh, err := (&Slots{Repo: w.repo, Dir: t.TempDir()}).Checkout(w.ctx, w.ids[name])
				w.must(err)
				if got, want := snapshot(t, dir), snapshot(t, fresh); !maps.Equal(got, want) {
					t.Fatalf("%s:\n%q\nwant\n%q", name, got, want)
				}
				g := Git{Dir: filepath.Join(dir, ".git"), WorkTree: dir}
				if head, err := g.Text(w.ctx, "log", "-1", "--format=%H"); err != nil || head != string(w.ids[name]) {
					t.Fatalf("HEAD %q, %v", head, err)
				}
				release()
				releaseFresh()
			}
			dir, release, err := slots.Checkout(w.ctx, w.ids["base"])
			w.must(err)
			defer release()
			if got := snapshot(t, dir); !strings.HasSuffix(got["win.bat"], `"echo\r\n"`) || !strings.Contains(got["big.bin"], "git-lfs") || !strings.HasSuffix(got["dangling"], "/nonexistent/x") {
				t.Fatalf("files %q", got)
			}
			if names, err := filepath.Glob(filepath.Join(slots.Dir, "*")); err != nil || len(names) != 1 {
				t.Fatalf("slots %q, %v: one after the other they share one", names, err)
			}
		})
	}
}

func TestNothingOfARunSurvives(t *testing.T) {
	t.Parallel()
	w, slots := slotsWorld(t, "sha1")
	began := time.Now().Add(-time.Second)
	dir, release, err := slots.Checkout(w.ctx, w.ids["base"])
	w.must(err)
	wants := map[string]map[string]string{"base": snapshot(t, dir)}
	release()
	other, release, err := (&Slots{Repo: w.repo, Dir: t.TempDir()}).Checkout(w.ctx, w.ids["next"])
	w.must(err)
	wants["next"] = snapshot(t, other)
	release()
	objects := w.objectsOf()
	for name, act := range hostile {
		for _, next := range []string{"next", "base"} {
			dir, release, err := slots.Checkout(w.ctx, w.ids["base"])
			w.must(err)
			if err := act(dir); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			release()
			dir, release, err = slots.Checkout(w.ctx, w.ids[next])
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := w.status(dir); got != "" {
				t.Errorf("after %s, %s: status %q", name, next, got)
			}
			if got := snapshot(t, dir); !maps.Equal(got, wants[next]) {
				t.Errorf("after %s, %s:\n%q\nwant\n%q", name, next, got, wants[next])
			}
			for path, at := range times(t, dir) {
				if at.Before(began) || at.After(time.Now()) {
					t.Errorf("after %s, %s: %s is of %v", name, next, path, at)
				}
			}
			for _, gone := range []string{"hooks", "info-exclude", "refs/tags/v1"} {
				if _, err := os.Lstat(filepath.Join(dir, ".git", gone)); err == nil {
					t.Errorf("after %s: .git/%s is still there", name, gone)
				}
			}
			release()
		}
	}
	if names, err := filepath.Glob(filepath.Join(slots.Dir, "*")); err != nil || len(names) != 1 {
		t.Errorf("slots %q, %v", names, err)
	}
	if got := w.objectsOf(); got != objects {
		t.Errorf("the mirror's objects have changed: %s, not %s", got, objects)
	}
	w.must(w.repo.git().Run(w.ctx, "fsck", "--strict", "--no-dangling"))
}

// times are when files and directories were last changed, as they say themselves.
func times(t *testing.T, dir string) map[string]time.Time {
	t.Helper()
	found := map[string]time.Time{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			info, lookErr := d.Info()
			if err = lookErr; err == nil {
				found[path] = info.ModTime()
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// What a run does at once falls into the same step of the file system's clock as the checkout, unless that waits.
func TestInMemoryNothingSurvivesEither(t *testing.T) {
	t.Parallel()
	w, _ := slotsWorld(t, "sha1")
	dir, err := os.MkdirTemp("/dev/shm", "lander-test-")
	w.must(err)
	t.Cleanup(func() { _ = removeAll(dir) })
	slots := &Slots{Repo: w.repo, Dir: dir}
	tree, release, err := slots.Checkout(w.ctx, w.ids["base"])
	w.must(err)
	want := snapshot(t, tree)
	w.must(hostile["written through a mapping"](tree))
	release()
	tree, release, err = slots.Checkout(w.ctx, w.ids["base"])
	w.must(err)
	defer release()
	if got := snapshot(t, tree); w.status(tree) != "" || !maps.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWhatIsDoneAtOnceIsSeen(t *testing.T) {
	t.Parallel()
	w, slots := slotsWorld(t, "sha1")
	for i := range 40 {
		name := []string{"base", "next"}[i/2%2]
		dir, release, err := slots.Checkout(w.ctx, w.ids[name])
		w.must(err)
		if i%2 == 0 {
			if got := w.status(dir); got != "" {
				t.Fatalf("round %d: status %q", i, got)
			}
			release()
			continue
		}
		w.must(errors.Join(os.WriteFile(dir+"/d/h.txt", []byte("H\n"), 0), os.WriteFile(dir+"/d/stray", nil, 0o666), os.WriteFile(dir+"/win.bat", []byte("ECHO\r\n"), 0)))
		release()
	}
}

func (w *world) objectsOf() string {
	w.t.Helper()
	out, err := w.repo.git().Text(w.ctx, "count-objects", "--verbose")
	w.must(err)
	return out
}

func TestACrashedCheckoutIsMended(t *testing.T) {
	t.Parallel()
	w, slots := slotsWorld(t, "sha1")
	dir, release, err := slots.Checkout(w.ctx, w.ids["base"])
	w.must(err)
	want := snapshot(t, dir)
	release()
	slot := filepath.Dir(dir)
	for name, act := range map[string]func() error{
		"a lock left behind": func() error { return os.WriteFile(slot+"/index.lock", []byte("half"), 0o666) },
		"no index":           func() error { return os.Remove(slot + "/index") },
		"half an index":      func() error { return os.Truncate(slot+"/index", 100) },
		"files half written": func() error { return os.Truncate(dir+"/d/e/f.txt", 3) },
		"half of the stamps": func() error {
			return errors.Join(os.Truncate(slot+"/stamps", 9), os.WriteFile(dir+"/d/new", nil, 0o666), os.Chmod(dir+"/d/e", 0o500))
		},
		"no stamps": func() error { return errors.Join(os.Remove(slot+"/stamps"), os.WriteFile(dir+"/d/new", nil, 0o666)) },
		"stamps that are nonsense": func() error {
			return errors.Join(os.WriteFile(slot+"/stamps", []byte("d\x00one two\x00d/e\x00\x00\x00"), 0o666), os.WriteFile(dir+"/d/e/new", nil, 0o666))
		},
		"half of a new .git": func() error { return errors.Join(os.RemoveAll(dir+"/.git/refs"), os.Remove(dir+"/.git/HEAD")) },
	} {
		if err := act(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		dir, release, err := slots.Checkout(w.ctx, w.ids["base"])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := snapshot(t, dir); w.status(dir) != "" || !maps.Equal(got, want) {
			t.Errorf("after %s: %q", name, got)
		}
		release()
	}
}

// A file that is the same in both commits looks different when the attributes say so.
func TestAttributesOfTheCommitCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sha1")
	w.play(func(s *script) {
		s.commit("base", tree{"win.bat": "echo\n"})
		s.commit("crlf", tree{"win.bat": "echo\n", ".gitattributes": "*.bat text eol=crlf\n"}, "base")
	}).mirror("base")
	slots := &Slots{Repo: w.repo, Dir: t.TempDir()}
	for name, want := range map[string]string{"base": "echo\n", "crlf": "echo\r\n"} {
		for range 2 {
			dir, release, err := slots.Checkout(w.ctx, w.ids[name])
			w.must(err)
			if text, err := os.ReadFile(filepath.Join(dir, "win.bat")); err != nil || string(text) != want || w.status(dir) != "" {
				t.Errorf("%s: %q, %v", name, text, err)
			}
			release()
		}
	}
}

func TestSlotsGrowOnDemand(t *testing.T) {
	t.Parallel()
	w, slots := slotsWorld(t, "sha1")
	var (
		all   sync.WaitGroup
		mutex sync.Mutex
		dirs  = map[string]bool{}
	)
	hold := make(chan struct{})
	for i := range 4 {
		all.Go(func() {
			shared := slots
			if i%2 == 1 {
				shared = &Slots{Repo: slots.Repo, Dir: slots.Dir} // as another process would
			}
			dir, release, err := shared.Checkout(w.ctx, w.ids[[]string{"base", "next"}[i%2]])
			if err != nil {
				t.Error(err)
				return
			}
			mutex.Lock()
			dirs[dir] = true
			if len(dirs) == 4 {
				close(hold)
			}
			mutex.Unlock()
			select {
			case <-hold:
			case <-time.After(20 * time.Second):
				t.Error("the others get no slot")
			}
			release()
		})
	}
	all.Wait()
	if len(dirs) != 4 {
		t.Fatalf("four at once got %v", dirs)
	}
}

func TestCheckoutOfACommitThatIsNotThere(t *testing.T) {
	t.Parallel()
	w, slots := slotsWorld(t, "sha1")
	if _, _, err := slots.Checkout(w.ctx, "1111111111111111111111111111111111111111"); err == nil {
		t.Fatal("checked out a commit that is not there")
	}
	_, release, err := slots.Checkout(w.ctx, w.ids["base"])
	w.must(err)
	release()
}
