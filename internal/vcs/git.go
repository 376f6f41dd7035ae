package vcs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Git runs git commands in one repository with a scrubbed environment. The zero Git runs commands that need no
// repository, such as init and ls-remote.
type Git struct {
	Dir      string   // the git directory
	WorkTree string   // empty: none, or what the repository says
	Hooks    string   // absolute directory of hooks that may run; empty: none runs
	Config   []string // "key=value" settings on top of this room's own
	Env      []string // "NAME=value" on top of the scrubbed environment, such as author dates
}

// Path is where the git program is.
func Path() (string, error) {
	path, err := exec.LookPath("git")
	if err != nil {
		return "", errors.New(sayNoGit)
	}
	return path, nil
}

// Output runs git with stdin (nil: empty) and returns what it printed, also when it failed.
// A git that ends with another status than 0 gives an *ExitError.
func (g Git) Output(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	var out bytes.Buffer
	err := g.run(ctx, process{args: args, stdin: bytes.NewReader(stdin), stdout: &out})
	return out.Bytes(), err
}

// Text is Output without the white space around it, for commands that answer with one line.
func (g Git) Text(ctx context.Context, args ...string) (string, error) {
	out, err := g.Output(ctx, nil, args...)
	return strings.TrimSpace(string(out)), err
}

// Run is Output for commands whose output is of no interest.
func (g Git) Run(ctx context.Context, args ...string) error {
	_, err := g.Output(ctx, nil, args...)
	return err
}

// Stream runs git with the given streams; either may be nil.
func (g Git) Stream(ctx context.Context, stdin io.Reader, stdout io.Writer, args ...string) error {
	return g.run(ctx, process{args: args, stdin: stdin, stdout: stdout})
}

// process is one git process to be.
type process struct {
	args   []string
	stdin  io.Reader
	stdout io.Writer
	env    []string   // on top of Git.Environ
	config []string   // on top of Git.Config
	files  []*os.File // inherited as descriptors 3, 4, ...
}

func (g Git) run(ctx context.Context, p process) error {
	cmd, words, err := g.command(ctx, p)
	if err != nil {
		return err
	}
	err = cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // mostly there is nobody left in the group
	}
	return verdict(ctx, err, p.args, words)
}

// command prepares a process in a group of its own, so that a cancelled context ends git's children with it.
func (g Git) command(ctx context.Context, p process) (*exec.Cmd, *tail, error) {
	path, err := Path()
	if err != nil {
		return nil, nil, err
	}
	g.Config = append(g.Config[:len(g.Config):len(g.Config)], p.config...)
	cmd := exec.CommandContext(ctx, path, p.args...)
	cmd.Env = append(g.Environ(), p.env...)
	cmd.Dir = g.WorkTree
	if cmd.Dir == "" {
		cmd.Dir = g.Dir
	}
	words := &tail{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = p.stdin, p.stdout, words, p.files
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Asked first, for a git that is killed leaves its locks behind; what does not listen is killed by run.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second // a child that left the group may hold the pipes open
	return cmd, words, nil
}

// ExitError says that git ended with another status than 0.
type ExitError struct {
	Verb   string
	Code   int    // -1: ended by a signal
	Stderr string // the end of what it said, control bytes stripped
}

func (e *ExitError) Error() string {
	text := fmt.Sprintf("git %s: exit status %d", e.Verb, e.Code)
	if e.Stderr == "" {
		return text
	}
	return text + ": " + strings.ReplaceAll(e.Stderr, "\n", "; ")
}

// Is tells a git that ran out of disk on this machine; what the other side has to say of its own does not count.
func (e *ExitError) Is(target error) bool {
	if target != syscall.ENOSPC && target != syscall.EDQUOT {
		return false
	}
	for line := range strings.Lines(strings.ToLower(e.Stderr)) {
		if !strings.HasPrefix(line, "remote:") && strings.Contains(line, target.Error()) {
			return true
		}
	}
	return false
}

func verdict(ctx context.Context, err error, args []string, words *tail) error {
	if err == nil {
		return nil
	}
	verb := strings.Join(args[:min(1, len(args))], "")
	if ctx.Err() != nil {
		return fmt.Errorf("git %s: %w", verb, context.Cause(ctx))
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &ExitError{Verb: verb, Code: exit.ExitCode(), Stderr: printable(words.String())}
	}
	return fmt.Errorf("git %s: %w", verb, err)
}

// exitCode is the status that git ended with, or -1 when err is something else.
func exitCode(err error) int {
	var exit *ExitError
	if errors.As(err, &exit) {
		return exit.Code
	}
	return -1
}

// tail keeps the last 16 KiB written to it.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	const limit = 16 << 10
	t.text = append(t.text, p...)
	if len(t.text) > 2*limit {
		t.text = append(t.text[:0], t.text[len(t.text)-limit:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.text) }

// printable strips control bytes other than line ends, and what is not UTF-8: the text may come from a server.
func printable(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\r", "\n")
	text = strings.Map(func(c rune) rune {
		if (c < ' ' && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) {
			return -1
		}
		return c
	}, text)
	return strings.TrimSpace(text)
}
