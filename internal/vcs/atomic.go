package vcs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Atomic asks the remote whether it moves several branches together or not at all. It needs the right to push, and pushes nothing.
func (r *Repo) Atomic(ctx context.Context) (bool, error) {
	can, err := r.capabilities(ctx)
	if err != nil {
		return false, fmt.Errorf("ask for atomic pushes: %w", err)
	}
	return slices.Contains(can, "atomic"), nil
}

// capabilities are what the remote's end of a push offers. Git has no command that prints them, but it traces the conversation.
func (r *Repo) capabilities(ctx context.Context) (offered []string, err error) {
	trace, err := os.CreateTemp(r.Dir, "lander-trace-*") // a killed lander leaves nothing outside of its own
	if err != nil {
		return nil, err
	}
	defer os.Remove(trace.Name())
	if err := trace.Close(); err != nil {
		return nil, err
	}
	g := r.git()
	g.Env = append(slices.Clone(g.Env), "GIT_TRACE_PACKET="+trace.Name(), "GIT_TRACE_BARE=1")
	// The branches that both sides have: none. A remote without any branch makes git end with an error.
	_, pushErr := r.remote(ctx, g, "push", "--dry-run", "--porcelain", "--no-verify", "--no-signed", "--no-recurse-submodules", "--", r.Remote, ":")
	text, err := os.ReadFile(trace.Name())
	if err != nil {
		return nil, errors.Join(pushErr, err)
	}
	for line := range strings.Lines(string(text)) {
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
