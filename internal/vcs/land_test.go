package vcs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lander/internal/queue"
)

// landing is a world with a candidate that is ready to land.
func landing(t *testing.T) (*world, queue.LandRequest) {
	t.Helper()
	w := newWorld(t, "sha1")
	base := tree{"a": "a\n", "b": "b\n"}
	w.play(func(s *script) {
		s.commit("base", base)
		s.commit("trunk", base.with("a", "trunk\n"), "base")
		s.commit("change", base.with("b", "mine\n"), "base")
		s.commit("other", base.with("a", "trunk\n", "c", "c\n"), "trunk")
	}).mirror("trunk")
	return w, w.ready("trunk", "change")
}

// ready adopts trunk and makes a candidate with the record of its landing.
func (w *world) ready(trunk, head string) queue.LandRequest {
	w.t.Helper()
	first := w.adopt("main", w.ids[trunk])
	built := w.build(w.request(trunk, head))
	record := w.seal(first, landOf(w.ids[trunk], built, w.ids[head]))
	return queue.LandRequest{Trunk: "main", Old: w.ids[trunk], New: built.SHA, Ledger: first, Record: record.SHA}
}

// wantAt reads both branches, straight from the remote's repository.
func (w *world) wantAt(trunk, ledger queue.SHA) {
	w.t.Helper()
	for ref, want := range map[string]queue.SHA{"refs/heads/main": trunk, "refs/heads/lander-ledger/main": ledger} {
		got, err := w.origin.Text(w.ctx, "for-each-ref", "--format=%(objectname)", ref)
		w.must(err)
		if got != string(want) {
			w.t.Fatalf("%s at %s, want %s", ref, got, want)
		}
	}
}

func (w *world) trunk() queue.SHA {
	w.t.Helper()
	tip, err := w.repo.Tip(w.ctx, "main")
	w.must(err)
	return tip
}

func TestLandMovesTrunkAndLedger(t *testing.T) {
	t.Parallel()
	for _, single := range []bool{false, true} {
		t.Run(fmt.Sprintf("single %v", single), func(t *testing.T) {
			t.Parallel()
			w, req := landing(t)
			req.Single = single
			w.must(w.repo.Land(w.ctx, req))
			w.wantAt(req.New, req.Record)
			w.must(w.repo.Land(w.ctx, req)) // a deed done twice is done once
			w.wantAt(req.New, req.Record)
		})
	}
}

func TestLandLosesARaceWithoutHarm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trunk  string
		ledger bool // somebody else was faster there
	}{
		"a human pushes":     {trunk: "other"},
		"trunk is rewound":   {trunk: "base"},
		"trunk is gone":      {trunk: "-"},
		"it was burnt":       {trunk: "trunk", ledger: true},
		"both are elsewhere": {trunk: "other", ledger: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, req := landing(t)
			trunk, ledger := w.ids[c.trunk], req.Ledger
			if trunk == "" {
				w.must(w.origin.Run(w.ctx, "update-ref", "-d", "refs/heads/main"))
			} else {
				w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(trunk)))
			}
			if c.ledger {
				ledger = w.seal(req.Ledger, abortOf(req.Record)).SHA
				w.must(w.repo.Append(w.ctx, "main", req.Ledger, ledger))
			}
			if err := w.repo.Land(w.ctx, req); !errors.Is(err, queue.ErrMoved) {
				t.Fatalf("got %v", err)
			}
			w.wantAt(trunk, ledger)
		})
	}
}

func TestLandRefusesWhatNoLeaseWouldStop(t *testing.T) {
	t.Parallel()
	w, good := landing(t)
	foreign := w.seal(w.seal(good.Ledger, abortOf(good.Record)).SHA, landOf(good.Old, queue.Built{SHA: good.New, Tree: good.New}, w.ids["change"]))
	to := func(sha queue.SHA) func(*queue.LandRequest) { // with a record that says so
		return func(r *queue.LandRequest) {
			r.New, r.Record = sha, w.seal(r.Ledger, landOf(r.Old, queue.Built{SHA: sha, Tree: sha}, w.ids["change"])).SHA
		}
	}
	for name, change := range map[string]func(*queue.LandRequest){
		"a sibling":               to(w.ids["change"]),
		"itself":                  to(good.Old),
		"an ancestor":             to(w.ids["base"]),
		"no record":               func(r *queue.LandRequest) { r.Record = "" },
		"no ledger":               func(r *queue.LandRequest) { r.Ledger = "" },
		"a record from elsewhere": func(r *queue.LandRequest) { r.Record = foreign.SHA },
		"a record that gives up":  func(r *queue.LandRequest) { r.Record = w.seal(r.Ledger, abortOf(r.Record)).SHA },
		"another commit's record": func(r *queue.LandRequest) { r.New = w.ids["other"] },
		"a commit for a record":   func(r *queue.LandRequest) { r.Record = r.New },
	} {
		for _, single := range []bool{false, true} {
			req := good
			change(&req)
			req.Single = single
			if err := w.repo.Land(w.ctx, req); err == nil || errors.Is(err, queue.ErrMoved) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
	w.wantAt(good.Old, good.Ledger)
}

func (w *world) hook(name, text string) {
	w.t.Helper()
	dir := filepath.Join(w.origin.Dir, "hooks")
	w.must(os.MkdirAll(dir, 0o777))
	w.must(os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text), 0o777))
}

