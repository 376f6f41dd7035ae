package hub

import "strings"

// extra is what some pull request events carry besides the pull request.
type extra struct {
	before, after string // synchronize
	label         string
	changes       map[string]any // edited
}

// emitPull queues a pull_request event. Like all of its kind here, it needs the state locked.
func (h *Hub) emitPull(r *repo, p *Pull, who *User, action string, x extra) {
	if !h.wanted(r, "pull_request") {
		return
	}
	s := h.shape("")
	payload := map[string]any{"number": p.Number, "pull_request": s.fullPull(r, p)}
	if x.after != "" {
		payload["before"], payload["after"] = x.before, x.after
	}
	if x.label != "" {
		if l := r.label(x.label); l != nil {
			payload["label"] = s.label(r, l)
		}
	}
	if x.changes != nil {
		payload["changes"] = x.changes
	}
	h.emit(r, who, "pull_request", action, payload, nil)
}

func (h *Hub) emitReview(r *repo, p *Pull, v *Review, who *User, action string) {
	if !h.wanted(r, "pull_request_review") {
		return
	}
	s := h.shape("")
	review := s.review(r, p, v)
	review.State = strings.ToLower(review.State) // events and REST differ in this
	h.emit(r, who, "pull_request_review", action, map[string]any{"review": review, "pull_request": s.pull(r, p)}, nil)
}

func (h *Hub) emitComment(r *repo, p *Pull, c *Comment, who *User, action string, changes map[string]any) {
	if !h.wanted(r, "issue_comment") {
		return
	}
	s := h.shape("")
	payload := map[string]any{"issue": s.issue(r, p), "comment": s.comment(r, p, c)}
	if changes != nil {
		payload["changes"] = changes
	}
	h.emit(r, who, "issue_comment", action, payload, nil)
}

func (h *Hub) emitStatus(r *repo, sha string, t *Status, who *User) {
	if !h.wanted(r, "status") {
		return
	}
	branches := each(r.branchesAt(sha), func(name string) map[string]any {
		return map[string]any{"name": name, "commit": map[string]any{"sha": sha}}
	})
	h.emit(r, who, "status", "", map[string]any{
		"id": t.ID, "sha": sha, "name": r.full(), "state": t.State, "context": t.Context, "description": maybe(t.Description),
		"target_url": maybe(t.TargetURL), "created_at": stamp(t.At), "updated_at": stamp(t.At), "branches": branches,
		"commit": map[string]any{"sha": sha},
	}, nil)
}

func (h *Hub) emitCheck(r *repo, c *Check, who *User, action string) {
	if !h.wanted(r, "check_run") {
		return
	}
	h.emit(r, who, "check_run", action, map[string]any{"check_run": h.shape("").check(r, c)}, nil)
}

func (h *Hub) emitPush(r *repo, a *aftermath) {
	if !h.wanted(r, "push") {
		return
	}
	s := h.shape("")
	who := h.pusher(r, a.User)
	commits := []*headCommitJSON{}
	for i := range a.commits {
		commits = append(commits, s.headCommit(r, &a.commits[i]))
	}
	var head *headCommitJSON
	if len(commits) > 0 {
		head = commits[len(commits)-1]
	}
	// In push events, and only there, two dates are numbers and the owner has an address.
	at := *s.repo(r)
	at.CreatedAt, at.PushedAt = r.CreatedAt.Unix(), r.PushedAt.Unix()
	owner := *s.fullUser(r.Owner)
	owner.Name = r.Owner
	at.Owner = &owner
	h.emit(r, who, "push", "", map[string]any{
		"ref": a.Ref, "before": a.Old, "after": a.New, "created": a.made(), "deleted": a.deleted(), "forced": a.forced,
		"base_ref": nil, "compare": s.repoPage(r) + "/compare/" + a.Old[:12] + "..." + a.New[:12], "commits": commits,
		"head_commit": head, "pusher": gitPersonJSON{Name: who.Login, Email: who.Email}, "repository": &at,
	}, nil)
}

// wanted reports whether any hook of r asks for an event: making a payload for nobody costs more than the question.
func (h *Hub) wanted(r *repo, event string) bool {
	for _, k := range r.Hooks {
		if k.wants(event) {
			return true
		}
	}
	return false
}
