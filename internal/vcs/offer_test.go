package vcs

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"lander/internal/queue"
)

const offered = "lander/run/main.1.aaaaaaaaaaaa"

func (w *world) wantOffered(want queue.SHA) {
	w.t.Helper()
	all, err := w.repo.Offered(w.ctx)
	w.must(err)
	if all[offered] != want || want == "" && len(all) > 0 {
		w.t.Errorf("offered are %v, want %s", all, want)
	}
}

func TestACandidateIsOfferedOnceAndRetracted(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	pushes := filepath.Join(t.TempDir(), "pushes")
	hook := filepath.Join(w.origin.Dir, "hooks", "post-receive")
	w.must(os.MkdirAll(filepath.Dir(hook), 0o700))
	w.must(os.WriteFile(hook, []byte("#!/bin/sh\ncat >>"+pushes+"\n"), 0o700))

	w.must(w.repo.Offer(w.ctx, offered, req.New))
	w.must(w.repo.Offer(w.ctx, offered, req.New))
	w.wantOffered(req.New)
	w.must(w.repo.Retract(w.ctx, offered, req.New))
	w.must(w.repo.Retract(w.ctx, offered, req.New))
	w.wantOffered("")
	text, err := os.ReadFile(pushes)
	w.must(err)
	zero := "0000000000000000000000000000000000000000"
	if want := zero + " " + string(req.New) + " refs/heads/" + offered + "\n" + string(req.New) + " " + zero + " refs/heads/" + offered + "\n"; string(text) != want {
		t.Errorf("the server saw\n%swant\n%s", text, want)
	}
}

// What stands under such a name and is something else is somebody's, and is left alone.
func TestWhatSomebodyPutThereIsLeftAlone(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	theirs := w.ids["other"]
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/"+offered, string(theirs)))
	if err := w.repo.Offer(w.ctx, offered, req.New); !errors.Is(err, queue.ErrMoved) {
		t.Errorf("offered: %v", err)
	}
	if err := w.repo.Retract(w.ctx, offered, req.New); !errors.Is(err, queue.ErrMoved) {
		t.Errorf("retracted: %v", err)
	}
	w.wantOffered(theirs)
	for _, branch := range []string{"main", "lander-ledger/main", "lander/running"} {
		if w.repo.Offer(w.ctx, branch, req.New) == nil || w.repo.Retract(w.ctx, branch, req.Old) == nil {
			t.Errorf("%s was touched", branch)
		}
	}
	w.wantAt(req.Old, req.Ledger)
}

func TestAnOfferThatTheServerRefuses(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	hook := filepath.Join(w.origin.Dir, "hooks", "pre-receive")
	w.must(os.MkdirAll(filepath.Dir(hook), 0o700))
	w.must(os.WriteFile(hook, []byte("#!/bin/sh\necho no such branches here >&2\nexit 1\n"), 0o700))
	var denied *queue.DeniedError
	if err := w.repo.Offer(w.ctx, offered, req.New); !errors.As(err, &denied) {
		t.Errorf("got %v", err)
	}
	w.wantOffered("")
}
