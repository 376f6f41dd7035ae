package hub

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// NewPull is a pull request to be opened.
type NewPull struct {
	Author  string // required: login
	Title   string // required
	Body    string
	Head    string // required: branch, or "owner:branch" for the branch of a fork
	Base    string // branch; empty means the default branch
	Draft   bool
	NoEdits bool // the maintainers may not push to the head's branch in the fork
}

// OpenPull opens a pull request and returns its number.
func (h *Hub) OpenPull(repo string, n NewPull) (int, error) {
	r, who, err := h.enter(repo, n.Author)
	if err != nil {
		return 0, fmt.Errorf("open pull request: %w", err)
	}
	p, err := h.openPull(who, r, n)
	if err != nil {
		return 0, fmt.Errorf("open pull request: %w", err)
	}
	return p.Number, nil
}

// enter finds a repository and a person who wants something of it. The repository is settled.
func (h *Hub) enter(repo, login string) (*repo, actor, error) {
	h.mu.RLock()
	r, err := h.repo(repo)
	who, err2 := h.as(login)
	h.mu.RUnlock()
	if err := errors.Join(err, err2); err != nil {
		return nil, actor{}, err
	}
	return r, who, h.settle(r)
}

func (h *Hub) openPull(who actor, r *repo, n NewPull) (*Pull, error) {
	head, headRepo := n.Head, r
	var err error
	h.read(func() {
		if n.Base == "" {
			n.Base = r.DefaultBranch
		}
		if owner, branch, ok := strings.Cut(n.Head, ":"); ok {
			head = branch
			headRepo = h.headRepo(r, owner)
		}
		if headRepo == nil {
			err = invalid("PullRequest", "head", "invalid")
		}
	})
	if err != nil {
		return nil, err
	}
	if headRepo != r {
		if err := h.settle(headRepo); err != nil {
			return nil, err
		}
	}
	// The head's branch must stand still until the pull request is there to follow it.
	headRepo.push.Lock()
	defer headRepo.push.Unlock()
	var sha, tip string
	h.read(func() {
		sha, _ = headRepo.branch(head)
		tip, _ = r.branch(n.Base)
	})
	if err := h.checkNewPull(who, r, headRepo, n, head, sha, tip); err != nil {
		return nil, err
	}
	if headRepo != r {
		if _, err := h.in(r, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", headRepo.dir, sha); err != nil {
			return nil, fmt.Errorf("fetch head: %w", err)
		}
	}
	count, err := h.count(r, tip, sha)
	if err != nil {
		return nil, err
	}
	if count == 0 {
		return nil, unprocessable("PullRequest", fmt.Sprintf("No commits between %s and %s", n.Base, n.Head))
	}
	// The number is given out together with the pull request, so that a kill in between leaves no gap; its ref comes first.
	r.opening.Lock()
	defer r.opening.Unlock()
	var number int
	h.read(func() { number = r.Number + 1 })
	if _, err := h.in(r, "update-ref", pullRef(number), sha); err != nil {
		return nil, err
	}
	var p *Pull
	err = h.change(func() error {
		now := h.clock()
		p = &Pull{
			ID: h.id(), Number: number, Title: n.Title, Body: n.Body, Author: who.user.Login, Open: true, Draft: n.Draft,
			Base: n.Base, BaseSHA: tip, HeadRepo: headRepo.full(), Head: head, HeadSHA: sha, MayEdit: !n.NoEdits,
			CreatedAt: now, UpdatedAt: now, HeadPushed: now, CommitCount: count,
		}
		r.Number, r.Pulls[number] = number, p
		h.emitPull(r, p, who.user, "opened", extra{})
		h.details.want(r, p)
		return nil
	})
	return p, err
}

// headRepo is the repository of owner in the family of r, or nil. The state must be locked.
func (h *Hub) headRepo(r *repo, owner string) *repo {
	if key(owner) == key(r.Owner) {
		return r
	}
	for _, f := range h.state.Repos {
		if f.Parent == key(r.full()) && key(f.Owner) == key(owner) {
			return f
		}
	}
	return nil
}

