package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	tick = 5 * time.Millisecond // between two looks at another process
	// grace is how long the lander that a lock names may take to die: one that was killed counts as alive until the kernel is done with it.
	grace = 3 * time.Second
)

// HeldError says that somebody else has a lock, and which process that is.
type HeldError struct {
	PID   int // 0: not known
	Lives bool
}

func (e *HeldError) Error() string { return fmt.Sprintf("locked by process %d", e.PID) }

// Flock takes the lock of a file for this process, and names the process in it. The kernel frees the lock when every copy of the
// descriptor is closed, those of processes that the holder started included; for one that is gone and left such behind, Flock waits for
// up to patience, and for one that lives some seconds. Then the error is a *HeldError.
func Flock(ctx context.Context, f *os.File, patience time.Duration) error {
	for begun := time.Now(); ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		text, err := io.ReadAll(io.NewSectionReader(f, 0, 20))
		if err != nil {
			return err
		}
		held := &HeldError{}
		held.PID, _ = strconv.Atoi(strings.TrimSpace(string(text))) // 0 while its holder is about to write
		held.Lives = held.PID > 0 && alive(held.PID)
		waited := time.Since(begun)
		if held.Lives && waited > min(grace, patience) || waited > patience || !pause(ctx) {
			return held
		}
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// alive reports whether a process of that number runs, whoever's it is. What has ended and was not waited for runs no more.
func alive(pid int) bool {
	if !exists(pid) {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return !errors.Is(err, syscall.ESRCH) // a system without /proc does not say more
	}
	_, state, _ := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	return len(state) == 0 || !bytes.ContainsAny(state[:1], "ZX")
}

// exists reports whether a process of that number can be sent signals, dead or not.
func exists(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// pause waits for one tick and reports whether there is time left.
func pause(ctx context.Context) bool {
	t := time.NewTimer(tick)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
