package hub

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ErrExists says that a repository of that name is there already.
var ErrExists = errors.New("repository exists")

// Seed is what a new repository begins with: the history of a local repository (Dir), or one commit (Files), or nothing.
type Seed struct {
	Description string
	Private     bool
	Branch      string            // the default branch; empty means main
	Dir         string            // a local git repository
	Commit      string            // what the default branch points to, as git in Dir names it; empty means HEAD
	Files       map[string]string // path to content, of one first commit
	Message     string            // of that commit
}

var repoForm = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// AddRepo makes a repository, named "owner/name". Its owner is made too where there is none (as an organization).
func (h *Hub) AddRepo(name string, s Seed) error {
	owner, short, _ := strings.Cut(name, "/")
	if !loginForm.MatchString(owner) || reserved[key(owner)] || !repoForm.MatchString(short) || strings.Trim(short, ".") == "" {
		return fmt.Errorf("add repository %q: want OWNER/NAME", name)
	}
	if s.Branch == "" {
		s.Branch = "main"
	}
	r := h.newRepo(owner, short)
	r.Description, r.Private, r.DefaultBranch = s.Description, s.Private, s.Branch
	if err := h.makeRepo(r, s.Dir, ""); err != nil {
		return fmt.Errorf("add repository %s: %w", name, err)
	}
	var err error
	switch {
	case s.Dir != "":
		err = h.seedFrom(r, s)
	case s.Files != nil:
		message := s.Message
		if message == "" {
			message = "First commit"
		}
		_, err = h.Push(name, Push{By: owner, Branch: s.Branch, Commits: []Commit{{Files: s.Files, Message: message}}})
	}
	if err != nil {
		return fmt.Errorf("add repository %s: %w", name, err)
	}
	return nil
}

// Fork makes a copy of a repository that belongs to another user, and gives the copy's name.
func (h *Hub) Fork(repo, login string) (string, error) {
	src, err := h.find(repo)
	if err != nil {
		return "", fmt.Errorf("fork %s: %w", repo, err)
	}
	u, ok := h.User(login)
	if !ok {
		return "", fmt.Errorf("fork %s: user %q: %w", repo, login, notFound())
	}
	r := h.newRepo(u.Login, src.Name)
	h.read(func() {
		r.Description, r.Private, r.DefaultBranch, r.Parent = src.Description, src.Private, src.DefaultBranch, key(src.full())
	})
	if err := h.makeRepo(r, src.dir, "keep"); err != nil {
		return "", fmt.Errorf("fork %s: %w", repo, err)
	}
	return r.full(), nil
}

// HasRepo reports whether there is such a repository.
func (h *Hub) HasRepo(name string) bool {
	_, err := h.find(name)
	return err == nil
}

// GitDir is the bare repository behind a repository; its post-receive.log lies in it.
func (h *Hub) GitDir(name string) (string, error) {
	r, err := h.find(name)
	if err != nil {
		return "", fmt.Errorf("repository %s: %w", name, err)
	}
	return r.dir, nil
}

// Tip is the commit on which a branch stands.
func (h *Hub) Tip(repo, branch string) (string, error) {
	r, err := h.find(repo)
	if err != nil {
		return "", fmt.Errorf("tip of %s: %w", repo, err)
	}
	if err := h.settle(r); err != nil {
		return "", err
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	sha, ok := r.branch(branch)
	if !ok {
		return "", fmt.Errorf("tip of %s: branch %q: %w", repo, branch, notFound())
	}
	return sha, nil
}

func (h *Hub) newRepo(owner, name string) *repo {
	now := h.clock()
	return &repo{
		Owner: owner, Name: name, CreatedAt: now, PushedAt: now, UpdatedAt: now,
		Roles: map[string]Role{}, Protected: map[string]*guarded{}, Pulls: map[int]*Pull{},
		Statuses: map[string][]*Status{}, Refs: map[string]string{}, dir: h.repoDir(owner, name),
	}
}

// makeRepo makes the bare repository (a copy of from, unless that is empty) and then adds r to the state. The copy's
// own refs are thrown away unless refs is "keep".
func (h *Hub) makeRepo(r *repo, from, refs string) error {
	if h.HasRepo(r.full()) {
		return ErrExists
	}
	if err := os.RemoveAll(r.dir); err != nil { // left over from a hub that was killed
		return err
	}
	if err := os.MkdirAll(filepath.Dir(r.dir), 0o755); err != nil {
		return err
	}
	var err error
	if from == "" {
		_, err = h.gitAt("").Output(h.life, nil, "init", "--quiet", "--bare", "--template=", "--initial-branch="+r.DefaultBranch, r.dir)
	} else {
		_, err = h.gitAt("").Output(h.life, nil, "clone", "--quiet", "--bare", "--template=", "--", from, r.dir)
	}
	if err != nil {
		return err
	}
	if err := h.cleanCopy(r, from != "", refs == "keep"); err != nil {
		return err
	}
	if err := equip(r.dir); err != nil {
		return err
	}
	err = h.change(func() error {
		if h.state.Repos[key(r.full())] != nil {
			return ErrExists
		}
		owner := h.addUser(User{Login: r.Owner, Type: "Organization"})
		r.Owner, r.ID = owner.Login, h.id()
		h.state.Repos[key(r.full())] = r
		return nil
	})
	if err != nil {
		return err
	}
	return h.reconcile(r)
}

func (h *Hub) cleanCopy(r *repo, copied, keep bool) error {
	if !copied {
		return nil
	}
	out, err := h.in(r, "for-each-ref", "--format=%(refname)")
	if err != nil {
		return err
	}
	var del strings.Builder
	for _, ref := range strings.Fields(out) {
		if !keep || !strings.HasPrefix(ref, "refs/heads/") && !strings.HasPrefix(ref, "refs/tags/") {
			fmt.Fprintf(&del, "delete %s\n", ref)
		}
	}
	if _, err := h.feed(r, nil, del.String(), "update-ref", "--stdin"); err != nil {
		return err
	}
	if _, err := h.in(r, "remote", "remove", "origin"); err != nil {
		return err
	}
	_, err = h.in(r, "symbolic-ref", "HEAD", "refs/heads/"+r.DefaultBranch)
	return err
}

// seedFrom points the default branch of r, a copy of s.Dir without refs, to the commit that the seed names.
func (h *Hub) seedFrom(r *repo, s Seed) error {
	rev := s.Commit
	if rev == "" {
		rev = "HEAD"
	}
	sha, err := h.gitAt("").Text(h.life, "-C", s.Dir, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return fmt.Errorf("find commit %s: %w", rev, err)
	}
	_, err = h.Push(r.full(), Push{By: r.Owner, Branch: s.Branch, SHA: sha})
	return err
}

// repo finds a repository. The state must be locked.
func (h *Hub) repo(name string) (*repo, error) {
	r := h.state.Repos[key(name)]
	if r == nil {
		return nil, fmt.Errorf("repository %q: %w", name, notFound())
	}
	return r, nil
}

// find finds a repository. The state must not be locked.
func (h *Hub) find(name string) (*repo, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.repo(name)
}
