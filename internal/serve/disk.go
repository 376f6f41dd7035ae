//go:build unix

package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// disk is what is left where the data directory is.
type disk struct {
	free, size  uint64 // bytes that lander's user may use, and all
	inodes, all uint64 // free, and all; 0, 0: the file system does not count them
	kind        string // as in "ext4"; empty: not known
}

func diskOf(dir string) (disk, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return disk{}, fmt.Errorf("look at the disk of %s: %w", dir, err)
	}
	block := uint64(s.Bsize)
	return disk{free: uint64(s.Bavail) * block, size: s.Blocks * block, inodes: uint64(s.Ffree), all: s.Files, kind: fileSystem(dir)}, nil //nolint:unconvert // the numbers have other types on other systems
}

// fileSystem is the kind of file system that dir is on, where the system tells.
func fileSystem(dir string) string {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return mounted(string(text), dir)
}

// mounted finds the mount that dir is below in the text of mountinfo: of the longest ones the last, which hides the others.
func mounted(text, dir string) (kind string) {
	longest := 0
	for line := range strings.Lines(text) {
		before, after, ok := strings.Cut(line, " - ")
		at, behind := strings.Fields(before), strings.Fields(after)
		if !ok || len(at) < 5 || len(behind) == 0 {
			continue
		}
		point := strings.ReplaceAll(at[4], `\040`, " ")
		if within := dir == point || point == "/" || strings.HasPrefix(dir, point+"/"); within && len(point) >= longest {
			longest, kind = len(point), behind[0]
		}
	}
	return kind
}

// disks lists the directory of data, and what is in it and on other file systems.
func disks(dir string) []string {
	found := []string{dir}
	seen := map[uint64]bool{device(nearest(dir)): true}
	for _, kind := range []string{"mirrors", "checkouts", "logs", "caches", "audits", "postgres"} {
		at := filepath.Join(dir, kind)
		if on := device(at); on != 0 && !seen[on] {
			seen[on] = true
			found = append(found, at)
		}
	}
	return found
}

// device is the number of the file system that dir is on; 0: there is none.
func device(dir string) uint64 {
	var s unix.Stat_t
	if err := unix.Stat(dir, &s); err != nil {
		return 0
	}
	return uint64(s.Dev) //nolint:unconvert // the number has another type on other systems
}

// fullest is the one of disks that has the least room, by what is known.
func fullest(dir string) (at string, left disk) {
	for _, d := range disks(dir) {
		now, err := diskOf(nearest(d))
		if err != nil {
			continue
		}
		if at == "" || now.room() < left.room() {
			at, left = d, now
		}
	}
	return at, left
}

// room is what can still be written, in bytes; without an inode that is nothing.
func (d disk) room() uint64 {
	if d.all > 0 && d.inodes == 0 {
		return 0
	}
	return d.free
}

// nearest is dir, or where it is not there yet, what it will be made in.
func nearest(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// writable tries whether this process may make files in a directory that is there.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".lander-doctor-*")
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
