package testrun

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lander/internal/queue"
)

func TestGreenRun(t *testing.T) {
	t.Parallel()
	r, s := newRunner(t)
	recipe := steps("cat built", "test -f hello.txt && pwd -P")
	recipe.Setup = []string{"echo from setup > built"}
	if err := os.WriteFile(filepath.Join(s.dir, "hello.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	v := r.Run(t.Context(), jobOf(recipe))
	want(t, v, queue.Green, "")
	if v.Reason != "" || v.Step != "" || v.Tail != nil || v.Took <= 0 {
		t.Errorf("a green verdict has nothing to explain: %+v", v)
	}
	var names []string
	for _, step := range v.Steps {
		names = append(names, step.Name)
		if step.Exit != 0 || step.Took <= 0 {
			t.Errorf("step %+v", step)
		}
	}
	if !slices.Equal(names, []string{"setup", "a", "b"}) {
		t.Errorf("steps %q", names)
	}
	if !slices.Equal(s.asked, []queue.SHA{candidate}) || s.released != 1 {
		t.Errorf("asked for %v, released %d times", s.asked, s.released)
	}
	real, err := filepath.EvalSymlinks(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	stamp := regexp.MustCompile(`(?m)^=== \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\S+ `)
	took := regexp.MustCompile(`after [0-9.]+[µm]?s`)
	got := took.ReplaceAllString(stamp.ReplaceAllString(readLog(t, r, "run-1"), "=== "), "after T")
	wanted := `=== run run-1 of acme/app:main: candidate ` + string(candidate) + ` on ` + string(base) + `, with #7 #12, recipe ` + recipe.Digest()[:12] + `
=== setup (echo from setup > built) begins: echo from setup > built
=== setup (echo from setup > built) exited with 0 after T
=== step "a" begins: cat built
from setup
=== step "a" exited with 0 after T
=== step "b" begins: test -f hello.txt && pwd -P
` + real + `
=== step "b" exited with 0 after T
=== green after T
`
	if got != wanted {
		t.Errorf("log:\n%s\nwant:\n%s", got, wanted)
	}
}

func TestFirstFailureEndsTheRun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, command string
		exit          int
		reason        string
	}{
		{"exit status", "echo broken >&2; exit 3", 3, `step "b" exited with 3`},
		{"an early line of several", "echo broken\nfalse\ntrue", 1, "exited with 1"},
		{"command not found", "echo broken; no-such-command-here", 127, "not installed"},
		{"not executable", "echo broken; touch plain; ./plain", 126, "may not be executed"},
		{"a shell killed by a signal", "echo broken; kill -TERM $$", 143, "signal 15, terminated"},
		{"a shell killed as by the kernel out of memory", "echo broken; kill -KILL $$", 137, "SIGKILL (exit 137); most often the machine, or a limit around lander, ran out of memory"},
		{"a command of the shell so killed", "echo broken; sh -c 'kill -KILL $$'; true", 137, "SIGKILL (exit 137)"},
		{"not shell at all", "echo broken; )", 2, "exited with 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, s := newRunner(t)
			v := r.Run(t.Context(), jobOf(steps("true", c.command, "touch too-far")))
			want(t, v, queue.Red, c.reason)
			if v.Step != "b" || v.Exit != c.exit || len(v.Steps) != 2 || v.Steps[1].Exit != c.exit {
				t.Errorf("verdict %+v", v)
			}
			if c.exit != 2 && v.Tail[0] != "broken" {
				t.Errorf("tail %q", v.Tail)
			}
			if exists(filepath.Join(s.dir, "too-far")) {
				t.Error("a step ran after one that failed")
			}
		})
	}
	t.Run("setup", func(t *testing.T) {
		t.Parallel()
		r, _ := newRunner(t)
		recipe := steps("true")
		recipe.Setup = []string{"exit 9"}
		v := r.Run(t.Context(), jobOf(recipe))
		want(t, v, queue.Red, "setup (exit 9) exited with 9")
		if v.Step != "setup" || len(v.Steps) != 1 {
			t.Errorf("verdict %+v", v)
		}
	})
}

func TestNothingToRunIsNotGreen(t *testing.T) {
	t.Parallel()
	r, s := newRunner(t)
	v := r.Run(t.Context(), jobOf(queue.Recipe{Setup: []string{"true"}}))
	want(t, v, queue.Unmeasured, "no test step is configured")
	if len(s.asked) != 0 {
		t.Error("checked out for nothing")
	}
}

