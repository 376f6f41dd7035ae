package vcs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"lander/internal/queue"
)

// Probed is what was found out about a remote, in the order in which it was tried.
type Probed struct{ Findings []Finding }

// Finding is one ability of the remote. Text says what was seen, and what follows from it if it is not OK.
type Finding struct {
	Name string // "create", "lease", "atomic", "fast-forward", "rewind" or "delete"
	OK   bool
	Text string
}

// cleanLimit is how long branches of a probe may take to be removed after its context has ended.
const cleanLimit = 30 * time.Second

// Probe tries on the remote what the landing protocol stands on, with branches of its own beside the ledger of a trunk. They are
// removed again; neither trunk nor its ledger is touched. An error says that it could not be tried to the end: the findings before it
// are good. Only pushes that the server answers count: what it would do in a race cannot be seen from one client.
func (r *Repo) Probe(ctx context.Context, trunk string) (p Probed, err error) {
	tip, err := r.Tip(ctx, trunk)
	if err != nil {
		return p, fmt.Errorf("probe: %w", err)
	}
	name := "refs/heads/" + queue.LedgerPrefix + "tmp-probe-" + rand.Text() + "/" + trunk
	b := &probe{repo: r, one: name + "/one", two: name + "/two"}
	if err := b.commits(len(tip)); err != nil {
		return p, fmt.Errorf("probe: %w", err)
	}
	err = b.run(ctx)
	err = errors.Join(err, b.clean(ctx))
	if err != nil {
		err = fmt.Errorf("probe: %w", err)
	}
	return Probed{Findings: b.found}, err
}

// probe is one look at a remote.
type probe struct {
	repo     *Repo
	one, two string    // scratch branches
	root     queue.SHA // left and right both stand on it
	left     queue.SHA
	right    queue.SHA
	found    []Finding
}

func (b *probe) run(ctx context.Context) error {
	for _, try := range []func(context.Context) (Finding, error){b.create, b.lease, b.atomic, b.forward, b.rewind} {
		f, err := try(ctx)
		if err != nil {
			return err
		}
		b.found = append(b.found, f)
		if f.Name == "create" && !f.OK {
			return nil // there is nothing to try the others on
		}
	}
	return nil
}

func (b *probe) commits(format int) error {
	if err := b.repo.writeLoose(string(emptyTree(format)), object("tree", nil)); err != nil {
		return err
	}
	by := b.repo.committer(time.Unix(0, 0))
	made := func(on ...queue.SHA) (queue.SHA, error) {
		c, err := b.repo.writeCommit(commit{tree: emptyTree(format), parents: on, author: by, committer: by, message: "probe " + rand.Text() + "\n"})
		return c.id, err
	}
	var err error
	if b.root, err = made(); err != nil {
		return err
	}
	if b.left, err = made(b.root); err != nil {
		return err
	}
	b.right, err = made(b.root)
	return err
}

// push reports whether a push was refused. Any other error leaves open what happened.
func (b *probe) push(ctx context.Context, updates ...update) (refused, err error) {
	err = b.repo.push(ctx, updates...)
	var stale *staleError
	var denied *queue.DeniedError
	if errors.As(err, &stale) || errors.As(err, &denied) {
		return err, nil
	}
	return nil, err
}

func (b *probe) create(ctx context.Context) (Finding, error) {
	refused, err := b.push(ctx, update{ref: b.one, new: b.root})
	return Finding{Name: "create", OK: refused == nil, Text: sayProbeCreate(refused)}, err
}

func (b *probe) lease(ctx context.Context) (Finding, error) {
	refused, err := b.push(ctx, update{ref: b.one, old: b.right, new: b.left})
	if err != nil {
		return Finding{}, err
	}
	at, err := b.repo.remoteRefs(ctx, b.one)
	ok := refused != nil && at[b.one] == b.root
	return Finding{Name: "lease", OK: ok, Text: sayProbeLease(ok)}, err
}

