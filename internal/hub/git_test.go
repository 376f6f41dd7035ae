package hub

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCloneFetchAndPushOverHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := w.clone("wim")
	if text, err := os.ReadFile(filepath.Join(dir, "README.md")); err != nil || string(text) != "# app\n" {
		t.Fatalf("README.md: %q, %v", text, err)
	}
	sha := w.commit(dir, "new.txt", "new\n")
	w.mustGit(dir, "push", "--quiet", "origin", "HEAD:feature")
	tip, err := w.hub.Tip(app, "feature")
	w.must(err)
	if tip != sha {
		t.Errorf("feature at %s, want %s", tip, sha)
	}
	last := strings.Fields(w.log()[len(w.log())-1])
	if len(last) != 5 || last[1] != "wim" || last[3] != sha || last[4] != "refs/heads/feature" {
		t.Errorf("log ends with %v", last)
	}
	other := w.clone("rita")
	w.mustGit(other, "fetch", "--quiet", "origin", sha)
	if got := w.mustGit(other, "rev-parse", "FETCH_HEAD"); got != sha {
		t.Errorf("fetched %s by its id, want %s", got, sha)
	}
}

func TestABigPushComesInChunks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := w.clone("wim")
	noise := make([]byte, 3<<20)
	state := uint32(1)
	for i := range noise { // nothing that compresses below the size from which git sends chunks
		state = state*1664525 + 1013904223
		noise[i] = byte(state >> 24)
	}
	sha := w.commit(dir, "big.bin", string(noise))
	w.mustGit(dir, "push", "--quiet", "origin", "HEAD:big")
	if tip, err := w.hub.Tip(app, "big"); err != nil || tip != sha {
		t.Errorf("big at %s (%v), want %s", tip, err, sha)
	}
}

func TestWhoMayNotPushIsToldAsByGitHub(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := w.clone("rita")
	w.commit(dir, "x", "x\n")
	out, err := w.git(dir, "push", "origin", "HEAD:mine")
	if err == nil || !strings.Contains(out, "Permission to acme/app.git denied to rita.") || !strings.Contains(out, "403") {
		t.Errorf("reader's push: %v\n%s", err, out)
	}
	out, err = w.git(dir, "push", w.url+"/acme/app.git", "HEAD:mine")
	if err == nil || !strings.Contains(out, "terminal prompts disabled") {
		t.Errorf("nobody's push: %v\n%s", err, out)
	}
	out, err = w.git(dir, "fetch", w.url+"/acme/nothing.git")
	if err == nil {
		t.Errorf("fetch of nothing succeeded: %s", out)
	}
	out, err = w.git(dir, "fetch", w.remote("rita", "acme/nothing"))
	if err == nil || !strings.Contains(out, "not found") {
		t.Errorf("fetch of nothing: %v\n%s", err, out)
	}
}

func TestProtectedTrunk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.hub.Protect(app, "main", Protection{Push: []string{"lander-bot"}, Bypass: []string{"ada"}}))
	first, err := w.hub.Tip(app, "main")
	w.must(err)
	dir := w.clone("wim")
	sha := w.commit(dir, "x", "x\n")

	out, err := w.git(dir, "push", "origin", "main", "HEAD:side")
	if err == nil || !strings.Contains(out, "! [remote rejected] main -> main (protected branch hook declined)") ||
		!strings.Contains(out, "GH006: Protected branch update failed for refs/heads/main.") {
		t.Errorf("push by a writer: %v\n%s", err, out)
	}
	if tip, err := w.hub.Tip(app, "side"); err != nil || tip != sha {
		t.Errorf("the branch beside it stands on %q (%v), want %s", tip, err, sha)
	}
	if tip, err := w.hub.Tip(app, "main"); err != nil || tip != first {
		t.Errorf("main moved to %s (%v)", tip, err)
	}

	w.mustGit(dir, "push", "--quiet", w.remote("lander-bot", app), "HEAD:main")
	out, err = w.git(dir, "push", "--force", w.remote("lander-bot", app), first+":main")
	if err == nil || !strings.Contains(out, "(protected branch hook declined)") || !strings.Contains(out, "Cannot force-push") {
		t.Errorf("rewind by the bot: %v\n%s", err, out)
	}
	out, err = w.git(dir, "push", w.remote("lander-bot", app), ":main")
	if err == nil {
		t.Errorf("deletion by the bot succeeded: %s", out)
	}
	w.mustGit(dir, "push", "--quiet", "--force", w.remote("ada", app), first+":main")
	if tip, err := w.hub.Tip(app, "main"); err != nil || tip != first {
		t.Errorf("after the admin's rewind main stands on %s (%v), want %s", tip, err, first)
	}
	if !strings.Contains(w.log()[len(w.log())-1], " ada "+sha+" "+first+" refs/heads/main") {
		t.Errorf("log ends with %q", w.log()[len(w.log())-1])
	}
}

