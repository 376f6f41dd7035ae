package testrun

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hostileProgram is what "hostile" does in a checkout: it tries something that must not come about, and exits with 0 if it did not.
func hostileProgram(what string, args []string) int {
	attempts := map[string]func([]string) error{
		"connect": connectAll, "calls": callAll, "first process": attackFirst, "unlinked": unlinkedFlood,
		"fetch": fetch, "fetch when told": fetchWhenTold,
	}
	if err := attempts[what](args); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// connectAll gives an error if one of the addresses, as network:address, answers.
func connectAll(addresses []string) error {
	for _, each := range addresses {
		network, address, _ := strings.Cut(each, ",")
		conn, err := net.DialTimeout(network, address, 2*time.Second)
		if err != nil {
			fmt.Println(err)
			continue
		}
		conn.Close()
		if network != "udp" { // which connects to anything there is a way to
			return fmt.Errorf("%s can be reached", each)
		}
		return fmt.Errorf("there is a way to %s", each)
	}
	return nil
}

// callAll gives an error if one of the system calls that are denied is not.
func callAll([]string) error {
	path := func(p string) uintptr {
		b, err := unix.BytePtrFromString(p)
		if err != nil {
			panic(err)
		}
		return uintptr(unsafe.Pointer(b))
	}
	file, err := os.Create("plain")
	if err != nil {
		return err
	}
	open := int(file.Fd())
	calls := map[string]func() error{
		"mount":            func() error { return unix.Mount("none", "/tmp", "tmpfs", 0, "") },
		"unshare user":     func() error { return unix.Unshare(unix.CLONE_NEWUSER) },
		"unshare net":      func() error { return unix.Unshare(unix.CLONE_NEWNET) },
		"setns":            func() error { return unix.Setns(open, 0) },
		"keyctl":           func() error { _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, false); return err },
		"bpf":              func() error { return raw(unix.SYS_BPF, 0, 0, 0) },
		"userfaultfd":      func() error { return raw(unix.SYS_USERFAULTFD, unix.O_CLOEXEC, 0, 0) },
		"perf_event_open":  func() error { _, err := unix.PerfEventOpen(&unix.PerfEventAttr{}, 0, -1, -1, 0); return err },
		"init_module":      func() error { return raw(unix.SYS_INIT_MODULE, 0, 0, 0) },
		"kexec_load":       func() error { return raw(unix.SYS_KEXEC_LOAD, 0, 0, 0) },
		"reboot":           func() error { return unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF) },
		"syslog":           func() error { _, err := unix.Klogctl(3, make([]byte, 100)); return err },
		"io_uring":         func() error { return raw(unix.SYS_IO_URING_SETUP, 1, 0, 0) },
		"clone3":           func() error { return raw(unix.SYS_CLONE3, 0, 0, 0) },
		"clone user":       func() error { return raw(unix.SYS_CLONE, unix.CLONE_NEWUSER|uintptr(unix.SIGCHLD), 0, 0) },
		"openat2":          func() error { return raw(unix.SYS_OPENAT2, 0, 0, 0) },
		"open_by_handle":   func() error { return raw(unix.SYS_OPEN_BY_HANDLE_AT, 0, 0, 0) },
		"chmod u+s":        func() error { return unix.Fchmod(open, 0o4755) },
		"chmod g+s":        func() error { return unix.Fchmodat(unix.AT_FDCWD, "plain", 0o2755, 0) },
		"create u+s":       func() error { _, err := unix.Open("owned", unix.O_CREAT|unix.O_WRONLY, 0o4755); return err },
		"mknod u+s":        func() error { return unix.Mknod("owned", unix.S_IFREG|0o4755, 0) },
		"mknod device":     func() error { return unix.Mknod("device", unix.S_IFBLK|0o666, int(unix.Mkdev(8, 0))) },
		"vsock":            func() error { _, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0); return err },
		"crypto socket":    func() error { _, err := unix.Socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0); return err },
		"packet socket":    func() error { _, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0); return err },
		"raw socket":       func() error { _, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP); return err },
		"type on terminal": func() error { return raw(unix.SYS_IOCTL, 0, unix.TIOCSTI, path("x")) },
		"personality":      func() error { return raw(unix.SYS_PERSONALITY, 0x0400000, 0, 0) },
		"hostname":         func() error { return unix.Sethostname([]byte("mine")) },
		"time":             func() error { return unix.Settimeofday(&unix.Timeval{Sec: 1}) },
		"more files":       func() error { return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}) },
		"larger files": func() error {
			return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
		},
		"root": func() error { return unix.Setresuid(0, 0, 0) },
	}
	for name, call := range calls {
		if err := call(); err == nil {
			return fmt.Errorf("%s: allowed", name)
		}
	}
	// And what every suite does is.
	tty, ttyErr := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	_, socketErr := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM, 0)
	return errors.Join(unix.Fchmod(open, 0o755), socketErr, os.MkdirAll("a/b", 0o755), os.Rename("plain", "a/b/plain"), os.Link("a/b/plain", "another"),
		os.WriteFile("/dev/shm/new", []byte("x"), 0o600), os.WriteFile("/dev/null", []byte("x"), 0), ttyErr, tty.Close())
}

