package github_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lander/internal/forge"
	"lander/internal/forge/github"
	"lander/internal/queue"
)

func TestAFaultThatPassesAtOnceIsNotSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, _ := w.pull("door")
	w.must(w.hub.Fault("502 once on GET /repos/*/*/pulls/*"))
	w.look(w.client(), n)
}

func TestAFaultThatStaysIsTemporary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, _ := w.pull("door")
	c := w.client()
	w.must(w.hub.Fault("503 always on GET /repos/*/*/pulls/*"))
	w.sent()
	_, err := c.Look(t.Context(), repo, n)
	var down *forge.UnavailableError
	if !errors.As(err, &down) || down.Status != 503 || !forge.Temporary(err) || forge.Permanent(err) {
		t.Errorf("got %v", err)
	}
	if !strings.HasPrefix(err.Error(), "look at acme/app#1: read ") {
		t.Errorf("it does not say what was done: %v", err)
	}
	for _, path := range []string{"/pulls/1 ", "/pulls/1/reviews "} {
		if tries := w.sent(path); len(tries) > 2 {
			t.Errorf("tried %d times: %q", len(tries), tries)
		}
	}
	w.hub.Heal()
	w.look(c, n)
}

func TestAWriteIsNeverRepeatedBehindTheCallersBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, head := w.pull("door")
	w.must(w.hub.Fault("500 always on POST /repos/*/*/issues/*/comments"))
	w.sent()
	_, err := w.client().Tell(t.Context(), repo, living(n, head, 1), "")
	if !forge.Temporary(err) {
		t.Errorf("got %v", err)
	}
	if tries := w.sent("POST"); len(tries) != 1 {
		t.Errorf("it wrote %q", tries)
	}
}

func TestWhenTheForgeAsksToWait(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		header map[string]string
		body   string
		want   time.Duration
		second bool
	}{
		"the hour's requests are used up": {403, map[string]string{
			"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "RESET", "X-RateLimit-Limit": "5000",
		}, `{"message": "API rate limit exceeded"}`, 17 * time.Minute, false},
		"too fast": {
			403,
			map[string]string{"Retry-After": "30"},
			`{"message": "You have exceeded a secondary rate limit", "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`, 30 * time.Second, true,
		},
		"too fast, as long ago":         {403, map[string]string{"Retry-After": "30"}, `{"message": "x", "documentation_url": "https://docs.github.com/en/free-pro-team@latest/rest/overview/resources-in-the-rest-api#secondary-rate-limits"}`, 30 * time.Second, true},
		"too fast, with no time":        {429, nil, `{"message": "slow down"}`, time.Minute, true},
		"too fast, with a time":         {429, map[string]string{"Retry-After": "7"}, `{}`, 7 * time.Second, true},
		"a reset that is long past":     {403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000"}, `{}`, time.Second, false},
		"used up, by the newer status":  {429, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "RESET"}, `{}`, 17 * time.Minute, false},
		"too fast, by the header alone": {403, map[string]string{"Retry-After": "5"}, `{"message": "no"}`, 5 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests, reset := 0, time.Now().Add(17*time.Minute)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				for k, v := range c.header {
					w.Header().Set(k, strings.ReplaceAll(v, "RESET", strconv.FormatInt(reset.Unix(), 10)))
				}
				w.WriteHeader(c.status)
				if _, err := w.Write([]byte(c.body)); err != nil {
					t.Error(err)
				}
			}))
			defer srv.Close()
			client, err := github.New(github.Config{BaseURL: srv.URL, Token: "secret"})
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			_, err = client.Open(t.Context(), repo, "main", time.Time{})
			var limit *forge.RateLimitError
			if !errors.As(err, &limit) || !forge.Temporary(err) || forge.Permanent(err) {
				t.Fatalf("got %v", err)
			}
			if wait := limit.RetryAt.Sub(start); wait < c.want-3*time.Second || wait > c.want+3*time.Second || limit.Secondary != c.second {
				t.Errorf("wait %v, want %v; secondary %v", wait, c.want, limit.Secondary)
			}
			if requests != 1 {
				t.Errorf("it took %d requests", requests)
			}
		})
	}
}

func TestWhatTheForgeRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, head := w.pull("door")
	c, err := github.New(github.Config{BaseURL: w.url, Token: "wrong"})
	w.must(err)
	var denied *forge.DeniedError
	if _, err := c.Look(t.Context(), repo, n); !errors.As(err, &denied) || denied.Status != 401 || forge.Temporary(err) || forge.Permanent(err) {
		t.Errorf("a token that is no good: %v", err)
	}
	if strings.Contains(err2(c.Look(t.Context(), repo, n)).Error(), "wrong") {
		t.Error("the error tells the token")
	}
	_, err = w.hub.AddToken("rita", "reader")
	w.must(err)
	c, err = github.New(github.Config{BaseURL: w.url, Token: "reader"})
	w.must(err)
	// Who may read may comment, but sets no status.
	if _, err := c.Tell(t.Context(), repo, living(n, head, 1), ""); err != nil && !errors.As(err, &denied) {
		t.Errorf("a token with too few rights: %v", err)
	}
}

func err2(_ queue.Sight, err error) error { return err }

