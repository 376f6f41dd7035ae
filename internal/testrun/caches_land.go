//go:build unix

package testrun

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"lander/internal/queue"
)

// Landed says that a commit is on the lane's trunk: what its green runs wrote into their tool caches is what all runs of the lane see from
// now on. It may be said of any commit, and again and again. Runs that are under way see what they saw when they began.
func (r *Runner) Landed(lane queue.Lane, sha queue.SHA) error {
	if r.Sandbox == nil || r.Caches == "" || sha == "" {
		return nil
	}
	c, err := cacheDirs(r.Caches, lane, r.Sandbox.overlay)
	if err == nil {
		err = c.locked("landing", func() error { return c.landed(sha) })
	}
	if err != nil {
		return fmt.Errorf("keep tool caches of %s: %w", sha.Short(), err)
	}
	return nil
}

func (c *laneCaches) landed(sha queue.SHA) error {
	var (
		changed bool
		full    []string // what there is too much of
	)
	err := c.locked("lock", func() error {
		names, err := c.green(sha)
		if err != nil || len(names) == 0 {
			return err
		}
		stack, err := c.stack()
		if err != nil {
			return err
		}
		for _, g := range names {
			name := rand.Text()
			if strings.HasPrefix(strings.TrimPrefix(g.name, string(sha)+"-"), wholeLayer) {
				stack = nil // it began with a copy of all there was
			}
			if err := os.Rename(filepath.Join(c.dir, "green", g.name), filepath.Join(c.dir, "layers", name)); err != nil {
				return err
			}
			stack = slices.Insert(stack, 0, name)
		}
		changed = true
		if len(stack) > mostLayers {
			full = stack
		}
		return writeLines(filepath.Join(c.dir, "stack"), stack)
	})
	if err == nil && full != nil {
		err = c.flatten(full)
	}
	if changed {
		err = errors.Join(err, c.collect())
	}
	return err
}

// flatten makes one layer of many, by hard links: nobody writes to layers. Layers that a hostile run made such that they cannot be read are
// given up, and all below them: the next run is a cold one.
func (c *laneCaches) flatten(stack []string) error {
	name := rand.Text()
	at := filepath.Join(c.dir, "trash", name) // if lander is killed now, it is there already
	if err := os.Mkdir(at, 0o700); err != nil {
		return err
	}
	one := []string{name}
	failed := c.merge(stack, at, linkFile)
	if failed != nil {
		one = nil
	}
	return c.locked("lock", func() error {
		now, err := c.stack()
		if err != nil {
			return err
		}
		if len(now) < len(stack) || !slices.Equal(now[len(now)-len(stack):], stack) {
			return nil // another lander was quicker; this one's work is in the trash
		}
		if one != nil {
			if err := os.Rename(at, filepath.Join(c.dir, "layers", name)); err != nil {
				return err
			}
		}
		return errors.Join(failed, writeLines(filepath.Join(c.dir, "stack"), append(now[:len(now)-len(stack)], one...)))
	})
}

// collect deletes layers that nobody sees any more, and the trash.
func (c *laneCaches) collect() error {
	var doomed []string
	err := c.locked("lock", func() error {
		seen, err := c.stack()
		if err != nil {
			return err
		}
		runs, err := os.ReadDir(filepath.Join(c.dir, "runs"))
		if err != nil {
			return err
		}
		for _, run := range runs {
			uses, err := readLines(filepath.Join(c.dir, "runs", run.Name(), "layers"))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			seen = append(seen, uses...)
		}
		layers, err := os.ReadDir(filepath.Join(c.dir, "layers"))
		if err != nil {
			return err
		}
		for _, layer := range layers {
			if !slices.Contains(seen, layer.Name()) {
				if _, err := c.discard(filepath.Join("layers", layer.Name())); err != nil {
					return err
				}
			}
		}
		trash, err := os.ReadDir(filepath.Join(c.dir, "trash"))
		for _, t := range trash {
			doomed = append(doomed, filepath.Join(c.dir, "trash", t.Name()))
		}
		return err
	})
	for _, path := range doomed {
		err = errors.Join(err, removeTree(path))
	}
	return err
}

// merge puts into the directory to what a run sees that has these layers. place puts a file of a layer there.
func (c *laneCaches) merge(layers []string, to string, place func(from, to string) error) error {
	for _, name := range slices.Backward(layers) {
		if err := layOver(filepath.Join(c.dir, "layers", name), to, place); err != nil {
			return fmt.Errorf("lay caches over one another: %w", err)
		}
	}
	return nil
}

// layOver does to a directory what is different in a layer over it.
func layOver(layer, to string, place func(from, to string) error) error {
	entries, err := os.ReadDir(layer)
	if err != nil {
		return err
	}
	for _, e := range entries {
		from, at := filepath.Join(layer, e.Name()), filepath.Join(to, e.Name())
		var stat, was unix.Stat_t
		if err := unix.Lstat(from, &stat); err != nil {
			return &os.PathError{Op: "lstat", Path: from, Err: err}
		}
		isDir := stat.Mode&unix.S_IFMT == unix.S_IFDIR
		there := unix.Lstat(at, &was) == nil
		if there && (!isDir || was.Mode&unix.S_IFMT != unix.S_IFDIR || opaque(from)) {
			if err := removeTree(at); err != nil {
				return err
			}
			there = false
		}
		switch stat.Mode & unix.S_IFMT {
		case unix.S_IFDIR:
			if there {
				err = os.Chmod(at, 0o700)
			} else {
				err = os.Mkdir(at, 0o700)
			}
			if err == nil {
				err = layOver(from, at, place)
			}
			if err == nil {
				err = os.Chmod(at, os.FileMode(stat.Mode&0o777))
			}
		case unix.S_IFREG:
			err = place(from, at)
		case unix.S_IFLNK:
			var target string
			if target, err = os.Readlink(from); err == nil {
				err = os.Symlink(target, at)
			}
		default: // that something is not there any more, or what no cache needs
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// opaque reports whether nothing of the layers below shows through a directory of a layer.
func opaque(dir string) bool {
	name := "user.overlay.opaque"
	if os.Geteuid() == 0 {
		name = "trusted.overlay.opaque"
	}
	var value [8]byte
	n, err := unix.Lgetxattr(dir, name, value[:])
	return err == nil && n == 1 && value[0] == 'y'
}

func linkFile(from, to string) error { return os.Link(from, to) }
