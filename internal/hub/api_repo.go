package hub

import (
	"slices"
	"strings"
)

// repoRoutes are about a repository, its branches and its people.
func (h *Hub) repoRoutes(on func(string, operation)) {
	const at = "/repos/{owner}/{repo}"
	on("GET "+at, getRepo)
	on("POST "+at+"/forks", createFork)
	on("GET "+at+"/branches", listBranches)
	on("GET "+at+"/branches/{branch...}", getBranch)
	on("GET "+at+"/rules/branches/{branch...}", listRules)
	on("GET "+at+"/rulesets", listRulesets)
	on("GET "+at+"/rulesets/{id}", getRuleset)
	on("GET "+at+"/git/ref/{ref...}", getRef)
	on("GET "+at+"/git/matching-refs/{ref...}", listRefs)
	on("GET "+at+"/collaborators", listCollaborators)
	on("GET "+at+"/collaborators/{login}", isCollaborator)
	on("GET "+at+"/collaborators/{login}/permission", getPermission)
	on("GET "+at+"/activity", listActivity)
	on("GET "+at+"/labels", listRepoLabels)
	on("POST "+at+"/labels", createLabel)
}

func getRepo(c *call) (code int, v any, err error) {
	c.h.read(func() { v = c.shape.fullRepo(c.who, c.repo) })
	return 200, v, nil
}

func createFork(c *call) (int, any, error) {
	if err := c.needUser(); err != nil {
		return 0, nil, err
	}
	name, err := c.h.Fork(c.repo.full(), c.who.user.Login)
	if err != nil {
		return 0, nil, err
	}
	fork, err := c.h.find(name)
	if err != nil {
		return 0, nil, err
	}
	var v any
	c.h.read(func() { v = c.shape.fullRepo(c.who, fork) })
	return 202, v, nil
}

type branchJSON struct {
	Name          string         `json:"name"`
	Commit        shaJSON        `json:"commit"`
	Protected     bool           `json:"protected"`
	Protection    map[string]any `json:"protection"`
	ProtectionURL string         `json:"protection_url"`
}

func (s shaper) branch(r *repo, name string) *branchJSON {
	sha, _ := r.branch(name)
	protected := r.protection(name) != nil
	return &branchJSON{
		Name: name, Commit: shaJSON{SHA: sha, URL: s.repoURL(r) + "/commits/" + sha}, Protected: protected,
		Protection: map[string]any{
			"enabled":                protected,
			"required_status_checks": map[string]any{"enforcement_level": "off", "contexts": []string{}, "checks": []string{}},
		},
		ProtectionURL: s.repoURL(r) + "/branches/" + name + "/protection",
	}
}

