package hub

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// rebased is a pull request whose branch has been rebased in a clone of lander-bot's, and not pushed yet.
type rebased struct {
	number int
	dir    string // the clone
	head   string // repository of the branch
	branch string
	sha    string // the branch rebased on main
}

// rebase opens a pull request (by wim in acme/app, or by carl from his fork), lets main move on, and rebases.
func (w *world) rebase(branch string, fork bool) rebased {
	w.Helper()
	r := rebased{head: app, branch: branch}
	by, name := "wim", branch
	if fork {
		var err error
		r.head, err = w.hub.Fork(app, "carl")
		w.must(err)
		by, name = "carl", "carl:"+branch
	}
	_, err := w.hub.Push(r.head, Push{By: by, Branch: branch, From: "main", Commits: []Commit{{Files: map[string]string{branch: "1\n"}, Message: "Change"}}})
	w.must(err)
	r.number, err = w.hub.OpenPull(app, NewPull{Author: by, Title: "Change", Head: name})
	w.must(err)
	w.must2(w.hub.Push(app, Push{By: "wim", Branch: "main", Commits: []Commit{{Files: map[string]string{"other": branch}, Message: "Other"}}}))
	r.dir = w.clone("lander-bot")
	w.mustGit(r.dir, "fetch", "--quiet", "origin", "refs/pull/"+itoa(int64(r.number))+"/head")
	w.mustGit(r.dir, "checkout", "--quiet", "FETCH_HEAD")
	w.mustGit(r.dir, "rebase", "--quiet", "origin/main")
	r.sha = w.mustGit(r.dir, "rev-parse", "HEAD")
	return r
}

// pushHead pushes the rebased commits to the pull request's branch, as lander does.
func (w *world) pushHead(r rebased) {
	w.Helper()
	w.mustGit(r.dir, "push", "--quiet", "--force-with-lease="+r.branch+":"+w.get(r.number).HeadSHA, w.remote("lander-bot", r.head), "HEAD:refs/heads/"+r.branch)
}

func (w *world) pushTrunk(r rebased) {
	w.Helper()
	w.mustGit(r.dir, "push", "--quiet", w.remote("lander-bot", app), "HEAD:refs/heads/main")
}

func TestAHeadIsMergedOnlyIfItWasThereBeforeTrunk(t *testing.T) {
	t.Parallel()
	for _, fork := range []bool{false, true} {
		for _, c := range []struct {
			name   string
			fault  string
			land   func(*world, rebased)
			merged bool
		}{
			{"head, then trunk", "", func(w *world, r rebased) { w.pushHead(r); w.pushTrunk(r) }, true},
			{"trunk, then head", "", func(w *world, r rebased) { w.pushTrunk(r); w.pushHead(r) }, false},
			{"trunk alone", "", func(w *world, r rebased) { w.pushTrunk(r) }, false},
			{"head, which is registered, then trunk", "register heads late 50ms", func(w *world, r rebased) {
				w.pushHead(r)
				w.eventually("the head is registered", func() bool { return w.get(r.number).HeadSHA == r.sha })
				w.pushTrunk(r)
			}, true},
			{"head, then trunk before the head is registered", "register heads late 2s", func(w *world, r rebased) {
				w.pushHead(r)
				if tip, err := w.hub.Tip(r.head, r.branch); err != nil || tip != r.sha {
					t.Errorf("git has the branch on %s (%v), want %s", tip, err, r.sha)
				}
				w.pushTrunk(r)
				if p := w.get(r.number); p.HeadSHA == r.sha || !p.Open {
					t.Errorf("head %s, open %v: it should not be known yet", p.HeadSHA, p.Open)
				}
				w.eventually("the head is registered", func() bool { return w.get(r.number).HeadSHA == r.sha })
			}, false},
		} {
			t.Run(c.name+map[bool]string{true: ", from a fork"}[fork], func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				r := w.rebase("feature", fork)
				if c.fault != "" {
					w.must(w.hub.Fault(c.fault))
				}
				c.land(w, r)
				p := w.get(r.number)
				if p.Merged != c.merged {
					t.Errorf("merged %v, want %v: %+v", p.Merged, c.merged, p)
				}
				if wantOpen := c.name == "trunk alone"; p.Open != wantOpen {
					t.Errorf("open %v, want %v", p.Open, wantOpen)
				}
				if left := w.hub.Faults(); len(left) > 0 {
					t.Errorf("faults left: %q", left)
				}
			})
		}
	}
}

func TestALateHeadSurvivesTheHub(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.rebase("feature", false)
	w.must(w.hub.Fault("register heads late 1h always"))
	old := w.get(r.number).HeadSHA
	w.pushHead(r)
	if got := w.get(r.number).HeadSHA; got != old {
		t.Errorf("the head is %s already", got)
	}
	w.must(w.hub.Close())
	w.open()
	if got := w.get(r.number).HeadSHA; got != r.sha {
		t.Errorf("the head is %s after a restart, want %s", got, r.sha)
	}
}

