package hub

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestPagesOfAList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.pull("feature", map[string]string{"f": "1\n"})
	for i := range 7 {
		w.must2(w.hub.Comment(app, n, "mia", fmt.Sprintf("Comment %d", i)))
	}
	var all []struct{ Body string }
	path := repoPath("/issues/%d/comments?per_page=3", n)
	r := w.ok(200, "mia", "GET", path, nil, &all)
	link := r.Header.Get("Link")
	if len(all) != 3 || !strings.Contains(link, `page=2&per_page=3>; rel="next"`) || !strings.Contains(link, `page=3&per_page=3>; rel="last"`) {
		t.Errorf("%d comments, link %q", len(all), link)
	}
	r = w.ok(200, "mia", "GET", path+"&page=3", nil, &all)
	link = r.Header.Get("Link")
	if len(all) != 1 || all[0].Body != "Comment 6" || strings.Contains(link, "next") || !strings.Contains(link, `rel="first"`) {
		t.Errorf("last page %v, link %q", all, link)
	}
	w.ok(200, "mia", "GET", path+"&page=99999999999999", nil, &all)
	if len(all) != 0 {
		t.Errorf("a page far away holds %v", all)
	}
}

func TestCommentsSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.pull("feature", map[string]string{"f": "1\n"})
	w.must2(w.hub.Comment(app, n, "mia", "One"))
	var all []struct {
		Body string
		App  any    `json:"performed_via_github_app"`
		At   string `json:"created_at"`
	}
	w.ok(200, "mia", "GET", repoPath("/issues/%d/comments?since=%s", n, time.Now().Add(time.Hour).UTC().Format(time.RFC3339)), nil, &all)
	if len(all) != 0 {
		t.Errorf("comments from the future: %v", all)
	}
	w.ok(200, "mia", "GET", repoPath("/issues/comments?since=%s", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)), nil, &all)
	if len(all) != 1 || all[0].App != nil {
		t.Errorf("comments: %v", all)
	}
	if _, err := time.Parse("2006-01-02T15:04:05Z", all[0].At); err != nil {
		t.Error(err)
	}
	w.ok(422, "mia", "GET", repoPath("/issues/comments?since=yesterday"), nil, nil)
}

func TestCommentsAndReactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.pull("feature", map[string]string{"f": "1\n"})
	var c struct {
		ID        int64
		Body      string
		Reactions struct {
			Total int `json:"total_count"`
			Eyes  int
		}
	}
	w.ok(201, "mia", "POST", repoPath("/issues/%d/comments", n), map[string]string{"body": "Hello <b>"}, &c)
	one := repoPath("/issues/comments/%d", c.ID)
	w.ok(403, "rita", "PATCH", one, map[string]string{"body": "mine"}, nil)
	w.ok(200, "mia", "PATCH", one, map[string]string{"body": "Hello again"}, &c)
	w.ok(201, "rita", "POST", one+"/reactions", map[string]string{"content": "eyes"}, nil)
	w.ok(200, "rita", "POST", one+"/reactions", map[string]string{"content": "eyes"}, nil)
	w.ok(422, "rita", "POST", one+"/reactions", map[string]string{"content": "thumb"}, nil)
	w.ok(200, "rita", "GET", one, nil, &c)
	if c.Body != "Hello again" || c.Reactions.Total != 1 || c.Reactions.Eyes != 1 {
		t.Errorf("comment %+v", c)
	}
	w.ok(201, "rita", "POST", repoPath("/issues/%d/reactions", n), map[string]string{"content": "rocket"}, nil)
	w.ok(403, "rita", "DELETE", one, nil, nil)
	w.ok(204, "mia", "DELETE", one, nil, nil)
	w.ok(404, "mia", "GET", one, nil, nil)
	w.ok(422, "mia", "POST", repoPath("/issues/%d/comments", n), map[string]string{"body": " "}, nil)
	w.ok(422, "mia", "POST", repoPath("/issues/%d/comments", n), map[string]string{"body": strings.Repeat("x", 65537)}, nil)
	w.ok(404, "mia", "POST", repoPath("/issues/99/comments"), map[string]string{"body": "x"}, nil)
}

func TestLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.pull("feature", map[string]string{"f": "1\n"})
	path := repoPath("/issues/%d/labels", n)
	var all []struct{ Name, Color string }
	w.ok(403, "rita", "POST", path, []string{"wip"}, nil)
	w.ok(200, "mia", "POST", path, []string{"wip"}, &all)
	w.ok(200, "mia", "POST", path, map[string][]string{"labels": {"WIP", "needs work"}}, &all)
	if len(all) != 2 || all[1].Name != "needs work" || len(all[1].Color) != 6 {
		t.Errorf("labels %v", all)
	}
	w.ok(200, "mia", "DELETE", path+"/needs%20work", nil, &all)
	w.ok(404, "mia", "DELETE", path+"/needs%20work", nil, nil)
	w.ok(200, "mia", "GET", path, nil, &all)
	if len(all) != 1 || all[0].Name != "wip" {
		t.Errorf("labels %v", all)
	}
}

func TestListsOfPullRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b, c := w.pull("a", map[string]string{"a": "1\n"}), w.pull("b", map[string]string{"b": "1\n"}), w.pull("c", map[string]string{"c": "1\n"})
	w.must(w.hub.ClosePull(app, b, "wim"))
	w.must2(w.hub.Comment(app, a, "mia", "Moves it to the front."))
	for query, want := range map[string][]int{
		"":                                {c, a},
		"?direction=asc":                  {a, c},
		"?state=closed":                   {b},
		"?state=all&sort=updated":         {c, b, a},
		"?sort=updated&direction=desc":    {a, c},
		"?base=other":                     {},
		"?head=acme:c":                    {c},
		"?base=main&per_page=1&page=2":    {a},
		"?state=all&sort=created&head=:x": {},
	} {
		var all []struct{ Number int }
		w.ok(200, "rita", "GET", repoPath("/pulls%s", query), nil, &all)
		var got []int
		for _, p := range all {
			got = append(got, p.Number)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q lists %v, want %v", query, got, want)
		}
	}
}

func TestCommitsAndFilesOfAPullRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must2(w.hub.Push(app, Push{By: "wim", Branch: "feature", From: "main", Commits: []Commit{
		{Files: map[string]string{"new.txt": "a\nb\n"}, Message: "New\n\nBody."},
		{Remove: []string{"src/a.txt"}, Files: map[string]string{"src/b.txt": "one\ntwo\nthree\n", "README.md": "# app\nmore\n"}, Message: "Rename", Author: "Eve <eve@example.com>"},
	}}))
	n, err := w.hub.OpenPull(app, NewPull{Author: "wim", Title: "x", Head: "feature"})
	w.must(err)
	var commits []struct {
		SHA    string
		Commit struct {
			Message string
			Author  struct{ Name, Email, Date string }
		}
		Author  *struct{ Login string }
		Parents []struct{ SHA string }
	}
	w.ok(200, "rita", "GET", repoPath("/pulls/%d/commits", n), nil, &commits)
	if len(commits) != 2 || commits[0].Commit.Message != "New\n\nBody." || commits[0].Author.Login != "wim" ||
		commits[1].Author != nil || commits[1].Commit.Author.Email != "eve@example.com" || commits[1].Parents[0].SHA != commits[0].SHA {
		t.Errorf("commits %+v", commits)
	}
	var files []struct {
		Filename, Status, Patch string
		Additions, Changes      int
		Was                     string `json:"previous_filename"`
	}
	w.ok(200, "rita", "GET", repoPath("/pulls/%d/files", n), nil, &files)
	if len(files) != 3 || files[0].Filename != "README.md" || files[0].Patch != "@@ -1 +1,2 @@\n # app\n+more" ||
		files[1].Status != "added" || files[1].Additions != 2 || files[2].Status != "renamed" || files[2].Was != "src/a.txt" {
		t.Errorf("files %+v", files)
	}
	var p struct {
		Commits, Additions, Deletions int
		Files                         int `json:"changed_files"`
	}
	w.ok(200, "rita", "GET", repoPath("/pulls/%d", n), nil, &p)
	if p.Commits != 2 || p.Additions != 3 || p.Deletions != 0 || p.Files != 3 {
		t.Errorf("sizes %+v", p)
	}
}

