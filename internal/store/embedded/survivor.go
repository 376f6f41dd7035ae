package embedded

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// gone is a process number that no system gives out.
const gone = 1<<31 - 1

// pidFile is what a postmaster writes about itself into postmaster.pid.
type pidFile struct {
	pid     int
	cluster string
	sockets string // empty when the file is cut short
	text    []byte
}

// sweep deals with what an earlier postmaster has left of itself. The caller holds the lock.
// A postmaster that still lives (its watchdog was killed) is stopped. A file that names a process number which
// now belongs to somebody else, as happens in containers after every crash, would make Postgres refuse to start: the number is
// replaced, and the rest of the file stays, because Postgres finds by it the shared memory of backends that have not died yet.
// It reports whether anything was left.
func (p place) sweep(ctx context.Context) (left bool, err error) {
	path := filepath.Join(p.cluster(), "postmaster.pid")
	old, err := readPidFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("read trace of earlier server: %w", err)
	}
	for _, s := range []struct {
		signal syscall.Signal
		limit  time.Duration
	}{{0, time.Second}, {syscall.SIGINT, fastLimit}, {syscall.SIGQUIT, immediateLimit}} {
		over, err := p.await(ctx, path, old, s.signal, s.limit)
		if err != nil {
			return true, err
		}
		if over {
			return true, p.disown(path, old)
		}
	}
	return true, errSurvivor(p.link(), old.pid)
}

// await sends a signal to the postmaster, if it lives, and reports whether it went within the limit.
func (p place) await(ctx context.Context, path string, old pidFile, signal syscall.Signal, limit time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for sent := false; ; {
		now, err := readPidFile(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && now.pid != old.pid || !old.serves(p.cluster()) {
			return true, nil
		}
		if !sent && signal != 0 {
			if err := syscall.Kill(old.pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
				return false, fmt.Errorf("stop earlier server, process %d: %w", old.pid, err)
			}
			sent = true
		}
		if !pause(ctx) {
			return false, nil
		}
	}
}

// disown takes a process number that is somebody else's now out of the file, and the socket's own lock file away.
func (p place) disown(path string, old pidFile) error {
	if exists(old.pid) { // which is what Postgres asks, too
		_, rest, _ := bytes.Cut(old.text, []byte("\n"))
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC|syscall.O_NOFOLLOW, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return fmt.Errorf("clear trace of earlier server: %w", err)
		}
		_, err = f.Write(append([]byte(strconv.Itoa(gone)+"\n"), rest...))
		if err = errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("clear trace of earlier server: %w", err)
		}
	}
	if old.sockets == "" || old.cluster != p.cluster() {
		return nil // a copied directory brings the file of the original's server along
	}
	for _, name := range []string{socketFile(old.sockets), socketFile(old.sockets) + ".lock"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return fmt.Errorf("clear trace of earlier server: %w", err)
		}
	}
	return nil
}

// serves reports whether that postmaster lives and works on the cluster: somebody answers at its socket, which nobody else can
// have made, or the process stands in the data directory, which Linux tells.
func (f pidFile) serves(cluster string) bool {
	if f.cluster == cluster && f.sockets != "" {
		if conn, err := net.Dial("unix", socketFile(f.sockets)); err == nil {
			return conn.Close() == nil
		}
	}
	cwd, err := os.Readlink("/proc/" + strconv.Itoa(f.pid) + "/cwd")
	return err == nil && cwd == cluster
}

// readPidFile reads process number (line 1), data directory (line 2) and socket directory (line 5).
func readPidFile(path string) (pidFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return pidFile{}, err
	}
	f := pidFile{text: text}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		switch n {
		case 1:
			f.pid, _ = strconv.Atoi(line) // 0 is nobody
		case 2:
			f.cluster = line
		case 5:
			f.sockets = line
		}
	}
	return f, lines.Err()
}
