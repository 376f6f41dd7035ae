package hub

import (
	"errors"
	"fmt"
	"strings"
)

// Merge is a wish to merge a pull request by the hub's own button.
type Merge struct {
	Method  string // merge (default), squash or rebase
	Title   string // of the commit; empty means GitHub's usual one
	Message string
	SHA     string // what the head must be; empty means whatever it is
}

// MergePull merges a pull request as a person would with the button, past lander. It returns the base's new tip.
func (h *Hub) MergePull(repo string, number int, login string, m Merge) (string, error) {
	r, who, err := h.enter(repo, login)
	if err != nil {
		return "", fmt.Errorf("merge #%d: %w", number, err)
	}
	var p *Pull
	h.read(func() { p = r.Pulls[number] })
	if p == nil {
		return "", fmt.Errorf("merge #%d: %w", number, notFound())
	}
	sha, err := h.merge(who, r, p, m)
	if err != nil {
		return "", fmt.Errorf("merge #%d: %w", number, err)
	}
	return sha, nil
}

func notAllowed(words string) error { return &Refusal{Status: 405, Message: words} }

func (h *Hub) merge(who actor, r *repo, p *Pull, m Merge) (string, error) {
	var tip, title, body string
	var head string
	var env []string
	err := func() error {
		h.mu.RLock()
		defer h.mu.RUnlock()
		if err := h.need(who, r, RoleWrite); err != nil {
			return err
		}
		tip, _ = r.branch(p.Base)
		head, title, body = p.HeadSHA, p.Title, p.Body
		prot := r.protection(p.Base)
		switch {
		case p.Draft:
			return notAllowed("Pull Request is still a draft")
		case !p.Open || tip == "":
			return notAllowed("Pull Request is not mergeable")
		case prot != nil && !hasLogin(prot.Push, who.user.Login) && !hasLogin(prot.Bypass, who.user.Login):
			return notAllowed("You're not authorized to push to this branch. Visit https://docs.github.com/articles/about-protected-branches/ for more information.")
		case m.SHA != "" && m.SHA != p.HeadSHA:
			return &Refusal{Status: 409, Message: "Head branch was modified. Review and try the merge again."}
		}
		var err error
		env, err = h.pass(who, r)
		return err
	}()
	if err != nil {
		return "", err
	}
	n := p.Number
	var commit string
	switch m.Method {
	case "", "merge":
		owner, _, _ := strings.Cut(p.HeadRepo, "/")
		words := or(m.Title, fmt.Sprintf("Merge pull request #%d from %s/%s", n, owner, p.Head)) + "\n\n" + or(m.Message, title)
		commit, err = h.mergeCommit(r, who.user, tip, head, words, tip, head)
	case "squash":
		commit, err = h.mergeCommit(r, who.user, tip, head, or(m.Title, fmt.Sprintf("%s (#%d)", title, n))+"\n\n"+or(m.Message, body), tip)
	case "rebase":
		commit, err = h.rebased(r, who.user, tip, head)
	default:
		return "", invalid("PullRequest", "merge_method", "invalid")
	}
	if err != nil {
		return "", err
	}
	if err := h.change(func() error { p.MergeSHA = commit; return nil }); err != nil {
		return "", err
	}
	// A push that finds the base elsewhere is refused as no fast-forward.
	err = h.receive(r, r.dir, env, commit+":refs/heads/"+p.Base)
	pushed := err == nil
	var refused *RefusedPushError
	if errors.As(err, &refused) {
		err = notAllowed("Base branch was modified. Review and try the merge again.")
	}
	return commit, errors.Join(err, h.change(func() error {
		switch {
		case !pushed:
			p.MergeSHA = ""
		case p.Open:
			h.mergedPull(r, p, who.user, commit)
		}
		if n := len(r.Pushes); pushed && r.Pushes[n-1].New == commit {
			r.Pushes[n-1].Kind = "pr_merge"
		}
		return nil
	}))
}

// mergeCommit commits the merge of head into tip with the parents given.
func (h *Hub) mergeCommit(r *repo, by *User, tip, head, message string, parents ...string) (string, error) {
	tree, err := h.in(r, "merge-tree", "--write-tree", "--no-messages", tip, head)
	if isCode(err, 1) {
		return "", notAllowed("Pull Request is not mergeable")
	}
	if err != nil {
		return "", err
	}
	return h.commitTree(r, tree, strings.TrimSpace(message)+"\n", person("AUTHOR", by, h), person("COMMITTER", by, h), parents...)
}

// rebased replays the commits of head on tip, one by one.
func (h *Hub) rebased(r *repo, by *User, tip, head string) (string, error) {
	all, err := h.history(r, "--reverse", "--topo-order", head, "--not", tip)
	if err != nil {
		return "", err
	}
	for _, c := range all {
		if len(c.Parents) != 1 {
			return "", notAllowed("This branch can't be rebased")
		}
		author := []string{
			"GIT_AUTHOR_NAME=" + c.Author.Name, "GIT_AUTHOR_EMAIL=" + c.Author.Email,
			fmt.Sprintf("GIT_AUTHOR_DATE=%d +0000", c.Author.At.Unix()),
		}
		// A commit with the tip's tree and c's parent makes that parent the merge base.
		onto, err := h.commitTree(r, tip+"^{tree}", "onto\n", author, person("COMMITTER", by, h), c.Parents[0])
		if err != nil {
			return "", err
		}
		tree, err := h.in(r, "merge-tree", "--write-tree", "--no-messages", onto, c.SHA)
		if isCode(err, 1) {
			return "", notAllowed("Pull Request is not mergeable")
		}
		if err != nil {
			return "", err
		}
		if tip, err = h.commitTree(r, tree, c.Message+"\n", author, person("COMMITTER", by, h), tip); err != nil {
			return "", err
		}
	}
	return tip, nil
}

func person(role string, u *User, h *Hub) []string {
	return []string{
		"GIT_" + role + "_NAME=" + u.Name, "GIT_" + role + "_EMAIL=" + u.Email,
		fmt.Sprintf("GIT_%s_DATE=%d +0000", role, h.clock().Unix()),
	}
}

func (h *Hub) commitTree(r *repo, tree, message string, author, committer []string, parents ...string) (string, error) {
	args := []string{"commit-tree", tree}
	for _, p := range parents {
		args = append(args, "-p", p)
	}
	env := append(append([]string{}, author...), committer...)
	return h.feed(r, env, message, args...)
}
