package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"lander/internal/queue"
)

// Every sentence of this room that a person may read stands in this file.

func errDataDir(dir string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the user that lander runs as may not write to the data directory %s; allow it, or name another one with --data: %w", dir, err)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("the data directory %s cannot be made, because there is a file in the way; name another one with --data: %w", dir, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("the data directory %s is on a file system that can only be read; name another one with --data: %w", dir, err)
	}
	return fmt.Errorf("make the data directory %s: %w", dir, err)
}

func sayBreach(l queue.Lane, finding string, breaches int) string {
	more := ""
	if breaches > 1 {
		more = fmt.Sprintf(" (and %d more)", breaches-1)
	}
	return fmt.Sprintf("an audit of %v found what must not be: %s%s. Run \"lander verify\" in a clone of it to see all; resume when it is understood", l, finding, more)
}

func errOwnBranch(branch string) error {
	return fmt.Errorf("%s is a branch that lander lands on, or a ledger", branch)
}

func errDataDirInUse(dir string) error {
	return fmt.Errorf("the data directory %s is in use by another lander; stop that one, or give this one its own with --data", dir)
}

var errDatabaseGone = errors.New("the embedded Postgres has gone; see postgres.log in the data directory, and start lander again")

var errNotReady = errors.New("lander is starting or stopping")
