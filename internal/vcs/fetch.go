package vcs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"lander/internal/queue"
)

// Want is a head to fetch.
type Want struct {
	Head   queue.SHA    // required
	Number queue.Number // its pull request, for a server that does not hand out commits by id; 0: none
}

// MissingError says that the remote no longer has these heads: they were replaced, and collected.
type MissingError struct{ Heads []queue.SHA }

func (e *MissingError) Error() string {
	said := make([]string, len(e.Heads))
	for i, head := range e.Heads {
		said[i] = sayMissing(head.Short())
	}
	return "fetch: " + strings.Join(said, "; ")
}

// Fetch brings trunk and the wanted heads into the mirror in one round, keeps them from ever being collected, and
// returns trunk's tip. A branch that the remote lacks is ErrNoBranch. With a *MissingError the tip is good, and so are
// all the heads that it does not list.
func (r *Repo) Fetch(ctx context.Context, trunk string, wants ...Want) (queue.SHA, error) {
	ref, err := branchRef(trunk)
	if err != nil {
		return "", err
	}
	for _, want := range wants {
		if err := full(want.Head); err != nil {
			return "", fmt.Errorf("fetch: %w", err)
		}
	}
	r.fetching.Lock()
	defer r.fetching.Unlock()
	wants, err = r.lacking(ctx, wants)
	if err != nil {
		return "", fmt.Errorf("fetch %s: %w", trunk, err)
	}
	specs := []string{"+" + ref + ":" + trunkRef(trunk)}
	for _, want := range wants {
		specs = append(specs, string(want.Head)+":"+headRef(want.Head))
	}
	err = r.fetch(ctx, specs...)
	if err != nil && ctx.Err() == nil {
		err = r.fetchSlowly(ctx, err, ref, specs[0], wants)
	}
	var missing *MissingError
	if err != nil && !errors.As(err, &missing) {
		return "", fmt.Errorf("fetch %s: %w", trunk, err)
	}
	tip, tipErr := r.git().Text(ctx, "rev-parse", "--verify", "--quiet", trunkRef(trunk)+"^{commit}")
	if tipErr != nil {
		return "", fmt.Errorf("fetch %s: %w", trunk, tipErr)
	}
	return queue.SHA(tip), err
}

func (r *Repo) fetch(ctx context.Context, specs ...string) error {
	args := []string{
		"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
		"--no-recurse-submodules", "--no-show-forced-updates", "--", r.Remote,
	}
	_, err := r.remote(ctx, r.git(), append(args, specs...)...)
	return err
}

// fetchSlowly finds out why the one round failed with cause, and fetches the heads that can be had by way of their pull requests.
func (r *Repo) fetchSlowly(ctx context.Context, cause error, ref, trunkSpec string, wants []Want) error {
	names := []string{ref}
	for _, want := range wants {
		if want.Number > 0 {
			names = append(names, pullRef(want.Number))
		}
	}
	refs, err := r.remoteRefs(ctx, names...)
	if err != nil {
		return cause
	}
	if refs[ref] == "" {
		return ErrNoBranch
	}
	if len(wants) == 0 {
		return cause
	}
	if err := r.fetch(ctx, trunkSpec); err != nil {
		return err
	}
	missing := &MissingError{}
	for _, want := range wants {
		ok, err := r.fetchHead(ctx, want, refs[pullRef(want.Number)] != "")
		if err != nil {
			return err
		}
		if !ok {
			missing.Heads = append(missing.Heads, want.Head)
		}
	}
	if len(missing.Heads) > 0 {
		return missing
	}
	return nil
}

// fetchHead fetches one head by id, or else its pull request, which must then contain the head.
func (r *Repo) fetchHead(ctx context.Context, want Want, hasPull bool) (bool, error) {
	byID := r.fetch(ctx, string(want.Head)+":"+headRef(want.Head))
	if byID == nil || ctx.Err() != nil {
		return byID == nil, byID
	}
	if !hasPull {
		return false, nil
	}
	ref := fmt.Sprintf("refs/lander/pull/%d", want.Number)
	if err := r.fetch(ctx, "+"+pullRef(want.Number)+":"+ref); err != nil {
		return false, err
	}
	if !r.Has(ctx, want.Head) {
		return false, ctx.Err()
	}
	tip, err := r.git().Text(ctx, "rev-parse", "--verify", "--quiet", ref+"^{commit}")
	if err != nil {
		return false, err
	}
	within, err := r.Contains(ctx, queue.SHA(tip), want.Head)
	if err != nil || !within {
		return false, err
	}
	return true, r.git().Run(ctx, "update-ref", headRef(want.Head), string(want.Head))
}

// lacking are the wants without a ref of their own. A commit that is merely present is fetched again, which costs
// nothing when it is whole and mends it when a collection has gnawed at it.
func (r *Repo) lacking(ctx context.Context, wants []Want) ([]Want, error) {
	if len(wants) == 0 {
		return nil, nil
	}
	args := []string{"for-each-ref", "--format=%(objectname)", "--"}
	for _, want := range wants {
		args = append(args, headRef(want.Head))
	}
	out, err := r.git().Output(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	have := map[queue.SHA]bool{}
	for line := range bytes.Lines(out) {
		have[queue.SHA(bytes.TrimSpace(line))] = true
	}
	var lacking []Want
	for _, want := range wants {
		if !have[want.Head] {
			lacking, have[want.Head] = append(lacking, want), true
		}
	}
	return lacking, nil
}

func headRef(head queue.SHA) string { return "refs/lander/heads/" + string(head) }

func pullRef(n queue.Number) string { return fmt.Sprintf("refs/pull/%d/head", int(n)) }

// trunkRef hides the branch's name: with the name itself, "a" and "a/b" could not stand side by side.
func trunkRef(branch string) string {
	sum := sha256.Sum256([]byte(branch))
	return "refs/lander/trunk/" + hex.EncodeToString(sum[:16])
}