func (h *Hub) checkNewPull(who actor, r, headRepo *repo, n NewPull, head, sha, tip string) error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if who.user == nil {
		return h.need(who, r, RoleWrite)
	}
	if err := h.need(who, r, RoleRead); err != nil {
		return err
	}
	switch {
	case n.Title == "":
		return invalid("PullRequest", "title", "missing_field")
	case sha == "":
		return invalid("PullRequest", "head", "invalid")
	case tip == "":
		return invalid("PullRequest", "base", "invalid")
	}
	if !n.NoEdits && headRepo != r && !h.role(who, headRepo).allows(RoleWrite) {
		return noForkCollab()
	}
	for _, p := range r.Pulls {
		if p.Open && p.Base == n.Base && p.Head == head && key(p.HeadRepo) == key(headRepo.full()) {
			return unprocessable("PullRequest", fmt.Sprintf("A pull request already exists for %s:%s.", headRepo.Owner, head))
		}
	}
	return nil
}

// noForkCollab refuses to open a fork's branch to others for somebody who may not push to it himself.
func noForkCollab() error {
	return &Refusal{Status: 422, Message: "Validation Failed", Errors: []Field{{
		Resource: "PullRequest", Field: "fork_collab", Code: "custom", Message: "fork_collab Fork collab can't be granted by someone without permission",
	}}}
}

// Edit is a change to a pull request. Nil leaves a thing as it is.
type Edit struct {
	Title, Body, Base *string
	Open              *bool
	MayEdit           *bool
}

// EditPull changes a pull request.
func (h *Hub) EditPull(repo string, number int, login string, e Edit) error {
	r, who, err := h.enter(repo, login)
	if err != nil {
		return fmt.Errorf("edit #%d: %w", number, err)
	}
	if err := h.editPull(who, r, number, e); err != nil {
		return fmt.Errorf("edit #%d: %w", number, err)
	}
	return nil
}

// ClosePull closes a pull request without merging it.
func (h *Hub) ClosePull(repo string, number int, login string) error {
	open := false
	return h.EditPull(repo, number, login, Edit{Open: &open})
}

// ReopenPull opens a closed pull request again.
func (h *Hub) ReopenPull(repo string, number int, login string) error {
	open := true
	return h.EditPull(repo, number, login, Edit{Open: &open})
}

func (h *Hub) editPull(who actor, r *repo, number int, e Edit) error {
	return h.change(func() error {
		p, err := h.mayChange(who, r, number, RoleTriage)
		if err != nil {
			return err
		}
		changes := map[string]any{}
		if e.Base != nil && *e.Base != p.Base {
			tip, ok := r.branch(*e.Base)
			if !ok {
				return invalid("PullRequest", "base", "invalid")
			}
			changes["base"] = map[string]any{"ref": map[string]string{"from": p.Base}, "sha": map[string]string{"from": p.BaseSHA}}
			h.note(p, who.user.Login, fmt.Sprintf("changed the base branch from %s to %s", p.Base, *e.Base), "")
			p.Base, p.BaseSHA, p.Stat = *e.Base, tip, nil
		}
		if e.Title != nil && *e.Title != p.Title {
			if *e.Title == "" {
				return invalid("PullRequest", "title", "missing_field")
			}
			changes["title"] = map[string]string{"from": p.Title}
			p.Title = *e.Title
		}
		if e.Body != nil && *e.Body != p.Body {
			changes["body"] = map[string]string{"from": p.Body}
			p.Body = *e.Body
		}
		if e.MayEdit != nil && *e.MayEdit != p.MayEdit {
			if head := h.state.Repos[key(p.HeadRepo)]; *e.MayEdit && (head == nil || head != r && !h.role(who, head).allows(RoleWrite)) {
				return noForkCollab()
			}
			p.MayEdit, p.UpdatedAt = *e.MayEdit, h.clock()
		}
		if len(changes) > 0 {
			p.UpdatedAt = h.clock()
			h.emitPull(r, p, who.user, "edited", extra{changes: changes})
		}
		switch {
		case e.Open == nil || *e.Open == p.Open:
			return nil
		case *e.Open:
			return h.reopenPull(r, p, who.user)
		default:
			h.closePull(r, p, who.user)
			return nil
		}
	})
}

