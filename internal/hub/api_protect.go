package hub

import "slices"

// protection is what GitHub shows of a branch's protection, to admins.
func (c *call) protection(name string) (any, error) {
	if !c.administers() {
		if err := c.h.need(c.who, c.repo, RoleAdmin); err != nil {
			return nil, err
		}
	}
	if _, ok := c.repo.branch(name); !ok {
		return nil, &Refusal{Status: 404, Message: "Branch not found"}
	}
	p := c.repo.protection(name)
	if p == nil || p.Rules {
		return nil, &Refusal{Status: 404, Message: "Branch not protected"}
	}
	url := c.shape.repoURL(c.repo) + "/branches/" + name + "/protection"
	users, apps := []*userJSON{}, []*appJSON{}
	for _, login := range p.Push {
		if a := c.h.appOf(login); a != nil {
			apps = append(apps, c.shape.app(a))
		} else {
			users = append(users, c.shape.user(login))
		}
	}
	is := func(enabled bool) map[string]any { return map[string]any{"enabled": enabled} }
	return map[string]any{
		"url": url, "enforce_admins": map[string]any{"url": url + "/enforce_admins", "enabled": len(p.Bypass) == 0},
		"restrictions": map[string]any{
			"url": url + "/restrictions", "users_url": url + "/restrictions/users", "teams_url": url + "/restrictions/teams",
			"apps_url": url + "/restrictions/apps", "users": users, "teams": []any{}, "apps": apps,
		},
		"allow_force_pushes": is(p.AllowForce), "allow_deletions": is(p.AllowDelete),
		"required_linear_history": is(false), "block_creations": is(false), "required_conversation_resolution": is(false),
		"lock_branch": is(false), "allow_fork_syncing": is(false), "required_signatures": is(false),
	}, nil
}

// administers reports whether an app with the right to it asks. The state must be locked.
func (c *call) administers() bool {
	return c.who.install != nil && c.who.token.Rights["administration"] != "" && c.who.install.covers(c.repo)
}

// appOf finds the app behind a bot's login, or nil. The state must be locked.
func (h *Hub) appOf(login string) *App {
	i := slices.IndexFunc(h.state.Apps, func(a *App) bool { return key(a.Bot()) == key(login) })
	if i < 0 {
		return nil
	}
	return h.state.Apps[i]
}

type ruleJSON struct {
	Type       string         `json:"type"`
	Parameters map[string]any `json:"parameters,omitempty"`
	SourceType string         `json:"ruleset_source_type,omitempty"`
	Source     string         `json:"ruleset_source,omitempty"`
	Ruleset    int64          `json:"ruleset_id,omitempty"`
}

// rules are those of one of the two rulesets that make a protection.
func (g *guarded) rules(which int) []*ruleJSON {
	if which == 0 {
		return []*ruleJSON{{Type: "update", Parameters: map[string]any{"update_allows_fetch_and_merge": false}}}
	}
	rules := []*ruleJSON{}
	if !g.AllowDelete {
		rules = append(rules, &ruleJSON{Type: "deletion"})
	}
	if !g.AllowForce {
		rules = append(rules, &ruleJSON{Type: "non_fast_forward"})
	}
	return rules
}

// listRules lists what holds for a branch, which need not be there.
func listRules(c *call) (code int, v any, err error) {
	c.h.read(func() {
		all := []*ruleJSON{}
		if g := c.repo.protection(c.req.PathValue("branch")); g != nil && g.Rules {
			for i, id := range g.IDs {
				for _, rule := range g.rules(i) {
					rule.SourceType, rule.Source, rule.Ruleset = "Repository", c.repo.full(), id
					all = append(all, rule)
				}
			}
		}
		v = page(c, all)
	})
	return 200, v, nil
}

type rulesetJSON struct {
	ID          int64            `json:"id"`
	Name        string           `json:"name"`
	Target      string           `json:"target"`
	SourceType  string           `json:"source_type"`
	Source      string           `json:"source"`
	Enforcement string           `json:"enforcement"`
	Actors      []map[string]any `json:"bypass_actors,omitempty"` // only for who may change them
	Mine        string           `json:"current_user_can_bypass,omitempty"`
	Conditions  map[string]any   `json:"conditions,omitempty"`
	Rules       []*ruleJSON      `json:"rules,omitempty"`
}

func (s shaper) ruleset(r *repo, pattern string, which int) *rulesetJSON {
	name := map[int]string{0: "Who moves ", 1: "How to move "}[which] + pattern
	return &rulesetJSON{
		ID: r.Protected[pattern].IDs[which], Name: name, Target: "branch", SourceType: "Repository", Source: r.full(), Enforcement: "active",
	}
}

func listRulesets(c *call) (code int, v any, err error) {
	c.h.read(func() {
		all := []*rulesetJSON{}
		for _, pattern := range c.repo.guards() {
			for which := range c.repo.Protected[pattern].IDs {
				if c.repo.Protected[pattern].Rules {
					all = append(all, c.shape.ruleset(c.repo, pattern, which))
				}
			}
		}
		v = page(c, all)
	})
	return 200, v, nil
}

func getRuleset(c *call) (code int, v any, err error) {
	id, err := c.number("id")
	if err != nil {
		return 0, nil, err
	}
	err = notFound()
	c.h.read(func() {
		for pattern, g := range c.repo.Protected {
			if which := slices.Index(g.IDs[:], id); g.Rules && which >= 0 {
				v, err = c.fullRuleset(pattern, which), nil
			}
		}
	})
	return 200, v, err
}

func (c *call) fullRuleset(pattern string, which int) *rulesetJSON {
	g, j := c.repo.Protected[pattern], c.shape.ruleset(c.repo, pattern, which)
	j.Rules = g.rules(which)
	j.Conditions = map[string]any{"ref_name": map[string]any{"include": []string{"refs/heads/" + pattern}, "exclude": []string{}}}
	exempt := slices.Clone(g.Bypass)
	if which == 0 {
		exempt = append(exempt, g.Push...)
	}
	if c.who.user != nil {
		j.Mine = "never"
		if hasLogin(exempt, c.who.user.Login) {
			j.Mine = "always"
		}
	}
	if c.administers() || c.h.need(c.who, c.repo, RoleAdmin) == nil {
		j.Actors = []map[string]any{}
		for _, login := range exempt {
			actor := map[string]any{"actor_id": c.shape.user(login).ID, "actor_type": "User", "bypass_mode": "always"}
			if a := c.h.appOf(login); a != nil {
				actor["actor_id"], actor["actor_type"] = a.ID, "Integration"
			}
			j.Actors = append(j.Actors, actor)
		}
	}
	return j
}
