//go:build !linux

package embedded

import (
	"os"
	"syscall"
)

// dieWithParent has no counterpart here: a server whose watchdog was killed is stopped by the next Start.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}

// self is this program.
func self() (string, error) { return os.Executable() }
