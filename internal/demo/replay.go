package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lander/internal/config"
	"lander/internal/hub"
	"lander/internal/queue"
)

// ReplayOptions say which history is landed again.
type ReplayOptions struct {
	Repo   string // required: a local git repository
	Branch string // empty: what its HEAD is on
	Last   int    // required: how many first-parent commits
	Suite  string // required: the command that tests a commit
}

// Percentiles are of the time from an approval to its landing, in milliseconds.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
}

// Replayed is what landing a history again came to.
type Replayed struct {
	Landed     int         `json:"landed"`
	Of         int         `json:"of"`
	TreeEqual  bool        `json:"tree_equal"`
	SameCommit bool        `json:"same_commit"`          // trunk ends on the very commit that the real branch ends on
	Difference string      `json:"difference,omitempty"` // the first path that differs
	Left       []Fate      `json:"not_landed,omitempty"`
	Merges     int         `json:"merges"`  // merge commits taken as pull requests of their own commits
	Remade     int         `json:"remade"`  // merge commits whose result no rebase gives, taken as one commit
	Trunk      string      `json:"trunk"`   // where it stands at the end
	Seconds    float64     `json:"seconds"` // of the whole replay
	PerLanding Percentiles `json:"per_landing_ms"`
}

// Progress is how far a replay is.
type Progress struct {
	Now              string        // what is under way, for people; empty when all is done
	Done, Landed, Of int           // Of is 0 until the history is known
	Left             time.Duration // about; 0 until it can be told
	PerMinute        float64       // how many were dealt with in a minute
}

// Replay takes the newest first-parent commits of a repository as pull requests, each based where it really was, approves them in
// the real order, and compares what lander makes of them with what really happened.
//
// A pull request that was based on an older commit of trunk is based on what lander landed for that commit, so it is opened when
// that has landed; where lander landed the very same commit, as it does on a straight history, it is the real one untouched.
func Replay(ctx context.Context, o Options, r ReplayOptions, progress func(Progress)) (out Replayed, err error) {
	began := time.Now()
	if err := unplayed(o.Data); err != nil {
		return out, err
	}
	progress(Progress{Now: sayReading(r.Repo)})
	h, err := readHistory(ctx, r, filepath.Join(o.Data, "replay.git"))
	if err != nil {
		return out, err
	}
	out.Of = len(h.trunk)
	o.Policy = config.SamplePolicy(queue.Recipe{Steps: []queue.Step{{Name: "suite", Run: r.Suite}}})
	repo := "replay/" + strings.TrimSuffix(filepath.Base(h.source), ".git")
	w, err := open(ctx, o, repo, func(b *hub.Hub) error {
		progress(Progress{Now: sayFilling()})
		return h.fill(b, repo)
	})
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	landed, err := w.hub.GitDir(repo)
	if err != nil {
		return out, err
	}
	if err := h.borrow(landed); err != nil {
		return out, err
	}
	if err := h.play(ctx, w, progress, &out); err != nil {
		return out, err
	}
	out.Seconds = time.Since(began).Seconds()
	return out, h.compare(ctx, w, &out)
}

