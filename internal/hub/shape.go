package hub

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"time"
)

// shaper turns the state into GitHub's JSON. The state must be locked for reading while it works, and what it returns
// shares nothing with the state.
type shaper struct {
	h    *Hub
	site string // "http://host"
	api  string // "http://host/api/v3"

	// What a list needs again and again, made once.
	repos  map[*repo]*repoJSON
	users  map[string]*userJSON
	people map[string]string // association by "repository login"
}

// shape is a shaper whose links begin with the hub's own address, or with site when nobody has set that.
func (h *Hub) shape(site string) shaper {
	if h.url != "" {
		site = h.url
	}
	return shaper{
		h: h, site: site, api: site + "/api/v3",
		repos: map[*repo]*repoJSON{}, users: map[string]*userJSON{}, people: map[string]string{},
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func maybeStamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}

func maybe(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func node(kind string, id int64) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%03d:%s%d", len(kind), kind, id))
}

type userJSON struct {
	Login     string `json:"login"`
	ID        int64  `json:"id"`
	NodeID    string `json:"node_id"`
	AvatarURL string `json:"avatar_url"`
	URL       string `json:"url"`
	HTMLURL   string `json:"html_url"`
	Type      string `json:"type"`
	SiteAdmin bool   `json:"site_admin"`
	Name      string `json:"name,omitempty"`
	Email     string `json:"email,omitempty"`
}

func (s shaper) user(login string) *userJSON {
	j := s.users[key(login)]
	if j == nil {
		j = s.newUser(login)
		s.users[key(login)] = j
	}
	return j
}

func (s shaper) association(login string, r *repo) string {
	k := r.full() + " " + login
	a, ok := s.people[k]
	if !ok {
		a = s.h.association(login, r)
		s.people[k] = a
	}
	return a
}

func (s shaper) newUser(login string) *userJSON {
	u := s.h.state.Users[key(login)]
	if u == nil {
		u = &User{Login: "ghost", Type: "User"}
	}
	return &userJSON{
		Login: u.Login, ID: u.ID, NodeID: node("User", u.ID), AvatarURL: s.site + "/_hub/avatar/" + url.PathEscape(u.Login),
		URL: s.api + "/users/" + url.PathEscape(u.Login), HTMLURL: s.site + "/" + url.PathEscape(u.Login), Type: u.Type,
	}
}

// fullUser is what a question for one user is answered with.
func (s shaper) fullUser(login string) *userJSON {
	j := s.newUser(login)
	if u := s.h.state.Users[key(login)]; u != nil {
		j.Name, j.Email = u.Name, u.Email
	}
	return j
}

// userByEmail is the user to whom a commit belongs, or null.
func (s shaper) userByEmail(email string) *userJSON {
	if u := s.h.byEmail(email); u != nil {
		return s.user(u.Login)
	}
	return nil
}

type repoJSON struct {
	ID              int64           `json:"id"`
	NodeID          string          `json:"node_id"`
	Name            string          `json:"name"`
	FullName        string          `json:"full_name"`
	Private         bool            `json:"private"`
	Owner           *userJSON       `json:"owner"`
	HTMLURL         string          `json:"html_url"`
	Description     *string         `json:"description"`
	Fork            bool            `json:"fork"`
	URL             string          `json:"url"`
	PullsURL        string          `json:"pulls_url"`
	HooksURL        string          `json:"hooks_url"`
	StatusesURL     string          `json:"statuses_url"`
	GitURL          string          `json:"git_url"`
	CloneURL        string          `json:"clone_url"`
	CreatedAt       any             `json:"created_at"` // text; a number in push events
	UpdatedAt       string          `json:"updated_at"`
	PushedAt        any             `json:"pushed_at"`
	Size            int             `json:"size"`
	HasIssues       bool            `json:"has_issues"`
	Archived        bool            `json:"archived"`
	Disabled        bool            `json:"disabled"`
	Visibility      string          `json:"visibility"`
	ForksCount      int             `json:"forks_count"`
	OpenIssuesCount int             `json:"open_issues_count"`
	DefaultBranch   string          `json:"default_branch"`
	Permissions     map[string]bool `json:"permissions,omitempty"`
	AllowMerge      *bool           `json:"allow_merge_commit,omitempty"`
	AllowSquash     *bool           `json:"allow_squash_merge,omitempty"`
	AllowRebase     *bool           `json:"allow_rebase_merge,omitempty"`
	Parent          *repoJSON       `json:"parent,omitempty"`
	Source          *repoJSON       `json:"source,omitempty"`
}

func (s shaper) repo(r *repo) *repoJSON {
	j := s.repos[r]
	if j == nil {
		j = s.newRepo(r)
		s.repos[r] = j
	}
	return j
}

func (s shaper) newRepo(r *repo) *repoJSON {
	visibility := "public"
	if r.Private {
		visibility = "private"
	}
	open := 0
	for _, p := range r.Pulls {
		if p.Open {
			open++
		}
	}
	api := s.repoURL(r)
	return &repoJSON{
		ID: r.ID, NodeID: node("Repository", r.ID), Name: r.Name, FullName: r.full(), Private: r.Private, Owner: s.user(r.Owner),
		HTMLURL: s.repoPage(r), Description: maybe(r.Description), Fork: r.Parent != "", URL: api,
		PullsURL: api + "/pulls{/number}", HooksURL: api + "/hooks", StatusesURL: api + "/statuses/{sha}",
		GitURL: s.repoPage(r) + ".git", CloneURL: s.repoPage(r) + ".git", CreatedAt: stamp(r.CreatedAt),
		UpdatedAt: stamp(r.UpdatedAt), PushedAt: stamp(r.PushedAt), HasIssues: true, Visibility: visibility,
		OpenIssuesCount: open, DefaultBranch: r.DefaultBranch,
	}
}

// fullRepo is what a question for one repository is answered with.
func (s shaper) fullRepo(a actor, r *repo) *repoJSON {
	j := s.newRepo(r)
	yes := true
	j.AllowMerge, j.AllowSquash, j.AllowRebase = &yes, &yes, &yes
	j.Permissions = permissions(s.h.role(a, r))
	for _, other := range s.h.state.Repos {
		if other.Parent == key(r.full()) {
			j.ForksCount++
		}
	}
	if parent := s.h.state.Repos[r.Parent]; parent != nil {
		j.Parent, j.Source = s.repo(parent), s.repo(parent)
	}
	return j
}

func permissions(have Role) map[string]bool {
	return map[string]bool{
		"pull": have.allows(RoleRead), "triage": have.allows(RoleTriage), "push": have.allows(RoleWrite),
		"maintain": have.allows(RoleMaintain), "admin": have.allows(RoleAdmin),
	}
}

func (s shaper) repoURL(r *repo) string  { return s.api + "/repos/" + r.full() }
func (s shaper) repoPage(r *repo) string { return s.site + "/" + r.full() }

func (s shaper) pullURL(r *repo, n int) string { return fmt.Sprintf("%s/pulls/%d", s.repoURL(r), n) }

func (s shaper) issueURL(r *repo, n int) string { return fmt.Sprintf("%s/issues/%d", s.repoURL(r), n) }

func (s shaper) pullPage(r *repo, n int) string { return fmt.Sprintf("%s/pull/%d", s.repoPage(r), n) }
