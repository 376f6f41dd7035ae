package testrun

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// groupParent finds the cgroup (version 2) in which lander may make one for each run; empty: there is none. Processes may not be in a
// cgroup that gives controllers to others, so it is the one above lander's own: with systemd, that of a unit with Delegate=yes and
// DelegateSubgroup=lander.
func groupParent(mount, self string) string {
	for line := range strings.Lines(self) {
		path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok || path == "/" || path == "" {
			continue
		}
		parent := filepath.Join(mount, filepath.Dir(path))
		for _, file := range []string{"", "cgroup.procs", "cgroup.subtree_control"} {
			if unix.Access(filepath.Join(parent, file), unix.W_OK) != nil {
				return ""
			}
		}
		if procs, err := os.ReadFile(filepath.Join(parent, "cgroup.procs")); err != nil || len(strings.TrimSpace(string(procs))) > 0 {
			return ""
		}
		for _, controller := range []string{"memory", "pids", "cpu", "io"} {
			if file, err := os.OpenFile(filepath.Join(parent, "cgroup.subtree_control"), os.O_WRONLY|os.O_APPEND, 0); err == nil {
				_, _ = file.WriteString("+" + controller + " ") // what is there afterwards counts
				file.Close()
			}
		}
		given, err := os.ReadFile(filepath.Join(parent, "cgroup.subtree_control"))
		if has := strings.Fields(string(given)); err != nil || !slices.Contains(has, "memory") || !slices.Contains(has, "pids") {
			return ""
		}
		return parent
	}
	return ""
}

// findGroup is groupParent on this machine.
func findGroup() string {
	self, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	for _, mount := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		if _, err := os.Stat(filepath.Join(mount, "cgroup.controllers")); err == nil {
			return groupParent(mount, string(self))
		}
	}
	return ""
}

// cgroup is that of one run.
type cgroup struct {
	dir string
	fd  *os.File
}

// makeGroup makes a run's cgroup in parent, with the run's limits.
func makeGroup(parent, name string, l Limits) (*cgroup, error) {
	dir := filepath.Join(parent, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make cgroup: %w", err)
	}
	g := &cgroup{dir: dir}
	for file, value := range map[string]string{
		// A little more than the watch lets pass, so that it is the watch who tells where it is quick enough.
		"memory.max": strconv.FormatInt(l.Memory+l.Memory/8, 10), "memory.oom.group": "1", "memory.swap.max": "0",
		"pids.max": strconv.Itoa(l.Pids + 64), "cpu.weight": "50", "io.weight": "50",
	} {
		err := os.WriteFile(filepath.Join(dir, file), []byte(value), 0)
		needed := file == "memory.max" || file == "pids.max"
		if err != nil && (needed || !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrPermission)) {
			return nil, errors.Join(fmt.Errorf("limit cgroup: %w", err), g.remove())
		}
	}
	var err error
	if g.fd, err = os.Open(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("open cgroup: %w", err), g.remove())
	}
	return g, nil
}

// passed gives the limit for which the kernel ended the run, or kept it from going on.
func (g *cgroup) passed(l Limits) (o over, is bool) {
	if g.event("memory.events", "oom_kill") > 0 || g.event("memory.events", "oom_group_kill") > 0 {
		return over{OverMemory, l.Memory}, true
	}
	if g.event("pids.events", "max") > 0 {
		return over{OverPids, int64(l.Pids)}, true
	}
	return over{}, false
}

// event is how often something happened in the cgroup; 0 where that is not known.
func (g *cgroup) event(file, name string) int {
	text, err := os.ReadFile(filepath.Join(g.dir, file))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			return atoi([]byte(n))
		}
	}
	return 0
}

// remove removes the cgroup, in which no process is left.
func (g *cgroup) remove() error {
	if g.fd != nil {
		g.fd.Close()
	}
	return unix.Rmdir(g.dir)
}

// sweep removes the cgroup of a run whose supervisor was killed. Its processes died with that.
func (s *Sandbox) sweep(scratch string) error {
	if s == nil || s.group == "" {
		return nil
	}
	if err := unix.Rmdir(filepath.Join(s.group, filepath.Base(scratch))); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove cgroup: %w", err)
	}
	return nil
}
