package vcs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"lander/internal/queue"
)

// Slots hands out clean work trees. A work tree is kept and used again, because git then writes only the files that
// differ; whatever a test run left behind is removed before the next use. One Slots may be used by many at the same
// time, and so may one directory by many processes: each slot is locked while it is out.
//
// A slot is a directory with the work tree "tree", and beside it, out of a test run's reach, the index that knows what
// the tree holds, the stamps of its directories, the lock, and what runs left behind, which is deleted while others go on:
//
//	Dir/1/tree/  Dir/1/index  Dir/1/stamps  Dir/1/lock  Dir/1/trash/
//
// What a run did is found by the one thing about a file that a run cannot set, the time of its inode's change. The tree is given out
// only when that time has moved on, so that nothing can happen to it at the time at which it was made.
type Slots struct {
	Repo *Repo  // required
	Dir  string // required: an absolute path; nothing else lives there

	mutex    sync.Mutex
	bad      map[int]bool          // slots that could be neither cleaned nor deleted
	deleting map[int]chan struct{} // closed when what was in a slot's trash is deleted
}

// Checkout gives a work tree of exactly the commit: tracked files as git makes them, nothing else but a fresh .git, which
// shares the mirror's objects and in which git status is clean. release must be called when nothing uses it any more.
func (s *Slots) Checkout(ctx context.Context, sha queue.SHA) (dir string, release func(), err error) {
	if err := full(sha); err != nil {
		return "", nil, fmt.Errorf("check out: %w", err)
	}
	if !filepath.IsAbs(s.Dir) {
		return "", nil, fmt.Errorf("check out: slots in %q: not an absolute path", s.Dir)
	}
	for {
		one, err := s.take()
		if err != nil {
			return "", nil, fmt.Errorf("check out %s: %w", sha.Short(), err)
		}
		s.await(one.number)
		err = one.fill(ctx, sha)
		s.empty(one)
		if err == nil {
			return one.tree(), one.release, nil
		}
		var stuck *stuckError
		if !errors.As(err, &stuck) {
			one.release()
			return "", nil, fmt.Errorf("check out %s: %w", sha.Short(), err)
		}
		// Another slot does as well; this one stays out of use, locked, for as long as this process lives.
		s.mutex.Lock()
		if s.bad == nil {
			s.bad = map[int]bool{}
		}
		s.bad[one.number] = true
		s.mutex.Unlock()
	}
}

// take locks the first slot that is free, making one if all are out.
func (s *Slots) take() (*slot, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for number := 1; ; number++ {
		if s.bad[number] {
			continue
		}
		one := &slot{repo: s.Repo, number: number, dir: filepath.Join(s.Dir, strconv.Itoa(number))}
		if err := os.MkdirAll(one.dir, 0o777); err != nil {
			return nil, err
		}
		lock, err := os.OpenFile(filepath.Join(one.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o666)
		if err != nil {
			return nil, err
		}
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			one.lock = lock
			return one, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("lock %s: %w", one.dir, err)
		} else {
			err = nil
		}
		if err := errors.Join(err, lock.Close()); err != nil {
			return nil, err
		}
	}
}

// slot is a locked slot.
type slot struct {
	repo   *Repo
	number int
	dir    string
	lock   *os.File
}

func (s *slot) tree() string  { return filepath.Join(s.dir, "tree") }
func (s *slot) index() string { return filepath.Join(s.dir, "index") }

func (s *slot) stampsFile() string { return filepath.Join(s.dir, "stamps") }

// release unlocks the slot; the tree is cleaned at the next use, because only then is it sure that nothing uses it.
func (s *slot) release() {
	// Closing alone does not unlock while a process that is just being started elsewhere still has a copy of the file.
	_ = syscall.Flock(int(s.lock.Fd()), syscall.LOCK_UN)
	_ = s.lock.Close()
}

// stuckError says that a slot can be neither cleaned nor deleted.
type stuckError struct{ err error }

func (e *stuckError) Error() string { return "delete work tree: " + e.err.Error() }
func (e *stuckError) Unwrap() error { return e.err }

// fill makes the tree hold the commit and nothing else: by cleaning it, or if that fails, by making it anew.
func (s *slot) fill(ctx context.Context, sha queue.SHA) error {
	err := s.reuse(ctx, sha)
	if err == nil || ctx.Err() != nil || !s.repo.Has(ctx, sha) {
		return err
	}
	if err := errors.Join(s.discard(s.tree()), removeAll(s.index()), removeAll(s.index()+".lock"), removeAll(s.stampsFile())); err != nil {
		return &stuckError{err}
	}
	if err := os.Mkdir(s.tree(), 0o777); err != nil {
		return err
	}
	index, err := s.read(ctx, sha, false)
	if err != nil {
		return err
	}
	return s.finish(sha, index)
}

// finish makes a tree that holds the commit ready to be given out.
func (s *slot) finish(sha queue.SHA, index []byte) error {
	if err := s.plant(sha, index); err != nil {
		return err
	}
	return s.settle(index, len(sha)/2)
}

var (
	errFirstUse   = errors.New("never used")
	errAttributes = errors.New("other attributes: every file may look different")
	errUntold     = errors.New("its file system does not tell of every change")
)

func (s *slot) reuse(ctx context.Context, sha queue.SHA) error {
	width := len(sha) / 2
	old, err := os.ReadFile(s.index())
	if err != nil {
		return errors.Join(errFirstUse, err)
	}
	if told, err := tells(s.dir); err != nil || !told {
		return errors.Join(err, errUntold)
	}
	if err := removeAll(s.index() + ".lock"); err != nil {
		return err
	}
	before, err := attributes(old, width)
	if err != nil {
		return err
	}
	missing, err := s.sweep(ctx, old, width)
	if err != nil {
		return err
	}
	index, err := s.read(ctx, sha, !missing)
	if err != nil {
		return err
	}
	after, err := attributes(index, width)
	if err != nil {
		return err
	}
	if before != after {
		return errAttributes
	}
	return s.finish(sha, index)
}

// read makes the tracked files those of the commit and returns the index. When the tree is known to be what the index
// says, git need not look at the files that stay the same.
func (s *slot) read(ctx context.Context, sha queue.SHA, known bool) ([]byte, error) {
	how := "--reset"
	if known {
		how = "-m"
	}
	if err := s.git().Run(ctx, "read-tree", how, "-u", "--no-recurse-submodules", string(sha)); err != nil {
		return nil, err
	}
	return os.ReadFile(s.index())
}

func (s *slot) git() Git {
	return Git{
		Dir: s.repo.Dir, WorkTree: s.tree(), Env: []string{"GIT_INDEX_FILE=" + s.index()},
		Config: []string{"checkout.workers=0", "core.checkStat=default", "core.trustctime=true"},
	}
}
