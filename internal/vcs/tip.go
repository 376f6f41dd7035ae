package vcs

import (
	"bytes"
	"context"
	"fmt"

	"lander/internal/queue"
)

// Tip asks the remote where a branch stands. A missing branch is ErrNoBranch.
func (r *Repo) Tip(ctx context.Context, branch string) (queue.SHA, error) {
	ref, err := branchRef(branch)
	if err != nil {
		return "", err
	}
	refs, err := r.remoteRefs(ctx, ref)
	if err != nil {
		return "", fmt.Errorf("read tip of %s: %w", branch, err)
	}
	tip, ok := refs[ref]
	if !ok {
		return "", fmt.Errorf("read tip of %s: %w", branch, ErrNoBranch)
	}
	return tip, nil
}

// remoteRefs asks the remote for refs by their full names; those that it lacks are missing in the answer.
func (r *Repo) remoteRefs(ctx context.Context, names ...string) (map[string]queue.SHA, error) {
	return r.refsOf(ctx, r.Remote, names...)
}

func (r *Repo) refsOf(ctx context.Context, remote string, names ...string) (map[string]queue.SHA, error) {
	out, err := r.remote(ctx, r.git(), append([]string{"ls-remote", "--", remote}, names...)...)
	if err != nil {
		return nil, err
	}
	refs := map[string]queue.SHA{}
	for line := range bytes.Lines(out) {
		id, name, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte("\t"))
		sha, err := queue.ParseSHA(string(id))
		if err != nil {
			return nil, fmt.Errorf("read refs: %w", err)
		}
		refs[string(name)] = sha // git also lists refs that merely end in a name
	}
	return refs, nil
}
