package vcs

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"lander/internal/queue"
)

// A server that may be read and takes no pushes says so to whoever asks, and not in git's report on the branches.
func TestAServerThatTakesNoPush(t *testing.T) {
	t.Parallel()
	for status, denied := range map[int]bool{403: true, 500: false, 503: false, 429: false} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			w, req := landing(t)
			w.serve(nil)
			var open, traced, secret atomic.Bool
			w.front(func(out http.ResponseWriter, in *http.Request) bool {
				_, encoded, known := strings.Cut(in.Header.Get("Authorization"), " ")
				if open.Load() || !known || in.URL.Query().Get("service") != "git-receive-pack" {
					return false
				}
				files, err := os.ReadDir(w.repo.Dir)
				w.must(err)
				for _, f := range files {
					if strings.HasPrefix(f.Name(), "lander-trace-") {
						traced.Store(true)
						text, err := os.ReadFile(w.repo.Dir + "/" + f.Name())
						if err != nil || strings.Contains(string(text), encoded) || strings.Contains(string(text), token) {
							secret.Store(true)
						}
					}
				}
				http.Error(out, "This repository was archived so it is read-only.", status)
				return true
			})
			for name, push := range map[string]func() error{
				"land": func() error { return w.repo.Land(w.ctx, req) },
				"burn": func() error {
					return w.repo.Append(w.ctx, "main", req.Ledger, w.seal(req.Ledger, abortOf(req.Record)).SHA)
				},
			} {
				err := push()
				var no *queue.DeniedError
				if err == nil || errors.Is(err, queue.ErrMoved) || errors.As(err, &no) != denied {
					t.Errorf("%s: %v, denied should be %v", name, err, denied)
				}
				if denied && !strings.Contains(no.Output, "archived") {
					t.Errorf("%s: the server's own words are not in %q", name, no.Output)
				}
			}
			w.wantAt(req.Old, req.Ledger)
			if !traced.Load() || secret.Load() {
				t.Errorf("traced %v, and the credentials with it %v", traced.Load(), secret.Load())
			}
			open.Store(true)
			w.must(w.repo.Land(w.ctx, req))
		})
	}
}
