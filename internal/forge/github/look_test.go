package github_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lander/internal/forge"
	"lander/internal/forge/github"
	"lander/internal/hub"
	"lander/internal/queue"
)

func TestALookSeesThePullRequestWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, head := w.pull("door")
	w.must(w.hub.AddLabel(repo, int(n), "bob", "wip"))
	approval := w.review(n, "bob", hub.EventApprove, "Fine.\n\n@lander p=3")
	w.review(n, "rita", hub.EventApprove, "")
	w.review(n, "mia", hub.EventChanges, "Please rename it")
	said := w.say(n, "ada", "@lander land "+string(head[:8])+"\n> @lander withdraw\n\n@lander ladn")
	w.say(n, "tess", "@lander retry")
	w.say(n, "rita", "nothing for lander")

	before := time.Now().Add(-2 * time.Second)
	s := w.look(w.client(), n)
	if s.Number != n || s.Head != head || !s.Open || s.Merged || s.Draft || s.Fork || s.Base != "main" || s.Branch != "door" ||
		s.Title != "Add door" || s.Body != "What it does" || s.Author.Login != "carol" || !slices.Equal(s.Labels, []string{"wip"}) ||
		s.URL != fmt.Sprintf("%s/acme/app/pull/%d", w.url, n) {
		t.Errorf("it looks like %+v", s)
	}
	if s.At.Before(before) || s.At.After(time.Now()) || s.PushedAt.IsZero() || s.PushedAt.After(s.At) {
		t.Errorf("seen at %v, pushed at %v", s.At, s.PushedAt)
	}
	var reviews []string
	for _, r := range s.Reviews {
		reviews = append(reviews, fmt.Sprintf("%s %s as %s of %v", r.Who.Login, r.State, r.Role, r.Head == head))
	}
	want := []string{"bob approved as review of true", "rita approved as none of true", "mia changes requested as admin of true"}
	if !slices.Equal(reviews, want) {
		t.Errorf("reviews: %q", reviews)
	}
	if s.Reviews[0].ID != fmt.Sprintf("r%d", approval) {
		t.Errorf("the review's id is %s", s.Reviews[0].ID)
	}
	var asks []string
	for _, a := range s.Asks {
		asks = append(asks, fmt.Sprintf("%s %s %s%s as %s on %d%s", a.ID, a.Who.Login, a.Verb, a.SHA, a.Role, a.Comment, a.Problem))
	}
	slices.Sort(asks)
	wantAsks := []string{
		fmt.Sprintf(`c%d.0 ada land%s as admin on %d`, said, head[:8], said),
		fmt.Sprintf(`c%d.1 ada  as admin on %d"ladn" is not a command. The nearest is "@lander land"; "@lander help" lists them all.`, said, said),
		fmt.Sprintf(`c%d.0 tess retry as try on %d`, said+1, said+1),
		fmt.Sprintf(`r%d.0 bob p as review on 0`, approval),
	}
	slices.Sort(wantAsks)
	if !slices.Equal(asks, wantAsks) {
		t.Errorf("asks:\n%s\nwant:\n%s", strings.Join(asks, "\n"), strings.Join(wantAsks, "\n"))
	}
}

func TestALookSeesWhatBecameOfThePullRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	n, head := w.pull("door")
	w.must(w.hub.SetDraft(repo, int(n), "carol", true))
	if s := w.look(c, n); !s.Draft {
		t.Error("it is a draft")
	}
	moved, err := w.hub.Push(repo, hub.Push{By: "carol", Branch: "door", Commits: []hub.Commit{{Files: map[string]string{"more": "x"}, Message: "More"}}})
	w.must(err)
	if s := w.look(c, n); string(s.Head) != moved || s.Head == head {
		t.Errorf("the head is %s", s.Head)
	}
	w.must(w.hub.ClosePull(repo, int(n), "carol"))
	if s := w.look(c, n); s.Open || s.Merged {
		t.Errorf("closed, and seen as open %v, merged %v", s.Open, s.Merged)
	}
	w.must(w.hub.ReopenPull(repo, int(n), "carol"))
	_, err = w.hub.Push(repo, hub.Push{By: "ada", Branch: "main", SHA: moved})
	w.must(err)
	if s := w.look(c, n); s.Open || !s.Merged {
		t.Errorf("merged, and seen as open %v, merged %v", s.Open, s.Merged)
	}
}

