package github_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"lander/internal/forge"
	"lander/internal/forge/github"
	"lander/internal/hub"
	"lander/internal/queue"
)

const repo = "acme/app"

// world is a hub behind a wire that notes each request and can be told to misbehave.
type world struct {
	testing.TB
	hub *hub.Hub
	url string

	mu    sync.Mutex
	wire  []string                                          // "METHOD /path status", in order of their answers
	spoil func(w http.ResponseWriter, r *http.Request) bool // true: the hub does not see the request
	ahead time.Duration                                     // of the client's clock
	later time.Duration                                     // of the hub's, but for the date of its answers
}

// newWorld has acme/app with ada, who administers it, mia, who maintains, bob and carol, who write, tess, who triages, and rita, who
// reads. lander-bot writes.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t}
	h, err := hub.Open(t.TempDir(), hub.Options{Now: w.hubNow})
	w.must(err)
	srv := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(func() {
		srv.Close()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	w.hub, w.url = h, srv.URL
	h.SetURL(srv.URL)
	for _, login := range []string{"ada", "mia", "bob", "carol", "tess", "rita", "lander-bot"} {
		_, err := h.AddUser(hub.User{Login: login})
		w.must(err)
	}
	_, err = h.AddToken("lander-bot", "secret")
	w.must(err)
	w.must(h.AddRepo(repo, hub.Seed{Files: map[string]string{"README.md": "# app\n"}}))
	for login, role := range map[string]hub.Role{
		"ada": hub.RoleAdmin, "mia": hub.RoleMaintain, "bob": hub.RoleWrite, "carol": hub.RoleWrite, "tess": hub.RoleTriage,
		"rita": hub.RoleRead, "lander-bot": hub.RoleWrite,
	} {
		w.must(h.SetRole(repo, login, role))
	}
	return w
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	spoil, h := w.spoil, w.hub
	w.mu.Unlock()
	seen := &witness{ResponseWriter: rw, status: 200}
	if spoil == nil || !spoil(seen, r) {
		h.Handler().ServeHTTP(seen, r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wire = append(w.wire, fmt.Sprintf("%s %s %d", r.Method, strings.TrimPrefix(r.URL.Path, "/api/v3"), seen.status))
}

type witness struct {
	http.ResponseWriter
	status int
}

func (w *witness) WriteHeader(code int) {
	w.status = code
	w.ResponseWriter.WriteHeader(code)
}

func (w *world) spoiled(f func(http.ResponseWriter, *http.Request) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spoil = f
}

// sent gives the requests since the last call that have all the words.
func (w *world) sent(words ...string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []string
next:
	for _, line := range w.wire {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue next
			}
		}
		found = append(found, line)
	}
	w.wire = nil
	return found
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead)
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead += d
}

func (w *world) hubNow() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.later)
}

func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.later += d
}

func (w *world) site() forge.Site { return forge.Site{URL: "http://lander.example"} }

// client is lander-bot with a token.
func (w *world) client() *github.Client {
	w.Helper()
	c, err := github.New(github.Config{BaseURL: w.url, Token: "secret", Site: w.site(), Now: w.now})
	w.must(err)
	return c
}

var appKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// app is lander as an App that is installed on acme.
func (w *world) app(repos ...string) *github.Client {
	w.Helper()
	public, err := x509.MarshalPKIXPublicKey(&appKey().PublicKey)
	w.must(err)
	a, err := w.hub.AddApp(hub.App{Slug: "lander", Owner: "ada", PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))})
	w.must(err)
	_, err = w.hub.Install(a.ID, "acme", repos...)
	w.must(err)
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(appKey())})
	c, err := github.New(github.Config{BaseURL: w.url, App: &github.App{ID: a.ID, Key: private}, Site: w.site(), Now: w.now})
	w.must(err)
	return c
}

// pull opens a pull request by rita's colleague carol and gives its number and head.
func (w *world) pull(branch string) (queue.Number, queue.SHA) {
	w.Helper()
	sha, err := w.hub.Push(repo, hub.Push{By: "carol", Branch: branch, From: "main", Commits: []hub.Commit{{
		Files: map[string]string{branch + ".txt": "x\n"}, Message: "Add " + branch,
	}}})
	w.must(err)
	n, err := w.hub.OpenPull(repo, hub.NewPull{Author: "carol", Title: "Add " + branch, Head: branch, Body: "What it does"})
	w.must(err)
	return queue.Number(n), queue.SHA(sha)
}

func (w *world) say(n queue.Number, login, body string) int64 {
	w.Helper()
	id, err := w.hub.Comment(repo, int(n), login, body)
	w.must(err)
	return id
}

func (w *world) review(n queue.Number, login, event, body string) int64 {
	w.Helper()
	id, err := w.hub.Review(repo, int(n), login, event, body, "")
	w.must(err)
	return id
}

func (w *world) look(c *github.Client, n queue.Number) queue.Sight {
	w.Helper()
	s, err := c.Look(w.Context(), repo, n)
	w.must(err)
	return s
}

func (w *world) comments(n queue.Number) []hub.Comment {
	w.Helper()
	all, err := w.hub.Comments(repo, int(n))
	w.must(err)
	return all
}
