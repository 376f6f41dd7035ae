package hub

import (
	"slices"
	"strings"
	"testing"
)

func TestPatternsMatchAsGitHubs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, branch string
		want            bool
	}{
		{"lander-ledger/**", "lander-ledger/main", true},
		{"lander-ledger/**", "lander-ledger/release/1.2", false}, // as on GitHub: ** alone crosses no slash
		{"lander-ledger/**/*", "lander-ledger/main", true},
		{"lander-ledger/**/*", "lander-ledger/release/1.2", true},
		{"lander-ledger/*", "lander-ledger/main", true},
		{"lander-ledger/*", "lander-ledger/release/1.2", false},
		{"lander-ledger/**", "lander-ledger", false},
		{"lander-ledger/**", "my/lander-ledger/main", false},
		{"*", "main", true},
		{"*", "a/b", false},
		{"**/*", "a/b/c", true},
		{"v?.x", "v1.x", true},
		{"v?.x", "v1ax", false},
		{"v?.x", "v/.x", false},
	} {
		r := &repo{Protected: map[string]*guarded{c.pattern: {}}}
		if got := r.protection(c.branch) != nil; got != c.want {
			t.Errorf("%s protects %s: %v, want %v", c.pattern, c.branch, got, c.want)
		}
	}
	one, two, three := &guarded{}, &guarded{}, &guarded{}
	r := &repo{Protected: map[string]*guarded{"*": one, "ma*": two, "main": three}}
	for branch, want := range map[string]*guarded{"main": three, "major": two, "x": one, "x/y": nil} {
		if r.protection(branch) != want {
			t.Errorf("%s has another branch's protection", branch)
		}
	}
}

func TestAPatternProtectsBranchesThatAreNotThereYet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.hub.Protect(app, "lander-ledger/**/*", Protection{Push: []string{"lander-bot"}, Bypass: []string{"ada"}}))
	dir := w.clone("wim")
	first := w.mustGit(dir, "rev-parse", "HEAD")
	next := w.commit(dir, "x", "x\n")
	push := func(login, spec string) string {
		out, err := w.git(dir, "push", w.remote(login, app), spec)
		if err == nil {
			return "pushed"
		}
		return out
	}
	for _, c := range []struct{ login, spec, want string }{
		{"wim", next + ":refs/heads/lander-ledger/main", "You're not authorized to push to this branch."},
		{"wim", next + ":refs/heads/ledger", "pushed"},
		{"lander-bot", next + ":refs/heads/lander-ledger/main", "pushed"},
		{"lander-bot", next + ":refs/heads/lander-ledger/release/1.2", "pushed"},
		{"lander-bot", "+" + first + ":refs/heads/lander-ledger/main", "Cannot force-push to this protected branch"},
		{"lander-bot", ":refs/heads/lander-ledger/main", "Cannot delete this protected branch"},
		{"ada", "+" + first + ":refs/heads/lander-ledger/main", "pushed"},
		{"ada", ":refs/heads/lander-ledger/main", "pushed"},
	} {
		if got := push(c.login, c.spec); !strings.Contains(got, c.want) {
			t.Errorf("%s pushes %s: %s, want %q", c.login, c.spec, got, c.want)
		}
	}
	w.must(w.hub.Protect(app, "lander-ledger/**/*", Protection{Push: []string{"lander-bot"}, AllowForce: true}))
	if got := push("lander-bot", "+"+first+":refs/heads/lander-ledger/release/1.2"); got != "pushed" {
		t.Errorf("forced, which is allowed: %s", got)
	}
	if got := push("lander-bot", ":refs/heads/lander-ledger/release/1.2"); !strings.Contains(got, "Cannot delete") {
		t.Errorf("deleted, which is not allowed: %s", got)
	}
	w.must(w.hub.Protect(app, "lander-ledger/**/*", Protection{Push: []string{"lander-bot"}, AllowDelete: true}))
	if got := push("lander-bot", ":refs/heads/lander-ledger/release/1.2"); got != "pushed" {
		t.Errorf("deleted, which is allowed: %s", got)
	}
	if err := w.hub.Protect(app, "v[12]", Protection{}); err == nil {
		t.Error("a pattern that is not understood was taken")
	}
	w.must(w.hub.Unprotect(app, "lander-ledger/**/*"))
	if got := push("wim", next+":refs/heads/lander-ledger/main"); got != "pushed" {
		t.Errorf("after the protection is gone: %s", got)
	}
}

