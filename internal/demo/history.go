package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lander/internal/queue"
	"lander/internal/vcs"
)

// history is what is to be landed again.
type history struct {
	source  string // the repository it comes from
	mirror  *vcs.Repo
	git     vcs.Git // on the mirror
	base    queue.SHA
	trunk   []vcs.Commit // the real first-parent commits after base, oldest first
	tip     queue.SHA    // of lander's trunk
	lenders []string
	now     map[queue.SHA]queue.SHA // what stands for a real commit on lander's side
}

// readHistory copies the history into a mirror of its own, in dir, and lists what is to be landed again.
func readHistory(ctx context.Context, r ReplayOptions, dir string) (*history, error) {
	if err := vcs.CheckVersion(ctx); err != nil {
		return nil, err
	}
	s, err := openSource(ctx, r.Repo)
	if err != nil {
		return nil, err
	}
	tip, err := s.tip(ctx, r.Branch)
	if err != nil {
		return nil, err
	}
	if err := s.copy(ctx, tip, dir); err != nil {
		return nil, err
	}
	h := &history{source: s.top, mirror: &vcs.Repo{Dir: dir, Remote: s.top}, git: vcs.Git{Dir: dir}, now: map[queue.SHA]queue.SHA{}}
	commits, err := h.mirror.Log(ctx, vcs.Range{To: tip, FirstParent: true, Limit: r.Last + 1})
	if err != nil {
		return nil, err
	}
	if len(commits) < 2 {
		return nil, errOneCommit(r.Repo)
	}
	h.base, h.trunk, h.tip = commits[0].SHA, commits[1:], commits[0].SHA
	return h, nil
}

// source is a repository on this machine that is read and never written to.
type source struct {
	named string // as its user named it
	top   string // its directory, by which the playground calls it
	git   vcs.Git
}

// openSource finds the repository that dir is, or is part of: bare, or with a work tree, whoever owns it.
func openSource(ctx context.Context, named string) (*source, error) {
	path, err := filepath.Abs(named)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errNoSuchDir(named)
	case errors.Is(err, fs.ErrPermission):
		return nil, errUnreadable(named)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", named, err)
	case !info.IsDir():
		return nil, errNoRepository(named)
	}
	if d, err := os.Open(path); errors.Is(err, fs.ErrPermission) {
		return nil, errUnreadable(named)
	} else if err == nil {
		_ = d.Close()
	}
	// Its owner may be somebody else: whoever names a repository here means it, and nothing in it is run.
	anyones := vcs.Git{Config: []string{"safe.directory=*", "safe.bareRepository=all"}}
	found, err := anyones.Text(ctx, "-C", path, "rev-parse", "--absolute-git-dir", "--is-shallow-repository")
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	dir, shallow, _ := strings.Cut(found, "\n")
	switch {
	case err != nil:
		if _, err := os.ReadDir(filepath.Join(path, ".git")); errors.Is(err, fs.ErrPermission) {
			return nil, errUnreadable(named)
		}
		return nil, errNoRepository(named)
	case shallow == "true":
		return nil, errShallow(named)
	}
	top := path
	if filepath.Base(dir) == ".git" {
		top = filepath.Dir(dir)
	}
	return &source{named: named, top: top, git: vcs.Git{Dir: dir}}, nil
}

// tip is the newest commit of a branch, also of one that only a remote has; an empty branch is what HEAD is on.
func (s *source) tip(ctx context.Context, branch string) (queue.SHA, error) {
	refs := []string{"HEAD"}
	if branch != "" {
		refs = []string{"refs/heads/" + branch, "refs/remotes/" + branch, "refs/remotes/origin/" + branch}
	}
	for _, ref := range refs {
		id, err := s.git.Text(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
		if err == nil {
			return queue.ParseSHA(id)
		}
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
	}
	listed, err := s.git.Text(ctx, "for-each-ref", "--sort=-committerdate", "--format=%(refname:lstrip=2)", "refs/heads")
	if err != nil {
		return "", fmt.Errorf("list branches of %s: %w", s.named, err)
	}
	branches := strings.Fields(listed)
	switch {
	case len(branches) == 0:
		return "", errNoCommit(s.named)
	case branch == "":
		return "", errNoHead(s.named, branches)
	}
	return "", errNoBranch(s.named, branch, branches)
}

// copy makes a bare repository in dir that holds all that a commit needs. The source pushes: a fetch from a repository of
// another user is refused by git, and there is no way to tell it otherwise.
func (s *source) copy(ctx context.Context, tip queue.SHA, dir string) error {
	format := "sha1"
	if len(tip) == 64 {
		format = "sha256"
	}
	if err := (vcs.Git{}).Run(ctx, "init", "--quiet", "--bare", "--template=", "--object-format="+format, "--", dir); err != nil {
		return fmt.Errorf("copy %s: %w", s.named, err)
	}
	if err := s.git.Run(ctx, "push", "--quiet", "--", dir, string(tip)+":refs/heads/source"); err != nil {
		return fmt.Errorf("copy %s: %w", s.named, err)
	}
	return nil
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
