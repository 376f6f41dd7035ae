package testrun

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// outer is the supervisor's side of a sandbox.
type outer struct {
	s     *supervisor
	box   *box
	link  *net.UnixConn
	way   *way    // to the network; nil: the sandbox has not handed its side over. It is serve's until that has returned
	group *cgroup // nil: there is none

	over bool // the run was ended for a limit, and that was reported

	mu      sync.Mutex
	bwrap   int // 0: not started yet, or ended
	stopped bool
}

// superviseBox makes a sandbox, and is its supervisor: it passes on what the first process in there reports, serves its network, and
// ends it when lander says so. Everything that the commands could get at is in there.
func (s *supervisor) superviseBox(orders *frames) error {
	runtime.LockOSThread() // bwrap dies with the thread that started it
	o := &outer{s: s, box: s.order.Box}
	go s.hear(orders, o.stop)
	text, err := o.run()
	if err != nil {
		text = err.Error()
	}
	s.tree.kill() // "no child left" is the kernel's word for it here as well
	err = o.end(text)
	err = errors.Join(err, writeFrame(s.report, frameGone, nil))
	// By another thread: where this one has mounts of its own, they may be in the way.
	removed := make(chan error)
	go func() { removed <- removeTree(s.order.Scratch) }()
	return errors.Join(err, <-removed)
}

// end says what there is to say when no process is left. text is why it cannot be told how the run went; empty: it can.
func (o *outer) end(text string) error {
	var err error
	if o.group != nil {
		passed, is := o.group.passed(o.box.Limits)
		err = o.group.remove()
		if is && !o.over && (text != "" || passed.Limit == OverMemory) {
			return errors.Join(err, o.s.send(frameLimit, passed))
		}
	}
	if text != "" {
		err = errors.Join(err, o.s.send(frameFault, fault{text}))
	}
	return err
}

// run gives a text when it cannot be told how the run went.
func (o *outer) run() (text string, err error) {
	link, theirs, err := pair()
	if err != nil {
		return "", err
	}
	defer link.Close()
	defer theirs.Close()
	o.link = link
	report, reportWrite, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer report.Close()
	said, saidWrite, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer said.Close()
	inherited, args, err := o.arguments(reportWrite, theirs)
	if err != nil {
		return "", err
	}
	if o.box.Group != "" {
		if o.group, err = makeGroup(o.box.Group, filepath.Base(o.s.order.Scratch), o.box.Limits); err != nil {
			return "", err
		}
	}
	if err := o.start(args, saidWrite, inherited); err != nil {
		return "", fmt.Errorf("start %s: %w", o.box.Bwrap, err)
	}
	for _, file := range append(inherited, saidWrite) {
		file.Close()
	}
	words := make(chan string)
	go func() {
		text, _ := io.ReadAll(io.LimitReader(said, 4<<10)) // what could be read is what there is to say
		words <- strings.TrimSpace(string(text))
		_, _ = io.Copy(io.Discard, said)
	}()
	inside := orderInside(o.s.order)
	over, served := make(chan struct{}), make(chan struct{})
	if err := writeJSON(link, frameOrder, inside); err != nil {
		o.stop()
		close(served)
	} else {
		go o.serve(over, served)
	}
	ready, err := o.pass(report)
	if err != nil {
		o.stop()
	}
	status, err := o.wait()
	close(over)
	link.Close()
	<-served
	if o.way != nil {
		o.way.close()
	}
	switch {
	case err != nil:
		return "", err
	case !ready:
		return sayNoSandbox(<-words, status), nil
	case !o.over && status != "":
		return saySandboxEnded(status), nil
	}
	return "", nil
}

// orderInside is the order as the sandbox gets it: where things are in there, and nothing that is not needed.
func orderInside(o order) order {
	in := *o.Box
	in.Proxies, in.Hidden, in.Links = proxies{}, nil, nil
	return order{Dir: insideCheckout, Scratch: insideScratch, Env: o.Env, Box: &in}
}

// pair makes a socket, and the end of it for the sandbox.
func pair() (link *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make link: %w", err)
	}
	ours := os.NewFile(uintptr(fds[0]), "link")
	theirs = os.NewFile(uintptr(fds[1]), "link")
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make link: %w", err), theirs.Close())
	}
	link, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, nil, errors.Join(errors.New("make link: not a socket of its kind"), theirs.Close())
	}
	return link, theirs, nil
}

// arguments are those of bwrap, and the files that it inherits, from descriptor 3 on.
func (o *outer) arguments(report, link *os.File) (inherited []*os.File, args []string, err error) {
	program, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, nil, err
	}
	inherited = []*os.File{report, link, program}
	data := func(text []byte) (string, error) {
		file, err := dataFile(text)
		if err != nil {
			return "", fmt.Errorf("make file for bwrap: %w", err)
		}
		inherited = append(inherited, file)
		return fmt.Sprint(2 + len(inherited)), nil
	}
	if o.box.UID != 0 {
		if err := stageBinds(o.box, o.s.order); err != nil {
			return inherited, nil, err
		}
	}
	args = []string{
		"bwrap", "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup", "--die-with-parent",
		"--as-pid-1", "--hostname", insideName, "--uid", insideID, "--gid", insideID,
	}
	args = append(args, mounts(o.box)...)
	for path, text := range map[string]string{"/etc/passwd": passwd(), "/etc/group": group(), "/etc/hosts": hosts} {
		fd, err := data([]byte(text))
		if err != nil {
			return inherited, nil, err
		}
		args = append(args, "--ro-bind-data", fd, path)
	}
	if hasFilter {
		fd, err := data(filter())
		if err != nil {
			return inherited, nil, err
		}
		args = append(args, "--seccomp", fd)
	}
	args = append(args, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--", fmt.Sprint("/proc/self/fd/", insideFirstFD))
	return inherited, args, nil
}

