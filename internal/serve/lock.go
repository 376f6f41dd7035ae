//go:build unix

package serve

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockDir makes the data directory and keeps a second lander out of it until free is called or this process ends.
func lockDir(dir string) (free func(), err error) {
	free = func() {}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return free, fmt.Errorf("make the data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return free, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return free, fmt.Errorf("the data directory %s is in use by another lander; stop that one, or give this one its own with --data", dir)
		}
		return free, fmt.Errorf("lock the data directory: %w", err)
	}
	return func() { _ = f.Close() }, nil
}
