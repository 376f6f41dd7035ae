package embedded

import "syscall"

// dieWithParent makes the kernel send the signal to the child when the forking thread ends.
func dieWithParent(attr *syscall.SysProcAttr, signal syscall.Signal) { attr.Pdeathsig = signal }

// self is this program, even when its file has been replaced.
func self() (string, error) { return "/proc/self/exe", nil }