func TestATimeOutIsTemporary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, _ := w.pull("door")
	w.must(w.hub.Fault("time out always on api"))
	c, err := github.New(github.Config{BaseURL: w.url, Token: "secret", HTTP: &http.Client{Timeout: 300 * time.Millisecond}})
	w.must(err)
	if _, err := c.Look(t.Context(), repo, n); !forge.Temporary(err) || forge.Permanent(err) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Look(ctx, repo, n); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	w.hub.Heal()
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(nil)
	srv.Close()
	c, err := github.New(github.Config{BaseURL: srv.URL, Token: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Look(t.Context(), repo, 1); !forge.Temporary(err) || forge.Permanent(err) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

// TestUnknownIsNeverGood gives answers that are not what was asked for. None may pass for a look.
func TestUnknownIsNeverGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, _ := w.pull("door")
	w.review(n, "bob", "APPROVE", "")
	for path, bodies := range map[string][]string{
		"/pulls/1":           {``, `{`, `null`, `[]`, `{}`, `{"state": "open", "head": {"sha": "main"}}`, `<html>`},
		"/pulls/1/reviews":   {``, `null`, `{`, `{}`, `<html>`},
		"/issues/1/comments": {``, `null`, `{`, `{}`, `<html>`},
		"/user":              {``, `{`, `{}`, `null`},
		"/bob/permission":    {`{`, `[]`, `<html>`},
	} {
		for _, body := range bodies {
			w.spoiled(func(rw http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, path) {
					return false
				}
				rw.Header().Set("Content-Type", "application/json")
				if _, err := rw.Write([]byte(body)); err != nil {
					t.Error(err)
				}
				return true
			})
			if s, err := w.client().Look(t.Context(), repo, n); err == nil {
				t.Errorf("%s answers %q, and that passes for %+v", path, body, s)
			}
		}
	}
	// A permission that says nothing allows nothing.
	for _, body := range []string{``, `{}`, `null`, `{"permission": "owner"}`, `{"role_name": "read", "permission": "admin"}`, `{"permission": "admin", "user": {"id": 424242}}`} {
		w.spoiled(func(rw http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/bob/permission") {
				return false
			}
			if _, err := rw.Write([]byte(body)); err != nil {
				t.Error(err)
			}
			return true
		})
		if s, err := w.client().Look(t.Context(), repo, n); err == nil && s.Reviews[0].Role != queue.RoleNone {
			t.Errorf("%q allows bob to %s", body, s.Reviews[0].Role)
		}
	}
}

func TestRolesOfTheForge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, _ := w.pull("door")
	w.review(n, "bob", "APPROVE", "")
	for body, want := range map[string]queue.Role{
		`{"role_name": "admin", "permission": "admin"}`:         queue.RoleAdmin,
		`{"role_name": "maintain", "permission": "write"}`:      queue.RoleAdmin,
		`{"role_name": "write", "permission": "write"}`:         queue.RoleReview,
		`{"role_name": "triage", "permission": "read"}`:         queue.RoleTry,
		`{"role_name": "read", "permission": "read"}`:           queue.RoleNone,
		`{"role_name": "none", "permission": "none"}`:           queue.RoleNone,
		`{"role_name": "security-lead", "permission": "write"}`: queue.RoleReview,
		`{"role_name": "security-lead", "permission": "admin"}`: queue.RoleAdmin,
		`{"role_name": "security-lead", "permission": "read"}`:  queue.RoleNone,
		`{"permission": "write"}`:                               queue.RoleReview,
	} {
		w.spoiled(func(rw http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/bob/permission") {
				return false
			}
			if _, err := rw.Write([]byte(body)); err != nil {
				t.Error(err)
			}
			return true
		})
		if got := w.look(w.client(), n).Reviews[0].Role; got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

func TestTheTokenGoesToNoOtherHost(t *testing.T) {
	t.Parallel()
	var got []string
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
	}))
	defer thief.Close()
	w := newWorld(t)
	w.spoiled(func(rw http.ResponseWriter, r *http.Request) bool {
		http.Redirect(rw, r, thief.URL+r.URL.Path, http.StatusTemporaryRedirect)
		return true
	})
	if _, err := w.client().Look(t.Context(), repo, 1); err == nil || slices.Contains(got, "Bearer secret") || len(got) > 0 {
		t.Errorf("it went on to ask %q: %v", got, err)
	}
	for _, base := range []string{"http://github.example.com", "ftp://127.0.0.1", "https://me:pw@github.example.com", "github.example.com", "https://", "https://x?y", ":"} {
		if _, err := github.New(github.Config{BaseURL: base, Token: "secret"}); err == nil || strings.Contains(err.Error(), "pw@") {
			t.Errorf("%s: %v", base, err)
		}
	}
	for _, base := range []string{"", "https://github.com", "https://api.github.com/", "https://ghe.example.com/", "https://ghe.example.com/api/v3", "http://localhost:9", "http://[::1]:9"} {
		if _, err := github.New(github.Config{BaseURL: base, Token: "secret"}); err != nil {
			t.Errorf("%s: %v", base, err)
		}
	}
	if _, err := github.New(github.Config{}); err == nil {
		t.Error("nobody is nobody")
	}
	if _, err := github.New(github.Config{App: &github.App{ID: 1, Key: []byte("no key")}}); err == nil {
		t.Error("an App without a key cannot prove who it is")
	}
}

func TestARepositoryThatMovedIsFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, _ := w.pull("door")
	w.spoiled(func(rw http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/repos/old/name/") {
			return false
		}
		http.Redirect(rw, r, strings.Replace(r.URL.RequestURI(), "/repos/old/name/", "/repos/acme/app/", 1), http.StatusMovedPermanently)
		return true
	})
	if s, err := w.client().Look(t.Context(), "old/name", n); err != nil || s.Title != "Add door" {
		t.Errorf("%+v, %v", s, err)
	}
}
