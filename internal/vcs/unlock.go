package vcs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// abandoned is how old a lock must be to be nobody's any more: a git whose lander was killed may still be about to finish.
const abandoned = 2 * time.Second

// Unlock removes the locks that a git which was killed has left on the refs and settings of a bare repository; every later git would
// be turned away by them for ever. A young one is waited for. The caller knows that no git of a living program works there.
func (g Git) Unlock(ctx context.Context) error {
	for _, dir := range []string{g.Dir, filepath.Join(g.Dir, "refs"), filepath.Join(g.Dir, "objects", "info")} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil // gone meanwhile
			case err != nil:
				return err
			case d.IsDir() && dir == g.Dir && path != dir:
				return fs.SkipDir // the rest of it has no locks, or is walked by itself
			case d.IsDir() || !strings.HasSuffix(path, ".lock"):
				return nil
			}
			return removeLock(ctx, path)
		})
		if err != nil {
			return fmt.Errorf("unlock %s: %w", g.Dir, err)
		}
	}
	return nil
}

func removeLock(ctx context.Context, path string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		if age := time.Since(info.ModTime()); age < 0 || age > abandoned {
			if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
