package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// patience is how long the watchdog of a lander that is gone may take to stop its Postgres.
const patience = fastLimit + immediateLimit + 5*time.Second

// lock takes the directory for this process. The file stays locked until every copy of its descriptor is closed: lander's,
// initdb's and the watchdog's. While the lander named in it lives, the answer is no; when that one is gone, its watchdog is tidying
// up, and lock waits for it.
func lock(ctx context.Context, dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", dir, err)
	}
	err = Flock(ctx, f, patience)
	var held *HeldError
	switch {
	case err == nil:
		return f, nil
	case errors.As(err, &held) && held.Lives:
		err = errInUse(dir, held.PID)
	case held != nil:
		err = errHeld(dir, held.PID)
	default:
		err = fmt.Errorf("lock database %s: %w", dir, err)
	}
	return nil, errors.Join(err, f.Close())
}
