package vcs

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
)

func (s *slot) trash() string { return filepath.Join(s.dir, "trash") }

// discard removes a file, and puts a directory where it is out of the way: a run may have left tens of thousands of files in it, and
// whoever waits for the tree need not wait for their end.
func (s *slot) discard(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil && info.IsDir() {
		to := filepath.Join(s.trash(), rand.Text())
		if err = os.Rename(path, to); errors.Is(err, os.ErrNotExist) {
			if err = os.Mkdir(s.trash(), 0o700); err == nil || errors.Is(err, os.ErrExist) {
				err = os.Rename(path, to)
			}
		}
		if err == nil {
			return nil
		}
	}
	return removeAll(path) // also one that may not be moved, for a run took away the right to
}

// await waits until what was in a slot's trash is deleted, so that there is never more than one run's.
func (s *Slots) await(number int) {
	s.mutex.Lock()
	done := s.deleting[number]
	s.mutex.Unlock()
	if done != nil {
		<-done
	}
}

// empty begins to delete a slot's trash. What cannot be deleted, or is left by a process that was killed, is tried again at the next use.
func (s *Slots) empty(one *slot) {
	trash := one.trash()
	if _, err := os.Lstat(trash); err != nil {
		return
	}
	done := make(chan struct{})
	s.mutex.Lock()
	if s.deleting == nil {
		s.deleting = map[int]chan struct{}{}
	}
	s.deleting[one.number] = done
	s.mutex.Unlock()
	go func() {
		defer close(done)
		_ = removeAll(trash)
	}()
}
