package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// choose picks the programs for the cluster: those of the version that made it, or for a new one the newest.
func (p place) choose(all []Install) (Install, error) {
	path := filepath.Join(p.cluster(), "PG_VERSION")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(p.cluster()); err == nil {
			return Install{}, errNotCluster(p.cluster())
		}
		return all[0], nil
	} else if err != nil {
		return Install{}, fmt.Errorf("open database: %w", err)
	}
	have := strings.TrimSpace(string(text))
	for _, one := range all {
		if strconv.Itoa(one.Major) == have {
			return one, nil
		}
	}
	return Install{}, errOtherVersion(p.link(), have, all[0])
}

// make initialises the cluster unless it is there. It appears under its name in one step, so a half-made one is never opened.
// initdb shares the lock: one whose lander was killed still writes, and the next lander waits until it has gone.
func (p place) make(ctx context.Context, durable bool, held *os.File) error {
	if _, err := os.Stat(p.cluster()); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open database: %w", err)
	}
	fresh := p.cluster() + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("remove half-made database: %w", err)
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return fmt.Errorf("make database: %w", err)
	}
	if err := p.account.own(fresh); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "initdb"), initdbArgs(fresh, durable)...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = p.base, environment(), p.account.attributes()
	cmd.ExtraFiles = []*os.File{held}
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("initialise database %s: %w: %s", fresh, err, lastLines(out)), os.RemoveAll(fresh))
	}
	if err := os.Rename(fresh, p.cluster()); err != nil {
		return fmt.Errorf("make database: %w", err)
	}
	if p.base != p.dir {
		if err := os.Symlink(p.cluster(), p.link()); err != nil {
			return fmt.Errorf("make database: %w", err)
		}
	}
	if durable {
		return errors.Join(syncDir(p.base), syncDir(p.dir))
	}
	return nil
}

// syncDir makes a new name in dir outlive a power cut.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	if err := f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("sync %s: %w", dir, err), f.Close())
	}
	return f.Close()
}

// lastLines puts the end of a program's output into one line.
func lastLines(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	lines = lines[max(0, len(lines)-4):]
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "; ")
}
