package vcs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// sweep removes from the tree whatever the index does not know, brings directories back to the mode they were made with,
// and removes tracked files that are not the very inodes that git wrote. It reports whether any tracked file is missing
// then. git clean would leave what hides in submodule directories and knows nothing of directory modes, and git compares
// times of whole seconds only. Directories that are still what their stamp says are not read: what is in them is known, and
// only the files themselves are looked at.
func (s *slot) sweep(ctx context.Context, index []byte, width int) (missing bool, err error) {
	written, err := os.Lstat(s.index())
	if err != nil {
		return false, err
	}
	known, err := listIndex(index, width)
	if err != nil {
		return false, err
	}
	usual, err := s.usual()
	if err != nil {
		return false, err
	}
	stamps, err := s.readStamps()
	if err != nil {
		return false, err
	}
	info, err := os.Lstat(s.tree())
	if err != nil {
		return false, err
	}
	if !info.IsDir() {
		return false, fmt.Errorf("clean %s: not a directory", s.tree())
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	b := &broom{ctx: ctx, group: group, mode: usual.Mode(), owner: ownerOf(usual), known: known, stamps: stamps, since: written.ModTime().Unix(), remove: s.discard}
	if err := b.enter(s.tree()); err != nil {
		return false, err
	}
	if b.root, err = os.OpenFile(s.tree(), justDirectory, 0); err != nil {
		return false, err
	}
	defer b.root.Close()
	if err := s.discard(filepath.Join(s.tree(), ".git")); err != nil {
		return false, err
	}
	err = errors.Join(b.dir(s.tree(), ""), group.Wait())
	return b.missing.Load(), err
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

// broom sweeps a tree. It never follows a symlink and opens nothing but directories.
type broom struct {
	ctx    context.Context
	group  *errgroup.Group // shares the directories out
	root   *os.File
	mode   fs.FileMode // of every directory
	owner  owner       // of every directory
	known  listing
	stamps map[string]stamp // of directories, by path; the root has none
	since  int64            // when git finished writing the tree, in seconds
	remove func(path string) error

	missing atomic.Bool // a tracked file is missing
}

// enter gives this process the right to change a directory.
func (b *broom) enter(path string) error {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o700 == 0o700 {
		return err
	}
	return os.Chmod(path, 0o700)
}

const justDirectory = os.O_RDONLY | syscall.O_DIRECTORY | syscall.O_NOFOLLOW

// dir sweeps a directory, the one at name of the tree, whose parents have been swept or are as they were.
func (b *broom) dir(path, name string) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	if b.same(name) {
		return b.look(path, name)
	}
	d, err := os.OpenFile(path, justDirectory, 0)
	if errors.Is(err, os.ErrPermission) {
		if err := b.enter(path); err != nil {
			return err
		}
		d, err = os.OpenFile(path, justDirectory, 0)
	}
	if err != nil {
		return err
	}
	defer d.Close()
	if err := b.restore(d); err != nil {
		return fmt.Errorf("clean %s: %w", path, err)
	}
	names, kept := b.known[name], 0
	for {
		entries, err := d.ReadDir(256)
		for _, e := range entries {
			keep, err := b.entry(d, path, name, e, names[e.Name()])
			if err != nil {
				return err
			}
			if keep {
				kept++
			}
		}
		if errors.Is(err, io.EOF) {
			if kept < len(names) {
				b.missing.Store(true)
			}
			return unix.UtimesNanoAt(int(d.Fd()), ".", nil, 0) // a run may have set them to anything
		}
		if err != nil {
			return err
		}
	}
}

// same reports whether nothing has happened to a directory, nor in it, since its stamp was made.
func (b *broom) same(name string) bool {
	want, known := b.stamps[name]
	if !known {
		return false
	}
	var stat unix.Stat_t
	err := unix.Fstatat(int(b.root.Fd()), name, &stat, unix.AT_SYMLINK_NOFOLLOW)
	return err == nil && stampOf(&stat) == want && stat.Mode == unix.S_IFDIR|unixMode(b.mode) && b.owner == owner{int(stat.Uid), int(stat.Gid)}
}

// look keeps the files of a directory that holds what it held, as far as they are untouched.
func (b *broom) look(path, name string) error {
	for inner, want := range b.known[name] {
		at := path + "/" + inner
		if want.kind == aDir || want.kind == aSubmodule {
			below := name + "/" + inner
			if b.group.TryGo(func() error { return b.dir(at, below) }) {
				continue
			}
			if err := b.dir(at, below); err != nil {
				return err
			}
			continue
		}
		keep, err := b.untouched(b.root, name+"/"+inner, want)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if keep {
			continue
		}
		b.missing.Store(true)
		if err := b.remove(at); err != nil {
			return err
		}
	}
	return nil
}

// unixMode is a directory's mode as the system has it.
func unixMode(m fs.FileMode) uint32 {
	mode := uint32(m.Perm())
	for bit, is := range map[fs.FileMode]uint32{fs.ModeSetuid: unix.S_ISUID, fs.ModeSetgid: unix.S_ISGID, fs.ModeSticky: unix.S_ISVTX} {
		if m&bit != 0 {
			mode |= is
		}
	}
	return mode
}

// restore brings a directory itself back to what it was made as.
func (b *broom) restore(d *os.File) error {
	info, err := d.Stat()
	if err != nil {
		return err
	}
	if ownerOf(info) != b.owner {
		if err := d.Chown(b.owner.uid, b.owner.gid); err != nil {
			return err
		}
	}
	if info.Mode() != b.mode {
		if err := d.Chmod(b.mode); err != nil {
			return err
		}
	}
	if strange, err := hasAttributes(d); err != nil || !strange {
		return err
	}
	return errors.New("it has extended attributes")
}

// entry keeps what is what the index knows, and removes the rest.
func (b *broom) entry(d *os.File, path, name string, found fs.DirEntry, want entry) (keep bool, err error) {
	at := path + "/" + found.Name()
	switch kind := found.Type(); want.kind {
	case aFile, aProgram, aLink:
		keep, err := b.untouched(d, found.Name(), want)
		if keep || err != nil {
			return keep, err
		}
	case aDir, aSubmodule:
		if !kind.IsDir() {
			break
		}
		inner := strings.TrimPrefix(name+"/"+found.Name(), "/")
		if b.group.TryGo(func() error { return b.dir(at, inner) }) {
			return true, nil
		}
		return true, b.dir(at, inner)
	}
	return false, b.remove(at)
}

// untouched reports whether a file or link is the inode that git wrote, and nothing has happened to it since. The time of
// an inode's change cannot be set by those who change it.
func (b *broom) untouched(d *os.File, name string, want entry) (bool, error) {
	var stat unix.Stat_t
	if err := unix.Fstatat(int(d.Fd()), name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return false, err
	}
	kind, mode := uint32(unix.S_IFREG), b.mode.Perm()&0o666
	switch want.kind {
	case aProgram:
		mode = b.mode.Perm() & 0o777
	case aLink:
		kind, mode = unix.S_IFLNK, fs.FileMode(stat.Mode&0o7777)
	}
	sec, nsec := stat.Ctim.Unix()
	sameTime := uint32(sec) == want.sec && uint32(nsec) == want.nsec
	if want.nsec == 0 { // a git or a file system that knows only seconds
		sameTime = uint32(sec) == want.sec && sec < b.since
	}
	return sameTime && stat.Mode == kind|uint32(mode) && uint32(stat.Ino) == want.ino && uint32(stat.Size) == want.size, nil
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
			_ = os.Chmod(path, 0o700) // walked into only after this
		}
		return nil
	})
	return os.RemoveAll(path)
}
