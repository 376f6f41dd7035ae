package embedded

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// zombie is the number of a process that has ended and that nobody waited for.
func zombie(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	eventually(t, "it has ended", func() bool { return !alive(cmd.Process.Pid) })
	if err := syscall.Kill(cmd.Process.Pid, 0); err != nil {
		t.Fatalf("it is no zombie: %v", err)
	}
	return cmd.Process.Pid
}

// Whoever lets go of a lock soon is waited for, whether it is dead, dying or only slow.
func TestALockIsWaitedFor(t *testing.T) {
	t.Parallel()
	const soon, late = 100 * time.Millisecond, time.Hour
	dead := zombie(t)
	for name, c := range map[string]struct {
		holder   int
		lets     time.Duration
		patience time.Duration
		want     *HeldError
	}{
		"a zombie whose child lets go":   {dead, soon, patience, nil},
		"a zombie that outlasts a grace": {dead, grace + soon, patience, nil},
		"a dying one":                    {os.Getpid(), soon, patience, nil},
		"one that lives":                 {os.Getpid(), late, patience, &HeldError{PID: os.Getpid(), Lives: true}},
		"a dead one that does not":       {dead, late, soon, &HeldError{PID: dead}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "lock")
			if err := os.WriteFile(path, []byte(strconv.Itoa(c.holder)+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			open := func() *os.File {
				f, err := os.OpenFile(path, os.O_RDWR, 0)
				if err != nil {
					t.Fatal(err)
				}
				return f
			}
			holder, next := open(), open()
			defer next.Close()
			if err := syscall.Flock(int(holder.Fd()), syscall.LOCK_EX); err != nil {
				t.Fatal(err)
			}
			let := time.AfterFunc(c.lets, func() { _ = holder.Close() })
			defer func() {
				if let.Stop() {
					_ = holder.Close()
				}
			}()
			err := Flock(context.Background(), next, c.patience)
			var held *HeldError
			switch errors.As(err, &held); {
			case c.want == nil && err != nil, c.want != nil && (held == nil || *held != *c.want):
				t.Fatalf("%+v, want %+v", err, c.want)
			case c.want == nil:
				if text, err := os.ReadFile(path); err != nil || string(text) != strconv.Itoa(os.Getpid())+"\n" {
					t.Errorf("the lock names %q, %v", text, err)
				}
			}
		})
	}
}

// Whoever killed a lander need not have waited for it before the next one is started.
func TestStartAfterKillUnreaped(t *testing.T) {
	t.Parallel()
	dir := home(t)
	l := startLander(t, thisProgram(t), order{Dir: dir}, nil)
	if l.Err != "" {
		t.Fatal(l.Err)
	}
	if err := l.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, Options{Dir: dir})
	if got := value(t, s.URL("postgres"), `SELECT 'alive'`); got != "alive" {
		t.Errorf("got %q", got)
	}
}
