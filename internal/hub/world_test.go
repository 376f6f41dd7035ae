package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// world is a hub with people, one repository, and somebody who listens to its webhooks.
type world struct {
	*testing.T
	hub  *Hub
	dir  string
	url  string
	ears *ears
}

const (
	app    = "acme/app"
	secret = "hush"
)

// newWorld makes acme/app with a first commit. ada administers it, mia maintains it, carl contributes from a fork or
// with triage rights, rita only reads, and lander-bot alone may push to main.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir()}
	w.open()
	for _, login := range []string{"ada", "mia", "wim", "carl", "rita", "lander-bot"} {
		w.must2(w.hub.AddUser(User{Login: login}))
		w.must2(w.hub.AddToken(login, "token-of-"+login))
	}
	w.must(w.hub.AddRepo(app, Seed{Files: map[string]string{"README.md": "# app\n", "src/a.txt": "one\ntwo\nthree\n"}}))
	for login, role := range map[string]Role{"ada": RoleAdmin, "mia": RoleMaintain, "wim": RoleWrite, "lander-bot": RoleWrite} {
		w.must(w.hub.SetRole(app, login, role))
	}
	return w
}

// open opens the hub's directory (again) and serves it.
func (w *world) open() {
	w.Helper()
	h, err := Open(w.dir, Options{Log: zerolog.New(zerolog.NewTestWriter(w.T)).Level(zerolog.InfoLevel)})
	if err != nil {
		w.Fatal(err)
	}
	srv := httptest.NewServer(h.Handler())
	h.SetURL(srv.URL)
	w.hub, w.url = h, srv.URL
	w.Cleanup(func() {
		w.must(h.Close())
		srv.Close()
	})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) must2(_ any, err error) { w.Helper(); w.must(err) }

// listen hangs a webhook on acme/app.
func (w *world) listen(events ...string) *ears {
	w.Helper()
	w.ears = &ears{world: w}
	srv := httptest.NewServer(w.ears)
	w.Cleanup(srv.Close)
	w.must2(w.hub.AddHook(app, srv.URL, secret, events...))
	w.delivered()
	return w.ears
}

func (w *world) delivered() {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 10*time.Second)
	defer cancel()
	w.must(w.hub.WaitDelivered(ctx))
}

// branch pushes one commit to a new branch of acme/app and gives the commit.
func (w *world) branch(name string, files map[string]string) string {
	w.Helper()
	sha, err := w.hub.Push(app, Push{By: "wim", Branch: name, From: "main", Commits: []Commit{{Files: files, Message: "Change " + name}}})
	w.must(err)
	return sha
}

// pull opens a pull request of one commit and gives its number.
func (w *world) pull(branch string, files map[string]string) int {
	w.Helper()
	w.branch(branch, files)
	n, err := w.hub.OpenPull(app, NewPull{Author: "wim", Title: "Pull " + branch, Head: branch})
	w.must(err)
	return n
}

func (w *world) get(n int) Pull {
	w.Helper()
	p, err := w.hub.Pull(app, n)
	w.must(err)
	return p
}

// eventually looks again and again until what is so.
func (w *world) eventually(what string, so func() bool) {
	w.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-deadline:
			w.Fatalf("it never came to pass that %s", what)
		case <-tick.C:
		}
	}
}

// reply is the answer to a REST call.
type reply struct {
	*http.Response
	text []byte
}

// api makes a REST call as a login ("" is nobody) under /api/v3.
func (w *world) api(login, method, path string, body any) reply {
	w.Helper()
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		w.must(err)
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(w.Context(), method, w.url+"/api/v3"+path, in)
	w.must(err)
	if login != "" {
		req.Header.Set("Authorization", "Bearer token-of-"+login)
	}
	return w.do(req)
}

func (w *world) do(req *http.Request) reply {
	w.Helper()
	resp, err := http.DefaultClient.Do(req)
	w.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	w.must(err)
	return reply{resp, text}
}

// ok calls and wants a status; it decodes the answer into v unless that is nil.
func (w *world) ok(want int, login, method, path string, body, v any) reply {
	w.Helper()
	r := w.api(login, method, path, body)
	if r.StatusCode != want {
		w.Fatalf("%s %s as %q: status %d, want %d: %s", method, path, login, r.StatusCode, want, r.text)
	}
	if v != nil {
		w.must(json.Unmarshal(r.text, v))
	}
	return r
}

// git runs git in dir as a person with a network connection would; it gives what was printed.
func (w *world) git(dir string, args ...string) (string, error) {
	w.Helper()
	return gitAs(w.Context(), w.dir, dir, args...)
}

// gitAs ends git and all that it started when ctx ends.
func gitAs(ctx context.Context, home, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Wim", "GIT_AUTHOR_EMAIL=wim@example.com", "GIT_COMMITTER_NAME=Wim", "GIT_COMMITTER_EMAIL=wim@example.com",
	}
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (w *world) mustGit(dir string, args ...string) string {
	w.Helper()
	out, err := w.git(dir, args...)
	if err != nil {
		w.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// remote is a repository's address with a login's token.
func (w *world) remote(login, repo string) string {
	return strings.Replace(w.url, "http://", "http://x-access-token:token-of-"+login+"@", 1) + "/" + repo + ".git"
}

// clone clones acme/app over HTTP.
func (w *world) clone(login string) string {
	w.Helper()
	dir := filepath.Join(w.TempDir(), "clone")
	w.mustGit(w.dir, "clone", "--quiet", w.remote(login, app), dir)
	return dir
}

// commit commits a file in a clone and gives the commit.
func (w *world) commit(dir, path, text string) string {
	w.Helper()
	w.must(os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644))
	w.mustGit(dir, "add", "-A")
	w.mustGit(dir, "commit", "--quiet", "-m", "Change "+path)
	return w.mustGit(dir, "rev-parse", "HEAD")
}

// log reads a repository's post-receive.log.
func (w *world) log() []string {
	w.Helper()
	dir, err := w.hub.GitDir(app)
	w.must(err)
	text, err := os.ReadFile(filepath.Join(dir, "post-receive.log"))
	w.must(err)
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func repoPath(format string, args ...any) string {
	return "/repos/" + app + fmt.Sprintf(format, args...)
}
