package vcs

import (
	"errors"
	"strings"
	"testing"

	"lander/internal/queue"
)

func TestRestore(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	w.must(w.repo.Land(w.ctx, req))
	chain := w.chain(req.Record, 4)
	for i, from := range []queue.SHA{req.Record, chain[0], chain[1], chain[2]} {
		w.must(w.repo.Append(w.ctx, "main", from, chain[i]))
	}
	side := w.seal(req.Ledger, queue.Statement{Format: 1, Seq: 2, Lane: "acme/app:main", Decision: queue.DecisionAbort, Attempt: 9, Aborts: req.Record, At: at}).SHA
	w.must(w.repo.push(w.ctx, update{ref: "refs/heads/side", new: side}))
	other := &Repo{Dir: w.repo.Dir + "2", Remote: w.repo.Remote}
	w.must(other.Init(w.ctx))
	var wrong *queue.LedgerError
	if err := other.Restore(w.ctx, "main", chain[1]); !errors.As(err, &wrong) || !strings.Contains(wrong.Reason, "no copy") {
		t.Fatalf("restored what it never had: %v", err)
	}
	_, err := other.See(w.ctx, "main")
	w.must(err)
	w.must(w.origin.Run(w.ctx, "gc", "--quiet"))
	for _, c := range []struct {
		name           string
		found, to, end queue.SHA
		wrong          string
	}{
		{"gone", "", chain[3], chain[3], ""},
		{"rewound", req.Record, chain[3], chain[3], ""},
		{"rewound to the start", req.Ledger, chain[2], chain[2], ""},
		{"as it should be", chain[3], chain[3], chain[3], ""},
		{"above", chain[3], chain[1], chain[3], ""},
		{"another way", side, chain[3], side, "rewritten"},
		{"set to trunk", req.New, chain[3], req.New, "no record"},
	} {
		args := []string{"update-ref", "refs/heads/lander-ledger/main", string(c.found)}
		if c.found == "" {
			args = []string{"update-ref", "-d", "refs/heads/lander-ledger/main"}
		}
		w.must(w.origin.Run(w.ctx, args...))
		for range 2 {
			err := other.Restore(w.ctx, "main", c.to)
			var wrong *queue.LedgerError
			if c.wrong == "" && err != nil || c.wrong != "" && (!errors.As(err, &wrong) || wrong.Missing || !strings.Contains(wrong.Reason, c.wrong)) {
				t.Errorf("%s: got %v", c.name, err)
			}
			w.wantAt(req.New, c.end)
		}
	}
	w.must(w.origin.Run(w.ctx, "update-ref", "refs/heads/lander-ledger/main", string(req.Ledger)))
	w.hook("update", "exit 1\n")
	var denied *queue.DeniedError
	if err := other.Restore(w.ctx, "main", chain[3]); !errors.As(err, &denied) {
		t.Errorf("denied: got %v", err)
	}
}
