package github_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"lander/internal/forge"
	"lander/internal/forge/github"
	"lander/internal/hub"
)

func (w *world) guard(c *github.Client, branch string) github.Guard {
	w.Helper()
	g, err := c.Guard(w.Context(), repo, branch)
	w.must(err)
	return g
}

func TestBranchProtectionIsReadAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	if g := w.guard(c, "main"); g.Hidden == "" || !g.Exists || g.Protected || len(g.Locks) != 0 {
		t.Errorf("one who only writes sees %+v", g)
	}
	w.must(w.hub.SetRole(repo, "lander-bot", hub.RoleAdmin))
	if g := w.guard(c, "main"); g.Hidden != "" || g.Protected || len(g.Locks) != 0 {
		t.Errorf("nothing protects it, but: %+v", g)
	}
	w.must(w.hub.Protect(repo, "main", hub.Protection{Push: []string{"lander-bot"}}))
	g := w.guard(c, "main")
	if len(g.Locks) != 1 || !g.Protected {
		t.Fatalf("protected: %+v", g)
	}
	if l := g.Locks[0]; !l.Closed || l.Mine != github.Yes || !slices.Equal(l.Movers, []string{"lander-bot"}) || !l.NoForce || !l.NoLoss || len(l.Exempt) != 0 || len(l.Asks) != 0 {
		t.Errorf("protected for lander alone: %+v", l)
	}
	w.must(w.hub.Protect(repo, "main", hub.Protection{Push: []string{"bob"}, Bypass: []string{"ada"}, AllowForce: true, AllowDelete: true}))
	l := w.guard(c, "main").Locks[0]
	if l.Mine != github.No || !slices.Equal(l.Movers, []string{"bob"}) || l.NoForce || l.NoLoss || !slices.Equal(l.Exempt, []string{"administrators"}) {
		t.Errorf("protected against lander: %+v", l)
	}
	if g := w.guard(c, "lander-ledger/main"); g.Exists || g.Hidden == "" {
		t.Errorf("a branch that is not there: %+v", g)
	}
}

func TestRulesetsAreReadAlsoByWhoOnlyWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.hub.Protect(repo, "lander-ledger/**", hub.Protection{Push: []string{"lander-bot", "bob"}, Rules: true}))
	c := w.client()
	g := w.guard(c, "lander-ledger/main")
	if len(g.Locks) != 2 || g.Exists {
		t.Fatalf("%+v", g)
	}
	if l := g.Locks[0]; !l.Closed || !l.Unseen || l.Mine != github.Yes || !strings.HasPrefix(l.Name, `ruleset "Who moves`) {
		t.Errorf("who may push: %+v", l)
	}
	if l := g.Locks[1]; l.Closed || !l.NoForce || !l.NoLoss || l.Mine != github.Yes {
		t.Errorf("how it may be moved: %+v", l)
	}
	w.must(w.hub.SetRole(repo, "lander-bot", hub.RoleAdmin))
	l := w.guard(c, "lander-ledger/main").Locks[0]
	if l.Unseen || len(l.Exempt) != 2 || l.Exempt[0] != "lander-bot" {
		t.Errorf("an administrator sees %+v", l)
	}
	w.must(w.hub.Protect(repo, "lander-ledger/**", hub.Protection{Push: []string{"bob"}, Rules: true}))
	if l := w.guard(c, "lander-ledger/main").Locks[0]; l.Mine != github.No {
		t.Errorf("closed to lander: %+v", l)
	}
}

func TestAnAppIsNamedInRulesets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.app()
	w.must(w.hub.Protect(repo, "main", hub.Protection{Push: []string{"lander[bot]"}, Rules: true}))
	g := w.guard(c, "main")
	if len(g.Locks) != 2 || g.Hidden != "" || g.Locks[0].Mine != github.Yes || !slices.Equal(g.Locks[0].Exempt, []string{"lander[bot]"}) {
		t.Errorf("%+v", g)
	}
	w.must(w.hub.Protect(repo, "main", hub.Protection{Push: []string{"lander[bot]"}}))
	if g := w.guard(c, "main"); len(g.Locks) != 1 || g.Locks[0].Mine != github.Yes || !slices.Equal(g.Locks[0].Movers, []string{"lander[bot]"}) {
		t.Errorf("branch protection: %+v", g)
	}
}

// serveJSON answers some paths with a text of the test's.
func (w *world) serveJSON(answers map[string]string) {
	w.spoiled(func(rw http.ResponseWriter, r *http.Request) bool {
		text, ok := answers[strings.TrimPrefix(r.URL.Path, "/api/v3/repos/"+repo)]
		if ok {
			rw.Header().Set("Content-Type", "application/json")
			fmt.Fprint(rw, text)
		}
		return ok
	})
}

func TestWhatTheForgeAsksOfAPushIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.hub.SetRole(repo, "lander-bot", hub.RoleAdmin))
	w.serveJSON(map[string]string{
		"/branches/main/protection": `{"enforce_admins": {"enabled": true}, "allow_force_pushes": {"enabled": false}, "allow_deletions": {"enabled": false},
			"required_pull_request_reviews": {"required_approving_review_count": 1},
			"required_status_checks": {"strict": true, "contexts": ["ci"]}, "required_signatures": {"enabled": true},
			"restrictions": {"users": [{"login": "lander-bot"}], "teams": [{"slug": "core"}], "apps": [{"slug": "other"}]}}`,
		"/rules/branches/main": `[
			{"type": "update", "ruleset_id": 5, "ruleset_source_type": "Organization", "ruleset_source": "acme"},
			{"type": "pull_request", "ruleset_id": 5}, {"type": "required_linear_history", "ruleset_id": 6},
			{"type": "creation", "ruleset_id": 6}, {"type": "some_new_rule", "ruleset_id": 6}, {"type": "update", "ruleset_id": 7}]`,
		"/rulesets/5": `{"name": "all", "current_user_can_bypass": "pull_requests_only", "bypass_actors": [
			{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}, {"actor_id": 1, "actor_type": "OrganizationAdmin", "bypass_mode": "pull_request"},
			{"actor_id": 9, "actor_type": "Integration"}, {"actor_id": 3, "actor_type": "Team"}, {"actor_id": 99, "actor_type": "User"}, {"actor_type": "DeployKey"}]}`,
		"/rulesets/6": `{"name": "form", "current_user_can_bypass": "never"}`,
		"/rulesets/7": `{"name": "old"}`,
	})
	g := w.guard(w.client(), "main")
	if len(g.Locks) != 4 {
		t.Fatalf("%+v", g)
	}
	for i, want := range []string{
		"branch protection|lander-bot, other[bot], the team core||a pull request that is merged on the forge, status checks that were green before the push, signed commits|no",
		`ruleset "all" of acme||administrators, owners of the organization (by merging pull requests), the App 9, the team 3, user 99, deploy keys|a pull request that is merged on the forge|no`,
		`ruleset "form"|||what its rule some new rule says|no`,
		`ruleset "old"||||unknown`,
	} {
		l := g.Locks[i]
		if got := strings.Join([]string{l.Name, strings.Join(l.Movers, ", "), strings.Join(l.Exempt, ", "), strings.Join(l.Asks, ", "), string(l.Mine)}, "|"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestAccessTellsWhatTheForgeTells(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	look := func(c *github.Client) string {
		t.Helper()
		a, err := c.Access(t.Context(), repo)
		w.must(err)
		return fmt.Sprintf("%s: push %s, comment %s, status %s, workflows %s, admin %v, archived %v", a.DefaultBranch, a.Push, a.Comment, a.Status, a.Workflows, a.Administers, a.Archived)
	}
	want := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	want(look(c), "main: push yes, comment unknown, status unknown, workflows unknown, admin false, archived false")
	w.must(w.hub.SetRole(repo, "lander-bot", hub.RoleRead))
	want(look(c), "main: push no, comment unknown, status unknown, workflows unknown, admin false, archived false")
	scope := "repo, workflow"
	w.spoiled(func(rw http.ResponseWriter, r *http.Request) bool {
		rw.Header().Set("X-OAuth-Scopes", scope)
		return false
	})
	w.must(w.hub.SetRole(repo, "lander-bot", hub.RoleAdmin))
	want(look(c), "main: push yes, comment yes, status yes, workflows yes, admin true, archived false")
	scope = "read:org"
	want(look(c), "main: push no, comment no, status no, workflows no, admin true, archived false")
	w.spoiled(nil)
	want(look(w.app()), "main: push yes, comment yes, status yes, workflows no, admin false, archived false")
	if _, err := c.Access(t.Context(), "acme/nothing"); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("no repository: %v", err)
	}
}

func TestTheForgesClockNeedsNoCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, err := github.New(github.Config{BaseURL: w.url, Token: "wrong", Now: w.now})
	w.must(err)
	ahead, within, err := c.Clock(t.Context())
	if err != nil || within < time.Second/2 || ahead.Abs() > within+time.Second {
		t.Errorf("%v ahead, within %v, %v", ahead, within, err)
	}
	w.advance(time.Hour)
	if ahead, within, err = c.Clock(t.Context()); err != nil || (ahead+time.Hour).Abs() > within+time.Second {
		t.Errorf("an hour later by lander's clock: %v ahead, within %v, %v", ahead, within, err)
	}
}

func TestTheAllowanceIsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	_, err := c.Access(t.Context(), repo)
	w.must(err)
	a, err := c.Allowance(t.Context(), repo)
	if err != nil || a.Limit != 5000 || a.Remaining != 4999 || a.Reset.IsZero() {
		t.Errorf("%+v, %v", a, err)
	}
	w.spoiled(func(rw http.ResponseWriter, r *http.Request) bool {
		http.Error(rw, `{"message": "Rate limiting is not enabled."}`, http.StatusNotFound)
		return true
	})
	if a, err = c.Allowance(t.Context(), repo); err != nil || a.Limit != 0 {
		t.Errorf("a forge that does not count: %+v, %v", a, err)
	}
}