func TestLandTellsTheServersWords(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	w.hook("update", "printf 'only on \\033[1mFridays\\033[0m\\n' >&2; exit 1\n")
	err := w.repo.Land(w.ctx, req)
	var denied *queue.DeniedError
	if !errors.As(err, &denied) || !strings.Contains(denied.Output, "only on [1mFridays[0m") {
		t.Fatalf("got %#v", err)
	}
	if got := w.trunk(); got != req.Old {
		t.Fatalf("trunk at %s", got)
	}
}

// A push whose client is killed may still be applied; what matters is that Land says that it does not know.
func TestLandKilledHalfWay(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	arrived, gone := filepath.Join(t.TempDir(), "arrived"), filepath.Join(t.TempDir(), "go")
	w.hook("pre-receive", "echo $$ > "+arrived+"; while ! test -e "+gone+"; do sleep 0.05; done; exit 1\n")
	ctx, cancel := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() { done <- w.repo.Land(ctx, req) }()
	waitFor(t, func() bool { _, err := os.Stat(arrived); return err == nil })
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a cancelled push goes on")
	}
	w.must(os.WriteFile(gone, nil, 0o666))
	if got := w.trunk(); got != req.Old {
		t.Fatalf("trunk at %s", got)
	}
}

// A server that says no after it has said yes elsewhere: the push is reported as failed, but both have moved.
func TestLandLooksBeforeItBelievesAnError(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	w.must(w.repo.push(w.ctx, update{ref: "refs/heads/spare", new: req.New}, update{ref: "refs/heads/spare2", new: req.Record}))
	w.hook("update", "git update-ref refs/heads/main "+string(req.New)+
		"; git update-ref refs/heads/lander-ledger/main "+string(req.Record)+"; exit 1\n")
	w.must(w.repo.Land(w.ctx, req))
	w.wantAt(req.New, req.Record)
}

// One of the two was seen to move: the other may follow, so nothing is known yet.
func TestLandDoesNotBelieveHalfAMove(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	w.hook("post-receive", "git update-ref refs/heads/main "+string(req.Old)+"\n")
	err := w.repo.Land(w.ctx, req)
	var denied *queue.DeniedError
	if err == nil || errors.Is(err, queue.ErrMoved) || errors.As(err, &denied) {
		t.Fatalf("got %v", err)
	}
	w.wantAt(req.Old, req.Record)
}

func TestLandReadsBackBranchesThatMovedOn(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	next, err := w.repo.writeCommit(commit{
		tree: queue.SHA(w.treeOf(req.New)), parents: []queue.SHA{req.New}, author: "H <h@example.com> 1700000000 +0000", committer: "H <h@example.com> 1700000000 +0000",
	})
	w.must(err)
	after := w.seal(req.Record, abortOf(req.Record)).SHA
	w.must(w.repo.push(w.ctx, update{ref: "refs/heads/next", new: next.id}, update{ref: "refs/heads/after", new: after}))
	move := "git update-ref refs/heads/main " + string(next.id) + "; git update-ref refs/heads/lander-ledger/main " + string(after) + "\n"
	w.hook("post-receive", move)
	w.must(w.repo.Land(w.ctx, req))
	w.wantAt(next.id, after)
	w.must(w.repo.Land(w.ctx, req)) // refused now, and all the same it has landed
	w.wantAt(next.id, after)
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(w.ids["other"])))
	if err := w.repo.Land(w.ctx, req); !errors.Is(err, queue.ErrMoved) {
		t.Fatalf("rewound since: got %v", err)
	}
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(req.Old)))
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/lander-ledger/main", string(req.Ledger)))
	w.hook("post-receive", "git update-ref refs/heads/main "+string(req.Old)+"; git update-ref refs/heads/lander-ledger/main "+string(req.Ledger)+"\n")
	if err := w.repo.Land(w.ctx, req); err == nil || errors.Is(err, queue.ErrMoved) {
		t.Fatalf("a push that was undone at once: got %v", err)
	}
}

