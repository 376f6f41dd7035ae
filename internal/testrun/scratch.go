//go:build unix

package testrun

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"lander/internal/queue"
)

const (
	scratchKey    = "LANDER_SCRATCH" // also the mark by which a run's processes are known, see sweepProcesses
	scratchPrefix = "lander-run-"
)

// scratch is a run's private directory. The open file holds a lock on it, which the supervisor shares: as long as either
// lives, no sweep takes the directory for a leftover.
type scratch struct {
	dir  string
	lock *os.File
}

func makeScratch(parent string) (scratch, error) {
	dir, err := os.MkdirTemp(parent, scratchPrefix)
	if err != nil {
		return scratch{}, err
	}
	lock, err := os.Open(dir)
	if err != nil {
		return scratch{}, err
	}
	s := scratch{dir: dir, lock: lock}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return scratch{}, errors.Join(fmt.Errorf("lock %s: %w", dir, err), s.remove())
	}
	for _, sub := range []string{"home", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return scratch{}, errors.Join(err, s.remove())
		}
	}
	return s, nil
}

func (s scratch) remove() error { return errors.Join(removeTree(s.dir), s.lock.Close()) }

// laneName is a lane's name as far as every tool can bear it in a path, and a digest so that no two lanes share one.
func laneName(lane queue.Lane) string {
	plain := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' {
			return c
		}
		return '-'
	}, lane.String())
	sum := sha256.Sum256([]byte(lane.String()))
	return plain[:min(len(plain), 60)] + "-" + hex.EncodeToString(sum[:4])
}

// laneCache makes and names the directory of a lane's tool caches where there is no sandbox: all its runs write to it.
func laneCache(root string, lane queue.Lane) (string, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, laneName(lane))
	return dir, os.MkdirAll(dir, 0o700)
}

// Sweep removes what runs left behind whose lander and supervisor were both killed: their processes first, then their
// directories. Call it at start; runs that are alive, of this lander or another, are not touched.
func (r *Runner) Sweep() error {
	parent := r.scratchParent()
	dirs, err := filepath.Glob(filepath.Join(parent, scratchPrefix+"*"))
	if err != nil {
		return fmt.Errorf("sweep %s: %w", parent, err)
	}
	var all error
	for _, dir := range dirs {
		if err := r.sweepOne(dir); err != nil {
			all = errors.Join(all, fmt.Errorf("sweep %s: %w", dir, err))
		}
	}
	return all
}

func (r *Runner) sweepOne(dir string) error {
	lock, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_DIRECTORY, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // its run has just removed it
	case err != nil:
		return err
	}
	defer lock.Close()
	var stat unix.Stat_t
	if err := unix.Fstat(int(lock.Fd()), &stat); err != nil {
		return err
	}
	if int(stat.Uid) != os.Geteuid() {
		return nil // the directory for temporary files is everybody's
	}
	switch err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil
	case err != nil:
		return err
	}
	r.Log.Warn().Str("scratch", dir).Msg("sweeping up after a run that was killed")
	if !sweepProcesses(dir) {
		return errors.New("some of its processes cannot be killed")
	}
	return errors.Join(r.Sandbox.sweep(dir), removeTree(dir))
}

// removeTree removes dir although somebody in it may have taken the right to do so from a directory, as Go's module cache does.
func removeTree(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil || entry != nil && entry.IsDir() {
			// Called before the directory is read, so that it can be.
			if chmod := os.Chmod(path, 0o700); chmod != nil {
				return chmod
			}
		}
		return nil
	})
	return errors.Join(os.RemoveAll(dir), ignoreIfRemoved(dir, err))
}

func ignoreIfRemoved(dir string, err error) error {
	if _, stat := os.Lstat(dir); errors.Is(stat, fs.ErrNotExist) {
		return nil
	}
	return err
}
