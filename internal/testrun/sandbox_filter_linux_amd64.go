package testrun

import "golang.org/x/sys/unix"

const (
	auditArch  = unix.AUDIT_ARCH_X86_64
	mostNumber = 0x40000000 // and above: the x32 face of the kernel
)

var deniedHere = []uint32{
	unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_CREATE_MODULE, unix.SYS_GET_KERNEL_SYMS,
	unix.SYS_QUERY_MODULE, unix.SYS_USELIB, unix.SYS_USTAT, unix.SYS_SYSFS, unix.SYS__SYSCTL,
}

// modesHere are the calls with a file's mode that only this architecture has, and which argument it is.
var modesHere = map[uint32]int{unix.SYS_CHMOD: 1, unix.SYS_MKNOD: 1, unix.SYS_OPEN: 2, unix.SYS_CREAT: 1}

func openFlagsHere(nr uint32) int {
	if nr == unix.SYS_OPEN {
		return 1
	}
	return -1
}
