package hub

import (
	"fmt"
	"slices"
	"strings"
)

var reactionKinds = []string{"+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"}

// commentMax is the longest body that GitHub takes, in characters.
const commentMax = 65536

// Comment writes a comment and returns its id.
func (h *Hub) Comment(repo string, number int, login, body string) (int64, error) {
	r, who, err := h.enter(repo, login)
	if err != nil {
		return 0, fmt.Errorf("comment on #%d: %w", number, err)
	}
	c, err := h.comment(who, r, number, body)
	if err != nil {
		return 0, fmt.Errorf("comment on #%d: %w", number, err)
	}
	return c.ID, nil
}

func checkBody(body string) error {
	if strings.TrimSpace(body) == "" {
		return unprocessable("IssueComment", "Body cannot be blank")
	}
	if len([]rune(body)) > commentMax {
		return unprocessable("IssueComment", fmt.Sprintf("Body is too long (maximum is %d characters)", commentMax))
	}
	return nil
}

func (h *Hub) comment(who actor, r *repo, number int, body string) (*Comment, error) {
	if err := checkBody(body); err != nil {
		return nil, err
	}
	var c *Comment
	err := h.change(func() error {
		p, err := h.mayTalk(who, r, number)
		if err != nil {
			return err
		}
		now := h.clock()
		c = &Comment{ID: h.id(), Author: who.user.Login, Body: body, CreatedAt: now, UpdatedAt: now}
		if who.install != nil {
			c.App = who.install.App
		}
		p.Comments = append(p.Comments, c)
		p.UpdatedAt = c.CreatedAt
		h.emitComment(r, p, c, who.user, "created", nil)
		return nil
	})
	return c, err
}

// findComment finds a comment by id. The state must be locked.
func (r *repo) findComment(id int64) (*Pull, *Comment) {
	for _, p := range r.Pulls {
		for _, c := range p.Comments {
			if c.ID == id {
				return p, c
			}
		}
	}
	return nil, nil
}

// EditComment changes what a comment says.
func (h *Hub) EditComment(repo string, id int64, login, body string) error {
	r, who, err := h.enter(repo, login)
	if err == nil {
		_, _, err = h.editComment(who, r, id, body)
	}
	if err != nil {
		return fmt.Errorf("edit comment %d: %w", id, err)
	}
	return nil
}

func (h *Hub) editComment(who actor, r *repo, id int64, body string) (*Pull, *Comment, error) {
	if err := checkBody(body); err != nil {
		return nil, nil, err
	}
	var p *Pull
	var c *Comment
	err := h.change(func() error {
		if p, c = r.findComment(id); c == nil {
			return notFound()
		}
		if err := h.mayEditComment(who, r, c); err != nil {
			return err
		}
		changes := map[string]any{"body": map[string]string{"from": c.Body}}
		c.Body, c.UpdatedAt = body, h.clock()
		p.UpdatedAt = c.UpdatedAt
		h.emitComment(r, p, c, who.user, "edited", changes)
		return nil
	})
	return p, c, err
}

func (h *Hub) mayEditComment(who actor, r *repo, c *Comment) error {
	if who.user != nil && key(who.user.Login) == key(c.Author) {
		return nil
	}
	return h.need(who, r, RoleWrite)
}

// DeleteComment removes a comment.
func (h *Hub) DeleteComment(repo string, id int64, login string) error {
	r, who, err := h.enter(repo, login)
	if err == nil {
		err = h.deleteComment(who, r, id)
	}
	if err != nil {
		return fmt.Errorf("delete comment %d: %w", id, err)
	}
	return nil
}

func (h *Hub) deleteComment(who actor, r *repo, id int64) error {
	return h.change(func() error {
		p, c := r.findComment(id)
		if c == nil {
			return notFound()
		}
		if err := h.mayEditComment(who, r, c); err != nil {
			return err
		}
		p.Comments = slices.DeleteFunc(p.Comments, func(x *Comment) bool { return x == c })
		p.UpdatedAt = h.clock()
		h.emitComment(r, p, c, who.user, "deleted", nil)
		return nil
	})
}

// Comments are copies of a pull request's comments, oldest first.
func (h *Hub) Comments(repo string, number int) ([]Comment, error) {
	p, err := h.Pull(repo, number)
	if err != nil {
		return nil, err
	}
	var all []Comment
	for _, c := range p.Comments {
		all = append(all, *c)
	}
	return all, nil
}

// react puts a reaction on a comment, or, with comment 0, on a pull request. It reports whether the reaction is new.
func (h *Hub) react(who actor, r *repo, number int, comment int64, content string) (*Reaction, bool, error) {
	if !slices.Contains(reactionKinds, content) {
		return nil, false, invalid("Reaction", "content", "invalid")
	}
	var x *Reaction
	fresh := false
	err := h.change(func() error {
		on, err := h.reactions(who, r, number, comment)
		if err != nil {
			return err
		}
		if who.user == nil {
			return h.need(who, r, RoleTriage)
		}
		for _, old := range *on {
			if old.Content == content && key(old.Author) == key(who.user.Login) {
				x = old
				return nil
			}
		}
		fresh = true
		x = &Reaction{ID: h.id(), Author: who.user.Login, Content: content, At: h.clock()}
		*on = append(*on, x)
		return nil
	})
	return x, fresh, err
}

// reactions finds where reactions are kept. The state must be locked.
func (h *Hub) reactions(who actor, r *repo, number int, comment int64) (*[]*Reaction, error) {
	if err := h.need(who, r, RoleRead); err != nil {
		return nil, err
	}
	if comment != 0 {
		_, c := r.findComment(comment)
		if c == nil {
			return nil, notFound()
		}
		return &c.Reactions, nil
	}
	p := r.Pulls[number]
	if p == nil {
		return nil, notFound()
	}
	return &p.Reactions, nil
}
