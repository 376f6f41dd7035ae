//go:build unix

package serve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"lander/internal/store/embedded"
)

// lastGasp is how long a process that was just being started may hold what its parent held, when that was killed meanwhile.
const lastGasp = 5 * time.Second

// LockDir makes a directory of data and keeps a second lander out of it until free is called or this process ends. Its error is a
// sentence for the operator; free is never nil.
func LockDir(dir string) (free func(), err error) {
	free = func() {}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return free, errDataDir(dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return free, errDataDir(dir, err)
	}
	err = embedded.Flock(context.Background(), f, lastGasp)
	var held *embedded.HeldError
	switch {
	case err == nil:
		return func() { _ = f.Close() }, nil
	case errors.As(err, &held):
		return free, errors.Join(errDataDirInUse(dir), f.Close())
	}
	return free, errors.Join(fmt.Errorf("lock the data directory %s: %w", dir, err), f.Close())
}
