package github

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	gogithub "github.com/google/go-github/v60/github"

	"lander/internal/forge"
	"lander/internal/queue"
)

// fresh is how long a permission is believed.
const fresh = 5 * time.Second

type roleKey struct {
	repo string
	id   int64
}

type roleSeen struct {
	role queue.Role
	at   time.Time
}

// Self is who lander is on the forge. Its own comments are never commands.
func (c *Client) Self(ctx context.Context) (queue.Person, error) {
	c.mu.Lock()
	var s *session
	for _, known := range c.sessions {
		s = known
		break
	}
	c.mu.Unlock()
	switch {
	case s != nil:
	case c.app == nil:
		s = c.open("", c.config.Token, time.Time{})
	default:
		// Who an App's account is, is public; its own proof is not good for asking.
		s = &session{gh: c.rest("", nil)}
	}
	return c.selfBy(ctx, s)
}

// selfBy is Self for a caller that has a session.
func (c *Client) selfBy(ctx context.Context, s *session) (queue.Person, error) {
	const deed = "find out who lander is"
	c.mu.Lock()
	self := c.self
	c.mu.Unlock()
	if self.ID != 0 {
		return self, nil
	}
	path := "user"
	if c.app != nil {
		app, _, err := c.rest("app", c.app).Apps.Get(ctx, "")
		if err != nil {
			return queue.Person{}, c.fault(deed, nil, err)
		}
		path = "users/" + url.PathEscape(app.GetSlug()+"[bot]")
	}
	u, err := get[gogithub.User](ctx, s, path)
	if err != nil {
		return queue.Person{}, c.fault(deed, s, err)
	}
	if u.GetID() == 0 {
		return queue.Person{}, wrap(deed, errors.New("the answer names nobody"))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.self = person(u)
	return c.self, nil
}

// role is what a person may ask of lander, from what the forge lets them do with the repository.
func (c *Client) role(ctx context.Context, s *session, repo string, who queue.Person) (queue.Role, error) {
	key := roleKey{repo: strings.ToLower(repo), id: who.ID}
	now := c.config.Now()
	c.mu.Lock()
	seen, ok := c.roles[key]
	c.mu.Unlock()
	if ok && now.Sub(seen.at) < fresh {
		return seen.role, nil
	}
	level, err := get[struct {
		Permission string         `json:"permission"`
		RoleName   string         `json:"role_name"`
		User       *gogithub.User `json:"user"`
	}](ctx, s, "repos/"+repo+"/collaborators/"+url.PathEscape(who.Login)+"/permission")
	role := queue.RoleNone
	switch {
	case errors.Is(c.kind(s, err), forge.ErrNotFound):
	case err != nil:
		return "", c.fault("read permission of "+who.Login, s, err)
	case level.User != nil && level.User.GetID() != who.ID:
		// The login is somebody else's by now.
	default:
		role = roleOf(level.RoleName, level.Permission)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, r := range c.roles {
		if now.Sub(r.at) >= fresh {
			delete(c.roles, k)
		}
	}
	c.roles[key] = roleSeen{role: role, at: now}
	return role, nil
}

// roleOf prefers the role's name. One that an organisation made up counts as the permission it is built on.
func roleOf(name, permission string) queue.Role {
	switch strings.ToLower(name) {
	case "admin", "maintain":
		return queue.RoleAdmin
	case "write":
		return queue.RoleReview
	case "triage":
		return queue.RoleTry
	case "read", "none":
		return queue.RoleNone
	}
	switch strings.ToLower(permission) {
	case "admin":
		return queue.RoleAdmin
	case "write":
		return queue.RoleReview
	}
	return queue.RoleNone
}

func get[T any](ctx context.Context, s *session, path string) (*T, error) {
	req, err := s.gh.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	v := new(T)
	if _, err := s.gh.Do(ctx, req, v); err != nil {
		return nil, err
	}
	return v, nil
}
