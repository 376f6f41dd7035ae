//go:build unix

package serve

import (
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

// LockDir makes a directory of data and keeps a second lander out of it until free is called or this process ends. Its error is a
// sentence for the operator; free is never nil.
func LockDir(dir string) (free func(), err error) {
	free = func() {}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return free, errDataDir(dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return free, errDataDir(dir, err)
	}
	err = flock(f)
	if err == nil {
		err = errors.Join(f.Truncate(0), writePID(f))
	}
	switch {
	case err == nil:
		return func() { _ = f.Close() }, nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		return free, errors.Join(errDataDirInUse(dir), f.Close())
	}
	return free, errors.Join(fmt.Errorf("lock the data directory %s: %w", dir, err), f.Close())
}

// A process that is just being started holds what its parent holds, for a moment, even when the parent was killed meanwhile.
const lastGasp = 5 * time.Second

// flock waits only for the lock of a lander that is gone.
func flock(f *os.File) error {
	for deadline := time.Now().Add(lastGasp); ; time.Sleep(5 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		text, err := io.ReadAll(io.NewSectionReader(f, 0, 20))
		if err != nil {
			return err
		}
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text))) // 0 while its holder is about to write
		if pid > 0 && lives(pid) || time.Now().After(deadline) {
			return syscall.EWOULDBLOCK
		}
	}
}

func writePID(f *os.File) error {
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// lives reports whether a process of that number exists, whoever's it is.
func lives(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