func TestOutputComesBeforeTheEndOfItsStep(t *testing.T) {
	t.Parallel()
	r, _ := newRunner(t)
	var commands []string
	for i := range 20 {
		commands = append(commands, "seq 1 3000; echo last of "+string(rune('a'+i)))
	}
	want(t, r.Run(t.Context(), jobOf(steps(commands...))), queue.Green, "")
	log := readLog(t, r, "run-1")
	for i := range 20 {
		name := string(rune('a' + i))
		if !regexp.MustCompile(`3000\nlast of ` + name + `\n=== \S+ step "` + name + `" exited`).MatchString(log) {
			t.Errorf("step %s: output and header out of order", name)
		}
	}
}

func TestTailIsOfTheStepThatFailed(t *testing.T) {
	t.Parallel()
	r, _ := newRunner(t)
	v := r.Run(t.Context(), jobOf(steps("seq 100 200", `printf '\033[31mred\033[0m\a\n\377\n'; seq 1 40; exit 1`)))
	want(t, v, queue.Red, "")
	if len(v.Tail) != 30 || v.Tail[0] != "11" || v.Tail[29] != "40" {
		t.Errorf("tail %q", v.Tail)
	}
	v = r.Run(t.Context(), jobOf(steps("seq 100 200", `printf '\033[31mred\033[0m\a\n\377\n'; exit 1`)))
	if !slices.Equal(v.Tail, []string{"red", "\uFFFD"}) {
		t.Errorf("tail %q", v.Tail)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	t.Run("timeout counts over all commands, however much they write", func(t *testing.T) {
		t.Parallel()
		r, _ := newRunner(t)
		recipe := steps("sleep 0.1", "sleep 0.1", "echo on it; while :; do echo; sleep 0.02; done")
		recipe.Timeout = 1500 * time.Millisecond
		v := r.Run(t.Context(), jobOf(recipe))
		want(t, v, queue.TimedOut, `limit of 1.5s (timeout) passed in step "c"`)
		if v.Step != "c" || v.Took < 1500*time.Millisecond || v.Took > 8*time.Second || v.Steps[2].Exit != -1 {
			t.Errorf("verdict %+v", v)
		}
	})
	t.Run("quiet counts from the last output", func(t *testing.T) {
		t.Parallel()
		r, _ := newRunner(t)
		recipe := steps("for i in 1 2 3 4 5 6 7 8; do sleep 0.1; echo $i; done; sleep 600")
		recipe.Quiet = 500 * time.Millisecond
		v := r.Run(t.Context(), jobOf(recipe))
		want(t, v, queue.TimedOut, `step "a" wrote nothing for 500ms, the limit for that (quiet)`)
		if v.Took < 1200*time.Millisecond || !slices.Equal(v.Tail, []string{"1", "2", "3", "4", "5", "6", "7", "8"}) {
			t.Errorf("verdict %+v", v)
		}
	})
	t.Run("a step that closes its output and stays", func(t *testing.T) {
		t.Parallel()
		r, _ := newRunner(t)
		recipe := steps("exec >&- 2>&-; sleep 600")
		recipe.Quiet = 300 * time.Millisecond
		want(t, r.Run(t.Context(), jobOf(recipe)), queue.TimedOut, "quiet")
	})
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	r, s := newRunner(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asked time.Time
	go func() {
		until(t, "the step to begin", func() bool { return exists(filepath.Join(s.dir, "begun")) })
		asked = time.Now()
		cancel()
	}()
	v := r.Run(ctx, jobOf(steps("trap '' TERM INT HUP; touch begun; sleep 600 & while :; do wait; done", "true")))
	want(t, v, queue.Cancelled, "no longer wanted")
	took := time.Since(asked)
	t.Logf("ended %v after it was cancelled", took)
	if took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	if s.released != 1 {
		t.Errorf("released %d times", s.released)
	}

	v = r.Run(ctx, jobOf(steps("touch late")))
	want(t, v, queue.Cancelled, "")
	s.err = context.Canceled
	want(t, r.Run(ctx, jobOf(steps("true"))), queue.Cancelled, "")
}

func TestEnvironmentIsBuiltFromNothing(t *testing.T) {
	t.Setenv("LANDER_DATABASE_URL", "postgres://u:secret-one@h/db")
	t.Setenv("GITHUB_TOKEN", "secret-two")
	t.Setenv("https_proxy", "http://u:secret-three@proxy:3128")
	t.Setenv("GOPROXY", "https://proxy.example,direct")
	t.Setenv("NAMED", "as lander has it")
	t.Setenv("HOME", t.TempDir())
	r, s := newRunner(t)
	r.Caches = filepath.Join(t.TempDir(), "caches")
	r.Env = []string{"NAMED", "GIVEN=a=b", "ABSENT", "HOME=/elsewhere"}
	v := r.Run(t.Context(), jobOf(steps("env; ls -A \"$HOME\" \"$TMPDIR\"; cat /proc/$PPID/environ /proc/$PPID/cmdline 2>&1 || true")))
	want(t, v, queue.Green, "")
	log := readLog(t, r, "run-1")
	for _, secret := range []string{"secret-one", "secret-two", "secret-three", "GITHUB_TOKEN", "DATABASE_URL"} {
		if strings.Contains(log, secret) {
			t.Errorf("%s got out", secret)
		}
	}
	vars := map[string]string{}
	for line := range strings.Lines(log) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "===") {
			vars[name] = value
		}
	}
	scratch := vars["LANDER_SCRATCH"]
	if !strings.HasPrefix(scratch, r.Scratch+"/") {
		t.Fatalf("scratch %q", scratch)
	}
	lane, err := laneCache(r.Caches, jobOf(queue.Recipe{}).Lane)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": scratch + "/home", "TMPDIR": scratch + "/tmp", "LANG": "C.UTF-8", "CI": "true",
		"LANDER_RUN": "run-1", "LANDER_LANE": "acme/app:main", "LANDER_REPOSITORY": "acme/app", "LANDER_TRUNK": "main",
		"LANDER_CANDIDATE": string(candidate), "LANDER_BASE": string(base), "LANDER_MEMBERS": "7 12",
		"NAMED": "as lander has it", "GIVEN": "a=b", "GOPROXY": "https://proxy.example,direct",
		"GOMODCACHE": lane + "/go-mod", "XDG_CACHE_HOME": lane + "/xdg",
	} {
		if vars[name] != value {
			t.Errorf("%s=%q, want %q", name, vars[name], value)
		}
	}
	if _, ok := vars["ABSENT"]; ok {
		t.Error("a variable that lander has not was made up")
	}
	_ = s
	until(t, "the private directory to be removed", func() bool { return !exists(scratch) })
	if !exists(lane) {
		t.Error("the lane's caches are gone")
	}
}

