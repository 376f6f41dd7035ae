package hub

import (
	"slices"
	"strings"
	"testing"
)

func TestALifeOfAPullRequestInEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.listen()
	if got := e.names(); !slices.Equal(got, []string{"ping"}) {
		t.Fatalf("a new hook hears %q", got)
	}
	n := w.pull("feature", map[string]string{"f": "1\n"})
	expect := func(want ...string) {
		t.Helper()
		if got := e.names(); !slices.Equal(got, want) {
			t.Errorf("heard %q, want %q", got, want)
		}
	}
	expect("push", "pull_request.opened")
	w.must(w.hub.SetDraft(app, n, "wim", true))
	w.must(w.hub.SetDraft(app, n, "wim", false))
	expect("pull_request.converted_to_draft", "pull_request.ready_for_review")
	w.must(w.hub.AddLabel(app, n, "mia", "wip"))
	w.must(w.hub.RemoveLabel(app, n, "mia", "wip"))
	expect("pull_request.labeled", "pull_request.unlabeled")
	id, err := w.hub.Approve(app, n, "mia")
	w.must(err)
	w.must(w.hub.Dismiss(app, n, id, "ada", "Too soon."))
	expect("pull_request_review.submitted", "pull_request_review.dismissed")
	c, err := w.hub.Comment(app, n, "rita", "Nice.")
	w.must(err)
	w.must(w.hub.EditComment(app, c, "rita", "Very nice."))
	w.must(w.hub.DeleteComment(app, c, "rita"))
	expect("issue_comment.created", "issue_comment.edited", "issue_comment.deleted")
	title := "Better"
	w.must(w.hub.EditPull(app, n, "wim", Edit{Title: &title}))
	w.must(w.hub.ClosePull(app, n, "wim"))
	w.must(w.hub.ReopenPull(app, n, "wim"))
	expect("pull_request.edited", "pull_request.closed", "pull_request.reopened")
	w.must2(w.hub.Push(app, Push{By: "wim", Branch: "feature", Commits: []Commit{{Files: map[string]string{"f": "2\n"}, Message: "More"}}}))
	expect("push", "pull_request.synchronize")
	w.must2(w.hub.Push(app, Push{By: "wim", Branch: "feature", Delete: true}))
	expect("push", "pull_request.closed")
}

func TestEventsCarryWhatGitHubsCarry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.listen("pull_request", "push", "pull_request_review")
	n := w.pull("feature", map[string]string{"f": "1\n"})
	before := w.get(n).HeadSHA
	w.must2(w.hub.Review(app, n, "mia", EventChanges, "Please do not.", ""))
	after, err := w.hub.Push(app, Push{By: "carl", Branch: "feature"})
	if err == nil {
		t.Fatalf("a reader pushed: %s", after)
	}
	after, err = w.hub.Push(app, Push{By: "mia", Branch: "feature", From: "main", Force: true, Commits: []Commit{{Files: map[string]string{"g": "2\n"}, Message: "Anew"}}})
	w.must(err)
	w.delivered()
	all := e.take()
	at := func(name, action string) map[string]any {
		t.Helper()
		for _, v := range slices.Backward(all) {
			if v.name == name && v.action == action {
				return v.body
			}
		}
		t.Fatalf("no %s.%s was heard", name, action)
		return nil
	}
	dig := func(v any, path string) any {
		for p := range strings.SplitSeq(path, ".") {
			m, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("no %s", path)
			}
			v = m[p]
		}
		return v
	}
	for _, c := range []struct {
		name, action, path string
		want               any
	}{
		{"pull_request", "opened", "number", 1.0},
		{"pull_request", "opened", "pull_request.head.sha", before},
		{"pull_request", "opened", "pull_request.head.repo.fork", false},
		{"pull_request", "opened", "pull_request.base.ref", "main"},
		{"pull_request", "opened", "pull_request.user.login", "wim"},
		{"pull_request", "opened", "pull_request.author_association", "COLLABORATOR"},
		{"pull_request", "opened", "pull_request.commits", 1.0},
		{"pull_request", "opened", "repository.full_name", app},
		{"pull_request", "synchronize", "before", before},
		{"pull_request", "synchronize", "after", after},
		{"pull_request", "synchronize", "pull_request.head.sha", after},
		{"pull_request", "synchronize", "sender.login", "mia"},
		{"pull_request_review", "submitted", "review.state", "changes_requested"},
		{"pull_request_review", "submitted", "review.commit_id", before},
		{"pull_request_review", "submitted", "review.user.login", "mia"},
		{"push", "", "ref", "refs/heads/feature"},
		{"push", "", "before", before},
		{"push", "", "after", after},
		{"push", "", "forced", true},
		{"push", "", "head_commit.message", "Anew"},
		{"push", "", "head_commit.author.username", "mia"},
		{"push", "", "pusher.name", "mia"},
	} {
		if got := dig(at(c.name, c.action), c.path); got != c.want {
			t.Errorf("%s %s: %s is %v, want %v", c.name, c.action, c.path, got, c.want)
		}
	}
	if _, ok := dig(at("push", ""), "repository.pushed_at").(float64); !ok {
		t.Error("repository.pushed_at of a push is no number")
	}
	if added := dig(at("push", ""), "head_commit.added").([]any); len(added) != 1 || added[0] != "g" {
		t.Errorf("head_commit.added is %v", added)
	}
	for _, v := range all {
		for _, name := range []string{"X-Github-Delivery", "X-Github-Hook-Id", "X-Github-Event"} {
			if v.header.Get(name) == "" {
				t.Errorf("%s without header %s", v.name, name)
			}
		}
	}
}

