package hub

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// lateHead is a branch that moved and whose pull requests do not know it yet.
type lateHead struct {
	Ref  string `json:"ref"`
	User string `json:"user"`
}

// lateness is how long the pull requests of a branch must not know that it moved, because of a fault.
func (h *Hub) lateness(heads []headMove, m *RefMove) time.Duration {
	for _, hm := range heads {
		var moves bool
		h.read(func() { moves = hm.pull.HeadSHA != m.New })
		if m.deleted() || !moves {
			continue
		}
		if f := h.strike(scene{repo: hm.base.full()}, "register"); f != nil {
			return f.delay
		}
	}
	return 0
}

// registerAfter registers late heads of r after a while. A hub that is closed before does so when it is opened again.
func (h *Hub) registerAfter(r *repo, ref string, wait time.Duration) {
	h.spawn(func() {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-h.life.Done():
			return
		case <-timer.C:
		}
		r.push.Lock()
		defer r.push.Unlock()
		if err := h.register(r, ref); err != nil && h.life.Err() == nil {
			h.log.Error().Err(err).Msg("head not registered")
		}
	})
}

// registerLate registers all late heads of r. r.push must be held.
func (h *Hub) registerLate(r *repo) error {
	var refs []string
	h.read(func() {
		for _, l := range r.Late {
			refs = append(refs, l.Ref)
		}
	})
	for _, ref := range refs {
		if err := h.register(r, ref); err != nil {
			return err
		}
	}
	return nil
}

// register tells pull requests where their late head is by now. r.push must be held.
func (h *Hub) register(r *repo, ref string) error {
	branch := strings.TrimPrefix(ref, "refs/heads/")
	a := &aftermath{RefMove: &RefMove{At: h.clock(), Ref: ref}, heads: h.headsOf(r, branch)}
	h.read(func() {
		a.New = r.Refs[ref]
		for _, l := range r.Late {
			if l.Ref == ref {
				a.User = l.User
			}
		}
		a.heads = slices.DeleteFunc(a.heads, func(hm headMove) bool { return a.New == "" || hm.pull.HeadSHA == a.New })
		if len(a.heads) > 0 {
			a.Old = a.heads[0].pull.HeadSHA
		}
	})
	for i := range a.heads {
		if err := h.followRef(r, a.RefMove, &a.heads[i]); err != nil {
			return fmt.Errorf("register head %s of %s: %w", branch, r.full(), err)
		}
	}
	if len(a.heads) > 0 {
		out, err := h.in(r, "rev-list", "--count", a.Old, "^"+a.New)
		if err != nil {
			return fmt.Errorf("register head %s of %s: %w", branch, r.full(), err)
		}
		a.forced = out != "0"
	}
	return h.change(func() error {
		h.followHeads(a)
		r.Late = slices.DeleteFunc(r.Late, func(l *lateHead) bool { return l.Ref == ref })
		return nil
	})
}