func TestEnvRefusesLandersOwn(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{"LANDER_DATABASE_URL", "LANDER_RUN=x", "=x", "A=\x00"} {
		r, _ := newRunner(t)
		r.Env = []string{entry}
		want(t, r.Run(t.Context(), jobOf(steps("true"))), queue.Infra, "want NAME or NAME=VALUE")
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	for value, is := range map[string]bool{
		"http://proxy:3128": false, "proxy:3128": false, "https://a.example,direct": false, "off": false, "-mod=mod -p=2": false, "/etc/ssl/certs": false,
		"http://u:p@proxy:3128": true, "u:p@proxy:3128": true, "https://a.example,https://tok@b.example|direct": true, "http://u:%zz@h": true,
	} {
		if secret(value) != is {
			t.Errorf("secret(%q) = %v", value, !is)
		}
	}
}

func TestHostFaultsAreInfra(t *testing.T) {
	t.Parallel()
	t.Run("no checkout", func(t *testing.T) {
		t.Parallel()
		r, s := newRunner(t)
		s.err = errors.New("mirror is broken")
		want(t, r.Run(t.Context(), jobOf(steps("true"))), queue.Infra, "check out candidate: mirror is broken")
		if !strings.Contains(readLog(t, r, "run-1"), "infra after") {
			t.Error("the log does not say it")
		}
	})
	t.Run("checkout without its directory", func(t *testing.T) {
		t.Parallel()
		r, s := newRunner(t)
		s.dir = filepath.Join(s.dir, "absent")
		v := r.Run(t.Context(), jobOf(steps("true")))
		want(t, v, queue.Infra, "could not be started")
	})
	t.Run("checkout removed by the run is the run's own doing", func(t *testing.T) {
		t.Parallel()
		r, _ := newRunner(t)
		want(t, r.Run(t.Context(), jobOf(steps(`rm -rf "$PWD"`, "true"))), queue.Red, "removed the checkout")
	})
	t.Run("disk full under the log", func(t *testing.T) {
		t.Parallel()
		r, s := newRunner(t)
		full := func(string) (*os.File, error) { return os.OpenFile("/dev/full", os.O_WRONLY, 0) }
		r.openLog = full
		want(t, r.Run(t.Context(), jobOf(steps("true"))), queue.Infra, "write log: write /dev/full: no space left on device")
		if s.released != 0 || len(s.asked) != 0 {
			t.Error("checked out with nowhere to write")
		}
	})
	t.Run("disk full in the middle", func(t *testing.T) {
		t.Parallel()
		r, s := newRunner(t)
		r.openLog = func(path string) (*os.File, error) {
			// A pipe that nobody reads any more after the first line stands for the disk: every write then fails.
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				return nil, err
			}
			read, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
			if err != nil {
				return nil, err
			}
			s.onCheckout(func() { read.Close() })
			return os.OpenFile(path, os.O_WRONLY, 0)
		}
		want(t, r.Run(t.Context(), jobOf(steps("sleep 600"))), queue.Infra, "write log: ")
		if s.released != 1 {
			t.Error("checkout not given back")
		}
	})
	t.Run("no place for logs", func(t *testing.T) {
		t.Parallel()
		r, s := newRunner(t)
		r.Logs = filepath.Join(s.dir, "file")
		if err := os.WriteFile(r.Logs, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		want(t, r.Run(t.Context(), jobOf(steps("true"))), queue.Infra, "make log")
	})
	t.Run("no place for scratch", func(t *testing.T) {
		t.Parallel()
		r, _ := newRunner(t)
		r.Scratch = filepath.Join(r.Scratch, "absent")
		want(t, r.Run(t.Context(), jobOf(steps("true"))), queue.Infra, "make scratch directory")
	})
	t.Run("an ID that is no file name", func(t *testing.T) {
		t.Parallel()
		for _, id := range []string{"", "../x", "a/b", ".x", "-x", "a b", strings.Repeat("x", 101)} {
			r, _ := newRunner(t)
			job := jobOf(steps("true"))
			job.ID = id
			want(t, r.Run(t.Context(), job), queue.Infra, "cannot be a file name")
		}
	})
}

func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	r, _ := newRunner(t)
	r.MaxLog = 100 << 10
	v := r.Run(t.Context(), jobOf(steps("head -c 5000000 /dev/zero | tr '\\0' x; echo; echo the end; exit 1")))
	want(t, v, queue.Red, "exited with 1")
	log := readLog(t, r, "run-1")
	if len(log) > 101<<10 || !strings.Contains(log, "cut here at 102400 bytes") || !strings.Contains(log, " 4897609 bytes of output were not kept") {
		t.Errorf("%d bytes of log, ending %q", len(log), log[len(log)-300:])
	}
	if !strings.Contains(log, `step "a" exited with 1`) || v.Tail[len(v.Tail)-1] != "the end" {
		t.Errorf("what came after the cut is lost: %q", v.Tail)
	}
}

