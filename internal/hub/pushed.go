package hub

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// pushesKept is how many moved refs a repository remembers for its activity list.
const pushesKept = 1000

// settle makes sure that every push to r and its forks that has happened has had its consequences. It costs one stat for
// each when none has.
func (h *Hub) settle(r *repo) error {
	var forks []*repo
	h.read(func() {
		for _, f := range h.state.Repos {
			if f.Parent == key(r.full()) {
				forks = append(forks, f)
			}
		}
	})
	for _, f := range forks {
		if err := h.settleOne(f); err != nil {
			return err
		}
	}
	return h.settleOne(r)
}

func (h *Hub) settleOne(r *repo) error {
	info, err := os.Stat(filepath.Join(r.dir, "post-receive.log"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for pushes to %s: %w", r.full(), err)
	}
	if info.Size() == r.seen.Load() {
		return nil
	}
	r.push.Lock()
	defer r.push.Unlock()
	return h.catchUp(r)
}

// reconcile settles r and then takes up what git knows and the log does not, as after a crash between the two.
func (h *Hub) reconcile(r *repo) error {
	r.push.Lock()
	defer r.push.Unlock()
	if err := h.catchUp(r); err != nil {
		return err
	}
	if err := h.registerLate(r); err != nil {
		return err
	}
	out, err := h.in(r, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")
	if err != nil {
		return fmt.Errorf("list refs of %s: %w", r.full(), err)
	}
	there := map[string]string{}
	for line := range strings.Lines(out) {
		sha, ref, _ := strings.Cut(strings.TrimSpace(line), " ")
		there[ref] = sha
	}
	var moves []*RefMove
	h.read(func() {
		for ref, sha := range there {
			if old := r.Refs[ref]; old != sha {
				moves = append(moves, &RefMove{At: h.clock(), User: "-", Old: or(old, zeroLike(sha)), New: sha, Ref: ref})
			}
		}
		for ref, sha := range r.Refs {
			if there[ref] == "" {
				moves = append(moves, &RefMove{At: h.clock(), User: "-", Old: sha, New: zeroLike(sha), Ref: ref})
			}
		}
	})
	if len(moves) == 0 {
		return nil
	}
	return h.moved(r, moves, 0)
}

// catchUp deals with the lines of the log that were not read yet. r.push must be held.
func (h *Hub) catchUp(r *repo) error {
	f, err := os.Open(filepath.Join(r.dir, "post-receive.log"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read pushes to %s: %w", r.full(), err)
	}
	defer f.Close()
	from := r.seen.Load()
	text, err := io.ReadAll(io.NewSectionReader(f, from, 1<<40))
	if err != nil {
		return fmt.Errorf("read pushes to %s: %w", r.full(), err)
	}
	end := strings.LastIndexByte(string(text), '\n') + 1 // a line that is still being written is for the next time
	if end == 0 {
		return nil
	}
	var moves []*RefMove
	for line := range strings.Lines(string(text[:end])) {
		f := strings.Fields(line)
		if len(f) != 5 {
			return fmt.Errorf("read pushes to %s: odd line %q", r.full(), line)
		}
		at, err := time.Parse(time.RFC3339, f[0])
		if err != nil {
			return fmt.Errorf("read pushes to %s: %w", r.full(), err)
		}
		moves = append(moves, &RefMove{At: at, User: f[1], Old: f[2], New: f[3], Ref: f[4]})
	}
	return h.moved(r, moves, from+int64(end))
}

// aftermath is what git had to be asked about one moved ref.
type aftermath struct {
	*RefMove
	forced  bool
	landed  map[string]bool // commits that the ref has now and had not before; nil unless a pull request may care
	commits []commit        // for the push event; nil unless a hook wants it
	heads   []headMove      // the pull requests whose head it is
	late    time.Duration   // after which the pull requests learn of it; then heads is empty
}

type headMove struct {
	base  *repo
	pull  *Pull
	count int // commits that its base does not have
}

// moved does what follows from moves, which are in r: it asks git without the state's lock, and then changes the state at
// once. offset is how far the log is read then; 0 leaves it. r.push must be held.
func (h *Hub) moved(r *repo, moves []*RefMove, offset int64) error {
	var after []*aftermath
	for _, m := range moves {
		a, err := h.study(r, m)
		if err != nil {
			return fmt.Errorf("deal with push to %s: %w", r.full(), err)
		}
		after = append(after, a)
	}
	err := h.change(func() error {
		for _, a := range after {
			h.recordMove(r, a)
		}
		for _, a := range after {
			h.emitPush(r, a)
		}
		for _, a := range after {
			h.followHeads(a)
		}
		for _, a := range after {
			h.mergeLanded(r, a)
		}
		for _, a := range after {
			if a.late > 0 {
				r.Late = append(r.Late, &lateHead{Ref: a.Ref, User: a.User})
			}
		}
		if offset > 0 {
			r.LogOffset = offset
			r.seen.Store(offset)
		}
		return nil
	})
	for _, a := range after {
		if err == nil && a.late > 0 {
			h.registerAfter(r, a.Ref, a.late)
		}
	}
	return err
}

func (h *Hub) study(r *repo, m *RefMove) (*aftermath, error) {
	a := &aftermath{RefMove: m}
	branch, isBranch := strings.CutPrefix(m.Ref, "refs/heads/")
	if !isBranch {
		return a, nil
	}
	var isBase, wanted bool
	h.read(func() {
		wanted = slices.ContainsFunc(r.Hooks, func(k *Hook) bool { return k.wants("push") })
		for _, p := range r.Pulls {
			isBase = isBase || p.Open && p.Base == branch
		}
	})
	a.heads = h.headsOf(r, branch)
	if a.late = h.lateness(a.heads, m); a.late > 0 {
		a.heads = nil
	}
	if !m.made() && !m.deleted() {
		out, err := h.in(r, "rev-list", "--left-right", m.Old+"..."+m.New)
		if err != nil {
			return nil, err
		}
		a.landed = map[string]bool{}
		for line := range strings.Lines(out) {
			sha := strings.TrimSpace(line[1:])
			a.forced = a.forced || line[0] == '<'
			if line[0] == '>' && isBase {
				a.landed[sha] = true
			}
		}
	}
	for i := range a.heads {
		if err := h.followRef(r, m, &a.heads[i]); err != nil {
			return nil, err
		}
	}
	if wanted && !m.deleted() {
		var err error
		if a.commits, err = h.pushedCommits(r, m); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// headsOf finds the open pull requests whose head is a branch of r, in all repositories.
func (h *Hub) headsOf(r *repo, branch string) []headMove {
	var heads []headMove
	h.read(func() {
		for _, base := range h.state.Repos {
			for _, p := range base.Pulls {
				if p.Open && p.Head == branch && key(p.HeadRepo) == key(r.full()) {
					heads = append(heads, headMove{base: base, pull: p})
				}
			}
		}
	})
	slices.SortFunc(heads, func(x, y headMove) int { return x.pull.Number - y.pull.Number })
	return heads
}

// followRef moves refs/pull/N/head, and counts what the head has to merge.
func (h *Hub) followRef(r *repo, m *RefMove, hm *headMove) error {
	if m.deleted() {
		return nil
	}
	ref := pullRef(hm.pull.Number)
	var err error
	if hm.base == r {
		_, err = h.in(r, "update-ref", ref, m.New)
	} else {
		_, err = h.in(hm.base, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", r.dir, "+"+m.New+":"+ref)
	}
	if err != nil {
		return err
	}
	var tip string
	h.read(func() { tip, _ = hm.base.branch(hm.pull.Base) })
	hm.count, err = h.count(hm.base, tip, m.New)
	return err
}

func (h *Hub) recordMove(r *repo, a *aftermath) {
	a.ID = h.id()
	switch {
	case a.made():
		a.Kind = "branch_creation"
	case a.deleted():
		a.Kind = "branch_deletion"
	case a.forced:
		a.Kind = "force_push"
	default:
		a.Kind = "push"
	}
	if a.deleted() {
		delete(r.Refs, a.Ref)
	} else {
		r.Refs[a.Ref] = a.New
	}
	r.PushedAt = h.clock()
	if u := h.state.Users[key(a.User)]; u != nil {
		a.User = u.Login
	}
	r.Pushes = append(r.Pushes, a.RefMove)
	if len(r.Pushes) > pushesKept {
		r.Pushes = slices.Delete(r.Pushes, 0, len(r.Pushes)-pushesKept)
	}
}

// pusher is who moved a ref; the repository's owner when nobody knows.
func (h *Hub) pusher(r *repo, login string) *User {
	if u := h.state.Users[key(login)]; u != nil {
		return u
	}
	return h.state.Users[key(r.Owner)]
}

// followHeads moves the heads of the pull requests that have the moved ref as their head's branch.
func (h *Hub) followHeads(a *aftermath) {
	for _, hm := range a.heads {
		p := hm.pull
		if !p.Open || p.HeadSHA == a.New {
			continue
		}
		who := h.pusher(hm.base, a.User)
		if a.deleted() {
			h.note(p, who.Login, "deleted the branch "+p.Head, "")
			h.closePull(hm.base, p, who)
			continue
		}
		before := p.HeadSHA
		p.HeadSHA, p.CommitCount, p.HeadPushed = a.New, hm.count, h.clock()
		p.UpdatedAt = p.HeadPushed
		if tip, ok := hm.base.branch(p.Base); ok {
			p.BaseSHA = tip
		}
		verb := "pushed"
		if a.forced {
			verb = "force-pushed"
		}
		h.note(p, who.Login, verb, a.New)
		h.emitPull(hm.base, p, who, "synchronize", extra{before: before, after: a.New})
		h.details.want(hm.base, p)
		if hm.count == 0 {
			h.closePull(hm.base, p, who)
		}
	}
}

// mergeLanded merges the pull requests whose head the moved ref has now, and closes those whose base is gone.
func (h *Hub) mergeLanded(r *repo, a *aftermath) {
	branch, ok := strings.CutPrefix(a.Ref, "refs/heads/")
	if !ok {
		return
	}
	for _, p := range sortedPulls(r) {
		if !p.Open || p.Base != branch {
			continue
		}
		who := h.pusher(r, a.User)
		switch {
		case a.deleted():
			h.note(p, who.Login, "deleted the base branch "+branch, "")
			h.closePull(r, p, who)
		case a.landed[p.HeadSHA]:
			h.mergedPull(r, p, who, p.HeadSHA)
		}
	}
}

func sortedPulls(r *repo) []*Pull {
	all := make([]*Pull, 0, len(r.Pulls))
	for _, p := range r.Pulls {
		all = append(all, p)
	}
	slices.SortFunc(all, func(x, y *Pull) int { return x.Number - y.Number })
	return all
}

func pullRef(number int) string { return fmt.Sprintf("refs/pull/%d/head", number) }

func zeroLike(sha string) string { return strings.Repeat("0", len(sha)) }

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
