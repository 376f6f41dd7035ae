package testrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Descriptors that the first process in a sandbox is started with, beside the first three.
const (
	insideReportFD = 3 // write: frames, to the supervisor outside
	insideLinkFD   = 4 // a socket to it: the order and the commands come by it, and the way to the network goes by it
	insideFirstFD  = 5 // and above: what bwrap reads, and the program itself
)

// wordListener goes out with a listener: serve the network there when it is on.
const wordListener = 'L'

// inner is what the first process of a sandbox is beyond a supervisor: it makes the limits, and ends everything by its own end.
type inner struct {
	box   box
	link  *net.UnixConn
	proxy string // address of the way to the network
}

// superviseFromInside runs an order's commands as process 1 of a sandbox. Whatever it leaves undone the kernel does: with this process
// ends every other in here.
func superviseFromInside() error {
	runtime.LockOSThread() // commands are started by the thread that has put on Landlock, and traces them
	if err := closeAllOnExec(); err != nil {
		return err
	}
	if err := defaultSignals(); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("become undumpable: %w", err)
	}
	conn, err := net.FileConn(os.NewFile(insideLinkFD, "link"))
	if err != nil {
		return fmt.Errorf("open link: %w", err)
	}
	link, ok := conn.(*net.UnixConn)
	if !ok {
		return errors.New("open link: not a socket of its kind")
	}
	orders := &frames{r: link}
	kind, body, err := orders.next()
	if err != nil {
		return fmt.Errorf("read order: %w", err)
	}
	s := &supervisor{report: os.NewFile(insideReportFD, "report"), buf: make([]byte, 64<<10), next: make(chan shell, 1)}
	if err := json.Unmarshal(body, &s.order); err != nil || kind != frameOrder || s.order.Box == nil {
		return fmt.Errorf("read order: frame %q: %w", kind, err)
	}
	in := &inner{box: *s.order.Box, link: link}
	s.inside = in
	if err := in.listen(); err != nil {
		return err
	}
	if err := landlock(writable(in.box.Binds)); err != nil {
		return err
	}
	if s.out, s.write, err = os.Pipe(); err != nil {
		return fmt.Errorf("make output pipe: %w", err)
	}
	raw, err := s.out.SyscallConn()
	if err != nil {
		return fmt.Errorf("open output pipe: %w", err)
	}
	if err := s.send(frameReady, struct{}{}); err != nil {
		return err
	}
	go s.forward(raw)
	go s.hear(orders, s.stop)
	go func() {
		w := &watch{limits: in.box.Limits, dirs: []string{insideCheckout, insideScratch}, memory: []string{"/tmp", "/dev/shm"}}
		s.tooMuch(raw, w.until())
	}()
	if err := s.commands(raw); err != nil {
		return err
	}
	s.drain(raw)
	s.sendMu.Lock() // and keep it: nothing follows
	return nil
}

// defaultSignals takes Go's handlers away. To process 1 the kernel delivers from inside its namespace only what it has a handler for, so nothing
// but SIGURG, by which Go interrupts itself, and which does no harm, can be sent to it then. (Catching all of them with os/signal comes to the same, and
// takes several milliseconds.)
func defaultSignals() error {
	var fallback [64]byte // struct sigaction of the kernel: SIG_DFL, no flags
	for n := syscall.Signal(1); n <= 64; n++ {
		if n == syscall.SIGKILL || n == syscall.SIGSTOP || n == syscall.SIGURG {
			continue
		}
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(n), uintptr(unsafe.Pointer(&fallback)), 0, 8, 0, 0)
		if errno != 0 {
			return fmt.Errorf("leave signal %d to the kernel: %w", int(n), errno)
		}
	}
	return nil
}

// writable are the places that the commands may write to.
func writable(binds []bind) []string {
	dirs := []string{"/tmp", "/dev/shm", "/dev/pts"}
	for _, b := range binds {
		if b.Write {
			dirs = append(dirs, b.To)
		}
	}
	return dirs
}

