//go:build unix

package serve

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
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
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return free, errDataDirInUse(dir)
		}
		return free, fmt.Errorf("lock the data directory %s: %w", dir, err)
	}
	return func() { _ = f.Close() }, nil
}
