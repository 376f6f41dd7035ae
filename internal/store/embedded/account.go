package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is the user that Postgres runs as. The zero account is root.
type account struct {
	Name     string
	UID, GID uint32
}

// accountFor chooses the user for the cluster in dir: its owner, or for a cluster still to be made lander's own user and,
// when that is root, "postgres" or "nobody".
func accountFor(dir string) (account, error) {
	me := uint32(os.Geteuid())
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if me != 0 {
			return accountOf(me, uint32(os.Getegid())), nil
		}
		return substitute()
	case err != nil:
		return account{}, fmt.Errorf("open database: %w", err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	switch {
	case owner.Uid == 0:
		return account{}, errRootOwned(dir)
	case me != 0 && owner.Uid != me:
		return account{}, errForeign(dir, accountOf(owner.Uid, owner.Gid).Name)
	}
	return accountOf(owner.Uid, owner.Gid), nil
}

// substitute is who runs Postgres in root's place.
func substitute() (account, error) {
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue // the next name, or the sentence below
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("look up user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("look up user %s: %w", name, err)
		}
		return account{Name: name, UID: uint32(uid), GID: uint32(gid)}, nil
	}
	return account{}, errNoAccount()
}

// accountOf names an account; one without a name goes by its number.
func accountOf(uid, gid uint32) account {
	id := strconv.FormatUint(uint64(uid), 10)
	if found, err := user.LookupId(id); err == nil {
		id = found.Username
	}
	return account{Name: id, UID: uid, GID: gid}
}

// other reports that the account is not the one lander runs as.
func (a account) other() bool { return a.UID != uint32(os.Geteuid()) }

// attributes make a child process run as the account.
func (a account) attributes() *syscall.SysProcAttr {
	if !a.other() {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: a.UID, Gid: a.GID}}
}

// own gives a file that lander has just made to the account.
func (a account) own(path string) error {
	if !a.other() {
		return nil
	}
	if err := os.Lchown(path, int(a.UID), int(a.GID)); err != nil {
		return fmt.Errorf("give %s to %s: %w", path, a.Name, err)
	}
	return nil
}
