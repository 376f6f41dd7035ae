package testrun

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rights that Landlock knows, by the version in which they came.
const (
	landlockRead   = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	landlockChange = unix.LANDLOCK_ACCESS_FS_WRITE_FILE // of what is there
	landlockWrite  = landlockChange | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_DIR |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_SYM |
		unix.LANDLOCK_ACCESS_FS_REFER
	landlockDevices = unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK // that nobody gets

	leastLandlock = 2 // the first that lets a file be moved to another directory at all
)

// landlocked gives the version that the kernel has; 0: none that is of use.
func landlocked() int {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 || version < leastLandlock {
		return 0
	}
	return int(version)
}

// landlock lets this thread, and whatever it starts, change nothing but what is in the directories that are named. The mounts say the
// same; who finds a way around one still meets the other. A kernel without it is let be.
func landlock(writable []string) error {
	version := landlocked()
	if version == 0 {
		return nil
	}
	write, change := uint64(landlockWrite), uint64(landlockChange)
	if version >= 3 {
		write, change = write|unix.LANDLOCK_ACCESS_FS_TRUNCATE, change|unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: landlockRead | landlockDevices | write}
	set, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr.Handled_access_fs), 0)
	if errno != 0 {
		return fmt.Errorf("make Landlock rules: %w", errno)
	}
	defer unix.Close(int(set))
	rights := map[string]uint64{"/": landlockRead, "/proc": landlockRead | change, "/dev": landlockRead | change}
	for _, dir := range writable {
		rights[dir] = landlockRead | write
	}
	for path, right := range rights {
		if err := landlockRule(int(set), path, right); err != nil {
			return fmt.Errorf("make Landlock rule for %s: %w", path, err)
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); errno != 0 {
		return fmt.Errorf("put on Landlock: %w", errno)
	}
	return nil
}

func landlockRule(set int, path string, right uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	rule := unix.LandlockPathBeneathAttr{Allowed_access: right, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(set), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