// mayChange finds a pull request for somebody who wrote it or has a role. The state must be locked.
func (h *Hub) mayChange(who actor, r *repo, number int, need Role) (*Pull, error) {
	if err := h.need(who, r, RoleRead); err != nil {
		return nil, err
	}
	p := r.Pulls[number]
	if p == nil {
		return nil, notFound()
	}
	if who.user != nil && key(who.user.Login) == key(p.Author) {
		return p, nil
	}
	return p, h.need(who, r, need)
}

// SetDraft makes a pull request a draft, or ready for review.
func (h *Hub) SetDraft(repo string, number int, login string, draft bool) error {
	r, who, err := h.enter(repo, login)
	if err == nil {
		err = h.setDraft(who, r, number, draft)
	}
	if err != nil {
		return fmt.Errorf("set draft of #%d: %w", number, err)
	}
	return nil
}

func (h *Hub) setDraft(who actor, r *repo, number int, draft bool) error {
	return h.change(func() error {
		p, err := h.mayChange(who, r, number, RoleWrite)
		if err != nil {
			return err
		}
		if !p.Open {
			return &Refusal{Status: 422, Message: "The pull request is closed."}
		}
		if p.Draft == draft {
			return nil
		}
		p.Draft, p.UpdatedAt = draft, h.clock()
		action, text := "ready_for_review", "marked this ready for review"
		if draft {
			action, text = "converted_to_draft", "marked this as a draft"
		}
		h.note(p, who.user.Login, text, "")
		h.emitPull(r, p, who.user, action, extra{})
		return nil
	})
}

func (h *Hub) closePull(r *repo, p *Pull, who *User) {
	p.Open = false
	p.ClosedAt = h.clock()
	p.UpdatedAt = p.ClosedAt
	h.note(p, who.Login, "closed this", "")
	h.emitPull(r, p, who, "closed", extra{})
}

func (h *Hub) reopenPull(r *repo, p *Pull, who *User) error {
	if p.Merged {
		return unprocessable("PullRequest", "state cannot be changed. The pull request was merged.")
	}
	head := h.state.Repos[key(p.HeadRepo)]
	if head == nil || head.Refs["refs/heads/"+p.Head] == "" {
		return unprocessable("PullRequest", fmt.Sprintf("state cannot be changed. The %s branch has been deleted.", p.Head))
	}
	if head.Refs["refs/heads/"+p.Head] != p.HeadSHA {
		return unprocessable("PullRequest", fmt.Sprintf("state cannot be changed. The %s branch was force-pushed or recreated.", p.Head))
	}
	p.Open, p.ClosedAt, p.UpdatedAt = true, time.Time{}, h.clock()
	h.note(p, who.Login, "reopened this", "")
	h.emitPull(r, p, who, "reopened", extra{})
	return nil
}

// mergedPull marks a pull request as merged by a commit that its base has now.
func (h *Hub) mergedPull(r *repo, p *Pull, who *User, by string) {
	p.Open, p.Merged, p.MergedBy, p.MergeSHA = false, true, who.Login, or(p.MergeSHA, by)
	now := h.clock()
	p.ClosedAt, p.MergedAt, p.UpdatedAt = now, now, now
	h.note(p, who.Login, "merged this into "+p.Base+" as", p.MergeSHA)
	h.emitPull(r, p, who, "closed", extra{})
}

func (h *Hub) note(p *Pull, who, text, sha string) {
	p.Notes = append(p.Notes, &Note{At: h.clock(), Who: who, Text: text, SHA: sha})
}

// Pull is a copy of a pull request as it stands.
func (h *Hub) Pull(repo string, number int) (Pull, error) {
	r, err := h.find(repo)
	if err != nil {
		return Pull{}, fmt.Errorf("pull request #%d: %w", number, err)
	}
	if err := h.settle(r); err != nil {
		return Pull{}, err
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	p := r.Pulls[number]
	if p == nil {
		return Pull{}, fmt.Errorf("pull request #%d: %w", number, notFound())
	}
	return p.copy(), nil
}

// Pulls are copies of all pull requests of a repository, by number.
func (h *Hub) Pulls(repo string) ([]Pull, error) {
	r, err := h.find(repo)
	if err != nil {
		return nil, fmt.Errorf("pull requests: %w", err)
	}
	if err := h.settle(r); err != nil {
		return nil, err
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	var all []Pull
	for _, p := range sortedPulls(r) {
		all = append(all, p.copy())
	}
	return all, nil
}
