package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// ledgerPrefix is what the name of a lane's ledger branch begins with; the rest is the name of its trunk.
const ledgerPrefix = "lander-ledger/"

// repository is what is verified. It is asked for nothing but where its objects are, its branches, and what names mean.
type repository struct {
	dir     string
	objects string
	digits  int
	bare    bool
	partial bool              // it may lack objects that its remote has
	refs    map[string]string // full name: commit
	links   map[string]string // full name of a symbolic ref: what it points to
	env     []string
}

func openRepository(ctx context.Context, dir string) (*repository, error) {
	r := &repository{dir: cmp.Or(dir, "."), env: environ(), refs: map[string]string{}, links: map[string]string{}}
	out, err := r.output(ctx, "rev-parse", "--is-bare-repository", "--is-shallow-repository", "--show-object-format",
		"--path-format=absolute", "--git-path", "objects")
	if err != nil {
		if exitStatus(err) >= 0 || errors.Is(err, fs.ErrNotExist) {
			return nil, errNoRepository(r.dir, err)
		}
		return nil, err
	}
	answers := strings.SplitN(out, "\n", 4)
	if len(answers) < 4 {
		return nil, errNoRepository(r.dir, errors.New(out))
	}
	r.bare = answers[0] == "true"
	if answers[1] == "true" {
		return nil, errShallow(r.dir)
	}
	if r.digits = 40; answers[2] == "sha256" {
		r.digits = 64
	}
	r.objects = filepath.Clean(strings.TrimSuffix(answers[3], "\n"))
	_, err = r.output(ctx, "config", "--get-regexp", `^(remote\..*\.promisor|extensions\.partialclone)$`)
	if r.partial = err == nil; err != nil && exitStatus(err) != 1 {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	return r, r.readRefs(ctx)
}

func (r *repository) output(ctx context.Context, args ...string) (string, error) {
	return output(ctx, r.dir, r.env, nil, args...)
}

func (r *repository) readRefs(ctx context.Context) error {
	out, err := r.output(ctx, "for-each-ref", "--format=%(objectname) %(refname) %(symref)", "refs/heads/", "refs/remotes/")
	if err != nil {
		return fmt.Errorf("read branches: %w", err)
	}
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), " ")
		if len(f) != 3 {
			return fmt.Errorf("read branches: %q", line)
		}
		if r.refs[f[1]] = f[0]; f[2] != "" {
			r.links[f[1]] = f[2]
		}
	}
	head, err := r.output(ctx, "symbolic-ref", "--quiet", "HEAD")
	if err != nil && exitStatus(err) != 1 { // 1: it is a commit
		return fmt.Errorf("read HEAD: %w", err)
	}
	r.links["HEAD"] = strings.TrimSpace(head)
	return nil
}

// tip is the commit that a branch stands on, or that another name means.
func (r *repository) tip(ctx context.Context, name string) (string, error) {
	if id, ok := r.refs[name]; ok {
		return id, nil
	}
	return r.resolve(ctx, name)
}

// resolve is the commit that a name means.
func (r *repository) resolve(ctx context.Context, name string) (string, error) {
	out, err := r.output(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
	id := strings.TrimSpace(out)
	switch {
	case exitStatus(err) >= 1 || err == nil && !isName(id, r.digits):
		return "", errNoSuchName(name)
	case err != nil:
		return "", err
	}
	return id, nil
}

// span is what a range means: names of commits, those that are not wanted with a "^".
func (r *repository) span(ctx context.Context, text string) ([]string, error) {
	if strings.HasPrefix(text, "-") {
		return nil, errNoSuchRange(text)
	}
	out, err := r.output(ctx, "rev-parse", "--revs-only", text, "--")
	names := strings.Fields(out)
	if exitStatus(err) >= 1 || err == nil && len(names) == 0 {
		return nil, errNoSuchRange(text)
	}
	return names, err
}

// home is where a lane's branches were found.
type home struct {
	trunk     string // the branch's short name
	ledgerRef string
	trunkRef  string
}

// places are the prefixes of branches, the most telling first: what was last fetched, or, in a mirror, the branches themselves.
func (r *repository) places() []string {
	var others []string
	for name := range r.refs {
		if rest, ok := strings.CutPrefix(name, "refs/remotes/"); ok {
			remote, _, _ := strings.Cut(rest, "/")
			others = append(others, "refs/remotes/"+remote+"/")
		}
	}
	slices.Sort(others)
	all := []string{"refs/remotes/origin/"}
	if r.bare {
		all = []string{"refs/heads/", "refs/remotes/origin/"}
	}
	all = append(append(all, slices.Compact(others)...), "refs/heads/")
	var once []string
	for _, p := range all {
		if !slices.Contains(once, p) {
			once = append(once, p)
		}
	}
	return once
}

// homes are the lanes that have a ledger here.
func (r *repository) homes() []home {
	found := map[string]home{}
	var trunks []string
	for _, place := range r.places() {
		for name := range r.refs {
			trunk, ok := strings.CutPrefix(name, place+ledgerPrefix)
			if _, known := found[trunk]; ok && !known {
				found[trunk] = home{trunk: trunk, ledgerRef: name, trunkRef: r.branch(trunk, place)}
				trunks = append(trunks, trunk)
			}
		}
	}
	slices.Sort(trunks)
	var all []home
	for _, trunk := range trunks {
		all = append(all, found[trunk])
	}
	return all
}

// branch is the full name of a branch, first of all in one place; empty: there is none.
func (r *repository) branch(name, first string) string {
	for _, place := range append([]string{first}, r.places()...) {
		if _, ok := r.refs[place+name]; ok {
			return place + name
		}
	}
	return ""
}

// home finds the lane that is meant.
func (r *repository) home(trunk string) (home, error) {
	all := r.homes()
	trunk = strings.TrimPrefix(trunk, "refs/heads/")
	if trunk != "" {
		for _, h := range all {
			if h.trunk == trunk {
				return h, nil
			}
		}
		return home{}, errNoLedger(r.dir, trunk)
	}
	switch len(all) {
	case 0:
		return home{}, errNoLedger(r.dir, "")
	case 1:
		return all[0], nil
	}
	for _, head := range []string{r.links["refs/remotes/origin/HEAD"], r.links["HEAD"]} {
		for _, h := range all {
			if h.trunkRef != "" && h.trunkRef == head {
				return h, nil
			}
		}
	}
	var names []string
	for _, h := range all {
		names = append(names, h.trunk)
	}
	return home{}, errWhichTrunk(names)
}