func TestPermissionLevels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.hub.SetRole(app, "carl", RoleTriage))
	for login, want := range map[string][2]string{
		"ada": {"admin", "admin"}, "mia": {"write", "maintain"}, "wim": {"write", "write"}, "carl": {"read", "triage"},
		"rita": {"read", "read"}, "ACME": {"admin", "admin"},
	} {
		var v struct {
			Permission string
			Role       string `json:"role_name"`
			User       struct{ Login string }
		}
		w.ok(200, "wim", "GET", repoPath("/collaborators/%s/permission", login), nil, &v)
		if v.Permission != want[0] || v.Role != want[1] || !strings.EqualFold(v.User.Login, login) {
			t.Errorf("%s: %+v, want %v", login, v, want)
		}
	}
	w.ok(404, "wim", "GET", repoPath("/collaborators/nobody/permission"), nil, nil)
	w.ok(403, "rita", "GET", repoPath("/collaborators/wim/permission"), nil, nil)
	w.ok(204, "wim", "GET", repoPath("/collaborators/mia"), nil, nil)
	w.ok(404, "wim", "GET", repoPath("/collaborators/rita"), nil, nil)
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sha, err := w.hub.Tip(app, "main")
	w.must(err)
	path := repoPath("/statuses/%s", sha)
	w.ok(403, "rita", "POST", path, map[string]string{"state": "success"}, nil)
	w.ok(422, "wim", "POST", path, map[string]string{"state": "fine"}, nil)
	w.ok(422, "wim", "POST", repoPath("/statuses/%s", strings.Repeat("1", 40)), map[string]string{"state": "success"}, nil)
	for _, s := range []map[string]string{
		{"state": "pending", "context": "lander", "description": "queued"},
		{"state": "success", "context": "lint", "target_url": "http://example.com"},
		{"state": "failure", "context": "lander"},
	} {
		w.ok(201, "wim", "POST", path, s, nil)
	}
	var v struct {
		State, SHA string
		Total      int `json:"total_count"`
		Statuses   []struct{ State, Context string }
	}
	for _, ref := range []string{sha, "main"} {
		w.ok(200, "rita", "GET", repoPath("/commits/%s/status", ref), nil, &v)
		if v.State != "failure" || v.SHA != sha || v.Total != 2 || v.Statuses[0].State != "failure" {
			t.Errorf("combined status of %s: %+v", ref, v)
		}
	}
	var all []struct{ State string }
	w.ok(200, "rita", "GET", repoPath("/commits/main/statuses"), nil, &all)
	if len(all) != 3 || all[0].State != "failure" {
		t.Errorf("statuses %v", all)
	}
}

