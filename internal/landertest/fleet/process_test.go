package fleet

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is a lander under test. It dies with the test.
type process struct {
	pid  int
	gone chan struct{} // closed when it is gone and its output was read
	tell *os.File      // nil: it takes no orders
}

// starts are done by one thread that never ends, because a process dies with the thread that started it.
var starts = sync.OnceValue(func() chan<- func() {
	deeds := make(chan func())
	go func() {
		runtime.LockOSThread()
		for deed := range deeds {
			deed()
		}
	}()
	return deeds
})

// spawn starts a program; said gets each line of its standard error, and heard, unless it is nil, each report of it.
func spawn(program string, args, env []string, said func(string), heard func(report)) (*process, error) {
	p := &process{gone: make(chan struct{})}
	cmd := exec.Command(program, args...)
	cmd.Env = env
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	var ours, theirs []*os.File
	pipe := func(reading bool) (*os.File, error) {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", filepath.Base(program), err)
		}
		if reading {
			r, w = w, r // the child's end first
		}
		ours, theirs = append(ours, w), append(theirs, r)
		return w, nil
	}
	words, err := pipe(true)
	if err != nil {
		return nil, err
	}
	cmd.Stderr = theirs[0]
	var reports *os.File
	if heard != nil {
		if p.tell, err = pipe(false); err != nil {
			return nil, err
		}
		if reports, err = pipe(true); err != nil {
			return nil, err
		}
		cmd.ExtraFiles = theirs[1:]
	}
	started := make(chan error)
	starts() <- func() { started <- cmd.Start() }
	err = <-started
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		for _, f := range ours {
			f.Close()
		}
		return nil, fmt.Errorf("start %s: %w", filepath.Base(program), err)
	}
	p.pid = cmd.Process.Pid
	var reading sync.WaitGroup
	read := func(f *os.File, line func([]byte)) {
		reading.Go(func() {
			defer f.Close()
			in := bufio.NewReader(f)
			for {
				text, err := in.ReadBytes('\n')
				if len(text) > 0 {
					line(text)
				}
				if err != nil {
					return
				}
			}
		})
	}
	if heard != nil {
		read(reports, func(text []byte) {
			var r report
			if json.Unmarshal(text, &r) == nil {
				heard(r)
			}
		})
	}
	read(words, func(text []byte) { said(strings.TrimSuffix(string(text), "\n")) })
	go func() {
		_ = cmd.Wait() // how it ended does not matter
		if p.tell != nil {
			p.tell.Close()
		}
		// What it started may hold its standard error for a while.
		done := make(chan struct{})
		go func() { reading.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(time.Second):
		}
		close(p.gone)
	}()
	return p, nil
}

func (p *process) order(o order) {
	text, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	_, _ = p.tell.Write(append(text, '\n')) // to one that is gone
}

func (p *process) alive() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// kill kills it, and it alone: what it started lives on, as it would.
func (p *process) kill() {
	if p.alive() {
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
		<-p.gone
	}
}

func (p *process) signal(s syscall.Signal) {
	if p.alive() {
		_ = syscall.Kill(p.pid, s)
	}
}

// fill makes every file of it, and of what it starts from now on, one that may not grow, or ends that.
func (p *process) fill(full bool) error {
	limit := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if full {
		limit.Cur = 0
	}
	if err := unix.Prlimit(p.pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil && p.alive() {
		return fmt.Errorf("limit files of process %d: %w", p.pid, err)
	}
	return nil
}

// gits are the git processes below it.
func (p *process) gits() []int {
	parents, names := map[int]int{}, map[int]string{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		name, rest, ok := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if !ok || len(fields) < 2 {
			continue
		}
		parents[pid], _ = strconv.Atoi(fields[1])
		_, names[pid], _ = strings.Cut(name, "(")
	}
	var all []int
	for pid, name := range names {
		if !strings.HasPrefix(name, "git") {
			continue
		}
		for at := pid; at > 1; at = parents[at] {
			if parents[at] == p.pid {
				all = append(all, pid)
				break
			}
		}
	}
	return all
}

// killGits kills the git processes below it and reports whether there were any.
func (p *process) killGits() bool {
	all := p.gits()
	for _, pid := range all {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return len(all) > 0
}
