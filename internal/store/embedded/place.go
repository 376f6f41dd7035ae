package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// longestSocket is what fits into a socket address everywhere: macOS has room for 103 bytes, Linux for 107.
const longestSocket = 103

// shared is where a cluster lives when root keeps its data in a place that nobody else can enter.
const shared = "/var/lib/lander-postgres"

// homePrefix begins the name of such a place.
const homePrefix = "lander-postgres-"

// place is where one cluster lives.
type place struct {
	dir     string  // lander's own directory for it: the lock, the log, the way to the cluster
	base    string  // holds cluster and run; dir, unless the account cannot walk there
	account account // who owns the cluster and runs Postgres
	bin     string
}

// locate finds out where the cluster of dir is, or where a new one can be.
func locate(dir string, all []Install) (place, error) {
	p := place{dir: dir, base: dir, bin: all[0].Bin}
	link := p.link()
	info, err := os.Lstat(link)
	switch {
	case err == nil && info.Mode()&fs.ModeSymlink != 0:
		target, err := filepath.EvalSymlinks(link)
		if errors.Is(err, fs.ErrNotExist) {
			target, _ = os.Readlink(link) // only to name it
			return place{}, errDangling(link, target)
		} else if err != nil {
			return place{}, fmt.Errorf("open database: %w", err)
		}
		p.base = filepath.Dir(target)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return place{}, fmt.Errorf("open database: %w", err)
	}
	if p.account, err = accountFor(p.cluster()); err != nil {
		return place{}, err
	}
	closed := p.reachable(p.base)
	if closed == nil {
		return p, nil
	}
	if _, err := ask("/", p.account.attributes(), filepath.Join(p.bin, "postgres"), "--version"); err != nil {
		return place{}, errUnusableBin(p.bin, p.account.Name, err)
	}
	if _, err := os.Stat(p.cluster()); err == nil {
		return place{}, closed // an existing cluster is not moved about
	}
	p.base, err = p.elsewhere()
	return p, err
}

// link is what the operator sees of the cluster: the data directory itself, or a link to it.
func (p place) link() string { return filepath.Join(p.dir, "cluster") }

// cluster is the data directory.
func (p place) cluster() string { return filepath.Join(p.base, "cluster") }

// log is the file that takes what the server says.
func (p place) log() string { return filepath.Join(p.dir, "postgres.log") }

// reachable proves that the account can work in dir, by letting it.
func (p place) reachable(dir string) error {
	if !p.account.other() {
		return nil
	}
	if _, err := ask(dir, p.account.attributes(), filepath.Join(p.bin, "postgres"), "--version"); err != nil {
		return errUnreachable(p.dir, closedDoor(dir), p.account.Name)
	}
	return nil
}

// elsewhere makes a home for a new cluster that the account can reach. What was meant to be temporary stays so.
func (p place) elsewhere() (string, error) {
	parents := []string{shared}
	if temp := os.TempDir(); within(p.dir, temp) {
		sweepHomes(temp)
		parents = []string{temp, "/tmp", shared}
	}
	var errs []error
	for _, parent := range parents {
		base, err := p.home(parent)
		if err == nil {
			return base, nil
		}
		errs = append(errs, err)
	}
	return "", errors.Join(errs...)
}

// home makes one below parent. It says whose it is: DIR/cluster will be a link to it.
func (p place) home(parent string) (string, error) {
	if parent == shared {
		if err := makeDirs(parent); err != nil {
			return "", err
		}
	}
	base, err := os.MkdirTemp(parent, homePrefix)
	if err != nil {
		return "", fmt.Errorf("make home of database: %w", err)
	}
	if err = os.WriteFile(filepath.Join(base, "for"), []byte(p.dir), 0o600); err == nil {
		err = os.Chmod(base, 0o711)
	}
	if err == nil {
		err = p.reachable(base)
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("make home of database: %w", err), os.RemoveAll(base))
	}
	return base, nil
}

// sweepHomes removes temporary homes whose directory was deleted. Best effort: what cannot be judged stays.
func sweepHomes(temp string) {
	homes, _ := filepath.Glob(filepath.Join(temp, homePrefix+"*", "for")) // the pattern is well formed
	for _, path := range homes {
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() || info.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()) || time.Since(info.ModTime()) < time.Hour {
			continue // a stranger's, or one that is being made
		}
		dir, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if _, err := os.Lstat(filepath.Join(string(dir), "cluster")); errors.Is(err, fs.ErrNotExist) {
			_ = os.RemoveAll(filepath.Dir(path)) // tried again by the next one
		}
	}
}

// sockets makes the directory for the socket: near the cluster if the path is short enough. Temporary reports that it should be
// removed when the server has stopped.
func (p place) sockets() (dir string, temporary bool, err error) {
	dir = filepath.Join(p.base, "run")
	if len(socketFile(dir)) <= longestSocket {
		if err := os.Mkdir(dir, 0o700); err == nil {
			return dir, false, p.account.own(dir)
		} else if !errors.Is(err, fs.ErrExist) {
			return "", false, fmt.Errorf("make socket directory: %w", err)
		}
		return dir, false, p.vetSockets(dir)
	}
	for _, parent := range []string{os.TempDir(), "/tmp"} {
		dir, err = os.MkdirTemp(parent, "lander-run-")
		if err != nil {
			err = fmt.Errorf("make socket directory: %w", err)
			continue
		}
		if err = p.account.own(dir); err == nil && len(socketFile(dir)) <= longestSocket && p.reachable(dir) == nil {
			return dir, true, nil
		}
		err = errors.Join(err, os.Remove(dir))
	}
	if err == nil {
		err = fmt.Errorf("make socket directory: neither %s nor /tmp will do", os.TempDir())
	}
	return "", false, err
}

// vetSockets makes sure that nobody else has prepared the directory whose mode is the access control.
func (p place) vetSockets(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("open socket directory: %w", err)
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; !info.IsDir() || owner != p.account.UID {
		return fmt.Errorf("open socket directory %s: it is not a directory of the user %s; remove it", dir, p.account.Name)
	}
	if info.Mode().Perm() != 0o700 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("close socket directory: %w", err)
		}
	}
	return nil
}

// fastTemp is where a temporary server lives: in memory where there is plenty, which halves the cost of making a cluster,
// unless the environment chooses a place. Empty means the system's.
func fastTemp() string {
	const memory, plenty = "/dev/shm", 4 << 30
	var fs syscall.Statfs_t
	if os.Getenv("TMPDIR") != "" || syscall.Statfs(memory, &fs) != nil || fs.Bavail*uint64(fs.Bsize) < plenty {
		return ""
	}
	return memory
}

// makeDirs makes dir and its parents, the new ones with a door that everybody can walk through and nobody can look through.
func makeDirs(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := makeDirs(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o711); errors.Is(err, fs.ErrExist) {
		return nil // somebody else was quicker
	} else if err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { // whatever the umask says
		return fmt.Errorf("make data directory: %w", err)
	}
	return nil
}

// closedDoor is the uppermost directory on the way to dir that strangers may not enter; dir itself when modes do not tell.
func closedDoor(dir string) string {
	door := dir
	for at := dir; ; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil && info.Mode().Perm()&0o001 == 0 {
			door = at
		}
		if at == filepath.Dir(at) {
			return door
		}
	}
}

// within reports whether dir is below parent.
func within(dir, parent string) bool {
	if real, err := filepath.EvalSymlinks(parent); err == nil {
		parent = real
	}
	rel, err := filepath.Rel(parent, dir)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}
