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
	"lander/internal/vcs"
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
	Landed, Of int
	Now        string // what is under way
	Left       time.Duration
	PerMinute  float64
}

// Replay takes the newest first-parent commits of a repository as pull requests, each based where it really was, approves them in
// the real order, and compares what lander makes of them with what really happened.
//
// A pull request that was based on an older commit of trunk is based on what lander landed for that commit, so it is opened when
// that has landed; where lander landed the very same commit, as it does on a straight history, it is the real one untouched.
func Replay(ctx context.Context, o Options, r ReplayOptions, progress func(Progress)) (out Replayed, err error) {
	began := time.Now()
	progress(Progress{Now: "reading the history"})
	h, err := readHistory(ctx, r, filepath.Join(o.Data, "replay.git"))
	if err != nil {
		return out, err
	}
	out.Of = len(h.trunk)
	o.Policy = config.SamplePolicy(queue.Recipe{Steps: []queue.Step{{Name: "suite", Run: r.Suite}}})
	repo := "replay/" + strings.TrimSuffix(filepath.Base(h.source), ".git")
	w, err := open(ctx, o, repo, func(b *hub.Hub) error {
		progress(Progress{Now: "filling the playground"})
		return h.fill(b, repo)
	})
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := h.borrow(w); err != nil {
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
	for i, c := range h.trunk {
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
		progress(Progress{
			Landed: out.Landed, Of: out.Of, Now: "landing", PerMinute: float64(i+1) / spent.Minutes(),
			Left: time.Duration(float64(spent) / float64(i+1) * float64(out.Of-i-1)),
		})
	}
	slices.Sort(took)
	if n := len(took); n > 0 {
		out.PerLanding = Percentiles{P50: took[n/2], P95: took[min(n*95/100, n-1)]}
	}
	return nil
}

// ended waits until a change has landed or was dropped.
func (w *world) ended(ctx context.Context, n int) (st queue.Standing, err error) {
	return st, w.until(ctx, fmt.Sprintf("#%d has landed", n), func(ctx context.Context) (bool, error) {
		st, err = w.standing(ctx, n)
		return st.Stage == queue.StageLanded || st.Stage == queue.StageDropped, err
	})
}

// history is what is to be landed again.
type history struct {
	source string // the repository it comes from
	mirror *vcs.Repo
	git    vcs.Git // on the mirror
	base   queue.SHA
	trunk  []vcs.Commit            // the real first-parent commits after base, oldest first
	tip    queue.SHA               // of lander's trunk
	now    map[queue.SHA]queue.SHA // what stands for a real commit on lander's side
}

// readHistory copies the history into a mirror of its own, and finds a head for each commit of the real trunk.
func readHistory(ctx context.Context, r ReplayOptions, dir string) (*history, error) {
	source, err := filepath.Abs(r.Repo)
	if err != nil {
		return nil, err
	}
	branch := r.Branch
	if branch == "" {
		listed, err := vcs.Git{Config: []string{"safe.directory=*"}}.Text(ctx, "ls-remote", "--symref", "--", source, "HEAD")
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", r.Repo, err)
		}
		ref, _, _ := strings.Cut(listed, "\t")
		ref, ok := strings.CutPrefix(ref, "ref: refs/heads/")
		if !ok {
			return nil, fmt.Errorf("%s is on no branch; name one with --branch", r.Repo)
		}
		branch = ref
	}
	mirror := &vcs.Repo{Dir: dir, Remote: source}
	if err := mirror.Init(ctx); err != nil {
		return nil, err
	}
	tip, err := mirror.Fetch(ctx, branch)
	if err != nil {
		return nil, err
	}
	h := &history{source: source, mirror: mirror, git: vcs.Git{Dir: dir}, now: map[queue.SHA]queue.SHA{}}
	commits, err := mirror.Log(ctx, vcs.Range{To: tip, FirstParent: true, Limit: r.Last + 1})
	if err != nil {
		return nil, err
	}
	if len(commits) < 2 {
		return nil, fmt.Errorf("%s has only one commit on %s: nothing to land on it", r.Repo, branch)
	}
	h.base, h.trunk, h.tip = commits[0].SHA, commits[1:], commits[0].SHA
	return h, nil
}