func TestALateHeadIsWhereItsBranchIsByThen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.pull("feature", map[string]string{"f": "1\n"})
	e := w.listen("pull_request")
	e.names()
	w.must(w.hub.Fault("register heads late 2s"))
	push := func(text string) string {
		sha, err := w.hub.Push(app, Push{By: "wim", Branch: "feature", Commits: []Commit{{Files: map[string]string{"f": text}, Message: text}}})
		w.must(err)
		return sha
	}
	push("2\n")
	last := push("3\n") // not late: it overtakes
	if got := w.get(n).HeadSHA; got != last {
		t.Errorf("the head is %s, want %s", got, last)
	}
	w.eventually("nothing is late", func() (none bool) {
		w.hub.read(func() { none = len(w.hub.state.Repos[key(app)].Late) == 0 })
		return none
	})
	if p := w.get(n); p.HeadSHA != last || !p.Open {
		t.Errorf("the head is %s, open %v", p.HeadSHA, p.Open)
	}
	if got := strings.Join(e.names(), " "); got != "pull_request.synchronize" {
		t.Errorf("heard %q", got)
	}
}

func TestWhoMayPushToAForksBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fork, err := w.hub.Fork(app, "carl")
	w.must(err)
	for _, branch := range []string{"open", "shut"} {
		w.must2(w.hub.Push(fork, Push{By: "carl", Branch: branch, From: "main", Commits: []Commit{{Files: map[string]string{branch: "1\n"}, Message: "Idea"}}}))
	}
	var v struct {
		Number int
		May    bool `json:"maintainer_can_modify"`
	}
	w.ok(201, "carl", "POST", repoPath("/pulls"), map[string]any{"title": "Shut", "head": "carl:shut", "base": "main", "maintainer_can_modify": false}, &v)
	if v.May {
		t.Error("maintainers may modify what they were kept from")
	}
	dir := w.clone("wim")
	push := func(login, branch string) (string, error) {
		w.must2(w.hub.Tip(fork, branch))
		w.mustGit(dir, "fetch", "--quiet", w.remote(login, fork), branch)
		w.mustGit(dir, "checkout", "--quiet", "FETCH_HEAD")
		w.commit(dir, login, time.Now().String())
		return w.git(dir, "push", w.remote(login, fork), "HEAD:refs/heads/"+branch)
	}
	denied := func(what, out string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(out, "Permission to carl/app.git denied to wim.") || !strings.Contains(out, "403") {
			t.Errorf("%s: %v\n%s", what, err, out)
		}
	}
	out, err := push("wim", "shut")
	denied("the author keeps maintainers out", out, err)

	w.ok(201, "carl", "POST", repoPath("/pulls"), map[string]any{"title": "Open", "head": "carl:open", "base": "main"}, &v)
	if n := v.Number; !v.May {
		t.Errorf("#%d: maintainers may not modify, though nothing was said", n)
	}
	if out, err := push("wim", "open"); err != nil {
		t.Errorf("a maintainer's push: %v\n%s", err, out)
	}
	w.must(w.hub.ClosePull(app, v.Number, "carl"))
	out, err = push("wim", "open")
	denied("it is closed", out, err)
	w.must(w.hub.ReopenPull(app, v.Number, "carl"))
	if out, err := push("wim", "open"); err != nil {
		t.Errorf("it is open again: %v\n%s", err, out)
	}
	w.ok(200, "carl", "PATCH", repoPath("/pulls/%d", v.Number), map[string]any{"maintainer_can_modify": false}, nil)
	out, err = push("wim", "open")
	denied("the author has thought better of it", out, err)
	r := w.ok(422, "mia", "PATCH", repoPath("/pulls/%d", v.Number), map[string]any{"maintainer_can_modify": true}, nil)
	if !strings.Contains(string(r.text), "Fork collab can't be granted by someone without permission") {
		t.Errorf("a maintainer lets himself in: %s", r.text)
	}
	w.must2(w.hub.Push(fork, Push{By: "carl", Branch: "third", From: "main", Commits: []Commit{{Files: map[string]string{"3": "1\n"}, Message: "Third"}}}))
	w.ok(422, "mia", "POST", repoPath("/pulls"), map[string]any{"title": "Theirs", "head": "carl:third", "base": "main"}, nil)
	w.ok(201, "mia", "POST", repoPath("/pulls"), map[string]any{"title": "Theirs", "head": "carl:third", "base": "main", "maintainer_can_modify": false}, nil)

	carl := w.browser("carl")
	at := "/acme/app/pull/" + itoa(int64(v.Number))
	carl.sees(carl.look(200, at), "maintainers may not push to it", "Let maintainers push")
	carl.sees(carl.press(200, at, url.Values{"do": {"edits"}}), "maintainers may push to it", "Keep maintainers from pushing")
}
