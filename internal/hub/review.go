package hub

import (
	"fmt"
	"strings"
)

// The events of a review, as REST names them.
const (
	EventApprove = "APPROVE"
	EventChanges = "REQUEST_CHANGES"
	EventComment = "COMMENT"
)

// Approve approves a pull request at its present head and returns the review's id.
func (h *Hub) Approve(repo string, number int, login string) (int64, error) {
	return h.Review(repo, number, login, EventApprove, "", "")
}

// Review reviews a pull request at a commit of it; an empty sha means the present head. It returns the review's id.
func (h *Hub) Review(repo string, number int, login, event, body, sha string) (int64, error) {
	r, who, err := h.enter(repo, login)
	if err != nil {
		return 0, fmt.Errorf("review #%d: %w", number, err)
	}
	v, err := h.review(who, r, number, event, body, sha)
	if err != nil {
		return 0, fmt.Errorf("review #%d: %w", number, err)
	}
	return v.ID, nil
}

func (h *Hub) review(who actor, r *repo, number int, event, body, sha string) (*Review, error) {
	if sha != "" && !h.knows(r, sha) {
		return nil, unprocessable("PullRequestReview", "commit_id is not part of the pull request")
	}
	var v *Review
	err := h.change(func() error {
		p, err := h.mayTalk(who, r, number)
		if err != nil {
			return err
		}
		own := key(who.user.Login) == key(p.Author)
		state := map[string]string{EventApprove: "APPROVED", EventChanges: "CHANGES_REQUESTED", EventComment: "COMMENTED", "": "PENDING"}[event]
		plain := func(words string) error {
			return &Refusal{Status: 422, Message: "Unprocessable Entity", Errors: []Field{{Message: words}}}
		}
		switch {
		case state == "":
			return invalid("PullRequestReview", "event", "invalid")
		case event == EventApprove && own:
			return plain("Can not approve your own pull request")
		case event == EventChanges && own:
			return plain("Can not request changes on your own pull request")
		case (event == EventChanges || event == EventComment) && strings.TrimSpace(body) == "":
			return plain("body can't be blank")
		}
		if sha == "" {
			sha = p.HeadSHA
		}
		v = &Review{ID: h.id(), Author: who.user.Login, State: state, Body: body, SHA: sha, At: h.clock()}
		p.Reviews = append(p.Reviews, v)
		p.UpdatedAt = v.At
		if state != "PENDING" {
			h.emitReview(r, p, v, who.user, "submitted")
		}
		return nil
	})
	return v, err
}

// mayTalk finds a pull request for somebody who wants to say something there. The state must be locked.
func (h *Hub) mayTalk(who actor, r *repo, number int) (*Pull, error) {
	if err := h.need(who, r, RoleRead); err != nil {
		return nil, err
	}
	if who.user == nil {
		return nil, h.need(who, r, RoleTriage)
	}
	p := r.Pulls[number]
	if p == nil {
		return nil, notFound()
	}
	return p, nil
}

// Dismiss takes a review's weight away.
func (h *Hub) Dismiss(repo string, number int, review int64, login, why string) error {
	r, who, err := h.enter(repo, login)
	if err == nil {
		_, err = h.dismiss(who, r, number, review, why)
	}
	if err != nil {
		return fmt.Errorf("dismiss review of #%d: %w", number, err)
	}
	return nil
}

func (h *Hub) dismiss(who actor, r *repo, number int, review int64, why string) (*Review, error) {
	var v *Review
	err := h.change(func() error {
		p := r.Pulls[number]
		if p == nil {
			return notFound()
		}
		if err := h.need(who, r, RoleWrite); err != nil {
			return err
		}
		if v = p.review(review); v == nil {
			return notFound()
		}
		switch {
		case why == "":
			return invalid("PullRequestReview", "message", "missing_field")
		case v.State != "APPROVED" && v.State != "CHANGES_REQUESTED":
			return &Refusal{Status: 422, Message: "Can not dismiss a " + strings.ToLower(v.State) + " pull request review"}
		}
		v.State, v.Dismissed = "DISMISSED", why
		p.UpdatedAt = h.clock()
		h.note(p, who.user.Login, fmt.Sprintf("dismissed %s's review: %s", v.Author, why), "")
		h.emitReview(r, p, v, who.user, "dismissed")
		return nil
	})
	return v, err
}

func (p *Pull) review(id int64) *Review {
	for _, v := range p.Reviews {
		if v.ID == id {
			return v
		}
	}
	return nil
}