// headOf gives the head that a pull request of this commit of trunk had. Of a merge it is what was merged, where rebasing that gives
// what the merge gave; a merge in which somebody mended a conflict by hand is taken as the one commit that it amounts to.
func (h *history) headOf(ctx context.Context, c vcs.Commit, out *Replayed) (queue.SHA, error) {
	if len(c.Parents) == 1 {
		return h.translate(ctx, c)
	}
	out.Merges++
	if len(c.Parents) == 2 {
		head, err := h.sideBranch(ctx, c.Parents[0], c.Parents[1])
		if err != nil {
			return "", err
		}
		built, err := h.mirror.Build(ctx, queue.BuildRequest{
			Base: h.tip, Members: []queue.Member{{Number: 1, Head: head}}, At: c.Committed,
		})
		if err == nil && built.Tree == c.Tree {
			return head, nil
		}
		if err := ctx.Err(); err != nil {
			return "", err
		}
	}
	out.Remade++
	c.Parents = c.Parents[:1]
	return h.translate(ctx, c)
}

// sideBranch translates every commit that a merge brought to trunk.
func (h *history) sideBranch(ctx context.Context, into, from queue.SHA) (queue.SHA, error) {
	commits, err := h.mirror.Log(ctx, vcs.Range{From: into, To: from})
	if err != nil {
		return "", err
	}
	for _, c := range commits {
		if _, err := h.translate(ctx, c); err != nil {
			return "", err
		}
	}
	return h.counterpart(from), nil
}

// translate makes the commit anew on top of what stands for its parents; it stays itself where those are themselves.
func (h *history) translate(ctx context.Context, c vcs.Commit) (queue.SHA, error) {
	if made, ok := h.now[c.SHA]; ok {
		return made, nil
	}
	parents, err := h.mirror.Log(ctx, vcs.Range{To: c.SHA, Limit: 1})
	if err != nil {
		return "", err
	}
	same := slices.Equal(c.Parents, parents[0].Parents)
	var args []string
	for _, p := range c.Parents {
		now := h.counterpart(p)
		same = same && now == p
		args = append(args, "-p", string(now))
	}
	made := c.SHA
	if !same {
		git := h.git
		git.Env = []string{
			"GIT_AUTHOR_NAME=" + c.Author, "GIT_AUTHOR_EMAIL=" + c.Email, "GIT_AUTHOR_DATE=" + c.At.Format(time.RFC3339),
			"GIT_COMMITTER_NAME=" + c.Author, "GIT_COMMITTER_EMAIL=" + c.Email, "GIT_COMMITTER_DATE=" + c.Committed.Format(time.RFC3339),
		}
		text, err := git.Output(ctx, []byte(c.Message), append(append([]string{"commit-tree"}, args...), string(c.Tree))...)
		if err != nil {
			return "", err
		}
		if made, err = queue.ParseSHA(strings.TrimSpace(string(text))); err != nil {
			return "", err
		}
	}
	h.now[c.SHA] = made
	return made, nil
}

// counterpart is what stands for a real commit on lander's side; a commit from before the replay stands for itself.
func (h *history) counterpart(real queue.SHA) queue.SHA {
	if now, ok := h.now[real]; ok {
		return now
	}
	return real
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

// borrow lets the mirror see what lander lands in the playground's repository.
func (h *history) borrow(w *world) error {
	dir, err := w.hub.GitDir(w.lane.Repo)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(h.mirror.Dir, "objects", "info", "alternates"), []byte(filepath.Join(dir, "objects")+"\n"), 0o644)
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