func TestALookAtAFork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fork, err := w.hub.Fork(repo, "rita")
	w.must(err)
	_, err = w.hub.Push(fork, hub.Push{By: "rita", Branch: "idea", From: "main", Commits: []hub.Commit{{Files: map[string]string{"idea": "x"}, Message: "Idea"}}})
	w.must(err)
	n, err := w.hub.OpenPull(repo, hub.NewPull{Author: "rita", Title: "Idea", Head: "rita:idea"})
	w.must(err)
	c := w.client()
	if s := w.look(c, queue.Number(n)); !s.Fork || s.Branch != "idea" || s.Base != "main" || s.HeadRepo != "rita/app" || !s.Editable {
		t.Errorf("it looks like %+v", s)
	}
	// Its author keeps its branch to herself.
	w.must(w.hub.EditPull(repo, n, "rita", hub.Edit{MayEdit: new(bool)}))
	if s := w.look(c, queue.Number(n)); s.Editable || s.HeadRepo != "rita/app" {
		t.Errorf("it looks like %+v", s)
	}
	// A branch of the repository itself is lander's to push to, though GitHub calls none of them modifiable by maintainers.
	own, _ := w.pull("door")
	if s := w.look(c, own); s.Fork || !s.Editable || s.HeadRepo != repo {
		t.Errorf("it looks like %+v", s)
	}
}

func TestAHeadWhoseRepositoryIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, _ := w.pull("door")
	w.spoiled(func(rw http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/pulls/1") {
			return false
		}
		rw.Header().Set("Content-Type", "application/json")
		_, err := fmt.Fprintf(rw, `{"number": 1, "state": "open", "maintainer_can_modify": true, "head": {"ref": "idea", "sha": "%040d", "repo": null}, "base": {"ref": "main", "repo": {"id": 1}}}`, 1)
		w.must(err)
		return true
	})
	if s := w.look(w.client(), n); !s.Fork || s.Editable || s.HeadRepo != "" || s.Branch != "idea" {
		t.Errorf("it looks like %+v", s)
	}
}

func TestAnEditedCommentIsNotCarriedOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, _ := w.pull("door")
	w.wait(-time.Minute)
	id := w.say(n, "rita", "I like it")
	w.wait(time.Second)
	w.must(w.hub.EditComment(repo, id, "ada", "@lander land\n@lander pause now"))
	s := w.look(w.client(), n)
	if len(s.Asks) != 2 {
		t.Fatalf("%d asks", len(s.Asks))
	}
	for i, a := range s.Asks {
		if a.Verb != "" || !strings.Contains(a.Problem, "edited") || a.ID != fmt.Sprintf("c%d.%d", id, i) || a.Comment != id {
			t.Errorf("ask %d: %+v", i, a)
		}
	}
}

func TestAnOldReviewCommandsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, head := w.pull("door")
	w.wait(-2 * time.Hour)
	w.review(n, "bob", hub.EventApprove, "@lander p=9")
	s := w.look(w.client(), n)
	if len(s.Asks) != 1 || s.Asks[0].Verb != "" || s.Asks[0].Priority != nil || !strings.Contains(s.Asks[0].Problem, "too old") {
		t.Errorf("asks: %+v", s.Asks)
	}
	if len(s.Reviews) != 1 || s.Reviews[0].Head != head || s.Reviews[0].State != queue.ReviewApproved {
		t.Errorf("the approval itself stands: %+v", s.Reviews)
	}
}

func TestLanderAndBotsCommandNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.hub.AddUser(hub.User{Login: "dependabot[bot]", Type: "Bot"})
	w.must(err)
	w.must(w.hub.SetRole(repo, "dependabot[bot]", hub.RoleAdmin))
	n, _ := w.pull("door")
	w.say(n, "lander-bot", "@lander land")
	w.say(n, "dependabot[bot]", "@lander land")
	w.review(n, "lander-bot", hub.EventApprove, "@lander land")
	w.review(n, "dependabot[bot]", hub.EventApprove, "@lander land")
	s := w.look(w.client(), n)
	if len(s.Asks) != 0 {
		t.Errorf("asks: %+v", s.Asks)
	}
	for _, r := range s.Reviews {
		if !r.Who.Bot || r.Role != queue.RoleNone {
			t.Errorf("this review must weigh nothing: %+v", r)
		}
	}
}

func TestALookReadsEveryPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, _ := w.pull("door")
	c := w.client()
	for i := range 100 {
		w.say(n, "bob", fmt.Sprintf("@lander p=%d", i))
	}
	if s := w.look(c, n); len(s.Asks) != 100 {
		t.Fatalf("%d asks", len(s.Asks))
	}
	// The first page stays as it was, and the kept answer knows no second one.
	w.say(n, "bob", "@lander hold")
	if s := w.look(c, n); len(s.Asks) != 101 {
		t.Fatalf("%d asks", len(s.Asks))
	}
	for range 120 {
		w.review(n, "mia", hub.EventComment, "hm")
	}
	if s := w.look(c, n); len(s.Reviews) != 120 || len(s.Asks) != 101 {
		t.Fatalf("%d reviews, %d asks", len(s.Reviews), len(s.Asks))
	}
}

func TestLookingAgainCostsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, _ := w.pull("door")
	w.review(n, "bob", hub.EventApprove, "")
	c := w.client()
	first := w.look(c, n)
	w.sent()
	left, _ := c.Budget()
	for range 10 {
		again := w.look(c, n)
		if again.At.Before(first.At) {
			t.Errorf("seen at %v, after %v", again.At, first.At)
		}
		again.At = first.At
		if fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", first) {
			t.Errorf("got %+v, want %+v", again, first)
		}
	}
	// Whether it can be merged a forge works out a while after a pull request was opened, and says it anew then, once.
	var paid []string
	for _, line := range w.sent() {
		if !strings.HasSuffix(line, " 304") {
			paid = append(paid, line)
		}
	}
	if len(paid) > 1 || len(paid) == 1 && !strings.HasSuffix(paid[0], "/pulls/1 200") {
		t.Errorf("this was paid for: %q", paid)
	}
	if now, reset := c.Budget(); now != left-len(paid) || reset.IsZero() {
		t.Errorf("the budget was %d and is %d until %v", left, now, reset)
	}
}

func TestPermissionsAreBelievedForAMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, _ := w.pull("door")
	w.review(n, "bob", hub.EventApprove, "")
	c := w.client()
	role := func() queue.Role { return w.look(c, n).Reviews[0].Role }
	if role() != queue.RoleReview {
		t.Fatal("bob may review")
	}
	w.must(w.hub.SetRole(repo, "bob", hub.RoleNone))
	w.advance(4 * time.Second)
	if role() != queue.RoleReview {
		t.Error("within five seconds nobody asks")
	}
	w.advance(2 * time.Second)
	if got := role(); got != queue.RoleNone {
		t.Errorf("after it bob may %s", got)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	for name, look := range map[string]func() error{
		"number": func() error { _, err := c.Look(t.Context(), repo, 99); return err },
		"repo":   func() error { _, err := c.Look(t.Context(), "acme/none", 1); return err },
		"list":   func() error { _, err := c.Open(t.Context(), "acme/none", "main", time.Time{}); return err },
	} {
		if err := look(); !errors.Is(err, forge.ErrNotFound) || !forge.Permanent(err) || forge.Temporary(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, repo := range []string{"", "acme", "acme/", "/app", "acme/app/x", "acme/..", "acme/a?b", "acme/a%2fb"} {
		if _, err := c.Look(t.Context(), repo, 1); err == nil || errors.Is(err, forge.ErrNotFound) {
			t.Errorf("%q: %v", repo, err)
		}
	}
}

func TestTheListOfWhatChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	list := func(since time.Time) (numbers []queue.Number, newest time.Time) {
		t.Helper()
		all, err := c.Open(t.Context(), repo, "main", since)
		w.must(err)
		for _, g := range all {
			numbers = append(numbers, g.Number)
			if g.Updated.After(newest) {
				newest = g.Updated
			}
			if len(g.Head) != 40 {
				t.Errorf("glimpse %+v", g)
			}
		}
		slices.Sort(numbers)
		return numbers, newest
	}
	one, _ := w.pull("one")
	two, _ := w.pull("two")
	_, err := w.hub.Push(repo, hub.Push{By: "carol", Branch: "release", From: "main"})
	w.must(err)
	_, err = w.hub.OpenPull(repo, hub.NewPull{Author: "carol", Title: "elsewhere", Head: "one", Base: "release"})
	w.must(err)
	w.must(w.hub.ClosePull(repo, int(two), "carol"))
	got, newest := list(time.Time{})
	if !slices.Equal(got, []queue.Number{one}) {
		t.Errorf("open onto main: %v", got)
	}
	if got, _ := list(newest.Add(-time.Hour)); !slices.Equal(got, []queue.Number{one, two}) {
		t.Errorf("of the last hour: %v", got)
	}
	if got, _ := list(newest.Add(time.Hour)); len(got) != 0 {
		t.Errorf("of the next hour: %v", got)
	}
}

func TestWhoLanderIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	me, ok := w.hub.User("lander-bot")
	self, err := w.client().Self(t.Context())
	if err != nil || !ok || self != (queue.Person{ID: me.ID, Login: "lander-bot"}) {
		t.Errorf("%+v, %v", self, err)
	}
	user, password, err := w.client().GitAuth(t.Context(), repo)
	if err != nil || user != "x-access-token" || password != "secret" {
		t.Errorf("%s:%s, %v", user, password, err)
	}
	c := w.app()
	me, ok = w.hub.User("lander[bot]")
	self, err = c.Self(t.Context())
	if err != nil || !ok || self != (queue.Person{ID: me.ID, Login: "lander[bot]", Bot: true}) {
		t.Errorf("%+v, %v", self, err)
	}
}

func TestTheListHasPages(t *testing.T) {
	t.Parallel()
	// 230 pull requests, the newest change first; while the second page is read, one moves to the front.
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		page, err := strconv.Atoi(r.URL.Query().Get("page"))
		if err != nil {
			t.Error(err)
		}
		first := (page - 1) * 100
		if page > 1 {
			first--
		}
		var items []string
		for i := first; i < min(first+100, 230); i++ {
			items = append(items, fmt.Sprintf(`{"number": %d, "state": "open", "updated_at": %q, "head": {"sha": "%040d"}}`,
				1000-i, time.Unix(1_000_000-int64(i), 0).UTC().Format(time.RFC3339), i))
		}
		if _, err := fmt.Fprintf(w, "[%s]", strings.Join(items, ",")); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	c, err := github.New(github.Config{BaseURL: srv.URL, Token: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.Open(t.Context(), repo, "main", time.Time{})
	if err != nil || len(all) != 230 || len(asked) != 3 {
		t.Fatalf("%d of 230 in %d pages, %v", len(all), len(asked), err)
	}
	for i, g := range all {
		if g.Number != queue.Number(1000-i) || !g.Open {
			t.Fatalf("number %d is %+v", i, g)
		}
	}
	asked = nil
	some, err := c.Open(t.Context(), repo, "main", time.Unix(1_000_000-50, 0))
	if err != nil || len(some) != 51 || len(asked) != 1 || !strings.Contains(asked[0], "state=all") || !strings.Contains(asked[0], "base=main") {
		t.Errorf("%d in %q, %v", len(some), asked, err)
	}
}

func BenchmarkLook(b *testing.B) {
	w := newWorld(b)
	n, _ := w.pull("door")
	w.review(n, "bob", hub.EventApprove, "")
	w.say(n, "mia", "@lander land")
	c := w.client()
	for b.Loop() {
		w.look(c, n)
	}
}
