//go:build unix

package testrun

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// superviseKey in the environment makes this process a run's supervisor. The commands never see it.
const superviseKey = "LANDER_SUPERVISE_RUN"

// superviseInside is its value in a sandbox, where it is in the first process's environment and in no other's.
const superviseInside = "inside"

// superviseMounts is its value in a process that lays directories over one another, and then becomes what makes the sandbox.
const superviseMounts = "mounts"

// Descriptors that a supervisor is started with.
const (
	controlFD = 3 // read: the order, then nothing until it closes
	reportFD  = 4 // write: frames
	lockFD    = 5 // held: the lock on the run's scratch directory
)

// An init rather than a function for main to call: a program or a test binary that forgot the call would start itself again
// for each run without end.
func init() {
	if os.Getenv(superviseKey) == "" {
		return
	}
	if err := supervise(); err != nil {
		fmt.Fprintln(os.Stderr, "supervise run:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// closeAllOnExec keeps every descriptor but the first three from the commands: the supervisor's own, and also whatever lander
// itself was started with (a service manager's sockets, a shell's files), which would otherwise be handed on unseen.
func closeAllOnExec() error {
	names, err := os.ReadDir("/dev/fd")
	if err != nil {
		return fmt.Errorf("list open files: %w", err)
	}
	for _, name := range names {
		if fd, err := strconv.Atoi(name.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// supervisor runs one order's commands and kills whatever they leave.
type supervisor struct {
	order order
	next  chan shell // closed when there is none any more
	tree  tree

	mu      sync.Mutex // guards the two below
	stopped bool
	shell   int // the command now running; 0: none

	out    *os.File   // read end of the commands' output
	write  *os.File   // the end they hold
	sendMu sync.Mutex // held over read-and-send, so that no output is overtaken by the frame that ends its step
	report *os.File
	buf    []byte
	inside *inner // nil: not in a sandbox
}

func supervise() error {
	switch os.Getenv(superviseKey) {
	case superviseInside:
		return superviseFromInside()
	case superviseMounts:
		return superviseMounting()
	}
	if err := closeAllOnExec(); err != nil {
		return err
	}
	// Caught, not ignored: an ignored signal would stay ignored in the commands.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2)
	if err := becomeReaper(); err != nil {
		return err
	}
	control := os.NewFile(controlFD, "control")
	s := &supervisor{report: os.NewFile(reportFD, "report"), buf: make([]byte, 64<<10), next: make(chan shell, 1)}
	orders := &frames{r: control}
	kind, body, err := orders.next()
	if errors.Is(err, io.EOF) {
		return nil // there is nothing to run after all
	}
	if err != nil {
		return fmt.Errorf("read order: %w", err)
	}
	if err := json.Unmarshal(body, &s.order); err != nil || kind != frameOrder {
		return fmt.Errorf("read order: frame %q: %w", kind, err)
	}
	if s.order.Box != nil {
		return s.superviseBox(orders)
	}
	if s.out, s.write, err = os.Pipe(); err != nil {
		return fmt.Errorf("make output pipe: %w", err)
	}
	raw, err := s.out.SyscallConn()
	if err != nil {
		return fmt.Errorf("open output pipe: %w", err)
	}
	go s.forward(raw)
	go s.hear(orders, s.stop)

	if err := s.commands(raw); err != nil {
		s.tree.kill()
		return errors.Join(err, removeTree(s.order.Scratch))
	}
	s.tree.kill()
	s.drain(raw)
	s.sendMu.Lock() // and keep it: nothing follows this frame
	err = writeFrame(s.report, frameGone, nil)
	// After the report, for it may take long and the verdict need not wait.
	return errors.Join(err, removeTree(s.order.Scratch))
}

// hear takes commands until lander has no more. Whatever ends the control pipe ends the run by stop, an error too: lander closed it, or
// lander is dead.
func (s *supervisor) hear(orders *frames, stop func()) {
	more := true
	for {
		kind, body, err := orders.next()
		var c shell
		if err == nil && kind == frameNext {
			err = json.Unmarshal(body, &c)
		}
		switch {
		case err != nil:
			stop()
			if more {
				close(s.next)
			}
			return
		case kind == frameNext && more:
			s.next <- c
		case kind == frameOver && more:
			more = false
			close(s.next)
		}
	}
}

// commands runs them as they come until there is none any more or the run is stopped. An error means that the report is lost.
func (s *supervisor) commands(raw syscall.RawConn) error {
	for command := range s.next {
		if err := s.send(frameBegun, struct{}{}); err != nil {
			return err
		}
		end, stopped := s.command(command)
		if stopped {
			return nil
		}
		s.drain(raw)
		if err := s.send(frameEnded, end); err != nil {
			return err
		}
	}
	return nil
}

// command runs one to its end, reaping on the way whatever else was orphaned to this process.
func (s *supervisor) command(command shell) (end ended, stopped bool) {
	shell, err := s.start(command)
	switch {
	case err != nil:
		_, gone := os.Stat(s.order.Dir)
		return ended{Fault: err.Error(), Lost: errors.Is(gone, fs.ErrNotExist)}, false
	case shell == 0:
		return ended{}, true
	}
	var status syscall.WaitStatus
	for {
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return ended{Fault: fmt.Sprintf("wait for shell: %v", err)}, false
		}
		if pid == shell {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shell = 0
	if status.Signaled() {
		return ended{Exit: 128 + int(status.Signal()), Signal: int(status.Signal())}, s.stopped
	}
	return ended{Exit: status.ExitStatus()}, s.stopped
}

// start gives no process when the run was stopped before. Each command leads a session of its own: no terminal, and
// "kill 0" in it reaches neither this process nor lander. syscall.ForkExec, because os.StartProcess first tries out process
// descriptors with a child of its own, which here would be once per run.
func (s *supervisor) start(command shell) (pid int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return 0, nil
	}
	if s.inside != nil {
		return s.startInside(command)
	}
	pid, err = syscall.ForkExec("/bin/sh", command.argv(), &syscall.ProcAttr{
		Dir:   s.order.Dir,
		Env:   command.environ(s.order.Env),
		Files: []uintptr{os.Stdin.Fd(), s.write.Fd(), s.write.Fd()}, // standard input is /dev/null
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, &os.PathError{Op: "start", Path: "/bin/sh", Err: err}
	}
	s.shell = pid
	s.tree.groups = append(s.tree.groups, pid)
	return pid, nil
}

// stop ends the command now running, which lets commands return; no other starts.
func (s *supervisor) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	if s.shell != 0 {
		// Reaping and forgetting the shell are a few instructions apart: too few for its number to come round again.
		signalTo(-s.shell, syscall.SIGKILL)
		signalTo(s.shell, syscall.SIGKILL) // for a shell that moved to another group
	}
}

// forward sends output as it comes, until the process ends.
func (s *supervisor) forward(raw syscall.RawConn) {
	for {
		var sent error
		err := raw.Read(func(fd uintptr) bool {
			var n int
			n, sent = s.readAndSend(int(fd))
			return n > 0 || sent != nil
		})
		if err != nil || sent != nil {
			s.stop() // nobody hears any more, or the pipe is broken: commands must not run unheard
			return
		}
	}
}

// drain sends what the pipe holds now. Bounded by what a pipe can hold, for a process in the background may write for ever.
func (s *supervisor) drain(raw syscall.RawConn) {
	const most = 1 << 20
	_ = raw.Control(func(fd uintptr) { // fails only on a closed file
		for total := 0; total < most; {
			n, err := s.readAndSend(int(fd))
			if n <= 0 || err != nil {
				return // empty; a lost report shows in the next send
			}
			total += n
		}
	})
}

// readAndSend gives 0 and no error when the pipe is empty.
func (s *supervisor) readAndSend(fd int) (int, error) {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	for {
		n, err := syscall.Read(fd, s.buf)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EAGAIN):
			return 0, nil
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		}
		return n, writeFrame(s.report, frameOutput, s.buf[:n])
	}
}

func (s *supervisor) send(kind byte, v any) error {
	s.sendMu.Lock()
	defer s.sendMu.Unlock()
	if err := writeJSON(s.report, kind, v); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// signalTo signals a process, or with a negative number a group. That it has ended meanwhile, or is another user's, is no news
// here: who is left decides what happens next, not who was reached.
func signalTo(pid int, sig syscall.Signal) { _ = syscall.Kill(pid, sig) }