// play lands one commit after the other.
func (h *history) play(ctx context.Context, w *world, progress func(Progress), out *Replayed) error {
	var took []float64
	began := time.Now()
	at := Progress{Of: out.Of}
	for i, c := range h.trunk {
		at.Now = sayLanding(i+1, c.Title)
		progress(at)
		head, err := h.headOf(ctx, c, out)
		if err != nil {
			return fmt.Errorf("make a pull request of %s: %w", c.SHA, err)
		}
		branch := fmt.Sprintf("replay-%04d", i+1)
		if err := w.hub.PushFrom(w.lane.Repo, h.mirror.Dir, contributor, map[string]string{branch: string(head)}); err != nil {
			return err
		}
		n, err := w.hub.OpenPull(w.lane.Repo, hub.NewPull{Author: contributor, Title: c.Title, Head: branch, Base: trunk})
		if err != nil {
			return fmt.Errorf("open a pull request for %s: %w", c.SHA, err)
		}
		// As in real life lander has heard of it before somebody approves.
		if err := w.until(ctx, fmt.Sprintf("lander has seen #%d", n), func(ctx context.Context) (bool, error) {
			st, err := w.standing(ctx, n)
			return st.Head != "", err
		}); err != nil {
			return err
		}
		approved := time.Now()
		if _, err := w.hub.Approve(w.lane.Repo, n, maintainer); err != nil {
			return fmt.Errorf("approve #%d: %w", n, err)
		}
		st, err := w.ended(ctx, n)
		if err != nil {
			return err
		}
		h.now[c.SHA] = h.tip
		if st.Stage == queue.StageLanded {
			out.Landed++
			took = append(took, float64(st.Landing.At.Sub(approved).Microseconds())/1000)
			h.tip = st.Landing.Tip
			h.now[c.SHA] = h.tip
		} else {
			f := Fate{Number: n, Title: c.Title, Expected: fateLanded, Actual: string(st.Stage)}
			if len(st.Reasons) > 0 {
				f.Reason = st.Reasons[0].Text
			}
			out.Left = append(out.Left, f)
		}
		spent := time.Since(began)
		at.Done, at.Landed, at.PerMinute = i+1, out.Landed, float64(i+1)/spent.Minutes()
		at.Left = time.Duration(float64(spent) / float64(i+1) * float64(out.Of-i-1))
	}
	if out.Of > 0 {
		at.Now = ""
		progress(at)
	}
	slices.Sort(took)
	if n := len(took); n > 0 {
		out.PerLanding = Percentiles{P50: took[n/2], P95: took[min(n*95/100, n-1)]}
	}
	return nil
}

// ended waits until a change has landed, was dropped, or cannot be gone on with, as where the suite fails on trunk itself. Nobody here
// will mend that, so such a one is closed.
func (w *world) ended(ctx context.Context, n int) (st queue.Standing, err error) {
	aside := func(r queue.Reason) bool { return r.Code == "aside" || r.Code == queue.WhyTrunkRed }
	err = w.until(ctx, fmt.Sprintf("#%d has landed", n), func(ctx context.Context) (bool, error) {
		st, err = w.standing(ctx, n)
		return st.Stage == queue.StageLanded || st.Stage == queue.StageDropped || slices.ContainsFunc(st.Reasons, aside), err
	})
	if err != nil || st.Stage == queue.StageLanded || st.Stage == queue.StageDropped {
		return st, err
	}
	return st, w.hub.ClosePull(w.lane.Repo, n, contributor)
}

// fill makes the repository as it was before.
func (h *history) fill(b *hub.Hub, repo string) error {
	for _, login := range []string{maintainer, contributor} {
		if _, err := b.AddUser(hub.User{Login: login}); err != nil {
			return err
		}
	}
	if err := b.AddRepo(repo, hub.Seed{Dir: h.mirror.Dir, Commit: string(h.base), Branch: trunk}); err != nil {
		return err
	}
	for login, role := range map[string]hub.Role{maintainer: hub.RoleMaintain, contributor: hub.RoleWrite} {
		if err := b.SetRole(repo, login, role); err != nil {
			return err
		}
	}
	return nil
}

// borrow lets the mirror see the objects of other repositories as its own.
func (h *history) borrow(gitDir string) error {
	h.lenders = append(h.lenders, filepath.Join(gitDir, "objects"))
	list := filepath.Join(h.mirror.Dir, "objects", "info", "alternates")
	return os.WriteFile(list, []byte(strings.Join(h.lenders, "\n")+"\n"), 0o644)
}

// compare holds what came out against what really happened.
func (h *history) compare(ctx context.Context, w *world, out *Replayed) (err error) {
	if out.Trunk, err = w.hub.Tip(w.lane.Repo, trunk); err != nil {
		return err
	}
	real := h.trunk[len(h.trunk)-1]
	tree, err := h.git.Text(ctx, "rev-parse", "--verify", "--end-of-options", out.Trunk+"^{tree}")
	if err != nil {
		return err
	}
	out.SameCommit = out.Trunk == string(real.SHA)
	if out.TreeEqual = tree == string(real.Tree); out.TreeEqual {
		return nil
	}
	differ, err := h.git.Text(ctx, "diff-tree", "-r", "--name-status", string(real.Tree), tree)
	if err != nil {
		return err
	}
	out.Difference, _, _ = strings.Cut(differ, "\n")
	return nil
}