func raw(nr, a, b, c uintptr) error {
	if _, _, errno := syscall.RawSyscall6(nr, a, b, c, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// attackFirst gives an error if something can be done to the first process of the sandbox, or got from it. What it sends is shrugged off.
func attackFirst([]string) error {
	for _, file := range []string{"environ", "mem", "maps", "fd/3", "fd/4", "root/etc", "cwd/x"} {
		if f, err := os.OpenFile("/proc/1/"+file, os.O_RDONLY, 0); err == nil {
			f.Close()
			return fmt.Errorf("%s of the first process can be opened", file)
		}
	}
	if err := unix.PtraceSeize(1); err == nil {
		return errors.New("the first process can be traced")
	}
	if fd, err := unix.PidfdOpen(1, 0); err == nil {
		for n := range 10 {
			if _, err := unix.PidfdGetfd(fd, n, 0); err == nil {
				return fmt.Errorf("descriptor %d of the first process can be taken", n)
			}
		}
	}
	for n := syscall.Signal(1); n < 65; n++ {
		if n != syscall.SIGCHLD {
			_ = syscall.Kill(1, n) // what comes of it is seen by whoever waits for the verdict
		}
	}
	return nil
}

// unlinkedFlood fills the disk with files that have no name, and with some that cannot be looked into.
func unlinkedFlood([]string) error {
	page := make([]byte, 1<<20)
	for {
		f, err := os.CreateTemp(".", "gone")
		if err != nil {
			return err
		}
		if err := os.Remove(f.Name()); err != nil {
			return err
		}
		for range 4 {
			if _, err := f.Write(page); err != nil {
				return err
			}
		}
	}
}

// fetch gives an error if an address does not answer by way of the proxy in the environment, whatever the address: Go's own rule knows no
// proxy for loopback.
func fetch(args []string) error {
	address := os.Getenv("http_proxy")
	if address == "" {
		return errors.New("there is no way to the network")
	}
	proxy, err := url.Parse(address)
	if err != nil {
		return err
	}
	c := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}, Timeout: 10 * time.Second}
	answer, err := c.Get(args[0])
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	fmt.Printf("%s %s\n", answer.Status, text)
	if err == nil && string(text) != "from the network" {
		err = errors.New("no answer")
	}
	return err
}

// fetchWhenTold keeps setup's environment into the steps.
func fetchWhenTold(args []string) error {
	if err := fetch(args); err != nil {
		return err
	}
	if err := os.WriteFile("ready", nil, 0o600); err != nil {
		return err
	}
	for {
		if _, err := os.Stat("go"); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	status := "0"
	if err := fetch(args); err != nil {
		fmt.Println(err)
		status = "1"
	}
	return errors.Join(os.WriteFile("status", []byte(status), 0o600), os.WriteFile("came", []byte(status+"\n"), 0o600))
}
