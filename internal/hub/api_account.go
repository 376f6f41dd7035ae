package hub

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// accountRoutes are about who asks: users, apps and installations.
func (h *Hub) accountRoutes(on func(string, operation)) {
	on("GET /rate_limit", getRateLimit)
	on("GET /user", getMe)
	on("GET /user/repos", listMyRepos)
	on("GET /users/{login}", getUser)
	on("GET /apps/{slug}", getAppBySlug)
	on("GET /app", getApp)
	on("GET /app/installations", listInstalls)
	on("GET /app/installations/{id}", getInstall)
	on("POST /app/installations/{id}/access_tokens", createInstallToken)
	on("GET /repos/{owner}/{repo}/installation", getRepoInstall)
	on("GET /users/{login}/installation", getUserInstall)
	on("GET /installation/repositories", listInstallRepos)
}

func getRateLimit(c *call) (int, any, error) {
	r := c.charge(false)
	core := map[string]any{"limit": r.limit, "used": r.used, "remaining": r.limit - r.used, "reset": r.reset.Unix(), "resource": "core"}
	return 200, map[string]any{"resources": map[string]any{"core": core}, "rate": core}, nil
}

// needUser refuses nobody, and apps where only people may ask.
func (c *call) needUser() error {
	switch {
	case c.who.user == nil:
		return &Refusal{Status: 401, Message: "Requires authentication"}
	case c.who.install != nil:
		return forbidden(noAppRight)
	default:
		return nil
	}
}

func getMe(c *call) (code int, v any, err error) {
	if err := c.needUser(); err != nil {
		return 0, nil, err
	}
	c.h.read(func() { v = c.shape.fullUser(c.who.user.Login) })
	return 200, v, nil
}

func getUser(c *call) (code int, v any, err error) {
	c.h.read(func() {
		login := c.req.PathValue("login")
		if c.h.state.Users[key(login)] == nil {
			err = notFound()
			return
		}
		v = c.shape.fullUser(login)
	})
	return 200, v, err
}

func listMyRepos(c *call) (code int, v any, err error) {
	if err := c.needUser(); err != nil {
		return 0, nil, err
	}
	c.h.read(func() {
		mine := slices.SortedFunc(maps.Values(c.h.state.Repos), func(x, y *repo) int { return strings.Compare(x.full(), y.full()) })
		mine = slices.DeleteFunc(mine, func(r *repo) bool { return c.h.roleOf(c.who.user.Login, r, RoleNone) == RoleNone })
		v = each(page(c, mine), func(r *repo) *repoJSON { return c.shape.fullRepo(c.who, r) })
	})
	return 200, v, nil
}

func (c *call) needApp() error {
	if c.app == nil {
		return &Refusal{Status: 401, Message: "A JSON web token could not be decoded"}
	}
	return nil
}

func getApp(c *call) (code int, v any, err error) {
	if err := c.needApp(); err != nil {
		return 0, nil, err
	}
	c.h.read(func() { v = c.shape.app(c.app) })
	return 200, v, nil
}

func getAppBySlug(c *call) (code int, v any, err error) {
	err = notFound()
	c.h.read(func() {
		for _, a := range c.h.state.Apps {
			if key(a.Slug) == key(c.req.PathValue("slug")) {
				v, err = c.shape.app(a), nil
			}
		}
	})
	return 200, v, err
}

func listInstalls(c *call) (code int, v any, err error) {
	if err := c.needApp(); err != nil {
		return 0, nil, err
	}
	c.h.read(func() {
		var mine []*Installation
		for _, i := range c.h.state.Installs {
			if i.App == c.app.ID {
				mine = append(mine, i)
			}
		}
		v = each(page(c, mine), c.shape.install)
	})
	return 200, v, nil
}

// oneInstall answers with the app's first installation that fits.
func oneInstall(c *call, fits func(*Installation) bool) (code int, v any, err error) {
	if err := c.needApp(); err != nil {
		return 0, nil, err
	}
	err = notFound()
	c.h.read(func() {
		for _, i := range c.h.state.Installs {
			if i.App == c.app.ID && fits(i) {
				v, err = c.shape.install(i), nil
				return
			}
		}
	})
	return 200, v, err
}

func getInstall(c *call) (int, any, error) {
	id, err := c.number("id")
	if err != nil {
		return 0, nil, err
	}
	return oneInstall(c, func(i *Installation) bool { return i.ID == id })
}

func getRepoInstall(c *call) (int, any, error) {
	return oneInstall(c, func(i *Installation) bool { return i.covers(c.repo) })
}

func getUserInstall(c *call) (int, any, error) {
	return oneInstall(c, func(i *Installation) bool { return key(i.Account) == key(c.req.PathValue("login")) })
}

func createInstallToken(c *call) (int, any, error) {
	if err := c.needApp(); err != nil {
		return 0, nil, err
	}
	id, err := c.number("id")
	if err != nil {
		return 0, nil, err
	}
	var in struct {
		Repositories []string `json:"repositories"`
		IDs          []int64  `json:"repository_ids"`
		Permissions  rights   `json:"permissions"`
	}
	if err := c.body(&in); err != nil {
		return 0, nil, err
	}
	secret, t, err := c.h.installToken(c.app, id, in.IDs, in.Repositories, in.Permissions)
	if err != nil {
		return 0, nil, err
	}
	out := map[string]any{"token": secret, "expires_at": stamp(t.Expires), "permissions": t.Rights}
	c.h.read(func() {
		out["repository_selection"] = c.h.install(id).selection()
		if len(t.Repos) > 0 {
			out["repository_selection"] = "selected"
			out["repositories"] = each(c.h.tokenRepos(t), c.shape.repo)
		}
	})
	return 201, out, nil
}

// tokenRepos are the repositories that an installation's token reaches. The state must be locked.
func (h *Hub) tokenRepos(t *token) []*repo {
	all := h.reach(h.install(t.Install))
	if len(t.Repos) > 0 {
		all = slices.DeleteFunc(all, func(r *repo) bool { return !slices.Contains(t.Repos, r.ID) })
	}
	return slices.SortedFunc(slices.Values(all), func(x, y *repo) int { return cmp.Compare(x.ID, y.ID) })
}

func listInstallRepos(c *call) (code int, v any, err error) {
	if c.who.install == nil {
		return 0, nil, forbidden("You must authenticate with an installation access token in order to list repositories for an installation.")
	}
	c.h.read(func() {
		all := c.h.tokenRepos(c.who.token)
		v = map[string]any{
			"total_count": len(all), "repository_selection": c.who.install.selection(),
			"repositories": each(page(c, all), func(r *repo) *repoJSON { return c.shape.fullRepo(c.who, r) }),
		}
	})
	return 200, v, nil
}
