package vcs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"lander/internal/queue"
)

func TestAtomic(t *testing.T) {
	t.Parallel()
	for _, over := range []string{"file", "http"} {
		t.Run(over, func(t *testing.T) {
			t.Parallel()
			w, req := landing(t)
			if over == "http" {
				w.serve(nil)
			}
			for _, offered := range []bool{true, false} {
				w.must(w.origin.Run(w.ctx, "config", "receive.advertiseAtomic", fmt.Sprint(offered)))
				can, err := w.repo.Atomic(w.ctx)
				w.must(err)
				if can != offered {
					t.Errorf("offered %v, heard %v", offered, can)
				}
			}
			// Without it a push of two must not slip through one by one.
			err := w.repo.Land(w.ctx, req)
			var denied *queue.DeniedError
			if err == nil || errors.Is(err, queue.ErrMoved) || errors.As(err, &denied) {
				t.Errorf("got %v", err)
			}
			w.wantAt(req.Old, req.Ledger)
			req.Single = true
			w.must(w.repo.Land(w.ctx, req))
		})
	}
}

func TestAtomicOfARemoteThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	w, _ := landing(t)
	w.serve(nil)
	w.must(w.origin.Run(w.ctx, "config", "http.receivepack", "false"))
	var denied *queue.DeniedError
	if can, err := w.repo.Atomic(w.ctx); !errors.As(err, &denied) || can {
		t.Fatalf("a remote that is read-only: got %v, %v", can, err)
	}
}

// probed are the findings as one word each; those that are not OK begin with "no ".
func probed(p Probed) string {
	var said []string
	for _, f := range p.Findings {
		name := f.Name
		if !f.OK {
			name = "no " + name
		}
		if f.Text == "" {
			name += " (silent)"
		}
		said = append(said, name)
	}
	return strings.Join(said, ", ")
}

func TestProbe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ config, hook, want, text string }{
		"bare git":           {"", "", "create, lease, atomic, fast-forward, no rewind, delete", "forbid it there"},
		"no rewinds":         {"receive.denyNonFastForwards", "", "create, lease, atomic, fast-forward, rewind, delete", "cannot take"},
		"no deletions":       {"receive.denyDeletes", "", "create, lease, atomic, fast-forward, no rewind, no delete", "delete by hand: refs/heads/lander-ledger/tmp-probe-"},
		"no atomic pushes":   {"receive.advertiseAtomic=false", "", "create, lease, no atomic, fast-forward, no rewind, delete", "does not offer"},
		"no ledger branches": {"", "case $1 in refs/heads/lander-ledger/*) echo not here >&2; exit 1;; esac\n", "no create", "not here"},
		"one branch of two":  {"", "case $1 in */two) exit 1;; esac\n", "create, lease, no atomic, fast-forward, no rewind, delete", "should pass"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, req := landing(t)
			w.serve(nil)
			if c.config != "" {
				key, value, ok := strings.Cut(c.config, "=")
				if !ok {
					value = "true"
				}
				w.must(w.origin.Run(w.ctx, "config", key, value))
			}
			if c.hook != "" {
				w.hook("update", c.hook)
			}
			p, err := w.repo.Probe(w.ctx, "main")
			w.must(err)
			if got := probed(p); got != c.want {
				t.Errorf("found %s\nwant  %s", got, c.want)
			}
			if !strings.Contains(fmt.Sprint(p), c.text) {
				t.Errorf("said %v", p)
			}
			if c.config != "receive.denyDeletes" {
				w.wantNoScratch()
			}
			w.wantAt(req.Old, req.Ledger)
		})
	}
}

func (w *world) wantNoScratch() {
	w.t.Helper()
	left, err := w.origin.Text(w.ctx, "for-each-ref", "--format=%(refname)", "refs/heads/lander-ledger")
	w.must(err)
	for ref := range strings.Lines(left) {
		if ref = strings.TrimSpace(ref); ref != "refs/heads/lander-ledger/main" {
			w.t.Errorf("left %s", ref)
		}
	}
}

// A server that takes one branch of two although it said that it would not is found out.
func TestProbeFindsAServerThatOnlySaysItIsAtomic(t *testing.T) {
	t.Parallel()
	w, _ := landing(t)
	// The hook of one moves it, whatever becomes of the rest of the push.
	w.hook("update", `case $1 in */below) git update-ref "${1%/below}" refs/heads/spare; exit 1;; esac
`)
	w.must(w.repo.push(w.ctx, update{ref: "refs/heads/spare", new: w.ids["other"]}))
	p, err := w.repo.Probe(w.ctx, "main")
	w.must(err)
	if got := probed(p); !strings.Contains(got, "no atomic") || !strings.Contains(fmt.Sprint(p), sayProbeNotAtomic) {
		t.Errorf("found %v", p)
	}
	w.wantNoScratch()
}

func TestProbeCleansUpBehindItself(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	w.serve(nil)
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	var mutex sync.Mutex
	pushes := 0
	w.front(func(out http.ResponseWriter, in *http.Request) bool {
		mutex.Lock()
		defer mutex.Unlock()
		if !strings.HasSuffix(in.URL.Path, "/git-receive-pack") {
			return false
		}
		if pushes++; pushes != 3 { // in the middle: a branch of the probe is there
			return false
		}
		cancel()
		http.Error(out, "too late", http.StatusBadGateway)
		return true
	})
	p, err := w.repo.Probe(ctx, "main")
	if !errors.Is(err, context.Canceled) || !strings.HasPrefix(probed(p), "create") {
		t.Fatalf("got %v, %v", p, err)
	}
	w.wantNoScratch()
	w.wantAt(req.Old, req.Ledger)
	if _, err := w.repo.Probe(w.ctx, "nowhere"); !errors.Is(err, ErrNoBranch) {
		t.Fatalf("got %v", err)
	}
}
