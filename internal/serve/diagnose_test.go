package serve

import (
	"context"
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"lander/internal/config"
	"lander/internal/forge"
	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
	"lander/internal/vcs"
)

// fullDisk is what a git says that writes to a disk that has no room.
func fullDisk(t *testing.T) error {
	t.Helper()
	repo := vcs.Git{Dir: filepath.Join(t.TempDir(), "x.git")}
	if err := (vcs.Git{}).Run(t.Context(), "init", "--quiet", "--bare", repo.Dir); err != nil {
		t.Fatal(err)
	}
	tree, err := repo.Text(t.Context(), "mktree")
	if err != nil {
		t.Fatal(err)
	}
	err = repo.Run(t.Context(), "archive", "--output=/dev/full", tree)
	if err == nil {
		t.Fatal("the disk that is always full took it")
	}
	return err
}

func TestADiagnosisSaysWhatToMend(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := &Rooms{Settings: config.Server{DataDir: dir}}
	at := &repository{mirror: &vcs.Repo{Dir: filepath.Join(dir, "x.git"), Remote: "http://127.0.0.1:1/x.git"}}
	if err := os.Mkdir(at.mirror.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	full := fullDisk(t)
	if !errors.Is(full, syscall.ENOSPC) || errors.Is(full, syscall.EACCES) {
		t.Errorf("what git says of a full disk is not understood: %v", full)
	}
	remote := &vcs.ExitError{Verb: "push", Code: 1, Stderr: "remote: fatal: write error: No space left on device"}
	if errors.Is(remote, syscall.ENOSPC) {
		t.Error("the disk of the git server is taken for this machine's")
	}
	for name, c := range map[string]struct {
		err   error
		words []string
	}{
		"a disk that git finds full": {errors.Join(full, full, full), []string{"the disk of " + dir + " is full", "make room there"}},
		"one that lander finds full": {&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, []string{"the disk of " + dir + " is full"}},
		"a quota":                    {&fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, []string{"the disk of " + dir + " is full"}},
		"a token that is no good":    {&forge.DeniedError{Status: 401, Message: "Bad credentials"}, []string{"denied by the forge (401): Bad credentials", "its token"}},
		"a forge that is away":       {errors.Join(&forge.UnavailableError{Status: 502, Message: "bad gateway"}, &forge.UnavailableError{Status: 502, Message: "bad gateway"}), []string{"the forge does not answer", "bad gateway"}},
		"a git server that is away":  {&vcs.ExitError{Verb: "fetch", Code: 128, Stderr: "fatal: x"}, []string{"the git server does not answer", "127.0.0.1:1/x.git"}},
		"anything else":              {errors.New("something odd"), nil},
	} {
		said := r.diagnose(at, queue.Lane{Repo: "x", Trunk: "main"})(t.Context(), c.err)
		if (said == "") != (c.words == nil) || strings.Contains(said, "\n") {
			t.Errorf("%s: %q", name, said)
		}
		for _, w := range c.words {
			if strings.Count(said, w) != 1 {
				t.Errorf("%s: %q does not say %q once", name, said, w)
			}
		}
	}
}

// smallDisk gives a directory a file system of its own, where this user may.
func smallDisk(t *testing.T, dir string) (ok bool) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	err := unix.Mount("lander-test", dir, "tmpfs", 0, "size=4m")
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return true
}

