package hub

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// browser is somebody who looks at pages and presses buttons.
type browser struct {
	*world
	client http.Client
}

func (w *world) browser(login string) *browser {
	w.Helper()
	jar, err := cookiejar.New(nil)
	w.must(err)
	b := &browser{world: w, client: http.Client{Jar: jar}}
	b.press(200, "/you", url.Values{"login": {login}, "back": {"/"}})
	return b
}

func (b *browser) read(want int, resp *http.Response, err error) string {
	b.Helper()
	b.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	b.must(err)
	if resp.StatusCode != want {
		b.Fatalf("%s %s: status %d, want %d: %s", resp.Request.Method, resp.Request.URL, resp.StatusCode, want, text)
	}
	return string(text)
}

func (b *browser) look(want int, path string) string {
	b.Helper()
	resp, err := b.client.Get(b.url + path)
	return b.read(want, resp, err)
}

// press sends a form and follows where it leads.
func (b *browser) press(want int, path string, form url.Values) string {
	b.Helper()
	resp, err := b.client.PostForm(b.url+path, form)
	return b.read(want, resp, err)
}

func (b *browser) sees(page string, wants ...string) {
	b.Helper()
	for _, want := range wants {
		if !strings.Contains(page, want) {
			b.Errorf("the page does not show %q", want)
		}
	}
}

func TestAPersonPlaysAllRolesInTheBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.hub.Protect(app, "main", Protection{Push: []string{"lander-bot"}, Bypass: []string{"ada"}}))
	n := w.pull("feature", map[string]string{"f.txt": "1\n"})
	at := "/acme/app/pull/1"
	mia, wim, ada, rita := w.browser("mia"), w.browser("wim"), w.browser("ada"), w.browser("rita")

	mia.sees(mia.look(200, "/"), "lander playground", "not GitHub", "acme/app", "only lander-bot pushes to it")
	mia.sees(mia.look(200, "/acme/app"), "Pull feature", `class="badge open"`)
	page := mia.look(200, at)
	mia.sees(page, "Pull feature", "✓ Approve", "only lander-bot pushes to it")
	if strings.Contains(wim.look(200, at), "✓ Approve") {
		t.Error("the author is offered to approve")
	}
	head := w.get(n).HeadSHA
	mia.sees(mia.press(200, at, url.Values{"do": {"approve"}, "head": {head}}), "You approved this head")
	wim.sees(wim.press(422, at, url.Values{"do": {"approve"}}), "Can not approve your own pull request")
	rita.sees(rita.press(200, at, url.Values{"do": {"approve"}}), "does not count: no write access")
	rita.press(403, at, url.Values{"do": {"close"}})

	wim.sees(wim.look(200, "/acme/app/edit?branch=feature&back="+at), "Push another commit", "f.txt", "1\n</textarea>")
	wim.sees(wim.press(200, "/acme/app/edit", url.Values{"branch": {"feature"}, "path": {"f.txt"}, "text": {"2\r\n3"}, "back": {at}}), "the head has moved since")
	dir := w.clone("wim")
	w.mustGit(dir, "fetch", "--quiet", "origin", "feature")
	if got := w.mustGit(dir, "show", "FETCH_HEAD:f.txt"); got != "2\n3" {
		t.Errorf("f.txt holds %q", got)
	}
	mia.press(200, at, url.Values{"do": {"dismiss"}, "id": {itoa(w.get(n).Reviews[0].ID)}})
	mia.sees(mia.press(200, at, url.Values{"do": {"changes"}, "body": {"Not so."}}), "requested changes", "Not so.")
	wim.sees(wim.press(200, at, url.Values{"do": {"draft"}}), `class="badge draft"`)
	wim.sees(wim.press(200, at, url.Values{"do": {"ready"}}), `class="badge open"`)
	mia.sees(mia.press(200, at, url.Values{"do": {"label"}, "label": {"wip"}}), "added the label wip")
	mia.press(200, at, url.Values{"do": {"unlabel"}, "label": {"wip"}})
	wim.sees(wim.press(200, at, url.Values{"do": {"close"}, "body": {"Enough."}}), "Enough.", `class="badge closed"`)
	wim.sees(wim.press(200, at, url.Values{"do": {"reopen"}}), `class="badge open"`)
	wim.sees(wim.look(200, at+"/commits"), "Edit f.txt")
	wim.sees(wim.look(200, at+"/files"), "f.txt", `class="diff"`)

	past := url.Values{"branch": {"main"}, "path": {"README.md"}, "text": {"past\n"}, "message": {"Past lander"}}
	mia.sees(mia.press(403, "/acme/app/edit", past), "protected branch", "not authorized to push")
	ada.sees(ada.press(200, "/acme/app/edit", past), "Commits of", "Past lander")
	tip, err := w.hub.Tip(app, "main")
	w.must(err)
	ada.sees(ada.look(200, "/acme/app/commit/"+tip), "Past lander", "README.md")

	w.must(w.hub.Protect(app, "main", Protection{Push: []string{"lander-bot"}}))
	w.must2(w.hub.Push(app, Push{By: "lander-bot", Branch: "feature", From: "main", Force: true, Commits: []Commit{{Files: map[string]string{"f.txt": "2\n"}, Message: "Rebased"}}}))
	w.must2(w.hub.Push(app, Push{By: "lander-bot", Branch: "main", SHA: w.get(n).HeadSHA}))
	mia.sees(mia.look(200, at), `class="badge merged"`, "force-pushed", "lander-bot moved")
	mia.sees(mia.look(200, "/acme/app?state=closed"), `class="badge merged"`)
	mia.look(404, "/acme/app?state=odd")
	mia.sees(mia.look(200, at+".patch"), "Subject: [PATCH] Rebased")
}

func TestNothingThatPeopleWriteRunsInAPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	evil := `<img src=x onerror=alert(1)><script>alert(2)</script>`
	w.branch("evil", map[string]string{"a<script>alert(3)</script>.txt": evil + "\n"})
	n, err := w.hub.OpenPull(app, NewPull{Author: "wim", Title: evil, Body: evil, Head: "evil"})
	w.must(err)
	w.must2(w.hub.Comment(app, n, "rita", evil+"\n\n[x](javascript:alert(4)) <a href=\"&#106;avascript:alert(5)\">y</a>\n\n<!-- hidden words -->\n\n<details><summary>Open me</summary>\n\nInside.\n\n</details>\n\n</div></main>"))
	w.must2(w.hub.Review(app, n, "mia", EventComment, "<svg onload=alert(6)>", ""))
	w.must(w.hub.AddLabel(app, n, "mia", "<b>bold"))
	b := w.browser("rita")
	for _, path := range []string{"/acme/app", "/acme/app/pull/1", "/acme/app/pull/1/files", "/acme/app/pull/1/commits"} {
		page := b.look(200, path)
		for _, bad := range []string{"<script>alert", "<img src=x", "<img src=\"x\" onerror", "javascript:", "onload", "hidden words", "<b>bold"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s shows %q", path, bad)
			}
		}
		if strings.Count(page, "</main>") != 1 {
			t.Errorf("%s: a comment closed the page", path)
		}
	}
	b.sees(b.look(200, "/acme/app/pull/1"), "<summary>Open me</summary>", "Inside.")
	resp, err := http.Get(w.url + "/acme/app/pull/1")
	w.must(err)
	resp.Body.Close()
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
}

func TestFormsComeOnlyFromThePagesThemselves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pull("feature", map[string]string{"f": "1\n"})
	for _, path := range []string{"/acme/app/pull/1", "/you", "/_hub/faults", "/acme/app/behind"} {
		req, err := http.NewRequest("POST", w.url+path, strings.NewReader("do=approve&login=ada"))
		w.must(err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		req.Header.Set("Origin", "https://evil.example")
		if r := w.do(req); r.StatusCode != 403 {
			t.Errorf("%s from another site: status %d", path, r.StatusCode)
		}
	}
	b := w.browser("mia")
	for _, back := range []string{"//evil.example", "https://evil.example", `/\evil.example`} {
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		resp, err := b.client.PostForm(w.url+"/you", url.Values{"login": {"mia"}, "back": {back}})
		w.must(err)
		resp.Body.Close()
		if to := resp.Header.Get("Location"); to != "/" {
			t.Errorf("back %q leads to %q", back, to)
		}
	}
}

func TestBehindTheScenes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.listen("issue_comment")
	n := w.pull("feature", map[string]string{"f": "1\n"})
	b := w.browser("mia")
	at := "/acme/app/behind"
	b.sees(b.press(200, at, url.Values{"do": {"fault"}, "lines": {"lose the next webhook"}}), "lose the next webhook (1 left)")
	b.sees(b.press(422, at, url.Values{"do": {"fault"}, "lines": {"explode"}}), "not understood", "explode</textarea>")
	w.must2(w.hub.Comment(app, n, "mia", "Lost."))
	w.delivered()
	e.take()
	all, err := w.hub.Deliveries(app)
	w.must(err)
	b.sees(b.look(200, at), "issue_comment.created", "lost")
	b.press(200, at, url.Values{"do": {"again"}, "id": {itoa(all[len(all)-1].ID)}})
	if got := e.names(); len(got) != 1 || got[0] != "issue_comment.created" {
		t.Errorf("heard %q", got)
	}
	w.must(w.hub.Fault("500 always"))
	b.press(200, at, url.Values{"do": {"heal"}})
	if left := w.hub.Faults(); len(left) != 0 {
		t.Errorf("faults left: %q", left)
	}
}

func TestOddAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("mia")
	w.pull("feature", map[string]string{"f": "1\n"})
	for _, path := range []string{
		"/acme/nothing", "/nobody", "/acme/app/pull/99", "/acme/app/pull/x", "/acme/app/commits/none", "/acme/app/commit/" + strings.Repeat("1", 40),
		"/acme/app/commit/main", "/acme/app/edit?branch=none", "/a/b/c/d/e/f", "/_hub/asset/../page.go", "/_hub/nothing",
	} {
		b.look(404, path)
	}
	for _, path := range []string{"/_hub/asset/style.css", "/_hub/asset/renew.js", "/_hub/avatar/mia", "/_hub/version", "/healthz", "/acme"} {
		b.look(200, path)
	}
	first, err := w.hub.Tip(app, "main")
	w.must(err)
	b.sees(b.look(200, "/acme/app/commit/"+first), "First commit", "README.md")
	b.press(422, "/acme/app/edit", url.Values{"branch": {"feature"}, "path": {"../x"}, "text": {"x"}})
	b.press(422, "/acme/app/edit", url.Values{"branch": {"feature"}, "path": {"a/.git/config"}, "text": {"x"}})
	b.press(422, "/acme/app/pull/1", url.Values{"do": {"dance"}})
}

func TestAPrivateRepositoryHasNoPagesForStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.hub.AddRepo("acme/secret", Seed{Private: true, Files: map[string]string{"a": "a\n"}}))
	b := w.browser("rita")
	for _, path := range []string{"/acme/secret", "/acme/secret/commits/main", "/acme/secret/edit?branch=main", "/acme/secret/behind"} {
		b.look(404, path)
	}
	if strings.Contains(b.look(200, "/"), "secret") {
		t.Error("the list shows it")
	}
}
