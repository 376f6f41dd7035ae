//go:build unix

package testrun

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lander/internal/queue"
)

// laneCaches are the tool caches of a lane as runs in sandboxes have them: layers that nobody writes to any more, and for each run what it
// writes itself, which no other run sees until its commit is on trunk.
//
//	dir/lock            held for a moment by whoever changes what follows
//	dir/landing         held by who makes layers of what has landed
//	dir/stack           the names of the layers that runs see, the newest first
//	dir/layers/NAME     one each
//	dir/runs/NAME       of a run under way: "up" is what it writes; locked as long as lander or the supervisor lives
//	dir/green/SHA-NAME  what a green run wrote, until its commit has landed
//	dir/trash           what is about to be deleted
type laneCaches struct {
	dir     string
	overlay bool // layers are laid over one another by the kernel; else each run gets a copy of them
}

// Tests have fewer, for each of them costs a run.
var (
	mostLayers = 8  // beyond these they are made one
	mostGreen  = 16 // green runs whose caches are kept until they land
)

const (
	longGreen  = 24 * time.Hour // and for how long
	wholeLayer = "whole-"       // begins the name of a layer that is all there is, and not what is different from those below
)

// cacheDirs makes the directories of a lane's caches.
func cacheDirs(root string, lane queue.Lane, overlay bool) (*laneCaches, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	c := &laneCaches{dir: filepath.Join(root, "layers", laneName(lane)), overlay: overlay}
	for _, sub := range []string{"layers", "runs", "green", "trash"} {
		if err := os.MkdirAll(filepath.Join(c.dir, sub), 0o700); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// runCaches are what one run sees of them.
type runCaches struct {
	of     *laneCaches
	name   string
	dir    string
	layers []string // names, the newest first
	lock   *os.File
}

// begin makes what a run sees: what is on trunk, and nothing that any other run has written.
func (c *laneCaches) begin() (r *runCaches, err error) {
	var doomed []string
	err = c.locked("lock", func() error {
		if doomed, err = c.sweep(); err != nil {
			return err
		}
		name := rand.Text()
		r = &runCaches{of: c, name: name, dir: filepath.Join(c.dir, "runs", name)}
		if err := os.Mkdir(r.dir, 0o700); err != nil {
			return err
		}
		if r.lock, err = os.Open(r.dir); err != nil {
			return err
		}
		if err := unix.Flock(int(r.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			return fmt.Errorf("lock %s: %w", r.dir, err)
		}
		if r.layers, err = c.stack(); err != nil {
			return err
		}
		for _, sub := range []string{"up", "work", "none", "at"} {
			if err := os.Mkdir(filepath.Join(r.dir, sub), 0o700); err != nil {
				return err
			}
		}
		return writeLines(filepath.Join(r.dir, "layers"), r.layers)
	})
	removeSoon(doomed)
	if err == nil && !c.overlay {
		err = c.merge(r.layers, filepath.Join(r.dir, "up"), copyFile)
		if err != nil { // then it is a cold run
			err = errors.Join(removeTree(filepath.Join(r.dir, "up")), os.Mkdir(filepath.Join(r.dir, "up"), 0o700))
		}
	}
	if err != nil {
		err = fmt.Errorf("make tool caches: %w", err)
		if r != nil && r.lock != nil {
			err = errors.Join(err, r.end(""))
		}
		return nil, err
	}
	return r, nil
}

// bind is how the run sees them in its sandbox.
func (r *runCaches) bind() bind {
	b := bind{From: filepath.Join(r.dir, "up"), To: insideCache, Write: true, Own: true}
	if r.of.overlay {
		at := filepath.Join("runs", r.name)
		b.From, b.Over = filepath.Join(r.dir, "at"), &overlay{Base: r.of.dir, Run: at, Lower: r.lower(at)}
	}
	return b
}

// lower are the directories below what the run writes, the topmost first.
func (r *runCaches) lower(at string) []string {
	dirs := make([]string, 0, len(r.layers)+1)
	for _, name := range r.layers {
		dirs = append(dirs, filepath.Join("layers", name))
	}
	return append(dirs, filepath.Join(at, "none"))
}

// end gives up what the run wrote; with the commit of a green run it is kept until that has landed. No process of the run is left.
func (r *runCaches) end(green queue.SHA) error {
	var doomed []string
	err := r.of.locked("lock", func() error {
		if green != "" {
			name := string(green) + "-" + r.name
			if !r.of.overlay {
				name = string(green) + "-" + wholeLayer + r.name
			}
			up := filepath.Join(r.dir, "up")
			entries, err := os.ReadDir(up)
			if err != nil {
				return err
			}
			now := time.Now()
			if len(entries) > 0 {
				err = errors.Join(os.Chtimes(up, now, now), os.Rename(up, filepath.Join(r.of.dir, "green", name)))
			}
			if err != nil {
				return err
			}
		}
		var err error
		if doomed, err = r.of.tooMany(); err != nil {
			return err
		}
		gone, err := r.of.discard(filepath.Join("runs", r.name))
		doomed = append(doomed, gone)
		return err
	})
	removeSoon(doomed)
	if err = errors.Join(err, r.lock.Close()); err != nil {
		return fmt.Errorf("give up tool caches: %w", err)
	}
	return nil
}

// tooMany puts what green runs wrote that have waited too long out of the way, and names it.
func (c *laneCaches) tooMany() (doomed []string, err error) {
	names, err := c.green("")
	if err != nil {
		return nil, err
	}
	for i, g := range names { // the oldest first
		if len(names)-i <= mostGreen && time.Since(g.at) < longGreen {
			break
		}
		gone, err := c.discard(filepath.Join("green", g.name))
		if err != nil {
			return doomed, err
		}
		doomed = append(doomed, gone)
	}
	return doomed, nil
}

type greenRun struct {
	name string
	at   time.Time
}

// green lists what green runs of a commit wrote, or with "" those of all, the oldest first.
func (c *laneCaches) green(sha queue.SHA) ([]greenRun, error) {
	entries, err := os.ReadDir(filepath.Join(c.dir, "green"))
	if err != nil {
		return nil, err
	}
	var all []greenRun
	for _, e := range entries {
		if sha != "" && !strings.HasPrefix(e.Name(), string(sha)+"-") {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		all = append(all, greenRun{e.Name(), info.ModTime()})
	}
	slices.SortFunc(all, func(a, b greenRun) int { return a.at.Compare(b.at) })
	return all, nil
}

// removeSoon deletes what nobody sees any more, beside what goes on: it may be many files. What is left of it goes with the trash.
func removeSoon(doomed []string) {
	go func() {
		for _, path := range doomed {
			_ = removeTree(path)
		}
	}()
}

// discard puts something out of the way at once; deleting it takes its time.
func (c *laneCaches) discard(name string) (string, error) {
	to := filepath.Join(c.dir, "trash", rand.Text())
	return to, os.Rename(filepath.Join(c.dir, name), to)
}

// sweep puts out of the way what runs left whose lander and supervisor were killed, and names it. Callers hold the lock.
func (c *laneCaches) sweep() (doomed []string, err error) {
	entries, err := os.ReadDir(filepath.Join(c.dir, "runs"))
	for _, e := range entries {
		alive, err := c.alive(e.Name())
		if err != nil || alive {
			continue // one that cannot be looked at is left to itself
		}
		gone, err := c.discard(filepath.Join("runs", e.Name()))
		if err != nil {
			return doomed, err
		}
		doomed = append(doomed, gone)
	}
	return doomed, err
}

// alive reports whether somebody holds a run's directory.
func (c *laneCaches) alive(name string) (bool, error) {
	lock, err := os.OpenFile(filepath.Join(c.dir, "runs", name), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_DIRECTORY, 0)
	if err != nil {
		return false, err
	}
	defer lock.Close()
	err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// locked does something while nobody else has the lock.
func (c *laneCaches) locked(name string, do func() error) error {
	lock, err := os.OpenFile(filepath.Join(c.dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	for {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err == nil {
		err = do()
	}
	return errors.Join(err, unix.Flock(int(lock.Fd()), unix.LOCK_UN), lock.Close())
}

// stack reads which layers runs see. One that is not there, after a crash, is left out.
func (c *laneCaches) stack() ([]string, error) {
	names, err := readLines(filepath.Join(c.dir, "stack"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return slices.DeleteFunc(names, func(name string) bool { return !isDir(filepath.Join(c.dir, "layers", name)) }), err
}

func readLines(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	return strings.Fields(string(text)), err
}

// writeLines puts a file in its place all at once.
func writeLines(path string, lines []string) error {
	if err := os.WriteFile(path+".new", []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