// A disk of its own that mirrors are on is measured as well.
func TestTheDoctorMeasuresEveryDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if got := disks(dir); len(got) != 1 {
		t.Errorf("%v", got)
	}
	other := "/dev/shm" // on a file system of its own nearly everywhere
	if device(other) == 0 || device(other) == device(dir) {
		other = "/proc"
	}
	mirrors := filepath.Join(dir, "mirrors")
	if !smallDisk(t, mirrors) {
		if err := errors.Join(os.Remove(mirrors), os.Symlink(other, mirrors)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, f := range machine(t.Context(), dir) {
		if f.Check == "disk-space" && strings.Contains(f.Found, " for "+mirrors) {
			found++
		}
		if strings.Contains(f.Found, filepath.Join(dir, "logs")) {
			t.Errorf("told twice: %+v", f)
		}
	}
	if found != 1 {
		t.Errorf("the mirrors were measured %d times", found)
	}
}

// A lander whose mirrors have no room tells everybody, and goes on once there is some. Who may not make a disk takes away the right to
// write there, which is as good a reason.
func TestALaneWhoseDiskIsFullSaysSo(t *testing.T) {
	t.Parallel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	h, err := hub.Open(t.TempDir(), hub.Options{})
	must(err)
	srv := httptest.NewServer(h.Handler())
	t.Cleanup(func() { srv.Close(); _ = h.Close() })
	h.SetURL(srv.URL)
	_, err = h.AddUser(hub.User{Login: "lander", Type: "Bot"})
	must(err)
	_, err = h.AddUser(hub.User{Login: "maya"})
	must(err)
	must(h.AddRepo("acme/app", hub.Seed{Files: map[string]string{"README.md": "# app\n"}}))
	must(h.SetRole("acme/app", "lander", hub.RoleWrite))
	must(h.SetRole("acme/app", "maya", hub.RoleWrite))
	token, err := h.AddToken("lander", "")
	must(err)
	s, err := store.Open(t.Context(), storetest.New(t), zerolog.Nop())
	must(err)
	t.Cleanup(s.Close)
	data := t.TempDir()
	settings, err := config.Load(config.Source{Env: map[string]string{
		"LANDER_FORGE_URL": srv.URL + "/api/v3", "LANDER_TOKEN": token, "LANDER_DATA_DIR": data, "LANDER_LANES": "acme/app:main", "LANDER_POLL": "1s",
	}, Serving: true})
	must(err)
	mirrors := filepath.Join(data, "mirrors")
	real := smallDisk(t, mirrors)
	// Time runs fast here, so that a minute of patience is a second.
	var fast atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(fast.Load())) }
	client, err := NewForge(settings, ForgeOptions{Log: zerolog.Nop()})
	must(err)
	l := settings.Lanes[0]
	k := (&Rooms{Settings: settings, Store: s, Forge: client, Now: now, Log: zerolog.Nop()}).Keeper(l)
	k.Every = time.Second
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = k.Run(ctx) })
	defer running.Wait()
	defer cancel()
	until := func(what string, ok func(queue.Queue) bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); ; <-time.After(10 * time.Millisecond) {
			q, _, err := s.View(t.Context(), l)
			must(err)
			if ok(q) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: tip %s, trouble %+v", what, q.Tip.Short(), q.Trouble)
			}
			fast.Add(int64(100 * time.Millisecond))
			k.Nudge()
		}
	}
	until("begun", func(q queue.Queue) bool { return q.Tip != "" && q.Trouble == nil })

	ballast := filepath.Join(mirrors, "ballast")
	mirror := filepath.Join(mirrors, "acme", "app.git")
	if real {
		f, err := os.Create(ballast)
		must(err)
		block := make([]byte, 1<<16)
		for err == nil {
			_, err = f.Write(block)
		}
		must(f.Close())
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	} else {
		must(os.Rename(mirror, mirror+".away"))
		must(os.WriteFile(mirror, nil, 0o444))
	}
	tip, err := h.Push("acme/app", hub.Push{By: "maya", Branch: "main", Commits: []hub.Commit{{Message: "more", Files: map[string]string{"more": "to land"}}}})
	must(err)
	want := "lander cannot go on here: "
	if real {
		want += "the disk of " + mirrors + " is full"
	}
	until("told", func(q queue.Queue) bool { return q.Trouble != nil && strings.HasPrefix(q.Trouble.Reason, want) })
	if real {
		must(os.Remove(ballast))
	} else {
		must(errors.Join(os.Remove(mirror), os.Rename(mirror+".away", mirror)))
	}
	until("gone on", func(q queue.Queue) bool { return q.Trouble == nil && string(q.Tip) == tip })
}
