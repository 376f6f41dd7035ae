package hub

import (
	"crypto/rsa"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// App is a GitHub App. It acts as the bot "slug[bot]".
type App struct {
	ID        int64     `json:"id"`
	Slug      string    `json:"slug"` // required
	Name      string    `json:"name"` // empty means the slug
	Owner     string    `json:"owner"`
	PublicKey string    `json:"public_key"` // required: PEM; what the app's JWTs are verified with
	Rights    rights    `json:"rights"`     // nil means what a merge queue asks for
	CreatedAt time.Time `json:"created_at"`
}

// Bot is the login under which the app acts.
func (a *App) Bot() string { return a.Slug + "[bot]" }

// Installation is an app installed on an account.
type Installation struct {
	ID        int64     `json:"id"`
	App       int64     `json:"app"`
	Account   string    `json:"account"`
	Repos     []string  `json:"repos"` // "owner/name"; empty means all of the account's
	CreatedAt time.Time `json:"created_at"`
}

// tokenLife is how long an installation token works.
const tokenLife = time.Hour

func queueRights() rights {
	return rights{
		"metadata": "read", "contents": "write", "pull_requests": "write", "issues": "write", "statuses": "write",
		"checks": "write", "administration": "read", "repository_hooks": "write",
	}
}

// AddApp registers an app. An app of that slug that is there already keeps its id, and takes the rest.
func (h *Hub) AddApp(a App) (App, error) {
	if _, err := jwt.ParseRSAPublicKeyFromPEM([]byte(a.PublicKey)); err != nil {
		return App{}, fmt.Errorf("add app %s: %w", a.Slug, err)
	}
	if a.Name == "" {
		a.Name = a.Slug
	}
	if a.Rights == nil {
		a.Rights = queueRights()
	}
	if !loginForm.MatchString(a.Bot()) {
		return App{}, fmt.Errorf("add app %q: not a slug: want letters, digits and dashes", a.Slug)
	}
	err := h.change(func() error {
		for _, old := range h.state.Apps {
			if key(old.Slug) == key(a.Slug) {
				a.ID, a.CreatedAt = old.ID, old.CreatedAt
				*old = a
				return nil
			}
		}
		a.ID, a.CreatedAt = h.id(), h.clock()
		h.addUser(User{Login: a.Bot(), Name: a.Name, Type: "Bot"})
		kept := a
		h.state.Apps = append(h.state.Apps, &kept)
		return nil
	})
	return a, err
}

// Install installs an app on an account, for the repositories named or for all. It returns the installation's id; an
// account has one installation of an app.
func (h *Hub) Install(app int64, account string, repos ...string) (int64, error) {
	var id int64
	err := h.change(func() error {
		if h.app(app) == nil {
			return fmt.Errorf("install app %d: %w", app, notFound())
		}
		if _, err := h.user(account); err != nil {
			return fmt.Errorf("install app %d: %w", app, err)
		}
		for _, old := range h.state.Installs {
			if old.App == app && key(old.Account) == key(account) {
				id, old.Repos = old.ID, slices.Clone(repos)
				return nil
			}
		}
		id = h.id()
		h.state.Installs = append(h.state.Installs, &Installation{
			ID: id, App: app, Account: account, Repos: slices.Clone(repos), CreatedAt: h.clock(),
		})
		return nil
	})
	return id, err
}

// app finds an app; nil when there is none. The state must be locked.
func (h *Hub) app(id int64) *App {
	for _, a := range h.state.Apps {
		if a.ID == id {
			return a
		}
	}
	return nil
}

func (h *Hub) install(id int64) *Installation {
	for _, i := range h.state.Installs {
		if i.ID == id {
			return i
		}
	}
	return nil
}

func (i *Installation) covers(r *repo) bool {
	if len(i.Repos) == 0 {
		return key(i.Account) == key(r.Owner)
	}
	return hasLogin(i.Repos, r.full())
}

func (h *Hub) installRole(a actor, r *repo) Role {
	if !a.install.covers(r) || len(a.token.Repos) > 0 && !slices.Contains(a.token.Repos, r.ID) {
		if r.Private {
			return RoleNone
		}
		return RoleRead
	}
	switch {
	case a.token.Rights["administration"] == "write":
		return RoleAdmin
	case a.token.Rights["contents"] == "write":
		return RoleWrite
	case a.token.Rights["pull_requests"] == "write" || a.token.Rights["issues"] == "write":
		return RoleTriage
	default:
		return RoleRead
	}
}

// authApp finds the app that signed a JWT. GitHub takes those that live for ten minutes at most.
func (h *Hub) authApp(text string) (*App, error) {
	refuse := func(words string) error { return &Refusal{Status: 401, Message: words} }
	var found *App
	now := h.clock()
	claims := jwt.RegisteredClaims{}
	_, err := jwt.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) {
		id, err := strconv.ParseInt(claims.Issuer, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("issuer %q: %w", claims.Issuer, err)
		}
		h.read(func() { found = h.app(id) })
		if found == nil {
			return nil, fmt.Errorf("issuer %q: no such app", claims.Issuer)
		}
		return publicKey(found.PublicKey)
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	switch {
	case found == nil && err != nil:
		return nil, refuse("Integration not found")
	case err != nil:
		return nil, refuse("A JSON web token could not be decoded")
	case claims.ExpiresAt.After(now.Add(10*time.Minute + 5*time.Second)):
		return nil, refuse("'Expiration time' claim ('exp') is too far in the future")
	}
	return found, nil
}

func publicKey(pem string) (*rsa.PublicKey, error) { return jwt.ParseRSAPublicKeyFromPEM([]byte(pem)) }

// installToken makes a token for an installation, narrowed to repositories and rights where they are given.
func (h *Hub) installToken(app *App, id int64, repos []int64, names []string, want rights) (string, *token, error) {
	secret := "ghs_" + randomText(36)
	var t *token
	err := h.change(func() error {
		i := h.install(id)
		if i == nil || i.App != app.ID {
			return notFound()
		}
		given := maps.Clone(app.Rights)
		for right, level := range want {
			if given[right] != level && given[right] != "write" {
				return &Refusal{Status: 422, Message: "The permissions requested are not granted to this installation."}
			}
		}
		if want != nil {
			given = maps.Clone(want)
			given["metadata"] = "read"
		}
		for _, name := range names {
			if !strings.Contains(name, "/") {
				name = i.Account + "/" + name
			}
			r := h.state.Repos[key(name)]
			if r == nil {
				return &Refusal{Status: 422, Message: "There is at least one repository that does not exist or is not accessible to the parent installation."}
			}
			repos = append(repos, r.ID)
		}
		for _, repoID := range repos {
			if !slices.ContainsFunc(h.reach(i), func(r *repo) bool { return r.ID == repoID }) {
				return &Refusal{Status: 422, Message: "There is at least one repository that does not exist or is not accessible to the parent installation."}
			}
		}
		t = &token{User: key(app.Bot()), Install: id, Repos: repos, Rights: given, Expires: h.clock().Add(tokenLife)}
		for old, o := range h.state.Tokens {
			if !o.Expires.IsZero() && o.Expires.Before(h.clock().Add(-tokenLife)) {
				delete(h.state.Tokens, old)
			}
		}
		h.state.Tokens[secret] = t
		return nil
	})
	return secret, t, err
}

// reach lists what an installation covers.
func (h *Hub) reach(i *Installation) []*repo {
	var all []*repo
	for _, r := range h.state.Repos {
		if i.covers(r) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(x, y *repo) int { return int(x.ID - y.ID) })
	return all
}
