package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	gogithub "github.com/google/go-github/v60/github"

	"lander/internal/forge"
)

// Answer is yes, no, or what the forge does not tell.
type Answer string

const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown"
)

func told(yes bool) Answer {
	if yes {
		return Yes
	}
	return No
}

// Access is what lander may do with a repository, as far as the forge tells whoever asks.
type Access struct {
	DefaultBranch string
	Archived      bool
	Push          Answer // move branches
	Comment       Answer // comment on pull requests, and react
	Status        Answer // set commit statuses
	Workflows     Answer // move a branch to commits that change the forge's own CI files
	Administers   bool   // an administrator's account; for an App always false
}

// Access asks what lander may do with a repository. forge.ErrNotFound says that there is none, or that lander may not see it.
func (c *Client) Access(ctx context.Context, repo string) (Access, error) {
	deed := "look at " + repo
	s, err := c.session(ctx, repo)
	if err != nil {
		return Access{}, wrap(deed, err)
	}
	owner, name, err := split(repo)
	if err != nil {
		return Access{}, wrap(deed, err)
	}
	r, resp, err := s.gh.Repositories.Get(ctx, owner, name)
	if err != nil {
		return Access{}, c.fault(deed, s, err)
	}
	a := Access{DefaultBranch: r.GetDefaultBranch(), Archived: r.GetArchived()}
	if c.app != nil {
		return a, wrap(deed, c.installed(ctx, owner, name, &a))
	}
	a.Push, a.Administers = told(r.GetPermissions()["push"]), r.GetPermissions()["admin"]
	// Only tokens of the old kind tell what they are good for. Of the others it shows when it is used.
	a.Comment, a.Status, a.Workflows = Unknown, Unknown, Unknown
	if said, ok := resp.Header["X-Oauth-Scopes"]; ok {
		has := scopes(strings.Join(said, ","))
		whole := has("repo") || !r.GetPrivate() && has("public_repo")
		a.Comment, a.Status, a.Workflows = told(whole), told(whole || has("repo:status")), told(has("workflow"))
		if !whole {
			a.Push = No
		}
	}
	return a, nil
}

func scopes(said string) func(string) bool {
	list := strings.FieldsFunc(said, func(c rune) bool { return c == ',' || c == ' ' })
	return func(scope string) bool { return slices.Contains(list, scope) }
}

// installed takes what an App may do from its installation.
func (c *Client) installed(ctx context.Context, owner, name string, a *Access) error {
	in, _, err := c.rest("app", c.app).Apps.FindRepositoryInstallation(ctx, owner, name)
	if err != nil {
		return c.fault("find installation", nil, err)
	}
	may := func(right string) Answer { return told(right == "write" || right == "admin") }
	p := in.GetPermissions()
	a.Push, a.Status, a.Workflows = may(p.GetContents()), may(p.GetStatuses()), may(p.GetWorkflows())
	a.Comment = may(cmp.Or(p.GetPullRequests(), p.GetIssues()))
	return nil
}

// Clock compares the forge's clock with this machine's: how far it is ahead, and how exact that is. It shows no credential, so that
// the answer can be had also when the credential is refused.
func (c *Client) Clock(ctx context.Context) (ahead, within time.Duration, err error) {
	const deed = "ask the forge for the time"
	if limit := c.config.HTTP.Timeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.api.JoinPath("rate_limit").String(), nil)
	if err != nil {
		return 0, 0, wrap(deed, err)
	}
	req.Header.Set("User-Agent", "lander")
	asked := c.config.Now()
	resp, err := c.base.RoundTrip(req)
	if err != nil {
		return 0, 0, wrap(deed, err)
	}
	resp.Body.Close()
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, 0, wrap(deed, errors.New("the answer has no date"))
	}
	// The date is cut to the second.
	within = c.config.Now().Sub(asked)/2 + time.Second/2
	return at.Add(time.Second / 2).Sub(asked.Add(within - time.Second/2)), within, nil
}

// Allowance is how many requests the forge still grants, of how many an hour. A zero limit says that it does not count them.
type Allowance struct {
	Remaining, Limit int
	Reset            time.Time
}

// Allowance asks, which costs nothing. An App's depends on the repository.
func (c *Client) Allowance(ctx context.Context, repo string) (Allowance, error) {
	const deed = "ask the forge how much it grants"
	s, err := c.session(ctx, repo)
	if err != nil {
		return Allowance{}, wrap(deed, err)
	}
	limits, _, err := s.gh.RateLimit.Get(context.WithValue(ctx, anew{}, true))
	if err != nil {
		if errors.Is(c.kind(s, err), forge.ErrNotFound) { // a GitHub of one's own that counts nothing
			return Allowance{}, nil
		}
		return Allowance{}, c.fault(deed, s, err)
	}
	core := limits.GetCore()
	if core == nil {
		return Allowance{}, wrap(deed, errors.New("the answer holds none"))
	}
	return Allowance{Remaining: core.Remaining, Limit: core.Limit, Reset: core.Reset.Time}, nil
}

// Pages is where people read and set up a repository.
func (c *Client) Pages(repo string) string { return c.web + "/" + repo }

// branchPath is a branch within the REST API.
func branchPath(repo, kind, branch string) string {
	return fmt.Sprintf("repos/%s/%s/%s", repo, kind, url.PathEscape(branch))
}

// login is how an account is known that acts for an App.
func login(a *gogithub.App) string { return a.GetSlug() + "[bot]" }