func TestAHeadThatReachesTheBaseIsMerged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.listen("pull_request")
	w.must(w.hub.Protect(app, "main", Protection{Push: []string{"lander-bot"}}))
	one, two := w.pull("one", map[string]string{"1": "1\n"}), w.pull("two", map[string]string{"2": "2\n"})
	e.names()
	dir := w.clone("lander-bot")

	// As lander does it: the head as it is.
	w.mustGit(dir, "push", "--quiet", "origin", w.get(one).HeadSHA+":main")
	p := w.get(one)
	if p.Open || !p.Merged || p.MergedBy != "lander-bot" || p.MergeSHA != p.HeadSHA || p.MergedAt.IsZero() {
		t.Errorf("pull request %+v", p)
	}
	if got := e.names(); !slices.Equal(got, []string{"pull_request.closed"}) {
		t.Errorf("heard %q", got)
	}

	// And rebased: the head's branch and trunk move in one push.
	w.mustGit(dir, "fetch", "--quiet", "origin", "main", "two")
	w.mustGit(dir, "checkout", "--quiet", "-B", "work", "origin/two")
	w.mustGit(dir, "rebase", "--quiet", "origin/main")
	sha := w.mustGit(dir, "rev-parse", "HEAD")
	w.mustGit(dir, "push", "--quiet", "--atomic", "--force", "origin", "HEAD:two", "HEAD:main")
	if p := w.get(two); !p.Merged || p.HeadSHA != sha {
		t.Errorf("pull request %+v, want it merged as %s", p, sha)
	}
	if got := e.names(); !slices.Equal(got, []string{"pull_request.synchronize", "pull_request.closed"}) {
		t.Errorf("heard %q", got)
	}
	var v map[string]any
	w.ok(200, "wim", "GET", repoPath("/pulls/2"), nil, &v)
	if v["merged"] != true || v["state"] != "closed" || v["merge_commit_sha"] != sha || v["merged_at"] == nil {
		t.Errorf("REST says %v", v)
	}
	w.ok(204, "wim", "GET", repoPath("/pulls/2/merge"), nil, nil)
	w.ok(422, "wim", "PATCH", repoPath("/pulls/2"), map[string]string{"state": "open"}, nil)
}

func TestAHeadWithNothingLeftIsClosedNotMerged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.pull("feature", map[string]string{"f": "1\n"})
	tip, err := w.hub.Tip(app, "main")
	w.must(err)
	w.must2(w.hub.Push(app, Push{By: "wim", Branch: "feature", SHA: tip, Force: true}))
	if p := w.get(n); p.Open || p.Merged {
		t.Errorf("open %v, merged %v", p.Open, p.Merged)
	}
}

func TestOpeningIsRefusedAsByGitHub(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pull("feature", map[string]string{"f": "1\n"})
	w.must2(w.hub.Push(app, Push{By: "wim", Branch: "empty", From: "main"}))
	for _, c := range []struct {
		in   map[string]any
		want string
	}{
		{map[string]any{"title": "x", "head": "feature", "base": "main"}, "A pull request already exists for acme:feature."},
		{map[string]any{"title": "x", "head": "empty", "base": "main"}, "No commits between main and empty"},
		{map[string]any{"title": "x", "head": "nothing", "base": "main"}, `"field":"head","code":"invalid"`},
		{map[string]any{"title": "x", "head": "empty", "base": "nothing"}, `"field":"base","code":"invalid"`},
		{map[string]any{"head": "empty", "base": "main"}, `"field":"title","code":"missing_field"`},
		{map[string]any{"title": "x", "head": "zed:empty", "base": "main"}, `"field":"head","code":"invalid"`},
	} {
		r := w.ok(422, "wim", "POST", repoPath("/pulls"), c.in, nil)
		if !strings.Contains(string(r.text), c.want) || !strings.Contains(string(r.text), "Validation Failed") {
			t.Errorf("%v: %s, want %s", c.in, r.text, c.want)
		}
	}
	w.ok(401, "", "POST", repoPath("/pulls"), map[string]any{"title": "x", "head": "empty", "base": "main"}, nil)
}

