package vcs

import (
	"errors"
	"testing"

	"lander/internal/queue"
)

// To git every push onto a branch that is gone, or that stands further back, is a fast-forward. What lander knows to be in the ledger
// comes back when an admin says so, and not by the way.
func TestALedgerThatWasTakenBackIsNotMadeAnewByAPush(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"deleted", "set back"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, req := landing(t)
			first := req.Ledger
			req.Ledger = w.seal(first, abortOf(req.Record)).SHA
			w.must(w.repo.Append(w.ctx, "main", first, req.Ledger))
			land := landOf(req.Old, queue.Built{SHA: req.New, Tree: queue.SHA(w.treeOf(req.New))}, w.ids["change"])
			land.Seq = 3
			req.Record = w.seal(req.Ledger, land).SHA
			burn := w.seal(req.Ledger, abortOf(req.Record)).SHA
			left := first
			if name == "deleted" {
				left = ""
				w.must(w.origin.Run(w.ctx, "update-ref", "-d", "refs/heads/lander-ledger/main"))
			} else {
				w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/lander-ledger/main", string(first)))
			}
			for _, single := range []bool{false, true} {
				req.Single = single
				if err := w.repo.Land(w.ctx, req); !errors.Is(err, queue.ErrMoved) {
					t.Errorf("landed, single %v: %v", single, err)
				}
			}
			if err := w.repo.Append(w.ctx, "main", req.Ledger, burn); !errors.Is(err, queue.ErrMoved) {
				t.Errorf("burnt: %v", err)
			}
			w.wantAt(req.Old, left)
		})
	}
}
