package hub

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"regexp"
	"strings"
)

// actor is who asks for something: a person, or an app through one of its installations.
type actor struct {
	user    *User
	install *Installation
	token   *token
}

var loginForm = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(\[bot\])?$`)

// AddUser makes a user. A user who is there already stays as he is and is given back.
func (h *Hub) AddUser(u User) (User, error) {
	if !loginForm.MatchString(u.Login) || reserved[key(u.Login)] {
		return User{}, fmt.Errorf("add user %q: not a login: want letters, digits and dashes", u.Login)
	}
	err := h.change(func() error {
		u = *h.addUser(u)
		return nil
	})
	return u, err
}

func (h *Hub) addUser(u User) *User {
	if old := h.state.Users[key(u.Login)]; old != nil {
		return old
	}
	u.ID = h.id()
	if u.Type == "" {
		u.Type = "User"
	}
	if u.Email == "" {
		u.Email = fmt.Sprintf("%d+%s@users.hub.example", u.ID, u.Login)
	}
	if u.Name == "" {
		u.Name = u.Login
	}
	h.state.Users[key(u.Login)] = &u
	return &u
}

// User gives a user by login.
func (h *Hub) User(login string) (User, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	u := h.state.Users[key(login)]
	if u == nil {
		return User{}, false
	}
	return *u, true
}

// AddToken gives a user a personal access token and returns it. An empty secret means a random one.
func (h *Hub) AddToken(login, secret string) (string, error) {
	if secret == "" {
		secret = "ghp_" + randomText(36)
	}
	return secret, h.change(func() error {
		u, err := h.user(login)
		if err != nil {
			return err
		}
		h.state.Tokens[secret] = &token{User: key(u.Login)}
		return nil
	})
}

// SetRole says what a user may do in a repository. RoleNone takes his role away.
func (h *Hub) SetRole(repo, login string, role Role) error {
	if _, ok := roleRank[role]; !ok {
		return fmt.Errorf("set role of %s: no role is called %q", login, role)
	}
	return h.change(func() error {
		r, err := h.repo(repo)
		if err != nil {
			return err
		}
		u, err := h.user(login)
		if err != nil {
			return err
		}
		if role == RoleNone {
			delete(r.Roles, key(u.Login))
		} else {
			r.Roles[key(u.Login)] = role
		}
		return nil
	})
}

// user finds a user. The state must be locked.
func (h *Hub) user(login string) (*User, error) {
	u := h.state.Users[key(login)]
	if u == nil {
		return nil, fmt.Errorf("user %q: %w", login, notFound())
	}
	return u, nil
}

// as is the actor for a login. The state must be locked.
func (h *Hub) as(login string) (actor, error) {
	u, err := h.user(login)
	return actor{user: u}, err
}

// role is what a may do in r. The state must be locked.
func (h *Hub) role(a actor, r *repo) Role {
	if a.install != nil {
		return h.installRole(a, r)
	}
	base := RoleRead
	if r.Private {
		base = RoleNone
	}
	if a.user == nil {
		return base
	}
	return h.roleOf(a.user.Login, r, base)
}

func (h *Hub) roleOf(login string, r *repo, base Role) Role {
	if key(login) == key(r.Owner) {
		return RoleAdmin
	}
	if role, ok := r.Roles[key(login)]; ok {
		return role
	}
	return base
}

// need refuses unless a has the role in r, in the words of GitHub.
func (h *Hub) need(a actor, r *repo, need Role) error {
	have := h.role(a, r)
	switch {
	case have.allows(need):
		return nil
	case !have.allows(RoleRead):
		return notFound()
	case a.user == nil:
		return &Refusal{Status: 401, Message: "Requires authentication"}
	case a.install != nil:
		return forbidden(noAppRight)
	case need == RoleAdmin:
		return forbidden("Must have admin rights to Repository.")
	default:
		return forbidden(noRight)
	}
}

// association is how GitHub names what a person has to do with a repository.
func (h *Hub) association(login string, r *repo) string {
	if key(login) == key(r.Owner) {
		return "OWNER"
	}
	if _, ok := r.Roles[key(login)]; ok {
		return "COLLABORATOR"
	}
	for _, p := range r.Pulls {
		if p.Merged && key(p.Author) == key(login) {
			return "CONTRIBUTOR"
		}
	}
	return "NONE"
}

// byEmail finds whose commits carry an address; nil when nobody's.
func (h *Hub) byEmail(email string) *User {
	for _, u := range h.state.Users {
		if strings.EqualFold(u.Email, email) {
			return u
		}
	}
	return nil
}

func randomText(n int) string {
	raw := make([]byte, n)
	rand.Read(raw) // never fails
	return base32.StdEncoding.EncodeToString(raw)[:n]
}
