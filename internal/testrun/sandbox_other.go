//go:build unix && !linux

package testrun

import (
	"context"
	"errors"
	"os"
)

// usualMemory bounds nothing where there is no sandbox.
func usualMemory() int64 { return 0 }

// Prove tells that there is no sandbox on this system.
func Prove(context.Context, Options) (*Sandbox, error) {
	return nil, &MissingError{Reason: sayNotLinux, Mend: sayMendNotLinux}
}

// ProveOverlay is never called here.
func (s *Sandbox) ProveOverlay(context.Context, string) error { return errNotLinux }

var errNotLinux = errors.New(sayNotLinux)

func (s *Sandbox) box(string, string, *runCaches) (*box, error) { return nil, errNotLinux }

func cloneFile(*os.File, *os.File) error { return errNotLinux }

func (s *Sandbox) sweep(string) error { return nil }

// inner is never made here.
type inner struct{}

func superviseFromInside() error { return errNotLinux }

func superviseMounting() error { return errNotLinux }

func (s *supervisor) superviseBox(*frames) error { return errNotLinux }

func (s *supervisor) startInside(shell) (int, error) { return 0, errNotLinux }
