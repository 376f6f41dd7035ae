//go:build linux && (amd64 || arm64)

package testrun

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"

	"golang.org/x/sys/unix"
)

// hasFilter says that there is a filter for this architecture.
const hasFilter = true

// Offsets in what a filter sees: struct seccomp_data of a little-endian machine.
const (
	atNumber = 0
	atArch   = 4
	atArgs   = 16
)

// denied are system calls that no test needs, and by which people get out of a sandbox or into the kernel's less trodden parts. They
// fail with EPERM, as they do for anybody without the right. What a namespace or a missing capability stops already is stopped twice.
var denied = append([]uint32{
	// File systems.
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE, unix.SYS_FSOPEN, unix.SYS_FSCONFIG,
	unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD,
	unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_CHROOT, unix.SYS_ACCT,
	// Other namespaces; unshare and clone are looked at more closely.
	unix.SYS_SETNS,
	// The kernel's own.
	unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_BPF, unix.SYS_USERFAULTFD, unix.SYS_PERF_EVENT_OPEN,
	unix.SYS_KEXEC_LOAD, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_REBOOT, unix.SYS_SYSLOG,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_VHANGUP,
	unix.SYS_KCMP, unix.SYS_MOVE_PAGES, unix.SYS_MIGRATE_PAGES, unix.SYS_LOOKUP_DCOOKIE, unix.SYS_NFSSERVCTL, unix.SYS_FANOTIFY_INIT,
}, deniedHere...)

// absent are those whose arguments a filter cannot see, or that have had too many holes. They fail with ENOSYS, so that programs take
// the older way.
var absent = []uint32{unix.SYS_CLONE3, unix.SYS_OPENAT2, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER, unix.SYS_FCHMODAT2}

// newNamespaces are the flags of clone and unshare that make namespaces.
const newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS |
	unix.CLONE_NEWCGROUP | unix.CLONE_NEWTIME

// families are the kinds of sockets that there may be. Above all not AF_VSOCK, which no network namespace holds in, and which
// leads to what this machine is a guest of.
var families = []uint32{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}

// filter is a seccomp filter as bwrap takes it: an array of struct sock_filter.
func filter() []byte {
	f := &program{}
	f.load(atArch)
	f.unless(unix.BPF_JEQ, auditArch, errno(unix.ENOSYS)) // 32-bit programs number their calls otherwise
	f.load(atNumber)
	if mostNumber != 0 {
		f.when(unix.BPF_JGE, mostNumber, errno(unix.ENOSYS))
	}
	for _, nr := range denied {
		f.when(unix.BPF_JEQ, nr, errno(unix.EPERM))
	}
	for _, nr := range absent {
		f.when(unix.BPF_JEQ, nr, errno(unix.ENOSYS))
	}
	for _, nr := range []uint32{unix.SYS_CLONE, unix.SYS_UNSHARE} { // the flags are the first argument on both architectures
		f.call(nr, func() {
			f.load(atArgs)
			// CLONE_NEWTIME is in the byte that clone has for its signal.
			flags := uint32(newNamespaces)
			if nr == unix.SYS_CLONE {
				flags &^= unix.CSIGNAL
			}
			f.when(unix.BPF_JSET, flags, errno(unix.EPERM))
		})
	}
	// A set-user-ID file would be lander's, for its files are lander's on the disk.
	modes := map[uint32]int{unix.SYS_FCHMOD: 1, unix.SYS_FCHMODAT: 2, unix.SYS_MKNODAT: 2, unix.SYS_OPENAT: 3}
	for nr, arg := range modesHere {
		modes[nr] = arg
	}
	for _, nr := range slices.Sorted(maps.Keys(modes)) {
		arg := modes[nr]
		f.call(nr, func() {
			if at := openFlags(nr); at >= 0 { // the mode means something only for a new file
				f.load(atArgs + 8*uint32(at))
				f.unless(unix.BPF_JSET, unix.O_CREAT|unix.O_TMPFILE&^unix.O_DIRECTORY, unix.SECCOMP_RET_ALLOW)
			}
			f.load(atArgs + 8*uint32(arg))
			f.when(unix.BPF_JSET, unix.S_ISUID|unix.S_ISGID, errno(unix.EPERM))
		})
	}
	for _, nr := range []uint32{unix.SYS_SOCKET, unix.SYS_SOCKETPAIR} {
		f.call(nr, func() {
			f.load(atArgs)
			for _, family := range families {
				f.when(unix.BPF_JEQ, family, unix.SECCOMP_RET_ALLOW)
			}
			f.ret(errno(unix.EAFNOSUPPORT))
		})
	}
	f.call(unix.SYS_IOCTL, func() { // writing to a terminal as if somebody typed it
		f.load(atArgs + 8)
		f.when(unix.BPF_JEQ, unix.TIOCSTI, errno(unix.EPERM))
		f.when(unix.BPF_JEQ, unix.TIOCLINUX, errno(unix.EPERM))
	})
	f.call(unix.SYS_PERSONALITY, func() {
		f.load(atArgs)
		for _, p := range []uint32{0, 0x0008, 0x20000, 0x20008, 0x40000, 0xffffffff} { // Linux, its 32-bit face, a fixed layout; which it is
			f.when(unix.BPF_JEQ, p, unix.SECCOMP_RET_ALLOW)
		}
		f.ret(errno(unix.EPERM))
	})
	f.ret(unix.SECCOMP_RET_ALLOW)
	return f.bytes()
}

// openFlags is the argument with the flags of a call that opens files; -1: it is none.
func openFlags(nr uint32) int {
	if nr == unix.SYS_OPENAT {
		return 2
	}
	return openFlagsHere(nr)
}

func errno(e unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(e) }

// program is a filter while it is written. The accumulator holds the call's number but within call.
type program struct{ code []unix.SockFilter }

func (f *program) emit(code uint16, k uint32, yes, no uint8) {
	f.code = append(f.code, unix.SockFilter{Code: code, Jt: yes, Jf: no, K: k})
}

func (f *program) load(at uint32) { f.emit(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, at, 0, 0) }

func (f *program) ret(what uint32) { f.emit(unix.BPF_RET|unix.BPF_K, what, 0, 0) }

// when returns what if the test holds.
func (f *program) when(test uint16, k, what uint32) {
	f.emit(unix.BPF_JMP|test|unix.BPF_K, k, 0, 1)
	f.ret(what)
}

// unless returns what if the test does not hold.
func (f *program) unless(test uint16, k, what uint32) {
	f.emit(unix.BPF_JMP|test|unix.BPF_K, k, 1, 0)
	f.ret(what)
}

// call is what happens on one system call: body, and then it is allowed.
func (f *program) call(nr uint32, body func()) {
	at := len(f.code)
	f.emit(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, nr, 0, 0)
	body()
	f.ret(unix.SECCOMP_RET_ALLOW)
	f.code[at].Jf = uint8(len(f.code) - at - 1)
}

func (f *program) bytes() []byte {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, f.code); err != nil {
		panic(err) // numbers of a fixed size
	}
	return b.Bytes()
}
