package github

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	gogithub "github.com/google/go-github/v60/github"

	"lander/internal/forge"
	"lander/internal/queue"
)

// Guard is all that the forge lets stand between a push and a branch.
type Guard struct {
	Branch string
	Exists bool
	Locks  []Lock // a push has to get past each of them
	// Hidden says why branch protection cannot be seen, in the forge's words; empty: all of it is among Locks. Rulesets can always be seen.
	Hidden    string
	Protected bool // the forge says that some protection holds
}

// Lock is branch protection, or one ruleset.
type Lock struct {
	Name    string   // as in `branch protection` or `ruleset "trunk"`
	Closed  bool     // only Movers may move the branch
	Movers  []string // logins, and teams and the like in words
	Exempt  []string // for whom it does not hold at all, lander among them
	Unseen  bool     // whom it does not hold for is not shown to lander
	Mine    Answer   // whether it lets lander move the branch
	Asks    []string // what it wants of a push, beyond being allowed and forward, in words
	NoForce bool     // it forbids taking commits away
	NoLoss  bool     // it forbids deleting the branch
}

// Guard reads what holds for a branch, which need not exist, for the account that lander is. What lander may not see is told as such.
func (c *Client) Guard(ctx context.Context, repo, branch string) (Guard, error) {
	deed := fmt.Sprintf("read the rules for %s of %s", branch, repo)
	s, err := c.session(ctx, repo)
	if err != nil {
		return Guard{}, wrap(deed, err)
	}
	self, err := c.selfBy(ctx, s)
	if err != nil {
		return Guard{}, wrap(deed, err)
	}
	r := &reader{client: c, session: s, repo: repo, self: self, guard: Guard{Branch: branch}}
	for _, read := range []func(context.Context) error{r.branch, r.protection, r.rules} {
		if err := read(ctx); err != nil {
			return Guard{}, c.fault(deed, s, err)
		}
	}
	return r.guard, nil
}

// reader puts a Guard together.
type reader struct {
	client  *Client
	session *session
	repo    string
	self    queue.Person
	guard   Guard
}