func TestProtectionIsReadOverREST(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.branch("lander-ledger/main", map[string]string{"x": "x"})
	w.must(w.hub.Protect(app, "main", Protection{Push: []string{"lander-bot"}, AllowForce: true}))
	w.must(w.hub.Protect(app, "lander-ledger/**", Protection{Push: []string{"lander-bot"}, Bypass: []string{"ada"}, AllowDelete: true}))
	type flag struct{ Enabled bool }
	var v struct {
		Restrictions struct{ Users []struct{ Login string } }
		Force        flag `json:"allow_force_pushes"`
		Delete       flag `json:"allow_deletions"`
		Admins       flag `json:"enforce_admins"`
	}
	w.ok(200, "ada", "GET", repoPath("/branches/main/protection"), nil, &v)
	if len(v.Restrictions.Users) != 1 || v.Restrictions.Users[0].Login != "lander-bot" || !v.Force.Enabled || v.Delete.Enabled || !v.Admins.Enabled {
		t.Errorf("main: %+v", v)
	}
	w.ok(200, "ada", "GET", repoPath("/branches/lander-ledger/main/protection"), nil, &v)
	if len(v.Restrictions.Users) != 1 || v.Force.Enabled || !v.Delete.Enabled || v.Admins.Enabled {
		t.Errorf("ledger: %+v", v)
	}
	w.ok(403, "lander-bot", "GET", repoPath("/branches/main/protection"), nil, nil)
	w.ok(404, "ada", "GET", repoPath("/branches/lander-ledger/other/protection"), nil, nil)
	var none []any
	if w.ok(200, "lander-bot", "GET", repoPath("/rules/branches/main"), nil, &none); len(none) != 0 {
		t.Errorf("a protection passes for rules: %v", none)
	}
}

func TestRulesetsAreReadOverREST(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.hub.Protect(app, "lander-ledger/**", Protection{Push: []string{"lander-bot"}, Bypass: []string{"ada"}, Rules: true}))
	var rules []struct {
		Type, Source string
		Source2      string `json:"ruleset_source"`
		ID           int64  `json:"ruleset_id"`
	}
	w.ok(200, "lander-bot", "GET", repoPath("/rules/branches/lander-ledger/main"), nil, &rules) // a branch that is not there yet
	var types []string
	for _, r := range rules {
		types = append(types, r.Type)
	}
	if !slices.Equal(types, []string{"update", "deletion", "non_fast_forward"}) || rules[0].Source2 != app || rules[0].ID == rules[1].ID {
		t.Fatalf("rules %+v", rules)
	}
	var set struct {
		Enforcement string
		Mine        string `json:"current_user_can_bypass"`
		Actors      []struct {
			ID   int64  `json:"actor_id"`
			Type string `json:"actor_type"`
		} `json:"bypass_actors"`
		Rules []struct{ Type string }
	}
	look := func(login string, which int) {
		t.Helper()
		set.Actors, set.Mine = nil, ""
		w.ok(200, login, "GET", repoPath("/rulesets/%d", rules[which].ID), nil, &set)
	}
	look("lander-bot", 0)
	if set.Mine != "always" || set.Actors != nil || set.Enforcement != "active" || len(set.Rules) != 1 {
		t.Errorf("who may push, as lander: %+v", set)
	}
	look("lander-bot", 1)
	if set.Mine != "never" || len(set.Rules) != 2 {
		t.Errorf("how to push, as lander: %+v", set)
	}
	look("ada", 0)
	if set.Mine != "always" || len(set.Actors) != 2 || set.Actors[0].Type != "User" {
		t.Errorf("who may push, as an admin: %+v", set)
	}
	look("wim", 0)
	if set.Mine != "never" {
		t.Errorf("who may push, as a writer: %+v", set)
	}
	var all []struct{ ID int64 }
	if w.ok(200, "lander-bot", "GET", repoPath("/rulesets"), nil, &all); len(all) != 2 {
		t.Errorf("rulesets %+v", all)
	}
	w.ok(404, "lander-bot", "GET", repoPath("/rulesets/1"), nil, nil)
	if w.ok(200, "lander-bot", "GET", repoPath("/rules/branches/main"), nil, &rules); len(rules) != 0 {
		t.Errorf("rules of main: %+v", rules)
	}
}
