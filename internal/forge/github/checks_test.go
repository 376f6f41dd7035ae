package github_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lander/internal/hub"
	"lander/internal/queue"
)

// told lists checks in words, in a fixed order.
func told(runs []queue.CheckRun) string {
	var all []string
	for _, r := range runs {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s/%s %s", r.App, r.Name, r.Conclusion)))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func TestChecksOfACommitAreReadWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	sha, err := w.hub.Tip(repo, "main")
	w.must(err)
	_, err = w.hub.Push(repo, hub.Push{By: "ada", Branch: "other", From: "main", Commits: []hub.Commit{{Message: "x", Files: map[string]string{"x": "x"}}}})
	w.must(err)
	other, err := w.hub.Tip(repo, "other")
	w.must(err)
	for _, x := range []struct {
		app string
		c   hub.Check
	}{
		{"github-actions", hub.Check{Name: "ci", SHA: sha, Conclusion: "failure"}},
		{"github-actions", hub.Check{Name: "ci", SHA: sha, Status: "in_progress", DetailsURL: "https://ci.example.com/2"}},
		{"impostor", hub.Check{Name: "ci", SHA: sha, Conclusion: "success"}},
		{"github-actions", hub.Check{Name: "ci", SHA: other, Conclusion: "success"}},
	} {
		_, err := w.hub.SetCheck(repo, x.app, x.c)
		w.must(err)
	}
	w.must(w.hub.SetRole(repo, "impostor[bot]", hub.RoleWrite))
	w.must(w.hub.SetStatus(repo, sha, "impostor[bot]", hub.Status{State: "pending", Context: "jenkins"}))
	w.must(w.hub.SetStatus(repo, sha, "bob", hub.Status{State: "success", Context: "jenkins"}))

	runs, err := c.CheckRuns(context.Background(), repo, queue.SHA(sha))
	w.must(err)
	const want = "@bob/jenkins success, github-actions/ci, github-actions/ci failure, impostor/ci success, impostor/jenkins"
	if told(runs) != want {
		t.Errorf("got %s\nwant %s", told(runs), want)
	}
	for _, r := range runs {
		if r.Commit != queue.SHA(sha) || r.ID == 0 || r.Began.IsZero() || r.Ended.IsZero() != (r.Conclusion == "") {
			t.Errorf("%+v", r)
		}
	}
	w.sent()
	for range 3 { // what has not changed costs nothing
		_, err = c.CheckRuns(context.Background(), repo, queue.SHA(sha))
		w.must(err)
	}
	if paid := w.sent("commits/", " 200"); len(paid) > 0 {
		t.Errorf("requests were answered in full: %q", paid)
	}
}

// A matrix fills more than one page, and the one that counts may be on any of them.
func TestChecksOnManyPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sha, err := w.hub.Tip(repo, "main")
	w.must(err)
	for i := range 230 {
		_, err := w.hub.SetCheck(repo, "github-actions", hub.Check{Name: fmt.Sprint("ci ", i), SHA: sha, Conclusion: "success"})
		w.must(err)
		w.must(w.hub.SetStatus(repo, sha, "bob", hub.Status{State: "pending", Context: fmt.Sprint("status ", i)}))
	}
	runs, err := w.client().CheckRuns(context.Background(), repo, queue.SHA(sha))
	w.must(err)
	seen := map[string]bool{}
	for _, r := range runs {
		seen[r.Name] = true
	}
	if len(seen) != 460 {
		t.Errorf("saw %d", len(seen))
	}
}

func TestACheckIsRunAgainWhereThatIsToBeHad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sha, err := w.hub.Tip(repo, "main")
	w.must(err)
	c := w.client()
	ctx := context.Background()
	job, err := w.hub.SetCheck(repo, "github-actions", hub.Check{Name: "ci", SHA: sha, Conclusion: "failure"})
	w.must(err)
	theirs, err := w.hub.SetCheck(repo, "circle", hub.Check{Name: "ci", SHA: sha, Conclusion: "failure"})
	w.must(err)
	w.must(c.RunAgain(ctx, repo, queue.CheckRef{ID: job, App: "github-actions"}))
	runs, err := w.hub.Checks(repo, sha)
	w.must(err)
	if len(runs) != 3 || runs[2].Status != "queued" || runs[2].Name != "ci" {
		t.Errorf("there are %+v", runs)
	}
	for name, r := range map[string]queue.CheckRef{
		"another app's": {ID: theirs, App: "circle"},
		"a status":      {ID: 1, App: "@bob", Status: true},
		"gone":          {ID: 99999, App: "github-actions"},
	} {
		if err := c.RunAgain(ctx, repo, r); !errors.Is(err, queue.ErrNoRerun) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.must(w.hub.Fault("503 always on POST /repos/*/*/actions/jobs/*/rerun"))
	if err := c.RunAgain(ctx, repo, queue.CheckRef{ID: job, App: "github-actions"}); err == nil || errors.Is(err, queue.ErrNoRerun) {
		t.Errorf("a forge that is down: %v", err)
	}
}