func TestReviewsAreWhatTheirAuthorsMayGive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.pull("feature", map[string]string{"f": "1\n"})
	head := w.get(n).HeadSHA
	path := repoPath("/pulls/%d/reviews", n)
	r := w.ok(422, "wim", "POST", path, map[string]any{"event": "APPROVE"}, nil)
	if !strings.Contains(string(r.text), "Can not approve your own pull request") {
		t.Errorf("own approval: %s", r.text)
	}
	w.ok(422, "mia", "POST", path, map[string]any{"event": "REQUEST_CHANGES"}, nil)
	w.ok(422, "mia", "POST", path, map[string]any{"event": "LGTM"}, nil)
	w.ok(422, "mia", "POST", path, map[string]any{"event": "APPROVE", "commit_id": strings.Repeat("1", 40)}, nil)
	w.ok(401, "", "POST", path, map[string]any{"event": "APPROVE"}, nil)

	var v struct {
		ID    int64
		State string
		SHA   string `json:"commit_id"`
	}
	w.ok(200, "rita", "POST", path, map[string]any{"event": "APPROVE"}, &v) // it counts for nothing, but it is there
	w.ok(200, "mia", "POST", path, map[string]any{"event": "APPROVE", "body": "Good."}, &v)
	if v.State != "APPROVED" || v.SHA != head {
		t.Errorf("review %+v, want APPROVED at %s", v, head)
	}
	w.must2(w.hub.Push(app, Push{By: "wim", Branch: "feature", Commits: []Commit{{Files: map[string]string{"f": "2\n"}, Message: "More"}}}))
	w.ok(200, "mia", "GET", path+"/"+itoa(v.ID), nil, &v)
	if v.SHA != head {
		t.Errorf("the review followed the head to %s", v.SHA)
	}
	w.ok(403, "rita", "PUT", path+"/"+itoa(v.ID)+"/dismissals", map[string]any{"message": "no"}, nil)
	w.ok(422, "ada", "PUT", path+"/"+itoa(v.ID)+"/dismissals", map[string]any{}, nil)
	w.ok(200, "ada", "PUT", path+"/"+itoa(v.ID)+"/dismissals", map[string]any{"message": "Head moved."}, &v)
	if v.State != "DISMISSED" {
		t.Errorf("state %s", v.State)
	}
	w.ok(422, "ada", "PUT", path+"/"+itoa(v.ID)+"/dismissals", map[string]any{"message": "again"}, nil)
	var all []struct {
		User  struct{ Login string }
		State string
	}
	w.ok(200, "", "GET", path, nil, &all)
	if len(all) != 2 || all[0].User.Login != "rita" || all[0].State != "APPROVED" || all[1].State != "DISMISSED" {
		t.Errorf("reviews %+v", all)
	}
}

func TestMergeButton(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, method := range []string{"merge", "squash", "rebase"} {
		n := w.pull("by-"+method, map[string]string{method: "x\n"})
		path := repoPath("/pulls/%d/merge", n)
		w.ok(409, "mia", "PUT", path, map[string]any{"sha": strings.Repeat("1", 40)}, nil)
		w.ok(403, "rita", "PUT", path, map[string]any{}, nil)
		var v struct {
			SHA    string
			Merged bool
		}
		w.ok(200, "mia", "PUT", path, map[string]any{"merge_method": method, "sha": w.get(n).HeadSHA}, &v)
		tip, err := w.hub.Tip(app, "main")
		w.must(err)
		if p := w.get(n); !v.Merged || !p.Merged || p.MergeSHA != v.SHA || v.SHA != tip {
			t.Errorf("%s: %+v, tip %s, pull request merged as %s", method, v, tip, p.MergeSHA)
		}
		w.ok(405, "mia", "PUT", path, map[string]any{}, nil)
	}
}

func TestMergeButtonAgainstProtection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.pull("feature", map[string]string{"README.md": "mine\n"})
	w.must2(w.hub.Push(app, Push{By: "wim", Branch: "main", Commits: []Commit{{Files: map[string]string{"README.md": "theirs\n"}, Message: "Theirs"}}}))
	r := w.ok(405, "mia", "PUT", repoPath("/pulls/%d/merge", n), map[string]any{}, nil)
	if !strings.Contains(string(r.text), "not mergeable") {
		t.Errorf("conflict: %s", r.text)
	}
	w.must(w.hub.Protect(app, "main", Protection{Push: []string{"lander-bot"}}))
	r = w.ok(405, "mia", "PUT", repoPath("/pulls/%d/merge", n), map[string]any{}, nil)
	if !strings.Contains(string(r.text), "not authorized to push") {
		t.Errorf("protected: %s", r.text)
	}
	var v struct {
		Mergeable *bool
		State     string `json:"mergeable_state"`
	}
	w.eventually("somebody finds out whether it can be merged", func() bool {
		w.ok(200, "mia", "GET", repoPath("/pulls/%d", n), nil, &v)
		return v.Mergeable != nil
	})
	if *v.Mergeable || v.State != "dirty" {
		t.Errorf("mergeable %v, state %s", *v.Mergeable, v.State)
	}
}