// mounts are the arguments for what the sandbox shows.
func mounts(b *box) []string {
	memory := fmt.Sprint(max(b.Limits.Memory/4, 4096))
	args := []string{"--proc", "/proc", "--dev", "/dev", "--size", memory, "--tmpfs", "/tmp", "--size", memory, "--tmpfs", "/dev/shm"}
	for _, path := range sorted(b.Links) {
		args = append(args, "--symlink", b.Links[path], path)
	}
	binds := slices.Clone(b.Binds)
	slices.SortStableFunc(binds, func(x, y bind) int { return strings.Count(x.To, "/") - strings.Count(y.To, "/") })
	for _, each := range binds {
		how := "--ro-bind"
		if each.Write {
			how = "--bind"
		}
		args = append(args, how, each.From, each.To)
	}
	for _, path := range b.Hidden {
		if isDir(path) {
			args = append(args, "--size", "4096", "--tmpfs", path, "--remount-ro", path)
		} else {
			args = append(args, "--ro-bind", "/dev/null", path)
		}
	}
	return args
}

// dataFile is a file in memory that is read from its beginning.
func dataFile(text []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("lander", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "data")
	if _, err := file.Write(text); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// start starts bwrap as the sandbox's user, unless the run was stopped before.
func (o *outer) start(args []string, said *os.File, inherited []*os.File) error {
	files := []uintptr{os.Stdin.Fd(), said.Fd(), said.Fd()}
	for _, file := range inherited {
		files = append(files, file.Fd())
	}
	attr := &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if o.box.UID != 0 {
		attr.Credential = &syscall.Credential{Uid: uint32(o.box.UID), Gid: uint32(o.box.UID)} // and no other group
	}
	if o.group != nil {
		attr.UseCgroupFD, attr.CgroupFD = true, int(o.group.fd.Fd())
	}
	program, env, err := o.overlaid(attr)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stopped {
		return errors.New("stopped before it began")
	}
	pid, err := dumpable(attr.Cloneflags != 0, func() (int, error) {
		return syscall.ForkExec(program, args, &syscall.ProcAttr{Dir: "/", Env: env, Files: files, Sys: attr})
	})
	if err != nil {
		return err
	}
	o.bwrap = pid
	o.s.tree.groups = append(o.s.tree.groups, pid)
	return nil
}

// stop kills bwrap, with which everything in the sandbox ends.
func (o *outer) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stopped = true
	if o.bwrap != 0 {
		signalTo(o.bwrap, syscall.SIGKILL)
	}
}

// wait waits for bwrap, which ends when no process is left in the sandbox, or is killed. status is empty where it exited with 0.
func (o *outer) wait() (status string, err error) {
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return "", fmt.Errorf("wait for bwrap: %w", err)
		case pid != o.bwrap:
			continue // the first process, when bwrap was killed before it
		}
		o.mu.Lock()
		o.bwrap = 0
		o.mu.Unlock()
		switch {
		case ws.Signaled():
			return "signal " + fmt.Sprint(int(ws.Signal())), nil
		case ws.ExitStatus() != 0:
			return "exit status " + fmt.Sprint(ws.ExitStatus()), nil
		}
		return "", nil
	}
}

// pass hands on what the first process in the sandbox reports, frame by frame: what it was about to say when it was killed is lost, and
// spoils nothing. ready: the sandbox stood. The error is that nobody hears any more.
func (o *outer) pass(report *os.File) (ready bool, err error) {
	in := &frames{r: report}
	for {
		kind, body, ended := in.next()
		if ended != nil {
			break
		}
		switch kind {
		case frameReady:
			ready = true
			continue
		case frameLimit:
			o.over = true
		case frameOutput, frameBegun, frameEnded:
		default:
			continue // for others to say
		}
		if err := writeFrame(o.s.report, kind, body); err != nil {
			return ready, err
		}
	}
	return ready, nil //nolint:nilerr // that the sandbox has ended is no error
}

// serve takes the sandbox's side of the way to the network, and gives the sandbox its commands, each when the way is open or shut as it
// has to be for it.
func (o *outer) serve(over <-chan struct{}, served chan<- struct{}) {
	defer close(served)
	word, rights := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := o.link.ReadMsgUnix(word, rights)
	if err != nil || n != 1 || word[0] != wordListener {
		o.stop() // unless it has ended by itself
		return
	}
	l, err := listenerFrom(rights[:oobn])
	if err != nil {
		o.stop()
		return
	}
	o.way = newWay(l, o.box.Proxies, o.box.Named)
	for {
		select {
		case <-over:
			return
		case command, more := <-o.s.next:
			if err := o.hand(command, more); err != nil {
				o.stop()
				return
			}
			if !more {
				return
			}
		}
	}
}

// hand gives the sandbox a command, or says that there is none any more.
func (o *outer) hand(command shell, more bool) error {
	if !more {
		return writeJSON(o.link, frameOver, nil)
	}
	o.way.open(command.Network)
	return writeJSON(o.link, frameNext, command)
}

func listenerFrom(rights []byte) (net.Listener, error) {
	messages, err := syscall.ParseSocketControlMessage(rights)
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("take listener: %w", err)
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, fmt.Errorf("take listener: %w", err)
	}
	syscall.CloseOnExec(fds[0])
	file := os.NewFile(uintptr(fds[0]), "listener")
	defer file.Close()
	return net.FileListener(file)
}