func TestBranchesRefsAndActivity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sha := w.branch("team/feature", map[string]string{"f": "1\n"})
	w.must(w.hub.Protect(app, "main", Protection{Push: []string{"lander-bot"}}))
	var b struct {
		Name      string
		Protected bool
		Commit    struct{ SHA string }
	}
	w.ok(200, "rita", "GET", repoPath("/branches/team/feature"), nil, &b)
	if b.Name != "team/feature" || b.Protected || b.Commit.SHA != sha {
		t.Errorf("branch %+v", b)
	}
	w.ok(200, "rita", "GET", repoPath("/branches/main"), nil, &b)
	if !b.Protected {
		t.Error("main is not protected")
	}
	w.ok(404, "rita", "GET", repoPath("/branches/nothing"), nil, nil)
	var p struct {
		Restrictions struct{ Users []struct{ Login string } }
		Admins       struct{ Enabled bool } `json:"enforce_admins"`
	}
	w.ok(403, "wim", "GET", repoPath("/branches/main/protection"), nil, nil)
	w.ok(200, "ada", "GET", repoPath("/branches/main/protection"), nil, &p)
	if len(p.Restrictions.Users) != 1 || p.Restrictions.Users[0].Login != "lander-bot" || !p.Admins.Enabled {
		t.Errorf("protection %+v", p)
	}
	w.ok(404, "ada", "GET", repoPath("/branches/team/feature/protection"), nil, nil)
	var ref struct {
		Ref    string
		Object struct{ SHA string }
	}
	w.ok(200, "rita", "GET", repoPath("/git/ref/heads/team/feature"), nil, &ref)
	if ref.Ref != "refs/heads/team/feature" || ref.Object.SHA != sha {
		t.Errorf("ref %+v", ref)
	}
	w.ok(404, "rita", "GET", repoPath("/git/ref/heads/team"), nil, nil)
	var acts []struct {
		After string
		Kind  string `json:"activity_type"`
		Actor struct{ Login string }
	}
	w.ok(200, "rita", "GET", repoPath("/activity"), nil, &acts)
	if len(acts) != 2 || acts[0].After != sha || acts[0].Kind != "branch_creation" || acts[0].Actor.Login != "wim" {
		t.Errorf("activity %+v", acts)
	}
}

func TestRateLimitAndConditionalRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	left := func(r reply) int {
		t.Helper()
		n, err := strconv.Atoi(r.Header.Get("X-RateLimit-Remaining"))
		w.must(err)
		return n
	}
	first := w.ok(200, "wim", "GET", repoPath(""), nil, nil)
	second := w.ok(200, "wim", "GET", repoPath(""), nil, nil)
	if left(first) != 4999 || left(second) != 4998 || first.Header.Get("X-RateLimit-Limit") != "5000" {
		t.Errorf("remaining %d, then %d", left(first), left(second))
	}
	req, err := http.NewRequest("GET", w.url+"/api/v3"+repoPath(""), nil)
	w.must(err)
	req.Header.Set("Authorization", "Bearer token-of-wim")
	req.Header.Set("If-None-Match", first.Header.Get("ETag"))
	if r := w.do(req); r.StatusCode != 304 || len(r.text) != 0 || left(r) != 4998 {
		t.Errorf("status %d with %d bytes, %d left", r.StatusCode, len(r.text), left(r))
	}
	var v struct {
		Rate struct{ Limit, Remaining int }
	}
	w.ok(200, "wim", "GET", "/rate_limit", nil, &v)
	if v.Rate.Remaining != 4998 {
		t.Errorf("rate_limit says %+v", v)
	}
	for range 60 {
		w.ok(200, "", "GET", repoPath(""), nil, nil)
	}
	r := w.ok(403, "", "GET", repoPath(""), nil, nil)
	if left(r) != 0 || !strings.Contains(string(r.text), "API rate limit exceeded") {
		t.Errorf("remaining %d: %s", left(r), r.text)
	}
}

func TestErrorsHaveGitHubsForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.ok(404, "wim", "GET", "/repos/acme/nothing", nil, nil)
	if got, want := string(r.text), `{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}`; got != want {
		t.Errorf("body %s, want %s", got, want)
	}
	w.ok(404, "wim", "GET", "/nothing/at/all", nil, nil)
	w.ok(404, "wim", "GET", repoPath("/pulls/x"), nil, nil)
	if r := w.ok(401, "stranger", "GET", repoPath(""), nil, nil); !strings.Contains(string(r.text), "Bad credentials") {
		t.Errorf("body %s", r.text)
	}
	req, err := http.NewRequest("POST", w.url+repoPath("/pulls"), strings.NewReader("{"))
	w.must(err)
	req.Header.Set("Authorization", "token token-of-wim")
	if r := w.do(req); r.StatusCode != 400 || !strings.Contains(string(r.text), "Problems parsing JSON") {
		t.Errorf("status %d: %s", r.StatusCode, r.text)
	}
}
