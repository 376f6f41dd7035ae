package vcs

import (
	"errors"
	"strings"
	"testing"

	"lander/internal/queue"
)

// adopt begins a ledger.
func (w *world) adopt(trunk string, tip queue.SHA) queue.SHA {
	w.t.Helper()
	first := w.seal("", queue.Statement{Format: 1, Seq: 1, Lane: "acme/app:" + trunk, Decision: queue.DecisionAdopt, New: tip, At: at})
	w.must(w.repo.Append(w.ctx, trunk, "", first.SHA))
	return first.SHA
}

func (w *world) seal(parent queue.SHA, s queue.Statement) queue.Sealed {
	w.t.Helper()
	sealed, err := w.repo.Seal(w.ctx, parent, s)
	w.must(err)
	return sealed
}

// landOf is the statement of a landing of one change.
func landOf(old queue.SHA, built queue.Built, head queue.SHA) queue.Statement {
	return queue.Statement{
		Format: 1, Seq: 2, Lane: "acme/app:main", Decision: queue.DecisionLand, Attempt: 7,
		Entries: []queue.LedgerEntry{{
			Number: 3, Head: head, Commits: []queue.SHA{built.SHA},
			Approvals: []queue.LedgerApproval{{ID: 11, Login: "maya <&> 马雅", Via: "review", At: at}},
		}},
		Old: old, New: built.SHA, Tree: built.Tree, Style: queue.StyleRebase, Recipe: "r1", Verdict: "v1", Run: 1, At: at,
	}
}