func listBranches(c *call) (code int, v any, err error) {
	c.h.read(func() {
		var names []string
		for ref := range c.repo.Refs {
			if name, ok := strings.CutPrefix(ref, "refs/heads/"); ok && (c.query("protected") != "true" || c.repo.protection(name) != nil) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		v = each(page(c, names), func(name string) *branchJSON { return c.shape.branch(c.repo, name) })
	})
	return 200, v, nil
}

func getBranch(c *call) (code int, v any, err error) {
	name := c.req.PathValue("branch")
	c.h.read(func() {
		if bare, ok := strings.CutSuffix(name, "/protection"); ok {
			v, err = c.protection(bare)
			return
		}
		if _, ok := c.repo.branch(name); !ok {
			err = &Refusal{Status: 404, Message: "Branch not found"}
			return
		}
		v = c.shape.branch(c.repo, name)
	})
	return 200, v, err
}

type refJSON struct {
	Ref    string            `json:"ref"`
	NodeID string            `json:"node_id"`
	URL    string            `json:"url"`
	Object map[string]string `json:"object"`
}

func (s shaper) ref(r *repo, ref string) *refJSON {
	sha := r.Refs[ref]
	return &refJSON{
		Ref: ref, NodeID: node("Ref", r.ID) + sha, URL: s.repoURL(r) + "/git/" + ref,
		Object: map[string]string{"sha": sha, "type": "commit", "url": s.repoURL(r) + "/git/commits/" + sha},
	}
}

func getRef(c *call) (code int, v any, err error) {
	ref := "refs/" + c.req.PathValue("ref")
	c.h.read(func() {
		if c.repo.Refs[ref] == "" {
			err = notFound()
			return
		}
		v = c.shape.ref(c.repo, ref)
	})
	return 200, v, err
}

func listRefs(c *call) (code int, v any, err error) {
	c.h.read(func() {
		var refs []string
		for ref := range c.repo.Refs {
			if strings.HasPrefix(ref, "refs/"+c.req.PathValue("ref")) {
				refs = append(refs, ref)
			}
		}
		slices.Sort(refs)
		v = each(page(c, refs), func(ref string) *refJSON { return c.shape.ref(c.repo, ref) })
	})
	return 200, v, nil
}

// oldNames are the only roles that GitHub's "permission" knows; "role_name" has the real one.
var oldNames = map[Role]string{
	RoleAdmin: "admin", RoleMaintain: "write", RoleWrite: "write", RoleTriage: "read", RoleRead: "read", RoleNone: "none",
}

type collaboratorJSON struct {
	*userJSON
	Permissions map[string]bool `json:"permissions"`
	RoleName    Role            `json:"role_name"`
}

func (s shaper) collaborator(login string, role Role) *collaboratorJSON {
	return &collaboratorJSON{userJSON: s.user(login), Permissions: permissions(role), RoleName: role}
}

// needAsker refuses those who may not see who works on a repository.
func (c *call) needAsker() error {
	if c.who.user == nil {
		return &Refusal{Status: 401, Message: "Requires authentication"}
	}
	if err := c.h.need(c.who, c.repo, RoleTriage); err != nil {
		return forbidden("Must have push access to view collaborator permission.")
	}
	return nil
}

func getPermission(c *call) (code int, v any, err error) {
	c.h.read(func() {
		if err = c.needAsker(); err != nil {
			return
		}
		u := c.h.state.Users[key(c.req.PathValue("login"))]
		if u == nil {
			err = &Refusal{Status: 404, Message: c.req.PathValue("login") + " is not a user"}
			return
		}
		role := c.h.role(actor{user: u}, c.repo)
		v = map[string]any{"permission": oldNames[role], "role_name": role, "user": c.shape.collaborator(u.Login, role)}
	})
	return 200, v, err
}

func listCollaborators(c *call) (code int, v any, err error) {
	c.h.read(func() {
		if err = c.needAsker(); err != nil {
			return
		}
		roles := map[string]Role{key(c.repo.Owner): RoleAdmin}
		for login, role := range c.repo.Roles {
			roles[login] = role
		}
		var logins []string
		for login := range roles {
			logins = append(logins, login)
		}
		slices.Sort(logins)
		v = each(page(c, logins), func(login string) *collaboratorJSON { return c.shape.collaborator(login, roles[login]) })
	})
	return 200, v, err
}

func isCollaborator(c *call) (code int, v any, err error) {
	err = notFound()
	c.h.read(func() {
		if no := c.needAsker(); no != nil {
			err = no
		} else if c.h.roleOf(c.req.PathValue("login"), c.repo, RoleNone) != RoleNone {
			err = nil
		}
	})
	return 204, nil, err
}

type activityJSON struct {
	ID        int64     `json:"id"`
	NodeID    string    `json:"node_id"`
	Before    string    `json:"before"`
	After     string    `json:"after"`
	Ref       string    `json:"ref"`
	Timestamp string    `json:"timestamp"`
	Type      string    `json:"activity_type"`
	Actor     *userJSON `json:"actor"`
}

func listActivity(c *call) (code int, v any, err error) {
	c.h.read(func() {
		var some []*RefMove
		for _, m := range slices.Backward(c.repo.Pushes) {
			ref := c.query("ref")
			if ref == "" || m.Ref == ref || m.Ref == "refs/heads/"+ref {
				some = append(some, m)
			}
		}
		v = each(page(c, some), func(m *RefMove) *activityJSON {
			return &activityJSON{
				ID: m.ID, NodeID: node("Push", m.ID), Before: m.Old, After: m.New, Ref: m.Ref, Timestamp: stamp(m.At), Type: m.Kind,
				Actor: c.shape.user(m.User),
			}
		})
	})
	return 200, v, nil
}

func listRepoLabels(c *call) (code int, v any, err error) {
	c.h.read(func() {
		v = each(page(c, c.repo.Labels), func(l *Label) *labelJSON { return c.shape.label(c.repo, l) })
	})
	return 200, v, nil
}

func createLabel(c *call) (code int, v any, err error) {
	var in struct{ Name, Color, Description string }
	if err := c.body(&in); err != nil {
		return 0, nil, err
	}
	err = c.h.change(func() error {
		if err := c.h.need(c.who, c.repo, RoleWrite); err != nil {
			return err
		}
		if in.Name == "" {
			return invalid("Label", "name", "missing_field")
		}
		if c.repo.label(in.Name) != nil {
			return invalid("Label", "name", "already_exists")
		}
		l := c.h.needLabel(c.repo, in.Name)
		l.Description = in.Description
		if color := strings.TrimPrefix(in.Color, "#"); color != "" {
			l.Color = color
		}
		v = c.shape.label(c.repo, l)
		return nil
	})
	return 201, v, err
}
