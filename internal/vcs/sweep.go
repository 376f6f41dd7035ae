package vcs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// sweep removes from the tree whatever the index does not know, and brings directories back to the mode they were made
// with. git clean would leave what hides in submodule directories, and knows nothing of directory modes.
func (s *slot) sweep(ctx context.Context) error {
	if err := removeAll(filepath.Join(s.tree(), ".git")); err != nil {
		return err
	}
	out, err := s.git().Output(ctx, nil, "ls-files", "--stage", "-z")
	if err != nil {
		return err
	}
	usual, err := s.usual()
	if err != nil {
		return err
	}
	b := broom{mode: usual.Mode(), owner: ownerOf(usual), known: tracked(out)}
	info, err := os.Lstat(s.tree())
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("clean %s: not a directory", s.tree())
	}
	return b.dir(s.tree(), "")
}

// usual is what a directory made here looks like: its mode comes from the umask of this process and from the parent's
// set-group-id bit, its group perhaps from the parent.
func (s *slot) usual() (fs.FileInfo, error) {
	probe := filepath.Join(s.dir, "probe")
	if err := errors.Join(removeAll(probe), os.Mkdir(probe, 0o777)); err != nil {
		return nil, err
	}
	info, err := os.Lstat(probe)
	return info, errors.Join(err, os.Remove(probe))
}

// kind is what the index has at a path.
type kind byte

const (
	aFile kind = iota + 1
	aLink
	aSubmodule
	aDir
)

// tracked lists, for every directory, the names that belong there. "" is the root.
func tracked(lsFiles []byte) map[string]map[string]kind {
	known := map[string]map[string]kind{"": {}}
	for entry := range bytes.SplitSeq(lsFiles, []byte{0}) {
		facts, path, ok := strings.Cut(string(entry), "\t")
		if !ok {
			continue
		}
		what := aFile
		switch {
		case strings.HasPrefix(facts, "12"):
			what = aLink
		case strings.HasPrefix(facts, "16"):
			what = aSubmodule
			known[path] = map[string]kind{} // nothing belongs into it
		}
		for {
			slash := strings.LastIndexByte(path, '/')
			dir := path[:max(slash, 0)]
			names, seen := known[dir]
			if !seen {
				names = map[string]kind{}
				known[dir] = names
			}
			names[path[slash+1:]] = what
			if seen {
				break
			}
			path, what = dir, aDir
		}
	}
	return known
}

// broom sweeps a tree. It never follows a symlink and opens nothing but directories.
type broom struct {
	mode  fs.FileMode // of every directory
	owner owner       // of every directory
	known map[string]map[string]kind
}

func (b broom) dir(path, name string) error {
	d, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrPermission) {
		if err := os.Chmod(path, 0o700); err != nil {
			return err
		}
		d, err = os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	}
	if err != nil {
		return err
	}
	defer d.Close()
	info, err := d.Stat()
	if err != nil {
		return err
	}
	if owner := ownerOf(info); owner != b.owner {
		if err := d.Chown(b.owner.uid, b.owner.gid); err != nil {
			return err
		}
	}
	if info.Mode() != b.mode {
		if err := d.Chmod(b.mode); err != nil {
			return err
		}
	}
	if strange, err := hasAttributes(d); err != nil || strange {
		return errors.Join(err, fmt.Errorf("clean %s: it has extended attributes", path))
	}
	names := b.known[name]
	for {
		entries, err := d.ReadDir(256)
		for _, entry := range entries {
			if err := b.entry(filepath.Join(path, entry.Name()), strings.TrimPrefix(name+"/"+entry.Name(), "/"), names[entry.Name()], entry.Type()); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// entry keeps what is of the kind that the index knows, and removes the rest.
func (b broom) entry(path, name string, want kind, found fs.FileMode) error {
	switch {
	case want == aFile && found.IsRegular(), want == aLink && found&fs.ModeSymlink != 0:
		return nil
	case (want == aDir || want == aSubmodule) && found.IsDir():
		return b.dir(path, name)
	}
	return removeAll(path)
}

type owner struct{ uid, gid int }

func ownerOf(info fs.FileInfo) owner {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return owner{}
	}
	return owner{int(stat.Uid), int(stat.Gid)}
}

// hasAttributes reports whether a directory has an access control list, which files made in it later would inherit, or
// attributes of a user. Labels that the system itself puts on files do not count.
func hasAttributes(dir *os.File) (bool, error) {
	var names [4096]byte
	n, err := unix.Flistxattr(int(dir.Fd()), names[:])
	switch {
	case errors.Is(err, unix.ENOTSUP):
		return false, nil
	case errors.Is(err, unix.ERANGE):
		return true, nil
	case err != nil:
		return false, err
	}
	for name := range strings.SplitSeq(string(names[:n]), "\x00") {
		if strings.HasPrefix(name, "user.") || strings.HasPrefix(name, "system.posix_acl") {
			return true, nil
		}
	}
	return false, nil
}

// removeAll removes a tree also when a hostile run took the rights to its directories away.
func removeAll(path string) error {
	err := os.RemoveAll(path)
	if err == nil {
		return nil
	}
	_ = filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) // read before its entries are: the second call is made after this one
		}
		return nil
	})
	return os.RemoveAll(path)
}
