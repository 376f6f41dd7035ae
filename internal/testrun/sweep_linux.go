package testrun

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sweepProcesses kills a run's processes when its supervisor no longer can: those that have the run's scratch directory in
// their environment or work inside it, and what descends from them. It reports whether none is left that it could find; a
// process that wiped its environment and left its parents is not found, which only a sandbox can mend.
func sweepProcesses(scratch string) bool {
	deadline := time.Now().Add(5 * time.Second)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		found := false
		frozen := map[int]bool{}
		for fresh := true; fresh; {
			fresh = false
			for _, pid := range marked(scratch) {
				if !frozen[pid] {
					fresh, found = true, true
					frozen[pid] = true
					signalTo(pid, syscall.SIGSTOP)
				}
			}
		}
		for pid := range frozen {
			signalTo(pid, syscall.SIGKILL)
		}
		if !found {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(pause) // their new parent, not this process, is told when they are gone
	}
}

func marked(scratch string) []int {
	mark := []byte("\x00" + scratchKey + "=" + scratch + "\x00")
	all := processes()
	roots := map[int]bool{}
	for _, p := range all {
		if p.pid == os.Getpid() {
			continue
		}
		dir := "/proc/" + strconv.Itoa(p.pid)
		// Other users' files cannot be read, and their processes are not the run's.
		environ, err := os.ReadFile(dir + "/environ")
		if err == nil && bytes.Contains(append([]byte{0}, environ...), mark) {
			roots[p.pid] = true
			continue
		}
		// A server that writes its title over its environment, as PostgreSQL does, still works in its directory.
		cwd, err := os.Readlink(dir + "/cwd")
		if err == nil && strings.HasPrefix(cwd+"/", scratch+"/") {
			roots[p.pid] = true
		}
	}
	pids := make([]int, 0, len(roots))
	for pid := range roots {
		pids = append(pids, pid)
	}
	for _, p := range below(all, roots) {
		pids = append(pids, p.pid)
	}
	return pids
}
