package vcs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// stamp is what a directory's inode was when lander had just filled it. Whatever is made, removed or renamed in a directory, and whatever
// is done to its mode, owner, times or attributes, changes the time of the inode's change, which cannot be set.
type stamp struct {
	ino       uint64
	sec, nsec int64
}

func stampOf(stat *unix.Stat_t) stamp {
	sec, nsec := stat.Ctim.Unix()
	return stamp{ino: stat.Ino, sec: sec, nsec: nsec}
}

// settle keeps the stamps of all directories of a tree that was just filled, and returns when whatever happens to the tree from now on gets
// a later time than all that happened to it so far: file systems count time in steps of some milliseconds. A file system that knows whole seconds
// only is not waited for; nothing is believed of it then.
func (s *slot) settle(index []byte, width int) error {
	kept, err := s.stamps(index, width)
	if err != nil {
		return fmt.Errorf("look at work tree: %w", err)
	}
	newest, err := os.Lstat(s.tree()) // .git was made in it last
	if err != nil {
		return err
	}
	if newest.ModTime().Nanosecond() == 0 {
		return removeAll(s.stampsFile())
	}
	for {
		if err := os.WriteFile(s.stampsFile(), kept, 0o666); err != nil {
			return fmt.Errorf("keep stamps of work tree: %w", err)
		}
		now, err := os.Lstat(s.stampsFile())
		if err != nil {
			return err
		}
		if now.ModTime().After(newest.ModTime()) {
			return nil
		}
		if newest.ModTime().Sub(now.ModTime()) > time.Second {
			return removeAll(s.stampsFile()) // the clock was set back
		}
		time.Sleep(time.Millisecond)
	}
}

// stamps are those of the directories below the root, as they are written down: path, 0, numbers, 0.
func (s *slot) stamps(index []byte, width int) ([]byte, error) {
	root, err := os.Open(s.tree())
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var (
		b    bytes.Buffer
		seen = map[string]bool{}
		last []byte
	)
	look := func(dir string) error {
		var stat unix.Stat_t
		if err := unix.Fstatat(int(root.Fd()), dir, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return &os.PathError{Op: "lstat", Path: dir, Err: err}
		}
		is := stampOf(&stat)
		fmt.Fprintf(&b, "%s\x00%d %d %d\x00", dir, is.ino, is.sec, is.nsec)
		return nil
	}
	for r, err := range records(index, width) {
		if err != nil {
			return nil, err
		}
		at := r.path
		if r.kind == aSubmodule {
			at = append(bytes.Clone(at), '/')
		}
		dir := at[:max(bytes.LastIndexByte(at, '/'), 0)]
		if bytes.Equal(dir, last) {
			continue
		}
		last = dir
		for each := string(dir); each != "" && !seen[each]; each = parent(each) {
			seen[each] = true
			if err := look(each); err != nil {
				return nil, err
			}
		}
	}
	return b.Bytes(), nil
}

func parent(path string) string {
	dir := filepath.Dir(path)
	if dir == "." {
		return ""
	}
	return dir
}

// readStamps gives what settle kept. What is not there, or cannot be read, is not known.
func (s *slot) readStamps() (map[string]stamp, error) {
	text, err := os.ReadFile(s.stampsFile())
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	all := map[string]stamp{}
	fields := bytes.Split(text, []byte{0})
	for ; len(fields) > 2; fields = fields[2:] {
		var is stamp
		if _, err := fmt.Sscanf(string(fields[1]), "%d %d %d", &is.ino, &is.sec, &is.nsec); err != nil {
			return nil, nil //nolint:nilerr // half a file: nothing is known
		}
		all[string(fields[0])] = is
	}
	return all, nil
}