// Without atomic pushes the ledger goes first, and what came after it is refused stays behind.
func TestLandInSingleMode(t *testing.T) {
	t.Parallel()
	t.Run("trunk moved", func(t *testing.T) {
		t.Parallel()
		w, req := landing(t)
		req.Single = true
		w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(w.ids["other"])))
		for range 2 {
			if err := w.repo.Land(w.ctx, req); !errors.Is(err, queue.ErrMoved) {
				t.Fatalf("got %v", err)
			}
			w.wantAt(w.ids["other"], req.Record)
		}
	})
	t.Run("trunk denied, then not", func(t *testing.T) {
		t.Parallel()
		w, req := landing(t)
		req.Single = true
		w.hook("update", "test $1 != refs/heads/main\n")
		var denied *queue.DeniedError
		if err := w.repo.Land(w.ctx, req); !errors.As(err, &denied) {
			t.Fatalf("got %v", err)
		}
		w.wantAt(req.Old, req.Record)
		w.hook("update", "test $1 = refs/heads/main\n")
		w.must(w.repo.Land(w.ctx, req))
		w.wantAt(req.New, req.Record)
	})
	t.Run("burnt", func(t *testing.T) {
		t.Parallel()
		w, req := landing(t)
		req.Single = true
		w.must(w.repo.Append(w.ctx, "main", req.Ledger, req.Record))
		burn := w.seal(req.Record, abortOf(req.Record)).SHA
		w.must(w.repo.Append(w.ctx, "main", req.Record, burn))
		if err := w.repo.Land(w.ctx, req); !errors.Is(err, queue.ErrMoved) {
			t.Fatalf("got %v", err)
		}
		w.wantAt(req.Old, burn)
	})
}

// What the server says about a push proves nothing while it cannot be read back.
func TestLandThatCannotBeReadBackIsUncertain(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	w.hook("update", "exit 1\n")
	var mutex sync.Mutex
	down := false
	w.serve(nil)
	w.front(func(out http.ResponseWriter, in *http.Request) bool {
		mutex.Lock()
		defer mutex.Unlock()
		if down && in.URL.Query().Get("service") == "git-upload-pack" {
			http.Error(out, "gone fishing", http.StatusBadGateway)
			return true
		}
		down = down || strings.HasSuffix(in.URL.Path, "/git-receive-pack")
		return false
	})
	err := w.repo.Land(w.ctx, req)
	var denied *queue.DeniedError
	if err == nil || errors.As(err, &denied) || errors.Is(err, queue.ErrMoved) {
		t.Fatalf("got %#v", err)
	}
}

// The push is applied, and the answer to it lost.
func TestLandFindsAPushWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	w.serve(nil)
	w.front(nil, func(in *http.Request) bool { return strings.HasSuffix(in.URL.Path, "/git-receive-pack") })
	w.must(w.repo.Land(w.ctx, req))
	w.wantAt(req.New, req.Record)
}

func (w *world) treeOf(sha queue.SHA) string {
	w.t.Helper()
	id, err := w.repo.git().Text(w.ctx, "rev-parse", string(sha)+"^{tree}")
	w.must(err)
	return id
}

func waitFor(t *testing.T, ready func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ready(); {
		if time.Now().After(end) {
			t.Fatal("waited for 20 s in vain")
		}
		time.Sleep(2 * time.Millisecond) // between two looks at a condition, never instead of one
	}
}

func TestTwoRefsMoveTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	err := w.repo.push(w.ctx,
		update{ref: "refs/heads/main", old: req.Old, new: req.New},
		update{ref: "refs/heads/ledger", old: w.ids["other"], new: w.ids["change"]})
	if err == nil {
		t.Fatal("pushed over a ref that is not where it should be")
	}
	if got := w.trunk(); got != req.Old {
		t.Fatalf("trunk at %s", got)
	}
	w.must(w.repo.push(w.ctx,
		update{ref: "refs/heads/main", old: req.Old, new: req.New},
		update{ref: "refs/heads/ledger", new: w.ids["change"]}))
}