// tooMuch reports a limit that was passed, and ends everything.
func (s *supervisor) tooMuch(raw syscall.RawConn, o over) {
	s.drain(raw)
	s.sendMu.Lock() // and keep it: this is the last frame
	if err := writeJSON(s.report, frameLimit, o); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// listen makes the way to the network, and hands it to the supervisor outside, which is on the other side of it. It is shut.
func (in *inner) listen() error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the way to the network: %w", err)
	}
	defer l.Close()
	in.proxy = l.Addr().String()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		return fmt.Errorf("listen for the way to the network: %w", err)
	}
	defer file.Close()
	_, _, err = in.link.WriteMsgUnix([]byte{wordListener}, unix.UnixRights(int(file.Fd())), nil)
	if err != nil {
		return fmt.Errorf("hand over the way to the network: %w", err)
	}
	return nil
}

// start starts a command that stands still until its limits are made: no process in between has to make them, and this one keeps its own.
func (in *inner) start(argv []string, dir string, env []string, out uintptr) (pid int, err error) {
	pid, err = syscall.ForkExec("/bin/sh", argv, &syscall.ProcAttr{
		Dir: dir, Env: env, Files: []uintptr{os.Stdin.Fd(), out, out}, Sys: &syscall.SysProcAttr{Setsid: true, Ptrace: true},
	})
	if err != nil {
		return 0, err
	}
	if err := in.bound(pid); err != nil {
		signalTo(pid, syscall.SIGKILL)
		return 0, err
	}
	return pid, nil
}

// bound makes the limits of a process that was started traced, and lets it go.
func (in *inner) bound(pid int) error {
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &status, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("wait for shell: %w", err)
		}
		break
	}
	if !status.Stopped() {
		return errors.New("wait for shell: it did not stand still")
	}
	for what, limit := range in.rlimits() {
		if err := unix.Prlimit(pid, what, &limit, nil); err != nil {
			return fmt.Errorf("limit shell: %w", err)
		}
	}
	// If this machine runs out of memory, they are the first to go.
	if err := os.WriteFile(filepath.Join("/proc", strconv.Itoa(pid), "oom_score_adj"), []byte("1000"), 0); err != nil {
		return fmt.Errorf("limit shell: %w", err)
	}
	if err := syscall.PtraceDetach(pid); err != nil {
		return fmt.Errorf("let shell go: %w", err)
	}
	return nil
}

// mostOpen is how many files a process may have open.
const mostOpen = 1 << 16

// rlimits are what the commands are bound by beside the watch, where this process is not bound more tightly.
func (in *inner) rlimits() map[int]unix.Rlimit {
	most := map[int]uint64{unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: mostOpen, unix.RLIMIT_FSIZE: uint64(in.box.Limits.Disk)}
	if in.box.Tasks {
		// Above what the watch lets pass, so that it is the watch who tells; this process's own threads count.
		most[unix.RLIMIT_NPROC] = uint64(in.box.Limits.Pids) + 64
	}
	limits := map[int]unix.Rlimit{}
	for what, n := range most {
		var have unix.Rlimit
		if unix.Getrlimit(what, &have) == nil {
			n = min(n, have.Max)
		}
		limits[what] = unix.Rlimit{Cur: n, Max: n}
	}
	return limits
}

// startInside starts a command in a sandbox. The way to the network is open by now, or shut.
func (s *supervisor) startInside(command shell) (pid int, err error) {
	env := command.environ(s.order.Env)
	if command.Network {
		env = append(env, proxyVars("http://"+s.inside.proxy)...)
	}
	pid, err = s.inside.start(command.argv(), s.order.Dir, env, s.write.Fd())
	if err != nil {
		return 0, &os.PathError{Op: "start", Path: "/bin/sh", Err: err}
	}
	s.shell = pid
	return pid, nil
}
