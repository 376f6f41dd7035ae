package vcs

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// tells reports whether the file system of a directory keeps time of every change. One in memory does not: what is written through a
// mapping of a page that was read before changes no time there.
func tells(dir string) (bool, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return false, fmt.Errorf("look at file system of %s: %w", dir, err)
	}
	return stat.Type != unix.TMPFS_MAGIC && stat.Type != unix.RAMFS_MAGIC, nil
}
