package testrun

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// stageBinds makes what the commands' user is to see reachable for it, where lander is root: in a mount namespace of this thread alone, in a
// directory that everybody can walk to, and such that files which are root's on the disk are that user's. What the commands write is root's on
// the disk again: nothing changes hands, nothing has to be put right afterwards. The Binds are changed to say where things are then.
func stageBinds(b *box, o order) error {
	dir := stagePlace(b, o)
	if dir == "" {
		return errors.New("stage sandbox: no directory to do it in")
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("stage sandbox: make mount namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("stage sandbox: make mounts private: %w", err)
	}
	owner, err := ownerMap(b.UID)
	if err != nil {
		return fmt.Errorf("stage sandbox: make user namespace: %w", err)
	}
	defer owner.Close()
	if err := unix.Mount("lander", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,size=1m"); err != nil {
		return fmt.Errorf("stage sandbox: %w", err)
	}
	for i := range b.Binds {
		each := &b.Binds[i]
		if !each.Own && !each.Reach {
			continue
		}
		at := filepath.Join(dir, fmt.Sprint(i))
		var err error
		if each.Over != nil {
			err = stageOverlay(each.Over, at, b.UID, owner)
		} else {
			err = stageOne(each, at, owner)
		}
		if err != nil {
			return fmt.Errorf("stage %s: %w", each.From, err)
		}
		each.From = at
	}
	return nil
}

func stageOne(b *bind, at string, owner *os.File) error {
	tree, err := unix.OpenTree(unix.AT_FDCWD, b.From, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return fmt.Errorf("open tree: %w", err)
	}
	defer unix.Close(tree)
	attr := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
	if !b.Write {
		attr.Attr_set |= unix.MOUNT_ATTR_RDONLY
	}
	if b.Own {
		attr.Attr_set |= unix.MOUNT_ATTR_IDMAP
		attr.Userns_fd = uint64(owner.Fd())
	}
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, attr); err != nil {
		return fmt.Errorf("give it to the commands' user: %w", err)
	}
	if isDir(b.From) {
		err = os.Mkdir(at, 0o755)
	} else {
		err = os.WriteFile(at, nil, 0o644)
	}
	if err != nil {
		return err
	}
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, at, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("move mount: %w", err)
	}
	return nil
}

// stagePlace is a directory that everybody can walk to and that nothing is needed from.
func stagePlace(b *box, o order) string {
	for _, dir := range []string{"/mnt", "/media", "/srv", "/run", "/tmp", "/home"} {
		info, err := os.Stat(dir)
		if err != nil || !info.IsDir() || info.Mode().Perm()&0o001 == 0 {
			continue
		}
		free := !within(o.Scratch, dir) && !within(b.Bwrap, dir)
		for _, each := range b.Binds {
			free = free && !within(each.From, dir)
		}
		if free {
			return dir
		}
	}
	return ""
}

// within reports whether path is dir or below it.
func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// ownerMap is a user namespace in which root's files on the disk are uid's. The process that has to be in it is started, and killed
// before it does anything.
func ownerMap(uid int) (*os.File, error) {
	one := []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"lander-map"}, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER, UidMappings: one, GidMappings: one, Ptrace: true},
	})
	if err != nil {
		return nil, err
	}
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/user", pid))
	signalTo(pid, syscall.SIGKILL)
	for {
		var ws syscall.WaitStatus
		_, waited := syscall.Wait4(pid, &ws, 0, nil)
		if errors.Is(waited, syscall.EINTR) || waited == nil && !ws.Exited() && !ws.Signaled() {
			continue
		}
		return ns, errors.Join(err, waited)
	}
}
