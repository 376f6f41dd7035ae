package vcs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
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

// Seen is where a lane's two branches stood on the remote when they were fetched.
type Seen struct {
	Trunk  queue.SHA
	Ledger queue.SHA // empty: the remote has none
}

// Fetch is See for those who care for trunk alone.
func (r *Repo) Fetch(ctx context.Context, trunk string, wants ...Want) (queue.SHA, error) {
	seen, err := r.See(ctx, trunk, wants...)
	return seen.Trunk, err
}

// See brings trunk, its ledger and the wanted heads into the mirror in one round, and keeps them from ever being collected, a ledger
// also after it was taken back. A missing trunk is ErrNoBranch. With a *MissingError what was seen is good, and so are all the heads
// that it does not list. The first look at a lane takes one round more, because a ledger that is not there cannot be fetched.
func (r *Repo) See(ctx context.Context, trunk string, wants ...Want) (Seen, error) {
	b, err := branches(trunk)
	if err != nil {
		return Seen{}, err
	}
	for _, want := range wants {
		if err := full(want.Head); err != nil {
			return Seen{}, fmt.Errorf("fetch: %w", err)
		}
	}
	r.fetching.Lock()
	defer r.fetching.Unlock()
	err = r.bring(ctx, b, wants)
	var missing *MissingError
	if err != nil && !errors.As(err, &missing) {
		return Seen{}, fmt.Errorf("fetch %s: %w", trunk, err)
	}
	at, atErr := r.refs(ctx, trunkRef(trunk), ledgerRef(trunk))
	if atErr != nil {
		return Seen{}, fmt.Errorf("fetch %s: %w", trunk, atErr)
	}
	return Seen{Trunk: at[trunkRef(trunk)], Ledger: at[ledgerRef(trunk)]}, err
}

// lane is a trunk and its ledger by their full names on the remote.
type lane struct{ branch, trunk, ledger string }

func branches(trunk string) (lane, error) {
	ref, err := branchRef(trunk)
	return lane{branch: trunk, trunk: ref, ledger: "refs/heads/" + queue.LedgerPrefix + trunk}, err
}

func (r *Repo) bring(ctx context.Context, b lane, wants []Want) error {
	have, err := r.have(ctx, ledgerRef(b.branch), wants)
	if err != nil {
		return err
	}
	wants = slices.DeleteFunc(slices.Clone(wants), func(w Want) bool {
		was := have[headRef(w.Head)]
		have[headRef(w.Head)] = w.Head // once is enough
		return was != ""
	})
	specs := []string{"+" + b.trunk + ":" + trunkRef(b.branch)}
	ledger := have[ledgerRef(b.branch)] != ""
	if !ledger {
		refs, err := r.remoteRefs(ctx, b.ledger)
		if err != nil {
			return err
		}
		ledger = refs[b.ledger] != ""
	}
	if ledger {
		specs = append(specs, b.ledger+":"+ledgerRef(b.branch)) // without force: a ledger that went back makes this fail
	}
	for _, want := range wants {
		specs = append(specs, string(want.Head)+":"+headRef(want.Head))
	}
	err = r.fetch(ctx, specs...)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return r.fetchSlowly(ctx, err, b, wants)
}

func (r *Repo) fetch(ctx context.Context, specs ...string) error {
	args := []string{
		"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
		"--no-recurse-submodules", "--show-forced-updates", // or git takes every update for a fast-forward
		"--", r.Remote,
	}
	_, err := r.remote(ctx, r.git(), append(args, specs...)...)
	return err
}

// fetchSlowly finds out why the one round failed with cause, follows a ledger that went another way than known, and fetches the heads
// that can be had by way of their pull requests.
func (r *Repo) fetchSlowly(ctx context.Context, cause error, b lane, wants []Want) error {
	names := []string{b.trunk, b.ledger}
	for _, want := range wants {
		if want.Number > 0 {
			names = append(names, pullRef(want.Number))
		}
	}
	refs, err := r.remoteRefs(ctx, names...)
	if err != nil {
		return cause
	}
	if refs[b.trunk] == "" {
		return ErrNoBranch
	}
	if err := r.follow(ctx, b, refs[b.ledger]); err != nil {
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

// have are the refs of the mirror that a fetch would bring. A head without a ref of its own is fetched again, which costs nothing when
// it is whole and mends it when a collection has gnawed at it.
func (r *Repo) have(ctx context.Context, ledger string, wants []Want) (map[string]queue.SHA, error) {
	names := []string{ledger}
	for _, want := range wants {
		names = append(names, headRef(want.Head))
	}
	return r.refs(ctx, names...)
}

// refs reads refs of the mirror by their full names; those that it lacks are missing in the answer.
func (r *Repo) refs(ctx context.Context, names ...string) (map[string]queue.SHA, error) {
	out, err := r.git().Output(ctx, nil, append([]string{"for-each-ref", "--format=%(objectname) %(refname)", "--"}, names...)...)
	if err != nil {
		return nil, err
	}
	refs := map[string]queue.SHA{}
	for line := range bytes.Lines(out) {
		id, name, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		refs[name] = queue.SHA(id)
	}
	return refs, nil
}

func headRef(head queue.SHA) string { return "refs/lander/heads/" + string(head) }

func pullRef(n queue.Number) string { return fmt.Sprintf("refs/pull/%d/head", int(n)) }

func trunkRef(branch string) string { return "refs/lander/trunk/" + hide(branch) }

// hide makes one word of a branch's name: with the names themselves, "a" and "a/b" could not stand side by side.
func hide(branch string) string {
	sum := sha256.Sum256([]byte(branch))
	return hex.EncodeToString(sum[:16])
}