// atomic pushes a branch together with one below it, which no server can hold both: git itself finds nothing wrong, so that it is
// the server that has to refuse the first for the sake of the second. Then it pushes two that can be.
func (b *probe) atomic(ctx context.Context) (f Finding, err error) {
	f.Name = "atomic"
	if can, err := b.repo.Atomic(ctx); err != nil || !can {
		f.Text = sayProbeNoAtomic
		return f, err
	}
	below := b.one + "/below"
	refused, err := b.push(ctx, update{ref: b.one, old: b.root, new: b.left}, update{ref: below, new: b.left})
	if err != nil {
		return f, err
	}
	at, err := b.repo.remoteRefs(ctx, b.one, below)
	switch {
	case err != nil:
		return f, err
	case refused == nil && at[b.one] == b.left && at[below] == b.left:
		f.Text = sayProbeUnproven
		return f, nil
	case at[b.one] != b.root || at[below] != "":
		f.Text = sayProbeNotAtomic
		return f, nil
	}
	refused, err = b.push(ctx, update{ref: b.one, old: b.root, new: b.left}, update{ref: b.two, new: b.left})
	if refused != nil {
		f.Text = sayProbeHalf + refused.Error()
	}
	if refused != nil || err != nil {
		return f, err
	}
	at, err = b.repo.remoteRefs(ctx, b.one, b.two)
	f.OK, f.Text = at[b.one] == b.left && at[b.two] == b.left, sayProbeAtomic
	if !f.OK {
		f.Text = sayProbeNotAtomic
	}
	return f, err
}

// forward pushes without force what is no fast-forward.
func (b *probe) forward(ctx context.Context) (Finding, error) {
	at, err := b.level(ctx)
	if err != nil {
		return Finding{}, err
	}
	out, err := b.repo.remote(ctx, b.repo.git(), "push", "--porcelain", "--no-verify", "--no-signed", "--", b.repo.Remote, string(b.right)+":"+b.one)
	var stale *staleError
	var denied *queue.DeniedError
	if err != nil {
		if said := refusal(out, err); !errors.As(said, &stale) && !errors.As(said, &denied) {
			return Finding{}, err
		}
	}
	now, err := b.repo.remoteRefs(ctx, b.one)
	ok := now[b.one] == at
	return Finding{Name: "fast-forward", OK: ok, Text: sayProbeForward(ok)}, err
}

// level brings the first branch to the left, wherever the probes before have left it.
func (b *probe) level(ctx context.Context) (queue.SHA, error) {
	at, err := b.repo.remoteRefs(ctx, b.one)
	if err != nil || at[b.one] == b.left {
		return at[b.one], err
	}
	return b.left, b.repo.push(ctx, update{ref: b.one, old: at[b.one], new: b.left})
}

func (b *probe) rewind(ctx context.Context) (Finding, error) {
	at, err := b.repo.remoteRefs(ctx, b.one)
	if err != nil {
		return Finding{}, err
	}
	refused, err := b.push(ctx, update{ref: b.one, old: at[b.one], new: b.root})
	return Finding{Name: "rewind", OK: refused != nil, Text: sayProbeRewind(refused != nil)}, err
}

// clean removes whatever the probe has left, also when its context has ended.
func (b *probe) clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanLimit)
	defer cancel()
	at, err := b.repo.remoteRefs(ctx, b.one, b.two, b.one+"/below")
	if err != nil || len(at) == 0 {
		return err
	}
	var left []string
	for ref, tip := range at {
		refused, err := b.push(ctx, update{ref: ref, old: tip})
		if err != nil {
			return fmt.Errorf("delete %s: %w", ref, err)
		}
		if refused != nil {
			left = append(left, ref)
		}
	}
	slices.Sort(left)
	b.found = append(b.found, Finding{Name: "delete", OK: len(left) == 0, Text: sayProbeDelete(left)})
	return nil
}
