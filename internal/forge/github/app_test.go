package github_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"lander/internal/forge"
	"lander/internal/hub"
	"lander/internal/queue"
)

func TestAnAppDoesWhatATokenDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.app()
	n, head := w.pull("door")
	w.review(n, "bob", hub.EventApprove, "")
	if s := w.look(c, n); len(s.Reviews) != 1 || s.Reviews[0].Role != queue.RoleReview {
		t.Errorf("it sees %+v", s.Reviews)
	}
	remote := w.tell(c, living(n, head, 1), "")
	w.tell(c, living(n, head, 2), remote)
	all := w.comments(n)
	if len(all) != 1 || all[0].Author != "lander[bot]" || !strings.Contains(all[0].Body, "Second") {
		t.Errorf("it says %+v", all)
	}
	if s := w.look(c, n); len(s.Asks) != 0 {
		t.Errorf("its own words are commands: %+v", s.Asks)
	}
	if got := w.status(head); got != "pending: Second in the queue, behind #100" {
		t.Errorf("the status is %q", got)
	}
}

func TestAnAppsTokenIsForOneRepositoryAndIsRenewedEarly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.hub.AddRepo("acme/other", hub.Seed{Files: map[string]string{"README.md": "x"}}))
	c := w.app()
	var mu sync.Mutex
	var asked []string
	w.spoiled(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/access_tokens") {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			mu.Lock()
			asked = append(asked, strings.TrimSpace(string(body)))
			mu.Unlock()
		}
		return false
	})
	auth := func(repo string) string {
		t.Helper()
		user, password, err := c.GitAuth(t.Context(), repo)
		if err != nil || user != "x-access-token" {
			t.Fatalf("%s, %v", user, err)
		}
		return password
	}
	// Many who need one at once get one.
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { auth(repo) })
	}
	group.Wait()
	first, other := auth(repo), auth("acme/other")
	if first == other || auth("ACME/App") != first {
		t.Error("one token for each repository")
	}
	if len(asked) != 2 || asked[0] != `{"repositories":["app"]}` || asked[1] != `{"repositories":["other"]}` {
		t.Errorf("it asked for %q", asked)
	}
	w.advance(54 * time.Minute)
	w.wait(54 * time.Minute)
	if auth(repo) != first {
		t.Error("it is good for six more minutes")
	}
	w.advance(2 * time.Minute)
	w.wait(2 * time.Minute)
	if auth(repo) == first {
		t.Error("it is good for four more minutes only")
	}
}

func TestATokenThatWasTakenBackIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.app()
	n, _ := w.pull("door")
	w.look(c, n)
	_, before, err := c.GitAuth(t.Context(), repo)
	w.must(err)
	w.spoiled(func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "Bearer "+before {
			return false
		}
		http.Error(rw, `{"message": "Bad credentials"}`, http.StatusUnauthorized)
		return true
	})
	var denied *forge.DeniedError
	if _, err := c.Look(t.Context(), repo, n); !errors.As(err, &denied) {
		t.Fatalf("got %v", err)
	}
	w.look(c, n)
}

func TestAnAppThatIsNotInstalledThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.hub.AddRepo("elsewhere/app", hub.Seed{Files: map[string]string{"README.md": "x"}}))
	c := w.app()
	if _, err := c.Look(t.Context(), "elsewhere/app", 1); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, _, err := c.GitAuth(t.Context(), "elsewhere/app"); !errors.Is(err, forge.ErrNotFound) || !strings.Contains(err.Error(), "find installation") {
		t.Errorf("got %v", err)
	}
}

func TestABrokenTokenAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.app()
	for _, body := range []string{`{}`, `{"token": "x"}`, `{"token": "", "expires_at": "2030-01-01T00:00:00Z"}`, `{`} {
		w.spoiled(func(rw http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/access_tokens") {
				return false
			}
			rw.WriteHeader(http.StatusCreated)
			if _, err := rw.Write([]byte(body)); err != nil {
				t.Error(err)
			}
			return true
		})
		if _, password, err := c.GitAuth(t.Context(), repo); err == nil {
			t.Errorf("%s gives %q", body, password)
		}
	}
}
