package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	tick = 5 * time.Millisecond // between two looks at another process
	// patience is how long the watchdog of a lander that is gone may take to stop its Postgres.
	patience = fastLimit + immediateLimit + 5*time.Second
)

// lock takes the directory for this process. The file stays locked until every copy of its descriptor is closed: lander's,
// initdb's and the watchdog's. While the lander named in it lives, the answer is no at once; when that one is gone, its watchdog is tidying
// up, and lock waits for it.
func lock(ctx context.Context, dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", dir, err)
	}
	if err := flock(ctx, f, dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock database %s: %w", dir, err), f.Close())
	}
	return f, nil
}

func flock(ctx context.Context, f *os.File, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("lock database %s: %w", dir, err)
		}
		text, err := io.ReadAll(io.NewSectionReader(f, 0, 20))
		if err != nil {
			return fmt.Errorf("read lock of database %s: %w", dir, err)
		}
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text))) // 0 while its holder is about to write
		if pid != 0 && alive(pid) {
			return errInUse(dir, pid)
		}
		if !pause(ctx) {
			return errHeld(dir, pid)
		}
	}
}

// alive reports whether a process of that number exists, whoever's it is.
func alive(pid int) bool {
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
