package vcs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
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
	built := w.build(w.request("trunk", "change"))
	return w, queue.LandRequest{Trunk: "main", Old: w.ids["trunk"], New: built.SHA}
}

func (w *world) trunk() queue.SHA {
	w.t.Helper()
	tip, err := w.repo.Tip(w.ctx, "main")
	w.must(err)
	return tip
}

func TestLandMovesTrunk(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	w.must(w.repo.Land(w.ctx, req))
	if got := w.trunk(); got != req.New {
		t.Fatalf("trunk at %s", got)
	}
	w.must(w.repo.Land(w.ctx, req)) // a deed done twice is done once
}

func TestLandLosesARaceWithoutHarm(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]string{"a human pushes": "other", "trunk is rewound": "base"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, req := landing(t)
			w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(w.ids[other])))
			if err := w.repo.Land(w.ctx, req); !errors.Is(err, queue.ErrMoved) {
				t.Fatalf("got %v", err)
			}
			if got := w.trunk(); got != w.ids[other] {
				t.Fatalf("trunk at %s", got)
			}
		})
	}
}

func TestLandRefusesWhatIsNoDescendant(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	for name, sha := range map[string]queue.SHA{"a sibling": w.ids["change"], "itself": req.Old, "an ancestor": w.ids["base"]} {
		err := w.repo.Land(w.ctx, queue.LandRequest{Trunk: "main", Old: req.Old, New: sha})
		if err == nil || errors.Is(err, queue.ErrMoved) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got := w.trunk(); got != req.Old {
		t.Fatalf("trunk at %s", got)
	}
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

// A server that says no after it has said yes elsewhere: the push is reported as failed, but trunk has moved.
func TestLandLooksBeforeItBelievesAnError(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	w.hook("update", "git update-ref refs/heads/main "+string(req.New)+"; exit 1\n")
	w.must(w.repo.Land(w.ctx, req))
	if got := w.trunk(); got != req.New {
		t.Fatalf("trunk at %s", got)
	}
}

func TestLandReadsBackATrunkThatMovedOn(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	next, err := w.repo.writeCommit(commit{
		tree: queue.SHA(w.treeOf(req.New)), parents: []queue.SHA{req.New}, author: "H <h@example.com> 1700000000 +0000", committer: "H <h@example.com> 1700000000 +0000",
	})
	w.must(err)
	w.must(w.repo.push(w.ctx, update{ref: "refs/heads/next", new: next.id}))
	w.hook("post-receive", "git update-ref refs/heads/main "+string(next.id)+"\n")
	w.must(w.repo.Land(w.ctx, req))
	if got := w.trunk(); got != next.id {
		t.Fatalf("trunk at %s", got)
	}
	w.hook("post-receive", "git update-ref refs/heads/main "+string(req.Old)+"\n")
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/main", string(req.Old)))
	if err := w.repo.Land(w.ctx, req); err == nil {
		t.Fatal("a push that was undone at once counts as landed")
	}
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
