//go:build unix

package testrun

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
)

// mostLooked is how many files and directories are looked at to find a step's reports.
const mostLooked = 500_000

// reports are the files that tell of a step's tests. A run's code decides what is there: links are not followed out of the checkout,
// only plain files are read, and none that was there before the step and has not changed since.
type reports struct {
	dir     string
	pattern string
	before  map[string]mark
}

// mark is by what a file is known to be the same.
type mark struct {
	size int64
	at   time.Time
	node uint64
}

// notice notes what is there before a step begins.
func (r *reports) notice() error {
	r.before = map[string]mark{}
	return r.each(func(_ *os.Root, name string, info fs.FileInfo) error {
		r.before[name] = markOf(info)
		return nil
	})
}

// read takes in what is new.
func (r *reports) read(t *tally) error {
	left := int64(mostRead)
	var bad error
	err := r.each(func(root *os.Root, name string, info fs.FileInfo) error {
		if was, ok := r.before[name]; ok && was == markOf(info) {
			return nil
		}
		text, err := readPlain(root, name, min(left, mostReport))
		left -= int64(len(text))
		if err == nil {
			err = readJUnit(text, t)
		}
		if err != nil {
			t.partial = true
			if bad == nil {
				bad = fmt.Errorf("%s: %w", t.clean(name), err)
			}
		}
		return nil
	})
	if err != nil {
		t.partial = true
	}
	return errors.Join(err, bad)
}

// each visits the plain files of the checkout that the pattern names.
func (r *reports) each(visit func(root *os.Root, name string, info fs.FileInfo) error) error {
	root, err := os.OpenRoot(r.dir)
	if err != nil {
		return fmt.Errorf("open checkout: %w", err)
	}
	defer root.Close()
	looked := 0
	return fs.WalkDir(root.FS(), fixedPart(r.pattern), func(name string, entry fs.DirEntry, err error) error {
		if looked++; looked > mostLooked {
			return fmt.Errorf("find %s: more than %d files", r.pattern, mostLooked)
		}
		switch {
		case err != nil: // it is not there, or is not to be read: then nothing in it is a report
			return nil //nolint:nilerr // as said
		case entry.IsDir() && name == ".git":
			return fs.SkipDir
		case !entry.Type().IsRegular() || !matches(r.pattern, name):
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return nil //nolint:nilerr // it is gone
		}
		return visit(root, name, info)
	})
}

func markOf(info fs.FileInfo) mark {
	m := mark{size: info.Size(), at: info.ModTime()}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		m.node = s.Ino
	}
	return m
}

// readPlain reads a file that may be no file any more: a pipe that is there by now must hold nothing up.
func readPlain(root *os.Root, name string, most int64) ([]byte, error) {
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open report: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("open report: %w", err)
	case !info.Mode().IsRegular():
		return nil, errors.New("open report: it is no plain file")
	}
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	if int64(len(text)) > most {
		return text[:most], errors.New("read report: there is too much of it")
	}
	return text, nil
}

// fixedPart is the directory that a pattern begins with.
func fixedPart(pattern string) string {
	parts := strings.Split(pattern, "/")
	i := 0
	for i < len(parts)-1 && !strings.ContainsAny(parts[i], `*?[\`) {
		i++
	}
	return path.Join(append([]string{"."}, parts[:i]...)...)
}

// matches reports whether a pattern names a path. ** stands for any number of directories.
func matches(pattern, name string) bool {
	return matchParts(strings.Split(path.Clean(pattern), "/"), strings.Split(name, "/"))
}

func matchParts(pattern, name []string) bool {
	// row[j]: what is read of the pattern matches the first j parts of the name.
	row := make([]bool, len(name)+1)
	row[0] = true
	for _, p := range pattern {
		next := make([]bool, len(name)+1)
		for j := range next {
			if p == "**" {
				next[j] = row[j] || j > 0 && next[j-1]
				continue
			}
			if j > 0 && row[j-1] {
				ok, err := path.Match(p, name[j-1])
				next[j] = ok && err == nil
			}
		}
		row = next
	}
	return row[len(name)]
}
