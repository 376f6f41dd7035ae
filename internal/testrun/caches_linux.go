package testrun

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// mountsKey has what a process that lays directories over one another, where lander is an ordinary user, is to do.
const mountsKey = "LANDER_MOUNTS"

// mountOrder is that.
type mountOrder struct {
	Bwrap string
	Over  []overlay
}

// overlayOptions are those of every overlay. Nothing needs to outlive a crash of the machine before its run has ended, so nothing is forced
// to the disk; and names in the upper layer stand for themselves.
func overlayOptions(lower []string, run string) string {
	up, work := filepath.Join(run, "up"), filepath.Join(run, "work")
	return "volatile,lowerdir=" + strings.Join(lower, ":") + ",upperdir=" + up + ",workdir=" + work
}

const overlayFlags = unix.MS_NOSUID | unix.MS_NODEV

// stageOverlay lays directories over one another for the commands' user: each is mounted such that what is root's on the disk is that
// user's, and the kernel works in them in that user's name.
func stageOverlay(o *overlay, at string, uid int, owner *os.File) error {
	if err := os.Mkdir(at, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(at+".layers", 0o755); err != nil {
		return err
	}
	var lower []string
	for i, dir := range o.Lower {
		each := filepath.Join(at+".layers", fmt.Sprint(i))
		if err := stageOne(&bind{From: filepath.Join(o.Base, dir), Own: true}, each, owner); err != nil {
			return err
		}
		lower = append(lower, each)
	}
	run := filepath.Join(at+".layers", "run")
	if err := stageOne(&bind{From: filepath.Join(o.Base, o.Run), Write: true, Own: true}, run, owner); err != nil {
		return err
	}
	options := "redirect_dir=nofollow,index=off,metacopy=off," + overlayOptions(lower, run)
	return inNameOf(uid, func() error {
		if err := unix.Mount("lander", at, "overlay", overlayFlags, options); err != nil {
			return fmt.Errorf("lay directories over one another: %w", err)
		}
		return nil
	})
}

// inNameOf does something to files as another user with root's rights, on this thread, which must be locked.
func inNameOf(uid int, do func() error) error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var had [2]unix.CapUserData
	if err := unix.Capget(&head, &had[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	raised := had
	for i := range raised {
		raised[i].Effective = raised[i].Permitted
	}
	for _, set := range []func(int) (int, error){unix.SetfsgidRetGid, unix.SetfsuidRetUid} {
		if _, err := set(uid); err != nil {
			return fmt.Errorf("take another user's name: %w", err)
		}
	}
	err := unix.Capset(&head, &raised[0])
	if err == nil {
		err = do()
	}
	for _, set := range []func(int) (int, error){unix.SetfsuidRetUid, unix.SetfsgidRetGid} {
		_, back := set(0)
		err = errors.Join(err, back)
	}
	return errors.Join(err, unix.Capset(&head, &had[0]))
}

// overlaid makes the attributes and the command line of a process that mounts what has to be laid over one another, in a user and a mount
// namespace of its own, and then becomes bwrap: an ordinary user may do so nowhere else.
func (o *outer) overlaid(attr *syscall.SysProcAttr) (program string, env []string, err error) {
	env = []string{superviseKey + "=" + superviseInside}
	var over []overlay
	for _, b := range o.box.Binds {
		if b.Over != nil {
			over = append(over, *b.Over)
		}
	}
	if o.box.UID != 0 || len(over) == 0 {
		return o.box.Bwrap, env, nil
	}
	order, err := json.Marshal(mountOrder{Bwrap: o.box.Bwrap, Over: over})
	if err != nil {
		return "", nil, err
	}
	same := func(id int) []syscall.SysProcIDMap {
		return []syscall.SysProcIDMap{{ContainerID: id, HostID: id, Size: 1}}
	}
	attr.Cloneflags |= unix.CLONE_NEWUSER | unix.CLONE_NEWNS
	attr.UidMappings, attr.GidMappings = same(os.Geteuid()), same(os.Getegid())
	// To mount; the others are for what the kernel does in the upper layer in the name of who mounted it. They are good for this user's own
	// files, and gone when bwrap begins.
	attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH, unix.CAP_FOWNER, unix.CAP_CHOWN, unix.CAP_FSETID}
	return "/proc/self/exe", []string{superviseKey + "=" + superviseMounts, mountsKey + "=" + string(order)}, nil
}

// dumpable starts a process. Where that gets a user namespace, the kernel lets nobody but root map its users unless this process may be
// dumped; none of the commands is there yet who could make use of it.
func dumpable(so bool, start func() (int, error)) (pid int, err error) {
	if !so {
		return start()
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("become dumpable: %w", err)
	}
	pid, err = start()
	if undone := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); undone != nil {
		err = errors.Join(err, fmt.Errorf("become undumpable: %w", undone))
	}
	return pid, err
}

// superviseMounting is the whole of such a process.
func superviseMounting() error {
	runtime.LockOSThread()
	var order mountOrder
	if err := json.Unmarshal([]byte(os.Getenv(mountsKey)), &order); err != nil {
		return fmt.Errorf("read order: %w", err)
	}
	for _, o := range order.Over {
		if err := os.Chdir(o.Base); err != nil {
			return err
		}
		if err := unix.Mount("lander", filepath.Join(o.Run, "at"), "overlay", overlayFlags, "userxattr,"+overlayOptions(o.Lower, o.Run)); err != nil {
			return fmt.Errorf("lay directories over one another: %w", err)
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("give up rights: %w", err)
	}
	err := unix.Exec(order.Bwrap, slices.Clone(os.Args), []string{superviseKey + "=" + superviseInside})
	return &os.PathError{Op: "start", Path: order.Bwrap, Err: err}
}

func cloneFile(to, from *os.File) error { return unix.IoctlFileClone(int(to.Fd()), int(from.Fd())) }
