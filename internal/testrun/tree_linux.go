package testrun

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// becomeReaper makes every orphan among this process's descendants its child, and closes its memory and descriptors to the
// commands, which are of the same user: without that they could write a report of their own.
func becomeReaper() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become child subreaper: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("become undumpable: %w", err)
	}
	return nil
}

// tree is everything that descends from this process.
type tree struct {
	groups []int // each command's own process group
}

// kill returns when no descendant is left, and blocks as long as one cannot be killed (another user's, or stuck in the
// kernel): Runner has a limit for that. "No child left" is the kernel's word for it, since every orphan becomes a child;
// the scans of /proc only say whom to signal next, so one that misses somebody costs a round, not the promise.
func (t *tree) kill() {
	for !reapAll() {
		// Frozen first: what is stopped neither forks nor reacts to the death of the others.
		frozen := map[int]bool{}
		for {
			fresh := false
			for _, p := range descendants(os.Getpid()) {
				if frozen[p.pid] {
					continue
				}
				fresh = true
				frozen[p.pid] = true
				// The group as well, in one call that no fork can slip past. A group below here holds only
				// descendants: groups do not cross sessions, and each command started a session.
				signalTo(-p.group, syscall.SIGSTOP)
				signalTo(p.pid, syscall.SIGSTOP)
			}
			if !fresh {
				break
			}
		}
		for pid := range frozen {
			signalTo(pid, syscall.SIGKILL)
		}
		for {
			_, err := syscall.Wait4(-1, nil, 0, nil)
			if !errors.Is(err, syscall.EINTR) {
				break
			}
		}
	}
}

// reapAll reaps every dead child, and reports whether no child is left at all.
func reapAll() bool {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.ECHILD):
			return true
		case err != nil || pid == 0:
			return false
		}
	}
}

// process is a line of /proc.
type process struct{ pid, parent, group int }

// processes lists what can be seen, zombies too: one may be a process whose first thread alone has ended.
func processes() []process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	var all []process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it ended meanwhile
		}
		// "pid (name) state parent group ...", where the name may hold spaces and parentheses.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 3 {
			continue
		}
		parent, err1 := strconv.Atoi(string(fields[1]))
		group, err2 := strconv.Atoi(string(fields[2]))
		if err1 == nil && err2 == nil {
			all = append(all, process{pid: pid, parent: parent, group: group})
		}
	}
	return all
}

// descendants lists the processes below root, without root.
func descendants(root int) []process { return below(processes(), map[int]bool{root: true}) }

// below lists those of all that descend from one of roots, without the roots themselves.
func below(all []process, roots map[int]bool) []process {
	children := map[int][]process{}
	for _, p := range all {
		children[p.parent] = append(children[p.parent], p)
	}
	var found []process
	var walk func(pid int)
	walk = func(pid int) {
		for _, p := range children[pid] {
			if !roots[p.pid] && p.pid != pid {
				found = append(found, p)
				walk(p.pid)
			}
		}
	}
	for root := range roots {
		walk(root)
	}
	return found
}

// selfPath is the very file this process runs, also after an upgrade put another in its place.
func selfPath() (string, error) { return "/proc/self/exe", nil }
