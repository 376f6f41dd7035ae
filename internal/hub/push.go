package hub

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"lander/internal/vcs"
)

// Push is a push to one branch. Without Commits, SHA and Delete it makes the branch where there is none.
type Push struct {
	By      string   // required: the login of who pushes
	Branch  string   // required
	From    string   // branch or commit on which Commits are put; empty means Branch, else the default branch
	Commits []Commit // new commits, oldest first
	SHA     string   // instead of Commits: a commit that the repository has already
	Delete  bool     // instead of Commits: delete the branch
	Force   bool     // allow a move that is no fast-forward
}

// Commit is a commit to be made.
type Commit struct {
	Files     map[string]string // path to new content
	Execs     []string          // those of Files that are executable
	Links     map[string]string // path to target of a symbolic link
	Remove    []string          // paths
	Message   string            // required
	Author    string            // login, or "Name <address>"; empty means who pushes
	Committer string            // the same; empty means the author
	At        time.Time         // both dates; zero means now
}

// RefusedPushError says that the server turned a push down; Output is what the person who pushes reads.
type RefusedPushError struct {
	Ref    string
	Output string
}

func (e *RefusedPushError) Error() string {
	return fmt.Sprintf("push %s: refused: %s", e.Ref, e.Output)
}

// Push makes commits and pushes them, as the person would: branch protection and every consequence of a push apply. It
// returns the commit on which the branch now stands (empty after a deletion).
func (h *Hub) Push(repo string, p Push) (string, error) {
	r, err := h.find(repo)
	if err != nil {
		return "", fmt.Errorf("push: %w", err)
	}
	if err := h.settle(r); err != nil {
		return "", err
	}
	var env []string
	var who actor
	h.read(func() {
		if who, err = h.as(p.By); err == nil {
			env, err = h.pass(who, r)
		}
	})
	if err != nil {
		return "", fmt.Errorf("push to %s: %w", repo, err)
	}
	ref := "refs/heads/" + p.Branch
	sha := p.SHA
	if !p.Delete && sha == "" {
		if sha, err = h.commit(r, who.user, p); err != nil {
			return "", fmt.Errorf("push to %s: %w", repo, err)
		}
	}
	spec := sha + ":" + ref
	if p.Force || p.Delete {
		spec = "+" + spec
	}
	if err := h.receive(r, r.dir, env, spec); err != nil {
		return "", err
	}
	return sha, nil
}

// PushFrom pushes commits of a local repository to branches: commit names, as git in dir understands them, by branch.
func (h *Hub) PushFrom(repo, dir, login string, commits map[string]string) error {
	r, err := h.find(repo)
	if err != nil {
		return fmt.Errorf("push: %w", err)
	}
	var env []string
	h.read(func() {
		var who actor
		if who, err = h.as(login); err == nil {
			env, err = h.pass(who, r)
		}
	})
	if err != nil {
		return fmt.Errorf("push to %s: %w", repo, err)
	}
	var specs []string
	for _, branch := range slices.Sorted(maps.Keys(commits)) {
		specs = append(specs, "+"+commits[branch]+":refs/heads/"+branch)
	}
	return h.receive(r, dir, env, specs...)
}

// receive pushes from the repository dir to r, through git receive-pack and the hooks, and deals with the consequences.
func (h *Hub) receive(r *repo, dir string, env []string, specs ...string) error {
	args := append([]string{"-C", dir, "push", "--quiet", "--porcelain", "--", r.dir}, specs...)
	out, err := h.gitAt("", env...).Output(h.life, nil, args...)
	// Some refs may have moved although others were refused.
	caught := h.settle(r)
	var failed *vcs.ExitError
	if errors.As(err, &failed) {
		err = &RefusedPushError{Ref: specs[0], Output: refusal(string(out) + "\n" + failed.Stderr)}
	}
	return errors.Join(err, caught)
}

// refusal is what a person would read of a refused push: without the hub's own directories, and as GitHub puts it.
func refusal(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line == "Done" || strings.HasPrefix(line, "To ") || strings.HasPrefix(line, "error: failed to push") {
			continue
		}
		words = append(words, strings.Replace(line, "(hook declined)", "(protected branch hook declined)", 1))
	}
	return strings.Join(words, "\n")
}

// commit makes the commits of p and gives the last one.
func (h *Hub) commit(r *repo, by *User, p Push) (string, error) {
	var from string
	none := strings.Repeat("0", 40) // what deletes the scratch ref again
	h.read(func() {
		for _, sha := range r.Refs {
			none = zeroLike(sha)
			break
		}
		for _, name := range []string{p.From, p.Branch, r.DefaultBranch} {
			if sha, ok := r.branch(name); ok {
				from = sha
				return
			}
			if name != "" && name == p.From {
				from = name // a commit
				return
			}
		}
	})
	if len(p.Commits) == 0 {
		return from, nil
	}
	h.mu.Lock()
	scratch := fmt.Sprintf("refs/hub/scratch-%d", h.id())
	h.mu.Unlock()
	var in bytes.Buffer
	for i, c := range p.Commits {
		author, committer := h.ident(c.Author, by.Login), h.ident(c.Committer, c.Author, by.Login)
		at := c.At
		if at.IsZero() {
			at = h.clock()
		}
		date := fmt.Sprintf("%d %s", at.Unix(), at.Format("-0700"))
		fmt.Fprintf(&in, "commit %s\nmark :%d\nauthor %s %s\ncommitter %s %s\n", scratch, i+1, author, date, committer, date)
		data(&in, c.Message)
		if i == 0 && from != "" {
			fmt.Fprintf(&in, "from %s\n", from)
		}
		for _, path := range c.Remove {
			fmt.Fprintf(&in, "D %s\n", quotePath(path))
		}
		for _, path := range slices.Sorted(maps.Keys(c.Files)) {
			mode := "100644"
			if slices.Contains(c.Execs, path) {
				mode = "100755"
			}
			fmt.Fprintf(&in, "M %s inline %s\n", mode, quotePath(path))
			data(&in, c.Files[path])
		}
		for _, path := range slices.Sorted(maps.Keys(c.Links)) {
			fmt.Fprintf(&in, "M 120000 inline %s\n", quotePath(path))
			data(&in, c.Links[path])
		}
	}
	fmt.Fprintf(&in, "get-mark :%d\nreset %s\nfrom %s\n\n", len(p.Commits), scratch, none)
	out, err := h.feed(r, nil, in.String(), "fast-import", "--quiet", "--force", "--date-format=raw")
	if err != nil {
		return "", err
	}
	return out, nil
}

// ident is the first of the people named, as git writes people.
func (h *Hub) ident(who ...string) string {
	for _, w := range who {
		if strings.Contains(w, "<") {
			return w
		}
		if u, ok := h.User(w); ok {
			return fmt.Sprintf("%s <%s>", u.Name, u.Email)
		}
	}
	return "nobody <nobody@hub.example>"
}

func data(b *bytes.Buffer, text string) { fmt.Fprintf(b, "data %d\n%s\n", len(text), text) }

func quotePath(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(path) + `"`
}
