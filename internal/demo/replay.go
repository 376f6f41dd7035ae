package demo

import (
	"context"
	"errors"
	"fmt"
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

// Percentiles are of the time from one landing to the next, in milliseconds.
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
	Seconds    float64     `json:"seconds"` // from the first approval to the last landing
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
func Replay(ctx context.Context, o Options, r ReplayOptions, progress func(Progress)) (out Replayed, err error) {
	progress(Progress{Now: "reading the history"})
	h, err := readHistory(ctx, r, filepath.Join(o.Data, "replay.git"))
	if err != nil {
		return out, err
	}
	out.Of, out.Merges, out.Remade = len(h.heads), h.merges, h.remade
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

	began := time.Now()
	for i := range h.heads {
		if _, err := w.hub.Approve(repo, i+1, maintainer); err != nil {
			return out, fmt.Errorf("approve #%d: %w", i+1, err)
		}
	}
	if err := w.follow(ctx, len(h.heads), began, progress); err != nil {
		return out, err
	}
	return out, h.compare(ctx, w, began, &out)
}

// history is what is to be landed again.
type history struct {
	source string // the repository it comes from
	git    vcs.Git
	base   string // where trunk stands before
	tip    string
	tree   string // of tip
	heads  []head // oldest first
	merges int
	remade int
}

// head is one commit of the real trunk as a pull request.
type head struct {
	sha   string
	title string
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
	h := &history{source: source, git: vcs.Git{Dir: dir}, tip: string(tip)}
	commits, err := mirror.Log(ctx, vcs.Range{To: tip, FirstParent: true, Limit: r.Last + 1})
	if err != nil {
		return nil, err
	}
	if len(commits) < 2 {
		return nil, fmt.Errorf("%s has only one commit on %s: nothing to land on it", r.Repo, branch)
	}
	h.base, h.tree = string(commits[0].SHA), string(commits[len(commits)-1].Tree)
	for _, c := range commits[1:] {
		sha, err := h.headOf(ctx, mirror, c)
		if err != nil {
			return nil, err
		}
		h.heads = append(h.heads, head{sha: sha, title: c.Title})
	}
	return h, nil
}

// headOf is the commit that was merged, where rebasing it gives what the merge gave. A merge in which somebody mended a conflict
// by hand is taken as the one commit that it amounts to.
func (h *history) headOf(ctx context.Context, mirror *vcs.Repo, c vcs.Commit) (string, error) {
	if len(c.Parents) < 2 {
		return string(c.SHA), nil
	}
	h.merges++
	if len(c.Parents) == 2 {
		built, err := mirror.Build(ctx, queue.BuildRequest{
			Base: c.Parents[0], Members: []queue.Member{{Number: 1, Head: c.Parents[1]}}, At: c.Committed,
		})
		if err == nil && built.Tree == c.Tree {
			return string(c.Parents[1]), nil
		}
		if err := ctx.Err(); err != nil {
			return "", err
		}
	}
	h.remade++
	git := h.git
	git.Env = []string{
		"GIT_AUTHOR_NAME=" + c.Author, "GIT_AUTHOR_EMAIL=" + c.Email, "GIT_AUTHOR_DATE=" + c.At.Format(time.RFC3339),
		"GIT_COMMITTER_NAME=" + c.Author, "GIT_COMMITTER_EMAIL=" + c.Email, "GIT_COMMITTER_DATE=" + c.Committed.Format(time.RFC3339),
	}
	made, err := git.Output(ctx, []byte(c.Message), "commit-tree", "-p", string(c.Parents[0]), string(c.Tree))
	return strings.TrimSpace(string(made)), err
}

// fill makes the repository as it was before, and a pull request for each head.
func (h *history) fill(b *hub.Hub, repo string) error {
	for _, login := range []string{maintainer, contributor} {
		if _, err := b.AddUser(hub.User{Login: login}); err != nil {
			return err
		}
	}
	if err := b.AddRepo(repo, hub.Seed{Dir: h.git.Dir, Commit: h.base, Branch: trunk}); err != nil {
		return err
	}
	for login, role := range map[string]hub.Role{maintainer: hub.RoleMaintain, contributor: hub.RoleWrite} {
		if err := b.SetRole(repo, login, role); err != nil {
			return err
		}
	}
	branches := map[string]string{}
	for i, x := range h.heads {
		branches[branchOf(i)] = x.sha
	}
	if err := b.PushFrom(repo, h.git.Dir, contributor, branches); err != nil {
		return err
	}
	for i, x := range h.heads {
		if _, err := b.OpenPull(repo, hub.NewPull{Author: contributor, Title: x.title, Head: branchOf(i), Base: trunk}); err != nil {
			return fmt.Errorf("open a pull request for %s: %w", x.sha, err)
		}
	}
	return nil
}

func branchOf(i int) string { return fmt.Sprintf("replay-%04d", i+1) }

// follow waits until nothing is queued any more.
func (w *world) follow(ctx context.Context, of int, began time.Time, progress func(Progress)) error {
	return w.until(ctx, "everything has landed", func(ctx context.Context) (bool, error) {
		q, _, err := w.lander.Store().View(ctx, w.lane)
		if err != nil {
			return false, err
		}
		landed, err := w.lander.Store().Landings(ctx, w.lane, of)
		if err != nil {
			return false, err
		}
		ended := len(landed)
		for _, e := range q.Entries {
			if e.State == queue.Dropped {
				ended++
			}
		}
		p := Progress{Landed: len(landed), Of: of, Now: "landing"}
		if took := time.Since(began); ended > 0 {
			p.PerMinute = float64(ended) / took.Minutes()
			p.Left = time.Duration(float64(took) / float64(ended) * float64(of-ended))
		}
		progress(p)
		return ended >= of, nil
	})
}

// compare holds what came out against what really happened.
func (h *history) compare(ctx context.Context, w *world, began time.Time, out *Replayed) error {
	landed, err := w.lander.Store().Landings(ctx, w.lane, len(h.heads))
	if err != nil {
		return err
	}
	out.Landed = len(landed)
	slices.Reverse(landed)
	last, done := began, map[int]bool{}
	var gaps []float64
	for _, l := range landed {
		gaps = append(gaps, float64(l.At.Sub(last).Microseconds())/1000)
		last = l.At
		done[int(l.Number)] = true
	}
	slices.Sort(gaps)
	if n := len(gaps); n > 0 {
		out.PerLanding = Percentiles{P50: gaps[n/2], P95: gaps[min(n*95/100, n-1)]}
	}
	out.Seconds = last.Sub(began).Seconds()
	for i, x := range h.heads {
		if done[i+1] {
			continue
		}
		st, err := w.standing(ctx, i+1)
		if err != nil {
			return err
		}
		f := Fate{Number: i + 1, Title: x.title, Expected: fateLanded, Actual: string(st.Stage)}
		if len(st.Reasons) > 0 {
			f.Reason = st.Reasons[0].Text
		}
		out.Left = append(out.Left, f)
	}
	if out.Trunk, err = w.hub.Tip(w.lane.Repo, trunk); err != nil {
		return err
	}
	dir, err := w.hub.GitDir(w.lane.Repo)
	if err != nil {
		return err
	}
	git := vcs.Git{Dir: dir}
	tree, err := git.Text(ctx, "rev-parse", "--verify", "--end-of-options", out.Trunk+"^{tree}")
	if err != nil {
		return err
	}
	out.SameCommit = out.Trunk == h.tip
	if out.TreeEqual = tree == h.tree; out.TreeEqual {
		return nil
	}
	h.git.Env = append(h.git.Env, "GIT_ALTERNATE_OBJECT_DIRECTORIES="+filepath.Join(dir, "objects"))
	differ, err := h.git.Text(ctx, "diff-tree", "-r", "--name-status", h.tree, tree)
	if err != nil {
		return err
	}
	out.Difference, _, _ = strings.Cut(differ, "\n")
	return nil
}
