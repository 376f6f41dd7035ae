package vcs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Atomic asks the remote whether it moves several branches together or not at all. It needs the right to push, and pushes nothing. A
// remote that takes no push at all is a *queue.DeniedError.
func (r *Repo) Atomic(ctx context.Context) (bool, error) {
	can, err := r.capabilities(ctx)
	if err != nil {
		return false, fmt.Errorf("ask for atomic pushes: %w", r.shut(ctx, err))
	}
	return slices.Contains(can, "atomic"), nil
}

// capabilities are what the remote's end of a push offers. Git has no command that prints them, but it traces the conversation.
func (r *Repo) capabilities(ctx context.Context) (offered []string, err error) {
	trace, pushErr := r.greet(ctx, "GIT_TRACE_PACKET")
	for line := range strings.Lines(trace) {
		// The first ref that the server shows, a zero byte, and what it offers.
		shown, said, ok := strings.Cut(line, `\0`)
		if offered := strings.Fields(said); ok && strings.Contains(shown, "< ") && slices.Contains(offered, "report-status") {
			return offered, nil
		}
	}
	if pushErr == nil {
		pushErr = errors.New("the server does not say what it offers")
	}
	return nil, pushErr
}

// greet begins a push of nothing, and gives what git traces of it where the variable kind says so.
func (r *Repo) greet(ctx context.Context, kind string, env ...string) (trace string, err error) {
	file, err := os.CreateTemp(r.Dir, "lander-trace-*") // a killed lander leaves nothing outside of its own
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name())
	if err := file.Close(); err != nil {
		return "", err
	}
	g := r.git()
	g.Env = append(append(slices.Clone(g.Env), kind+"="+file.Name(), "GIT_TRACE_BARE=1"), env...)
	// The branches that both sides have: none. A remote without any branch makes git end with an error.
	_, pushErr := r.remote(ctx, g, "push", "--dry-run", "--porcelain", "--no-verify", "--no-signed", "--no-recurse-submodules", "--", r.Remote, ":")
	text, err := os.ReadFile(file.Name())
	return string(text), errors.Join(pushErr, err)
}
