package vcs

import (
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

// sweep removes from the tree whatever the index does not know, brings directories back to the mode they were made with,
// and removes tracked files whose mode git would not see is wrong, so that git makes them anew. git clean would leave
// what hides in submodule directories, and knows nothing of directory modes.
func (s *slot) sweep(ctx context.Context, width int) error {
	index, err := os.Lstat(s.index())
	if err != nil {
		return err
	}
	known, err := readIndex(s.index(), width)
	if err != nil {
		return err
	}
	usual, err := s.usual()
	if err != nil {
		return err
	}
	info, err := os.Lstat(s.tree())
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("clean %s: not a directory", s.tree())
	}
	b := broom{ctx: ctx, mode: usual.Mode(), owner: ownerOf(usual), known: known, since: index.ModTime().Unix()}
	if err := b.enter(s.tree()); err != nil {
		return err
	}
	if err := removeAll(filepath.Join(s.tree(), ".git")); err != nil {
		return err
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

// broom sweeps a tree. It never follows a symlink and opens nothing but directories.
type broom struct {
	ctx   context.Context
	mode  fs.FileMode // of every directory
	owner owner       // of every directory
	known listing
	since int64 // when git finished writing the tree, in seconds
}

// enter gives this process the right to change a directory.
func (b broom) enter(path string) error {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o700 == 0o700 {
		return err
	}
	return os.Chmod(path, 0o700)
}

func (b broom) dir(path, name string) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	const flags = os.O_RDONLY | syscall.O_DIRECTORY | syscall.O_NOFOLLOW
	d, err := os.OpenFile(path, flags, 0)
	if errors.Is(err, os.ErrPermission) {
		if err := b.enter(path); err != nil {
			return err
		}
		d, err = os.OpenFile(path, flags, 0)
	}
	if err != nil {
		return err
	}
	defer d.Close()
	if err := b.restore(d); err != nil {
		return fmt.Errorf("clean %s: %w", path, err)
	}
	names := b.known[name]
	for {
		entries, err := d.ReadDir(256)
		for _, e := range entries {
			if err := b.entry(d, path, name, e, names[e.Name()]); err != nil {
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

// restore brings a directory itself back to what it was made as.
func (b broom) restore(d *os.File) error {
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

// entry keeps what is of the kind that the index knows, and removes the rest.
func (b broom) entry(d *os.File, path, name string, found fs.DirEntry, want entry) error {
	at := path + "/" + found.Name()
	switch kind := found.Type(); {
	case (want.kind == aFile || want.kind == aProgram) && kind.IsRegular():
		if int64(want.sec) < b.since {
			return nil // any change since is visible to git, which compares whole seconds
		}
		if same, err := b.untouched(d, found.Name(), want); same || err != nil {
			return err
		}
	case want.kind == aLink && kind&fs.ModeSymlink != 0:
		return nil
	case (want.kind == aDir || want.kind == aSubmodule) && kind.IsDir():
		return b.dir(at, strings.TrimPrefix(name+"/"+found.Name(), "/"))
	}
	return removeAll(at)
}

// untouched reports whether a file's mode and time of change are what they were when git had written it.
func (b broom) untouched(d *os.File, name string, want entry) (bool, error) {
	var stat unix.Stat_t
	if err := unix.Fstatat(int(d.Fd()), name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return false, err
	}
	sec, nsec := stat.Ctim.Unix()
	mode := fs.FileMode(0o666)
	if want.kind == aProgram {
		mode = 0o777
	}
	return uint32(sec) == want.sec && uint32(nsec) == want.nsec && stat.Mode&0o7777 == uint32(mode&b.mode.Perm()), nil
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