func (r *reader) branch(ctx context.Context) error {
	b, err := get[gogithub.Branch](ctx, r.session, branchPath(r.repo, "branches", r.guard.Branch))
	if errors.Is(r.client.kind(r.session, err), forge.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	r.guard.Exists, r.guard.Protected = true, b.GetProtected()
	return nil
}

// protection reads branch protection, which only administrators see.
func (r *reader) protection(ctx context.Context) error {
	if !r.guard.Exists {
		r.guard.Hidden = "the forge shows no protection of a branch that is not there yet"
		return nil
	}
	owner, name, err := split(r.repo)
	if err != nil {
		return err
	}
	p, _, err := r.session.gh.Repositories.GetBranchProtection(ctx, owner, name, r.guard.Branch)
	var denied *forge.DeniedError
	switch kind := r.client.kind(r.session, err); {
	case errors.Is(err, gogithub.ErrBranchNotProtected):
		return nil
	case errors.Is(kind, forge.ErrNotFound):
		r.guard.Hidden = "only administrators see it"
		return nil
	case errors.As(kind, &denied) && denied.Status == 403:
		r.guard.Hidden = strings.TrimSuffix(denied.Message, ".")
		return nil
	case err != nil:
		return err
	}
	r.guard.Locks = append(r.guard.Locks, r.classic(p))
	return nil
}

// classic is branch protection as a lock.
func (r *reader) classic(p *gogithub.Protection) Lock {
	l := Lock{Name: "branch protection", NoForce: p.AllowForcePushes == nil || !p.AllowForcePushes.Enabled, NoLoss: p.AllowDeletions == nil || !p.AllowDeletions.Enabled}
	if p.EnforceAdmins != nil && !p.EnforceAdmins.Enabled {
		l.Exempt = []string{"administrators"}
	}
	l.Mine = Yes
	if only := p.Restrictions; only != nil {
		l.Closed, l.Movers = true, people(only.Users, only.Teams, only.Apps)
		if !slices.ContainsFunc(l.Movers, r.mine) {
			l.Mine = No
			if len(only.Teams) > 0 { // it may belong to one
				l.Mine = Unknown
			}
		}
	}
	var past []string
	if pr := p.RequiredPullRequestReviews; pr != nil {
		if allow := pr.BypassPullRequestAllowances; allow != nil {
			past = people(allow.Users, allow.Teams, allow.Apps)
		}
		if !slices.ContainsFunc(past, r.mine) {
			l.Asks = append(l.Asks, "a pull request that is merged on the forge")
		}
	}
	if p.RequiredStatusChecks != nil {
		l.Asks = append(l.Asks, "status checks that were green before the push")
	}
	if p.GetRequiredSignatures().GetEnabled() {
		l.Asks = append(l.Asks, "signed commits")
	}
	if p.GetLockBranch().GetEnabled() {
		l.Asks = append(l.Asks, "nobody to push: the branch is locked")
	}
	if len(l.Asks) > 0 && l.Mine == Yes {
		l.Mine = No
	}
	return l
}

func people(users []*gogithub.User, teams []*gogithub.Team, apps []*gogithub.App) []string {
	var all []string
	for _, u := range users {
		all = append(all, u.GetLogin())
	}
	for _, a := range apps {
		all = append(all, login(a))
	}
	for _, t := range teams {
		all = append(all, "the team "+t.GetSlug())
	}
	return all
}

func (r *reader) mine(login string) bool { return strings.EqualFold(login, r.self.Login) }

// rule is one rule that holds for a branch, with where it comes from.
type rule struct {
	Type    string `json:"type"`
	Ruleset int64  `json:"ruleset_id"`
	Kind    string `json:"ruleset_source_type"`
	Source  string `json:"ruleset_source"`
}

// rules reads the rulesets that hold for the branch.
func (r *reader) rules(ctx context.Context) error {
	byset := map[int64]*Lock{}
	var order []rule
	for page := 1; ; page++ {
		path := fmt.Sprintf("%s?per_page=%d&page=%d", branchPath(r.repo, "rules/branches", r.guard.Branch), perPage, page)
		some, err := get[[]rule](ctx, r.session, path)
		if errors.Is(r.client.kind(r.session, err), forge.ErrNotFound) {
			return nil // a GitHub of one's own that is older than rulesets
		}
		if err != nil {
			return err
		}
		for _, one := range *some {
			l := byset[one.Ruleset]
			if l == nil {
				l = &Lock{}
				byset[one.Ruleset] = l
				order = append(order, one)
			}
			r.add(l, one.Type)
		}
		if len(*some) < perPage {
			break
		}
	}
	for _, first := range order {
		l := byset[first.Ruleset]
		if err := r.exempt(ctx, first, l); err != nil {
			return err
		}
		r.guard.Locks = append(r.guard.Locks, *l)
	}
	return nil
}

// asks are the rules that a push of lander's may not meet, in words.
var asks = map[string]string{
	"pull_request":           "a pull request that is merged on the forge",
	"required_status_checks": "status checks that were green before the push",
	"required_signatures":    "signed commits",
	"required_deployments":   "a deployment",
	"merge_queue":            "the forge's own merge queue",
	"workflows":              "a workflow that was green before the push",
	"code_scanning":          "results of code scanning",
	"code_quality":           "results of a code quality tool",
}

func (r *reader) add(l *Lock, kind string) {
	switch kind {
	case "update":
		l.Closed = true
	case "non_fast_forward":
		l.NoForce = true
	case "deletion":
		l.NoLoss = true
	case "required_linear_history": // which rebased and squashed landings keep
	case "creation":
		if !r.guard.Exists {
			l.Asks = append(l.Asks, "that the branch is there already")
		}
	default:
		words := asks[kind]
		if words == "" {
			words = "what its rule " + strings.ReplaceAll(kind, "_", " ") + " says"
		}
		l.Asks = append(l.Asks, words)
	}
}

// ruleset is what the forge says about whom one does not hold for.
type ruleset struct {
	Name   string `json:"name"`
	Mine   string `json:"current_user_can_bypass"`
	Actors *[]struct {
		ID   int64  `json:"actor_id"`
		Type string `json:"actor_type"`
		Mode string `json:"bypass_mode"`
	} `json:"bypass_actors"`
}

// exempt finds out whom a ruleset does not hold for.
func (r *reader) exempt(ctx context.Context, from rule, l *Lock) error {
	l.Name = fmt.Sprintf("ruleset %d", from.Ruleset)
	set, err := get[ruleset](ctx, r.session, fmt.Sprintf("repos/%s/rulesets/%d?includes_parents=true", r.repo, from.Ruleset))
	kind := r.client.kind(r.session, err)
	var denied *forge.DeniedError
	if errors.Is(kind, forge.ErrNotFound) || errors.As(kind, &denied) && denied.Status == 403 {
		set, err = &ruleset{}, nil
	}
	if err != nil {
		return err
	}
	if set.Name != "" {
		l.Name = fmt.Sprintf("ruleset %q", set.Name)
	}
	if from.Kind == "Organization" || from.Kind == "Enterprise" {
		l.Name += " of " + from.Source
	}
	l.Unseen = set.Actors == nil
	if !l.Unseen {
		for _, a := range *set.Actors {
			l.Exempt = append(l.Exempt, r.actor(ctx, a.Type, a.ID, a.Mode))
		}
	}
	bypass := map[string]Answer{"always": Yes, "exempt": Yes, "pull_requests_only": No, "never": No}[set.Mine]
	if bypass == Yes && l.Unseen {
		l.Exempt = append(l.Exempt, r.self.Login)
	}
	switch {
	case bypass == Yes, slices.ContainsFunc(l.Exempt, r.mine), !l.Closed && len(l.Asks) == 0:
		l.Mine = Yes
	case bypass == No, !l.Unseen && set.Mine == "":
		l.Mine = No
	default:
		l.Mine = Unknown
	}
	return nil
}

// roles are the repository's roles by the numbers that rulesets give them.
var roles = map[int64]string{2: "everybody who may maintain", 4: "everybody who may write", 5: "administrators"}

// actor names whom a ruleset does not hold for.
func (r *reader) actor(ctx context.Context, kind string, id int64, mode string) string {
	name := fmt.Sprintf("%s %d", strings.ToLower(kind), id)
	switch kind {
	case "Integration":
		name = fmt.Sprintf("the App %d", id)
		if r.client.app != nil && id == r.client.app.id {
			name = r.self.Login
		}
	case "User":
		if id == r.self.ID {
			name = r.self.Login
		} else if u, _, err := r.session.gh.Users.GetByID(ctx, id); err == nil { // the number will do
			name = u.GetLogin()
		}
	case "Team":
		name = fmt.Sprintf("the team %d", id)
	case "RepositoryRole":
		if roles[id] != "" {
			name = roles[id]
		}
	case "OrganizationAdmin":
		name = "owners of the organization"
	case "EnterpriseOwner":
		name = "owners of the enterprise"
	case "DeployKey":
		name = "deploy keys"
	}
	if mode == "pull_request" {
		name += " (by merging pull requests)"
	}
	return name
}
