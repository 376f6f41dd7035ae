package fleet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// diskSize is enough for everything that a replica keeps.
const diskSize = "128m"

// disk gives a directory a small file system of its own, where this user may. It is gone with end.
func disk(dir string) (end func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make disk: %w", err)
	}
	switch err := unix.Mount("lander-fleet", dir, "tmpfs", 0, "size="+diskSize); {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("make disk: %w", err)
	}
	return func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }, nil
}

// fill makes a replica's disk full, or ends that. One without a disk of its own may not let any file grow.
func (r *replica) fill(full bool) error {
	if !r.disk {
		return r.proc.fill(full)
	}
	ballast := filepath.Join(r.dir, "ballast")
	if !full {
		if err := os.Remove(ballast); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("empty disk: %w", err)
		}
		return nil
	}
	f, err := os.Create(ballast)
	if err != nil {
		return fmt.Errorf("fill disk: %w", err)
	}
	defer f.Close()
	block := make([]byte, 1<<16)
	for err == nil {
		_, err = f.Write(block)
	}
	for err = nil; err == nil && len(block) > 1; { // the last bytes
		block = block[:len(block)/2]
		_, err = f.Write(block)
		if errors.Is(err, syscall.ENOSPC) {
			err = nil
		}
	}
	return err
}