func abortOf(record queue.SHA) queue.Statement {
	return queue.Statement{
		Format: 1, Seq: 2, Lane: "acme/app:main", Decision: queue.DecisionAbort, Attempt: 7, Aborts: record, At: at,
		Entries: []queue.LedgerEntry{{Number: 3, Head: record}, {Number: 4, Head: record}},
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	burn, other := w.seal(req.Ledger, abortOf(req.Record)).SHA, abortOf(req.Record)
	other.Attempt = 8
	rival := w.seal(req.Ledger, other).SHA
	w.must(w.repo.Append(w.ctx, "main", req.Ledger, burn))
	w.must(w.repo.Append(w.ctx, "main", req.Ledger, burn)) // a deed done twice is done once
	if err := w.repo.Append(w.ctx, "main", req.Ledger, rival); !errors.Is(err, queue.ErrMoved) {
		t.Fatalf("got %v", err)
	}
	again := w.seal("", queue.Statement{Format: 1, Seq: 1, Lane: "acme/app:main", Decision: queue.DecisionAdopt, New: req.Old, At: at.AddDate(0, 0, 1)})
	if err := w.repo.Append(w.ctx, "main", "", again.SHA); !errors.Is(err, queue.ErrMoved) {
		t.Fatalf("adopted twice: got %v", err)
	}
	if err := w.repo.Append(w.ctx, "main", burn, rival); err == nil || errors.Is(err, queue.ErrMoved) {
		t.Fatalf("pushed a record that stands elsewhere: %v", err)
	}
	w.wantAt(req.Old, burn)
	next := w.seal(burn, other).SHA
	w.hook("update", "echo 'no ledgers here' >&2; exit 1\n")
	var denied *queue.DeniedError
	if err := w.repo.Append(w.ctx, "main", burn, next); !errors.As(err, &denied) || !strings.Contains(denied.Output, "no ledgers here") {
		t.Fatalf("got %v", err)
	}
	w.hook("update", "exit 0\n")
	w.must(w.repo.Append(w.ctx, "main", burn, next))
	w.must(w.repo.Append(w.ctx, "main", req.Ledger, burn)) // below the tip by now, but there
	w.wantAt(req.Old, next)
}

// Whoever is first wins, the landing or the burn, and the other is refused for ever.
func TestLandingOrBurnButNeverBoth(t *testing.T) {
	t.Parallel()
	for range 5 {
		w, req := landing(t)
		burn := w.seal(req.Ledger, abortOf(req.Record)).SHA
		landed, burnt := make(chan error), make(chan error)
		go func() { landed <- w.repo.Land(w.ctx, req) }()
		go func() { burnt <- w.repo.Append(w.ctx, "main", req.Ledger, burn) }()
		land, give := <-landed, <-burnt
		if (land == nil) == (give == nil) {
			t.Fatalf("land: %v, burn: %v", land, give)
		}
		if land == nil {
			w.wantAt(req.New, req.Record)
		} else {
			w.wantAt(req.Old, burn)
		}
		if w.repo.Land(w.ctx, req) == nil != (land == nil) || w.repo.Append(w.ctx, "main", req.Ledger, burn) == nil != (give == nil) {
			t.Fatal("a second try ended in another way")
		}
	}
}

func TestMoveHead(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	fork := newWorld(t, "sha1")
	w.must(fork.origin.Run(w.ctx, "fetch", "--quiet", w.origin.Dir, "refs/made/3:refs/heads/feature"))
	for _, remote := range []string{"", fork.repo.Remote} {
		g := fork.origin
		if remote == "" {
			g = w.origin
			w.must(g.Run(w.ctx, "update-ref", "refs/heads/feature", string(w.ids["change"])))
		}
		move := queue.HeadMove{Number: 3, Branch: "feature", From: w.ids["change"], To: req.New}
		w.must(w.repo.MoveHead(w.ctx, remote, move))
		w.must(w.repo.MoveHead(w.ctx, remote, move))
		back := queue.HeadMove{Number: 3, Branch: "feature", From: req.New, To: w.ids["change"]}
		w.must(w.repo.MoveHead(w.ctx, remote, back))
		w.must(g.Run(w.ctx, "update-ref", "refs/heads/feature", string(w.ids["change"])))
		stale := move
		stale.From = w.ids["other"]
		if err := w.repo.MoveHead(w.ctx, remote, stale); !errors.Is(err, queue.ErrMoved) {
			t.Errorf("over what the author pushed: %v", err)
		}
		gone := move
		gone.Branch = "deleted"
		if err := w.repo.MoveHead(w.ctx, remote, gone); !errors.Is(err, queue.ErrMoved) {
			t.Errorf("a branch that is gone: %v", err)
		}
		at, err := g.Text(w.ctx, "rev-parse", "refs/heads/feature")
		w.must(err)
		if at != string(w.ids["change"]) {
			t.Fatalf("the branch stands at %s", at)
		}
	}
	for _, branch := range []string{"lander-ledger/main", "lander-ledger", "lander-ledger/x/y", "a..b"} {
		if err := w.repo.MoveHead(w.ctx, "", queue.HeadMove{Number: 3, Branch: branch, From: req.Ledger, To: req.New}); err == nil || errors.Is(err, queue.ErrMoved) {
			t.Errorf("%s: got %v", branch, err)
		}
	}
	if err := w.repo.MoveHead(w.ctx, "http://thief.example.com/x.git", queue.HeadMove{Number: 3, Branch: "b", From: req.Old, To: req.New}); err == nil || !strings.Contains(err.Error(), "another host") {
		t.Errorf("got %v", err)
	}
	w.hook("update", "echo protected >&2; exit 1\n")
	var denied *queue.DeniedError
	if err := w.repo.MoveHead(w.ctx, "", queue.HeadMove{Number: 3, Branch: "feature", From: w.ids["change"], To: req.New}); !errors.As(err, &denied) || !strings.Contains(denied.Output, "protected") {
		t.Errorf("got %v", err)
	}
	w.wantAt(req.Old, req.Ledger)
}

func TestMoveHeads(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	var moves []queue.HeadMove
	for i, branch := range []string{"one", "two", "stale", "a..b", "three"} {
		moves = append(moves, queue.HeadMove{Number: queue.Number(i + 1), Branch: branch, From: w.ids["change"], To: req.New})
		if branch != "a..b" {
			w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/"+branch, string(w.ids["change"])))
		}
	}
	at := func(branch string) queue.SHA {
		sha, err := w.origin.Text(w.ctx, "rev-parse", "refs/heads/"+branch)
		w.must(err)
		return queue.SHA(sha)
	}
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/stale", string(w.ids["other"]))) // its author has pushed meanwhile
	errs := w.repo.MoveHeads(w.ctx, "", moves)
	if errs[0] != nil || errs[1] != nil || !errors.Is(errs[2], queue.ErrMoved) || errs[3] == nil || errs[4] != nil {
		t.Errorf("got %v", errs)
	}
	if at("one") != req.New || at("two") != req.New || at("stale") != w.ids["other"] || at("three") != req.New {
		t.Error("a branch stands elsewhere")
	}

	// A server that refuses all of a push for the sake of one branch.
	for i := range moves {
		moves[i].From, moves[i].To = moves[i].To, moves[i].From
	}
	w.hook("pre-receive", `while read -r old new ref; do [ "$ref" != refs/heads/two ] || { echo protected >&2; exit 1; }; done`+"\n")
	errs = w.repo.MoveHeads(w.ctx, "", []queue.HeadMove{moves[0], moves[1], moves[4]})
	var denied *queue.DeniedError
	if errs[0] != nil || !errors.As(errs[1], &denied) || errs[2] != nil {
		t.Errorf("got %v", errs)
	}
	if at("one") != w.ids["change"] || at("two") != req.New || at("three") != w.ids["change"] {
		t.Error("a branch stands elsewhere")
	}
}
