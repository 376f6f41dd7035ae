package testrun

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// watch looks again and again whether a run is over a limit, from within its sandbox. It looks as often as watchEvery, but for no more
// than a twentieth of the time.
type watch struct {
	limits Limits
	dirs   []string // on disk, counted together
	memory []string // file systems that are in memory

	disk   usage     // as counted last
	then   free      // what the disk had left at that time
	first  free      // what it had left at the first look
	walked time.Time // when that was
}

const (
	watchEvery = 50 * time.Millisecond
	walkEvery  = 30 * time.Second // at the latest, whatever the disk says
)

// usage is what something holds.
type usage struct {
	bytes int64
	files int
}

// free is what a file system has left.
type free struct{ bytes, files int64 }

// until returns when the run is over a limit, with that.
func (w *watch) until() over {
	for {
		began := time.Now()
		if o, is := w.look(began); is {
			return o
		}
		time.Sleep(max(watchEvery, 20*time.Since(began)))
	}
}

func (w *watch) look(now time.Time) (over, bool) {
	held, tasks := w.processes()
	if tasks > w.limits.Pids {
		return over{OverPids, int64(w.limits.Pids)}, true
	}
	for _, dir := range w.memory {
		used, files := inMemory(dir)
		held += used
		if files > int64(w.limits.Files) {
			return over{OverFiles, int64(w.limits.Files)}, true
		}
	}
	if held > w.limits.Memory {
		return over{OverMemory, w.limits.Memory}, true
	}
	return w.lookAtDisk(now)
}

// processes sums up what everybody but this process holds by itself, in bytes, and how many processes and threads that is.
func (w *watch) processes() (held int64, tasks int) {
	page := int64(os.Getpagesize())
	names, err := readNames("/proc")
	if err != nil {
		return 0, 0
	}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == 1 {
			continue
		}
		tasks++
		if stat, err := os.ReadFile("/proc/" + name + "/stat"); err == nil {
			// After the name: state is the first, and the number of threads the eighteenth.
			if fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]); len(fields) > 17 {
				tasks += max(atoi(fields[17]), 1) - 1
			}
		}
		if statm, err := os.ReadFile("/proc/" + name + "/statm"); err == nil {
			if fields := bytes.Fields(statm); len(fields) > 2 {
				held += int64(max(atoi(fields[1])-atoi(fields[2]), 0)) * page // without what it shares with files and others
			}
		}
	}
	return held, tasks
}

func atoi(text []byte) int {
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return 0
	}
	return n
}

func readNames(path string) ([]string, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}

// lookAtDisk counts the files only when the disk has lost so much that the run may be over.
func (w *watch) lookAtDisk(now time.Time) (over, bool) {
	left, err := freeOn(w.dirs[0])
	if err != nil {
		return over{}, false
	}
	if w.walked.IsZero() {
		w.first = left
	}
	lost := usage{w.then.bytes - left.bytes, int(w.then.files - left.files)}
	counts := left.files > 0 || w.then.files > 0 // not every file system counts its files
	near := lost.bytes > (w.limits.Disk-w.disk.bytes)/2 || counts && lost.files > (w.limits.Files-w.disk.files)/2 || !counts && now.Sub(w.walked) > time.Second
	if !w.walked.IsZero() && !near && now.Sub(w.walked) < walkEvery {
		return over{}, false
	}
	var hidden bool
	w.disk, hidden = count(w.dirs)
	w.walked, w.then = now, left
	if hidden || w.first.bytes-left.bytes > w.limits.Disk {
		// What cannot be looked into, or has no name any more, is known by what the disk has lost and by who has it open.
		w.disk.bytes += unlinked()
	}
	if hidden {
		w.disk.bytes = max(w.disk.bytes, w.first.bytes-left.bytes)
		w.disk.files = max(w.disk.files, int(w.first.files-left.files))
	}
	switch {
	case w.disk.bytes > w.limits.Disk:
		return over{OverDisk, w.limits.Disk}, true
	case w.disk.files > w.limits.Files:
		return over{OverFiles, int64(w.limits.Files)}, true
	}
	return over{}, false
}

// count adds up what is in directories; a file with several names counts once for each. hidden: not all of it could be looked into.
func count(dirs []string) (u usage, hidden bool) {
	for _, dir := range dirs {
		_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error { // it gives no error of its own
			if err != nil {
				hidden = hidden || !errors.Is(err, fs.ErrNotExist)
				return nil
			}
			u.files++
			if info, err := entry.Info(); err == nil {
				if stat, ok := info.Sys().(*syscall.Stat_t); ok {
					u.bytes += stat.Blocks * 512
				}
			}
			return nil
		})
	}
	return u, hidden
}

// unlinked adds up the files without a name that processes have open.
func unlinked() (sum int64) {
	seen := map[[2]uint64]bool{}
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is right
	for _, file := range files {
		var stat unix.Stat_t
		if unix.Stat(file, &stat) != nil || stat.Nlink != 0 || stat.Mode&unix.S_IFMT != unix.S_IFREG {
			continue
		}
		if key := [2]uint64{stat.Dev, stat.Ino}; !seen[key] {
			seen[key] = true
			sum += stat.Blocks * 512
		}
	}
	return sum
}

func freeOn(path string) (free, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return free{}, err
	}
	return free{int64(s.Bfree) * s.Bsize, int64(s.Ffree)}, nil
}

func inMemory(path string) (bytes, files int64) {
	var s unix.Statfs_t
	if unix.Statfs(path, &s) != nil {
		return 0, 0
	}
	return int64(s.Blocks-s.Bfree) * s.Bsize, int64(s.Files - s.Ffree)
}