func TestLogIsReadWhileItIsWritten(t *testing.T) {
	t.Parallel()
	r, s := newRunner(t)
	if err := syscall.Mkfifo(filepath.Join(s.dir, "go-on"), 0o600); err != nil {
		t.Fatal(err)
	}
	verdict := make(chan queue.Verdict, 1)
	go func() { verdict <- r.Run(t.Context(), jobOf(steps("echo one; read x < go-on; echo two"))) }()
	until(t, "the log", func() bool { return exists(r.logPath("run-1")) })
	w := &watcher{word: "\none\n", seen: make(chan struct{})}
	followed := make(chan error, 1)
	go func() { followed <- r.Follow(t.Context(), "run-1", w) }()
	<-w.seen
	tail, err := r.Tail("run-1", 1)
	if err != nil || !slices.Equal(tail, []string{"one"}) {
		t.Errorf("tail %q, %v", tail, err)
	}
	want(t, r.Run(t.Context(), jobOf(steps("true"))), queue.Infra, "under way already")
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Follow(impatient, "run-1", &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a reader that leaves: %v", err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "go-on"), []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, <-verdict, queue.Green, "")
	if err := <-followed; err != nil {
		t.Fatal(err)
	}
	if w.buf.String() != readLog(t, r, "run-1") {
		t.Errorf("followed:\n%s", w.buf.String())
	}
	var again bytes.Buffer
	if err := r.Follow(t.Context(), "run-1", &again); err != nil || again.String() != w.buf.String() {
		t.Errorf("followed when it was over: %q, %v", again.String(), err)
	}
	if _, err := r.Open("run-2"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such log: %v", err)
	}
	if _, err := r.Tail("../run-1", 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such log: %v", err)
	}
}

func TestRunsSideBySide(t *testing.T) {
	t.Parallel()
	r, _ := newRunner(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			job := jobOf(steps("echo $LANDER_RUN; sleep 600 & test $LANDER_RUN != d"))
			job.ID = string(rune('a' + i))
			v := r.Run(t.Context(), job)
			if (v.Outcome == queue.Green) == (job.ID == "d") {
				t.Errorf("run %s: %+v", job.ID, v)
			}
			if !strings.Contains(readLog(t, r, job.ID), "\n"+job.ID+"\n") {
				t.Errorf("run %s: log of another", job.ID)
			}
		})
	}
	wg.Wait()
}

// watcher closes seen when what was written to it holds word.
type watcher struct {
	buf  bytes.Buffer
	word string
	seen chan struct{}
	once sync.Once
}

func (w *watcher) Write(p []byte) (int, error) {
	w.buf.Write(p)
	if strings.Contains(w.buf.String(), w.word) {
		w.once.Do(func() { close(w.seen) })
	}
	return len(p), nil
}
