package hub

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// SetCheck sets a check run as an app would that is a stand-in for somebody's CI: a new one, or the one with c's ID. An app of that slug is
// registered if there is none; nobody can sign as it. It returns the check run's id.
func (h *Hub) SetCheck(repo, slug string, c Check) (int64, error) {
	r, err := h.find(repo)
	if err == nil {
		err = h.settle(r)
	}
	if err == nil && c.ID == 0 && !h.knows(r, c.SHA) {
		err = &Refusal{Status: 422, Message: "No commit found for SHA: " + c.SHA}
	}
	if err != nil {
		return 0, fmt.Errorf("set check: %w", err)
	}
	err = h.change(func() error {
		app := h.ci(slug)
		c.App, c.Status = app.ID, cmp.Or(c.Status, "queued")
		if i := slices.IndexFunc(r.Checks, func(x *Check) bool { return x.ID == c.ID }); i >= 0 && r.Checks[i].App == app.ID {
			old := r.Checks[i]
			c.Name, c.SHA, c.StartedAt, c.DetailsURL = old.Name, old.SHA, old.StartedAt, cmp.Or(c.DetailsURL, old.DetailsURL)
			if err := h.finishCheck(&c); err != nil {
				return err
			}
			*old = c
		} else {
			if err := h.finishCheck(&c); err != nil {
				return err
			}
			c.ID = h.id()
			kept := c
			r.Checks = append(r.Checks, &kept)
		}
		action := "created"
		if c.Status == "completed" {
			action = "completed"
		}
		h.emitCheck(r, &c, h.state.Users[key(app.Bot())], action)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("set check: %w", err)
	}
	return c.ID, nil
}

// Checks lists the check runs at a commit, oldest first.
func (h *Hub) Checks(repo, sha string) ([]Check, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	r, err := h.repo(repo)
	if err != nil {
		return nil, err
	}
	var all []Check
	for _, c := range r.Checks {
		if c.SHA == sha {
			all = append(all, *c)
		}
	}
	return all, nil
}

// ci is the app of that slug. The state must be locked for writing.
func (h *Hub) ci(slug string) *App {
	for _, a := range h.state.Apps {
		if key(a.Slug) == key(slug) {
			return a
		}
	}
	a := &App{ID: h.id(), Slug: slug, Name: slug, CreatedAt: h.clock()}
	h.addUser(User{Login: a.Bot(), Name: a.Name, Type: "Bot"})
	h.state.Apps = append(h.state.Apps, a)
	return a
}

// branchesAt are the branches that stand at a commit. The state must be locked.
func (r *repo) branchesAt(sha string) []string {
	var names []string
	for ref, at := range r.Refs {
		if name, ok := strings.CutPrefix(ref, "refs/heads/"); ok && at == sha {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// rerequestCheck asks an app to run a check once more. GitHub lets only the app itself ask.
func rerequestCheck(c *call) (int, any, error) {
	x, err := c.checkOf("id")
	if err == nil && (c.who.install == nil || c.who.install.App != x.App) {
		err = forbidden("This check run is not rerequestable")
	}
	if err != nil {
		return 0, nil, err
	}
	return 201, map[string]any{}, c.h.change(func() error {
		c.h.emitCheck(c.repo, &x, c.who.user, "rerequested")
		return nil
	})
}

// rerunJob runs a job of GitHub's Actions once more, which is a check run of the same name and of another number.
func rerunJob(c *call) (int, any, error) {
	x, err := c.checkOf("id")
	if err != nil {
		return 0, nil, err
	}
	return 201, map[string]any{}, c.h.change(func() error {
		if err := c.h.need(c.who, c.repo, RoleWrite); err != nil {
			return err
		}
		app := c.h.app(x.App)
		switch {
		case c.who.install != nil && c.who.token.Rights["actions"] != "write":
			return forbidden(noAppRight)
		case app == nil || app.Slug != "github-actions":
			return notFound()
		case x.Status != "completed":
			return forbidden("The workflow run containing this job is already running")
		}
		again := Check{ID: c.h.id(), App: x.App, Name: x.Name, SHA: x.SHA, Status: "queued", DetailsURL: x.DetailsURL, StartedAt: c.h.clock()}
		c.repo.Checks = append(c.repo.Checks, &again)
		c.h.emitCheck(c.repo, &again, c.h.state.Users[key(app.Bot())], "created")
		return nil
	})
}

func (c *call) checkOf(name string) (x Check, err error) {
	id, err := c.number(name)
	if err != nil {
		return x, err
	}
	err = notFound()
	c.h.read(func() {
		if i := slices.IndexFunc(c.repo.Checks, func(x *Check) bool { return x.ID == id }); i >= 0 {
			x, err = *c.repo.Checks[i], nil
		}
	})
	return x, err
}
