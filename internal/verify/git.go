package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// settings hold for every git process, above whatever a repository's own configuration says.
var settings = []string{
	"core.hooksPath=/dev/null",
	"core.fsmonitor=false",
	"core.attributesFile=/dev/null",
	"core.commitGraph=false", // a cache that could say other parents than the commits do
	"core.useReplaceRefs=false",
	"core.warnAmbiguousRefs=false",
	"safe.directory=*", // a mirror may belong to another user; only its refs and objects are read
	"merge.renames=true",
	"merge.renameLimit=7000",
	"merge.directoryRenames=conflict",
	"merge.conflictStyle=merge",
	"diff.renames=true",
	"diff.renameLimit=7000",
	"gc.auto=0",
	"maintenance.auto=false",
	"protocol.allow=never",
}

func environ(more ...string) []string {
	env := append([]string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=/nonexistent",
		"XDG_CONFIG_HOME=/nonexistent",
		"LC_ALL=C",
		"TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_NO_REPLACE_OBJECTS=1",
		"GIT_GRAFT_FILE=/dev/null",
		"GIT_OPTIONAL_LOCKS=0",
		"GIT_NO_LAZY_FETCH=1",
		"GIT_ALLOW_PROTOCOL=none",
		"GIT_TERMINAL_PROMPT=0",
	}, more...)
	for i, setting := range settings {
		key, value, _ := strings.Cut(setting, "=")
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, value))
	}
	return append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(settings)))
}

// gitError is what git said when it failed.
type gitError struct {
	verb  string
	words string
	err   error
}

func (e *gitError) Error() string {
	if e.words == "" {
		return fmt.Sprintf("git %s: %v", e.verb, e.err)
	}
	return fmt.Sprintf("git %s: %s", e.verb, e.words)
}

func (e *gitError) Unwrap() error { return e.err }

// git starts git in a directory. The zero value of in is no input; read gets what it prints, as it comes.
func git(ctx context.Context, dir string, env []string, in io.Reader, read func(io.Reader) error, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, env, in
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return errNoGit()
		}
		return err
	}
	readErr := read(out)
	if readErr != nil {
		// Most likely git has ended early; then its own words say more. What it still prints comes to an end.
		_, _ = io.Copy(io.Discard, out)
	}
	waitErr := cmd.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	var exit *exec.ExitError
	if errors.As(waitErr, &exit) {
		said := strings.TrimSpace(words.String())
		return &gitError{verb: args[0], words: strings.ReplaceAll(strings.TrimPrefix(said, "fatal: "), "\n", "; "), err: exit}
	}
	return errors.Join(readErr, waitErr)
}

// output is git's whole standard output.
func output(ctx context.Context, dir string, env []string, in io.Reader, args ...string) (string, error) {
	var out []byte
	err := git(ctx, dir, env, in, func(r io.Reader) (err error) {
		out, err = io.ReadAll(r)
		return err
	}, args...)
	return string(out), err
}

// exitStatus is what git ended with; -1: it was no end of git's own.
func exitStatus(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// lens is an empty bare repository that borrows another one's objects.
type lens struct {
	dir    string
	env    []string
	digits int  // of an object's name: 40 or 64
	stdin  bool // git merge-tree takes many merges at once
}

// openLens makes one in a directory of scratch; empty: where temporary files go.
func openLens(ctx context.Context, scratch, objects string, digits int) (*lens, error) {
	dir, err := os.MkdirTemp(scratch, "lander-verify-")
	if err != nil {
		return nil, fmt.Errorf("make temporary directory: %w", err)
	}
	l := &lens{dir: dir, digits: digits}
	if err := l.fill(objects); err != nil {
		return nil, errors.Join(fmt.Errorf("make temporary repository: %w", err), l.close())
	}
	l.env = environ("GIT_DIR=" + dir)
	version, err := output(ctx, dir, l.env, nil, "version")
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	major, minor, err := parseVersion(version)
	if err != nil || major < 2 || major == 2 && minor < 38 {
		return nil, errors.Join(errOldGit(strings.TrimSpace(version)), l.close())
	}
	l.stdin = major > 2 || minor >= 39
	return l, nil
}

func parseVersion(text string) (major, minor int, err error) {
	_, err = fmt.Sscanf(text, "git version %d.%d", &major, &minor)
	return major, minor, err
}

func (l *lens) fill(objects string) error {
	config := "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
	if l.digits == 64 {
		config = "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n"
	}
	for _, dir := range []string{"objects/info", "objects/pack", "refs"} {
		if err := os.MkdirAll(filepath.Join(l.dir, dir), 0o700); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"HEAD":                    "ref: refs/heads/unborn\n",
		"config":                  config,
		"objects/info/alternates": objects + "\n",
	} {
		if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (l *lens) close() error { return os.RemoveAll(l.dir) }

func (l *lens) git(ctx context.Context, in io.Reader, read func(io.Reader) error, args ...string) error {
	return git(ctx, l.dir, l.env, in, read, args...)
}

func (l *lens) output(ctx context.Context, in io.Reader, args ...string) (string, error) {
	return output(ctx, l.dir, l.env, in, args...)
}
