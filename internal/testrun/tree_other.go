//go:build unix && !linux

package testrun

import (
	"errors"
	"os"
	"syscall"
)

func selfPath() (string, error) { return os.Executable() }

func becomeReaper() error { return nil }

// tree is the commands' process groups: without Linux's child subreaper a process that leaves its group is out of reach.
type tree struct {
	groups []int // each command's own process group
}

func (t *tree) kill() {
	for _, group := range t.groups {
		signalTo(-group, syscall.SIGKILL)
	}
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil && !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}

// sweepProcesses has nothing to go by here.
func sweepProcesses(string) bool { return true }
