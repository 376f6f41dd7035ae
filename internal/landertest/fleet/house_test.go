package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lander/internal/store"
	"lander/internal/store/storetest"
)

// rooms is where everything on disk is: in memory, where there is plenty.
type rooms struct {
	mu       sync.Mutex
	dir      string
	lock     *os.File
	idle     []*storetest.Cluster
	clusters []*storetest.Cluster
	made     int
	shapes   [2]struct { // without trains, and with
		once     sync.Once
		template *template
		wrong    error // why there is none
	}
}

var house rooms

const dirPrefix = "lander-fleet-"

// root is the directory for everything.
func (h *rooms) root() (string, error) {
	if h.dir != "" {
		return h.dir, nil
	}
	parent := os.TempDir()
	var fs syscall.Statfs_t
	if os.Getenv("TMPDIR") == "" && syscall.Statfs("/dev/shm", &fs) == nil && fs.Bavail*uint64(fs.Bsize) > 4<<30 {
		parent = "/dev/shm"
	}
	sweep(parent)
	dir, err := os.MkdirTemp(parent, dirPrefix)
	if err != nil {
		return "", fmt.Errorf("make directory: %w", err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // Postgres runs as somebody else
		return "", fmt.Errorf("open directory: %w", err)
	}
	if h.lock, err = os.Create(filepath.Join(dir, "lock")); err == nil {
		err = syscall.Flock(int(h.lock.Fd()), syscall.LOCK_EX)
	}
	h.dir = dir
	return dir, err
}

// sweep removes what a test left that was killed.
func sweep(parent string) {
	left, _ := filepath.Glob(filepath.Join(parent, dirPrefix+"*", "lock")) // the pattern is well formed
	for _, path := range left {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			disks, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "world*", "r*")) // the pattern is well formed
			for _, dir := range disks {
				_ = unix.Unmount(dir, unix.MNT_DETACH) // most are none
			}
			_ = os.RemoveAll(filepath.Dir(path)) // tried again by the next one
		}
		f.Close()
	}
}

// sub makes a directory.
func (h *rooms) sub(name string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	root, err := h.root()
	if err != nil {
		return "", err
	}
	h.made++
	dir := filepath.Join(root, fmt.Sprintf("%s%d", name, h.made))
	return dir, os.Mkdir(dir, 0o711)
}

// cluster lends a Postgres of one's own.
func (h *rooms) cluster(ctx context.Context) (*storetest.Cluster, error) {
	h.mu.Lock()
	if n := len(h.idle); n > 0 {
		c := h.idle[n-1]
		h.idle = h.idle[:n-1]
		h.mu.Unlock()
		return c, nil
	}
	h.mu.Unlock()
	dir, err := h.sub("postgres")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c, err := storetest.NewCluster(ctx, dir, store.Migrate)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.clusters = append(h.clusters, c)
	h.mu.Unlock()
	return c, nil
}

func (h *rooms) giveBack(c *storetest.Cluster) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.idle = append(h.idle, c)
}

func (h *rooms) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all error
	for _, c := range h.clusters {
		all = errors.Join(all, c.Stop())
	}
	if h.dir != "" {
		all = errors.Join(all, os.RemoveAll(h.dir), h.lock.Close())
	}
	return all
}

// shape gives a template of worlds, made once: one change at a time, or trains of batches.
func (h *rooms) shape(trains bool) (*template, error) {
	i, name, policy := 0, "template", oneAtATime
	if trains {
		i, name, policy = 1, "trains", ofTwo
	}
	shape := &h.shapes[i]
	shape.once.Do(func() {
		dir, err := h.sub(name)
		if err == nil {
			shape.template, err = newTemplate(dir, policy)
		}
		shape.wrong = err
	})
	return shape.template, shape.wrong
}
