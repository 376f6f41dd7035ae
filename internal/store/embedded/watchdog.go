package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// jobVariable carries the job to the watchdog.
const jobVariable = "LANDER_EMBEDDED_WATCHDOG"

const (
	fastLimit      = 30 * time.Second // for an orderly stop, with a checkpoint
	immediateLimit = 10 * time.Second // for a stop at once; the next start recovers
)

// job is what the watchdog is told.
type job struct {
	Server  []string // the server's program and its arguments
	Dir     string   // where it starts
	Account account
	Scrap   bool     // the cluster is among what is removed: stop without a checkpoint
	Remove  []string // deleted when the server has gone
}

var supervised atomic.Bool

// Supervise must be the first call in main, and in TestMain of tests that start a server: it is where the program turns into a
// watchdog when [Start] has started it as one, and then it does not return. Otherwise it does nothing.
func Supervise() {
	supervised.Store(true)
	text, ok := os.LookupEnv(jobVariable)
	if !ok {
		return
	}
	if err := watch(text); err != nil {
		fmt.Fprintln(os.Stderr, "watchdog:", err) // goes to the server's log, which Start quotes
		os.Exit(1)
	}
	os.Exit(0)
}

// watch runs the server until lander's end of the pipe on standard input is closed.
func watch(text string) error {
	runtime.LockOSThread() // the death signal follows the thread that forks
	syscall.CloseOnExec(3) // the lock is lander's and the watchdog's, never the server's
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	// A signal to the whole group is lander's to answer: the server stops after lander has stopped using it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)

	stop := syscall.SIGINT
	if j.Scrap {
		stop = syscall.SIGQUIT // nobody will read it again
	}
	cmd := exec.Command(j.Server[0], j.Server[1:]...)
	cmd.Dir, cmd.Env = j.Dir, environment()
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.SysProcAttr = j.Account.attributes()
	cmd.SysProcAttr.Setpgid = true
	dieWithParent(cmd.SysProcAttr, stop)
	if err := cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("start server: %w", err), j.clean())
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is in its state
		close(ended)
	}()
	released := make(chan struct{})
	go func() {
		// Only the end matters: end of file, or a pipe that cannot be read.
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(released)
	}()
	select {
	case <-ended:
		return errors.Join(fmt.Errorf("server ended by itself: %s", cmd.ProcessState), j.clean())
	case <-released:
		return errors.Join(end(cmd.Process, ended, stop), j.clean())
	}
}

// end stops the server, ever less politely.
func end(server *os.Process, ended <-chan struct{}, first syscall.Signal) error {
	steps := []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL}
	limits := map[syscall.Signal]time.Duration{
		syscall.SIGINT: fastLimit, syscall.SIGQUIT: immediateLimit, syscall.SIGKILL: immediateLimit,
	}
	for _, s := range steps[slices.Index(steps, first):] {
		if err := server.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop server: %w", err)
		}
		select {
		case <-ended:
			return nil
		case <-time.After(limits[s]):
		}
	}
	return fmt.Errorf("stop server: process %d does not die", server.Pid)
}

// clean removes what was only for this run.
func (j job) clean() error {
	var errs []error
	for _, path := range j.Remove {
		errs = append(errs, os.RemoveAll(path))
	}
	return errors.Join(errs...)
}
