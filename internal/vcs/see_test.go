package vcs

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"lander/internal/queue"
)

// calls counts the requests that begin a conversation with the server.
func (w *world) calls() (count func() int) {
	w.t.Helper()
	w.serve(nil)
	var mutex sync.Mutex
	n := 0
	w.front(func(_ http.ResponseWriter, in *http.Request) bool {
		mutex.Lock()
		defer mutex.Unlock()
		if strings.HasSuffix(in.URL.Path, "/info/refs") && in.Header.Get("Authorization") != "" {
			n++
		}
		return false
	})
	return func() int {
		mutex.Lock()
		defer mutex.Unlock()
		was := n
		n = 0
		return was
	}
}

func TestSeeBringsTheLedger(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	w.must(w.repo.Land(w.ctx, req))
	calls := w.calls()
	other := &Repo{Dir: w.repo.Dir + "2", Remote: w.repo.Remote, Auth: w.repo.Auth}
	w.must(other.Init(w.ctx))
	calls()
	seen, err := other.See(w.ctx, "main")
	w.must(err)
	if seen != (Seen{Trunk: req.New, Ledger: req.Record}) {
		t.Fatalf("saw %v", seen)
	}
	if n := calls(); n != 2 {
		t.Errorf("the first look took %d rounds", n)
	}
	next := w.chain(req.Record, 1)[0]
	w.must(w.repo.Append(w.ctx, "main", req.Record, next))
	calls()
	seen, err = other.See(w.ctx, "main", Want{Head: w.ids["other"]})
	w.must(err)
	if seen != (Seen{Trunk: req.New, Ledger: next}) || !other.Has(w.ctx, w.ids["other"]) {
		t.Fatalf("saw %v", seen)
	}
	if n := calls(); n != 1 {
		t.Errorf("a look took %d rounds", n)
	}
	// Whoever has the ledger has all that landed and all that was approved.
	w.must(other.git().Run(w.ctx, "update-ref", "-d", trunkRef("main")))
	w.must(other.git().Run(w.ctx, "gc", "--quiet", "--prune=now"))
	if !other.Has(w.ctx, req.New) || !other.Has(w.ctx, w.ids["change"]) {
		t.Fatal("a landed commit or an approved head was collected")
	}
}

func TestLandingTakesAPushAndALook(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	calls := w.calls()
	w.must(w.repo.Land(w.ctx, req))
	if n := calls(); n != 2 {
		t.Fatalf("a landing took %d rounds", n)
	}
	at, err := w.repo.refs(w.ctx, ledgerRef("main"))
	w.must(err)
	if at[ledgerRef("main")] != req.Record {
		t.Fatalf("kept %v", at)
	}
}

// However the branch is treated, what lander knew of its ledger stays, and the branch is followed.
func TestALedgerThatWentBackIsNotForgotten(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	w.must(w.repo.Land(w.ctx, req))
	chain := w.chain(req.Record, 2)
	w.must(w.repo.Append(w.ctx, "main", req.Record, chain[0]))
	w.must(w.repo.Append(w.ctx, "main", chain[0], chain[1]))
	side := w.seal(req.Ledger, queue.Statement{Format: 1, Seq: 2, Lane: "acme/app:main", Decision: queue.DecisionAbort, Attempt: 9, Aborts: req.Record, At: at}).SHA
	w.must(w.repo.push(w.ctx, update{ref: "refs/heads/side", new: side}))
	other := &Repo{Dir: w.repo.Dir + "2", Remote: w.repo.Remote}
	w.must(other.Init(w.ctx))
	_, err := other.See(w.ctx, "main")
	w.must(err)
	calls := w.calls()
	other.Remote, other.Auth = w.repo.Remote, w.repo.Auth
	for _, c := range []struct {
		to      queue.SHA
		missing bool
	}{{req.Record, true}, {"", true}, {side, false}, {chain[1], true}, {req.New, false}, {"", true}} {
		if c.to == "" {
			w.must(w.origin.Run(w.ctx, "update-ref", "-d", "refs/heads/lander-ledger/main"))
		} else {
			w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/lander-ledger/main", string(c.to)))
		}
		for i := range 2 {
			calls()
			seen, err := other.See(w.ctx, "main")
			w.must(err)
			if seen != (Seen{Trunk: req.New, Ledger: c.to}) {
				t.Fatalf("saw %v, want %s", seen, c.to)
			}
			if n := calls(); i == 1 && n > 2 {
				t.Errorf("the second look at %q took %d rounds", c.to, n)
			}
		}
		w.must(other.git().Run(w.ctx, "gc", "--quiet", "--prune=now"))
		w.must(other.Tidy(w.ctx))
		_, err := other.Records(w.ctx, chain[1], c.to)
		var wrong *queue.LedgerError
		if c.to == chain[1] {
			w.must(err)
		} else if !errors.As(err, &wrong) || wrong.Missing != c.missing {
			t.Errorf("at %q: got %v", c.to, err)
		}
	}
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/lander-ledger/main", string(chain[1])))
	_, err = other.See(w.ctx, "main")
	w.must(err)
	w.must(other.Tidy(w.ctx))
	out, err := other.git().Text(w.ctx, "for-each-ref", "--format=%(refname)", "refs/lander/lost")
	w.must(err)
	if out != lostRef(side) {
		t.Fatalf("kept %q: what is part of the ledger again needs no ref of its own, and all else does", out)
	}
}

// A head that is gone and a ledger that went back, both at once.
func TestSeeWithAMissingHeadAndARewoundLedger(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	w.must(w.repo.Land(w.ctx, req))
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/lander-ledger/main", string(req.Ledger)))
	gone := queue.SHA(strings.Repeat("5", 40))
	seen, err := w.repo.See(w.ctx, "main", Want{Head: gone, Number: 5})
	var missing *MissingError
	if !errors.As(err, &missing) || seen != (Seen{Trunk: req.New, Ledger: req.Ledger}) {
		t.Fatalf("saw %v, %v", seen, err)
	}
	w.must(w.origin.Run(w.ctx, "update-ref", "-d", "refs/heads/main"))
	if _, err := w.repo.See(w.ctx, "main"); !errors.Is(err, ErrNoBranch) {
		t.Fatalf("got %v", err)
	}
}

// Another process may have fetched before the tip that was pushed here is kept.
func TestPinLosesToAFasterFetch(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	w.must(w.repo.git().Run(w.ctx, "update-ref", ledgerRef("main"), string(w.ids["other"])))
	w.must(w.repo.Land(w.ctx, req))
	at, err := w.repo.refs(w.ctx, ledgerRef("main"), lostRef(req.Record))
	w.must(err)
	if at[ledgerRef("main")] != w.ids["other"] || at[lostRef(req.Record)] != req.Record {
		t.Fatalf("kept %v", at)
	}
}