func TestAtomicPushWithLeases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := w.clone("wim")
	old := w.mustGit(dir, "rev-parse", "HEAD")
	sha := w.commit(dir, "x", "x\n")
	out, err := w.git(dir, "push", "--atomic", "--force-with-lease=main:"+sha, "--force-with-lease=ledger:", "origin", "HEAD:main", "HEAD:ledger")
	if err == nil || !strings.Contains(out, "stale info") {
		t.Errorf("push with a stale lease: %v\n%s", err, out)
	}
	if _, err := w.hub.Tip(app, "ledger"); err == nil {
		t.Error("half of an atomic push happened")
	}
	w.mustGit(dir, "push", "--quiet", "--atomic", "--force-with-lease=main:"+old, "--force-with-lease=ledger:", "origin", "HEAD:main", "HEAD:ledger")
	if tip, err := w.hub.Tip(app, "ledger"); err != nil || tip != sha {
		t.Errorf("ledger at %s (%v), want %s", tip, err, sha)
	}
}

func TestPullRequestHeadsCannotBePushed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.pull("feature", map[string]string{"f": "f\n"})
	dir := w.clone("ada")
	out, err := w.git(dir, "push", "--force", "origin", "HEAD:refs/pull/1/head")
	if err == nil || !strings.Contains(out, "deny updating a hidden ref") {
		t.Errorf("push to refs/pull: %v\n%s", err, out)
	}
	w.mustGit(dir, "fetch", "--quiet", "origin", "refs/pull/1/head")
	if got := w.mustGit(dir, "rev-parse", "FETCH_HEAD"); got != w.get(n).HeadSHA {
		t.Errorf("refs/pull/1/head is %s, want %s", got, w.get(n).HeadSHA)
	}
}

func TestAForkIsOpenToTheMaintainersOfItsBase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	fork, err := w.hub.Fork(app, "carl")
	w.must(err)
	_, err = w.hub.Push(fork, Push{By: "carl", Branch: "idea", Commits: []Commit{{Files: map[string]string{"idea": "1\n"}, Message: "Idea"}}})
	w.must(err)
	n, err := w.hub.OpenPull(app, NewPull{Author: "carl", Title: "An idea", Head: "carl:idea"})
	w.must(err)
	if p := w.get(n); p.HeadRepo != "carl/app" || p.CommitCount != 1 {
		t.Errorf("pull request %+v", p)
	}
	dir := w.clone("wim")
	w.mustGit(dir, "fetch", "--quiet", "origin", "refs/pull/1/head")
	w.mustGit(dir, "checkout", "--quiet", "FETCH_HEAD")
	sha := w.commit(dir, "idea", "2\n")
	out, err := w.git(dir, "push", w.remote("wim", "carl/app"), "HEAD:main")
	if err == nil || !strings.Contains(out, "You may push only to") {
		t.Errorf("push beside the pull request: %v\n%s", err, out)
	}
	w.mustGit(dir, "push", "--quiet", w.remote("wim", "carl/app"), "HEAD:idea")
	if p := w.get(n); p.HeadSHA != sha || p.CommitCount != 2 {
		t.Errorf("head %s with %d commits, want %s with 2", p.HeadSHA, p.CommitCount, sha)
	}
	w.mustGit(dir, "fetch", "--quiet", "origin", "refs/pull/1/head")
	if got := w.mustGit(dir, "rev-parse", "FETCH_HEAD"); got != sha {
		t.Errorf("refs/pull/1/head is %s, want %s", got, sha)
	}
	out, err = w.git(dir, "push", w.remote("rita", "carl/app"), "HEAD:idea")
	if err == nil {
		t.Errorf("a reader pushed to the fork: %s", out)
	}
}

func TestARefusedPushAndALostReply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := w.clone("wim")
	sha := w.commit(dir, "x", "x\n")
	w.must(w.hub.Fault("refuse the push"))
	out, err := w.git(dir, "push", "origin", "HEAD:feature")
	if err == nil || !strings.Contains(out, "[remote rejected] HEAD -> feature (protected branch hook declined)") {
		t.Errorf("refused push: %v\n%s", err, out)
	}
	w.must(w.hub.Fault("lose the reply on push"))
	if out, err := w.git(dir, "push", "origin", "HEAD:feature"); err == nil {
		t.Errorf("push without a reply succeeded: %s", out)
	}
	if tip, err := w.hub.Tip(app, "feature"); err != nil || tip != sha {
		t.Errorf("feature at %q (%v), want %s: the push was applied before the reply was lost", tip, err, sha)
	}
	if left := w.hub.Faults(); len(left) != 0 {
		t.Errorf("faults left: %q", left)
	}
	w.must(w.hub.Fault("503 on git"))
	if out, err := w.git(dir, "fetch"); err == nil || !strings.Contains(out, "503") {
		t.Errorf("fetch: %v\n%s", err, out)
	}
}

func TestAPrivateRepositoryIsHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.hub.AddRepo("acme/secret", Seed{Private: true, Files: map[string]string{"a": "a\n"}}))
	w.ok(404, "rita", "GET", "/repos/acme/secret", nil, nil)
	w.ok(404, "", "GET", "/repos/acme/secret", nil, nil)
	if out, err := w.git(w.dir, "ls-remote", w.remote("rita", "acme/secret")); err == nil || !strings.Contains(out, "not found") {
		t.Errorf("ls-remote: %v\n%s", err, out)
	}
	w.must(w.hub.SetRole("acme/secret", "rita", RoleRead))
	w.ok(200, "rita", "GET", "/repos/acme/secret", nil, nil)
	w.mustGit(w.dir, "ls-remote", w.remote("rita", "acme/secret"))
}

func TestASeedFromALocalRepository(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := filepath.Join(t.TempDir(), "own")
	for _, format := range []string{"sha1", "sha256"} {
		src := dir + format
		w.mustGit(w.dir, "init", "--quiet", "--object-format="+format, "--initial-branch=trunk", src)
		first := w.commit(src, "a", "1\n")
		second := w.commit(src, "a", "2\n")
		w.must(w.hub.AddRepo("acme/"+format, Seed{Dir: src, Commit: "HEAD~1"}))
		if tip, err := w.hub.Tip("acme/"+format, "main"); err != nil || tip != first {
			t.Errorf("%s: main at %q (%v), want %s", format, tip, err, first)
		}
		w.must(w.hub.SetRole("acme/"+format, "wim", RoleWrite))
		w.must(w.hub.PushFrom("acme/"+format, src, "wim", map[string]string{"next": "trunk", "same": first}))
		if tip, err := w.hub.Tip("acme/"+format, "next"); err != nil || tip != second {
			t.Errorf("%s: next at %q (%v), want %s", format, tip, err, second)
		}
		w.must2(w.hub.Push("acme/"+format, Push{By: "wim", Branch: "more", From: first, Commits: []Commit{{Files: map[string]string{"b": "b\n"}, Message: "b"}}}))
		refs := w.mustGit(w.dir, "ls-remote", w.remote("rita", "acme/"+format))
		if strings.Contains(refs, "trunk") || strings.Count(refs, "\n") != 4 {
			t.Errorf("%s: the seed's own refs are visible:\n%s", format, refs)
		}
	}
}

func TestPushedCommitsAreWhatTheyWereAskedToBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sha, err := w.hub.Push(app, Push{By: "wim", Branch: "many", Commits: []Commit{
		{Message: "First\n\nWith words.", Author: "Zoë <zoe@example.com>", Files: map[string]string{"dir/run \"it\".sh": "echo\n", "gone": "x"}, Execs: []string{"dir/run \"it\".sh"}},
		{Message: "Second", Remove: []string{"gone"}, Links: map[string]string{"link": "README.md"}},
	}})
	w.must(err)
	dir := w.clone("wim")
	w.mustGit(dir, "fetch", "--quiet", "origin", "many")
	tree := w.mustGit(dir, "-c", "core.quotePath=false", "ls-tree", "-r", "--format=%(objectmode) %(path)", sha)
	want := []string{"100644 README.md", `100755 "dir/run \"it\".sh"`, "120000 link", "100644 src/a.txt"}
	if got := strings.Split(tree, "\n"); !slices.Equal(got, want) {
		t.Errorf("tree %q, want %q", got, want)
	}
	if got := w.mustGit(dir, "log", "-1", "--format=%an <%ae>|%cn|%B", sha+"~1"); !strings.HasPrefix(got, "Zoë <zoe@example.com>|Zoë|First\n\nWith words.") {
		t.Errorf("commit %q", got)
	}
}

func TestBasicAuthIsNotAskedForReading(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req, err := http.NewRequest("GET", w.url+"/acme/app.git/info/refs?service=git-receive-pack", nil)
	w.must(err)
	if r := w.do(req); r.StatusCode != 401 || !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("status %d, header %q", r.StatusCode, r.Header.Get("WWW-Authenticate"))
	}
	req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("x:wrong")))
	if r := w.do(req); r.StatusCode != 401 {
		t.Errorf("wrong token: status %d", r.StatusCode)
	}
	w.mustGit(w.dir, "ls-remote", w.url+"/acme/app.git")
}
