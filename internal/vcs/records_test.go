package vcs

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"lander/internal/queue"
)

// chain puts so many records on top of one another.
func (w *world) chain(from queue.SHA, n int) []queue.SHA {
	w.t.Helper()
	var made []queue.SHA
	for i := range n {
		s := abortOf(from)
		s.Seq, s.Attempt = int64(i+2), queue.CandidateID(i)
		from = w.seal(from, s).SHA
		made = append(made, from)
	}
	return made
}

func TestRecords(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	w.must(w.repo.Land(w.ctx, req))
	above := w.chain(req.Record, 3)
	for _, c := range []struct {
		above, tip queue.SHA
		want       []queue.SHA
	}{
		{"", above[2], append([]queue.SHA{req.Ledger, req.Record}, above...)},
		{req.Ledger, above[2], append([]queue.SHA{req.Record}, above...)},
		{req.Record, above[0], above[:1]},
		{above[2], above[2], nil},
		{"", "", nil},
	} {
		written, err := w.repo.Records(w.ctx, c.above, c.tip)
		w.must(err)
		var got []queue.SHA
		for _, r := range written {
			got = append(got, r.SHA)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("above %q: got %v, want %v", c.above, got, c.want)
		}
	}
	written, err := w.repo.Records(w.ctx, "", req.Record)
	w.must(err)
	want := landOf(req.Old, queue.Built{SHA: req.New, Tree: queue.SHA(w.treeOf(req.New))}, w.ids["change"])
	if fmt.Sprintf("%+v", written[1].Statement) != fmt.Sprintf("%+v", want) {
		t.Errorf("read  %+v\nwrote %+v", written[1].Statement, want)
	}
}

func TestRecordsOfALedgerThatIsNotAsItWas(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	chain := w.chain(req.Ledger, 4)
	branch := w.chain(chain[1], 1)
	later := w.seal("", queue.Statement{Format: 1, Seq: 1, Lane: "acme/app:main", Decision: queue.DecisionAdopt, New: req.Old, At: at.AddDate(0, 0, 1)}).SHA
	branch2 := w.seal(chain[1], queue.Statement{
		Format: 1, Seq: 9, Lane: "acme/app:main", Decision: queue.DecisionAbort, Attempt: 99, Aborts: req.Record, At: at,
	}).SHA
	gone := queue.SHA(strings.Repeat("5", 40))
	if branch[0] == chain[2] {
		t.Fatal("no branch")
	}
	for name, c := range map[string]struct {
		above, tip queue.SHA
		missing    bool
		say        string
	}{
		"deleted":               {chain[3], "", true, "is gone"},
		"rewound":               {chain[3], chain[0], true, "taken away"},
		"rewound to the start":  {chain[3], req.Ledger, true, "taken away"},
		"rewritten":             {chain[3], branch2, false, "rewritten"},
		"begun anew":            {chain[3], later, false, "rewritten"},
		"known by nobody":       {gone, chain[3], false, "no copy"},
		"somebody's branch":     {chain[3], req.New, false, "it has files"},
		"set to trunk, unknown": {"", req.New, false, "it has files"},
	} {
		written, err := w.repo.Records(w.ctx, c.above, c.tip)
		var wrong *queue.LedgerError
		if !errors.As(err, &wrong) || wrong.Missing != c.missing || !strings.Contains(wrong.Reason, c.say) || written != nil {
			t.Errorf("%s: got %v, %v", name, written, err)
		}
	}
	var wrong *queue.LedgerError
	if _, err := w.repo.Records(w.ctx, req.Ledger, gone); err == nil || errors.As(err, &wrong) {
		t.Errorf("a tip that was not fetched: got %v", err)
	}
}

func TestRecordsThatAreNone(t *testing.T) {
	t.Parallel()
	w, req := landing(t)
	good := w.seal(req.Ledger, abortOf(req.Record))
	land := w.seal(req.Ledger, landOf(req.Old, queue.Built{SHA: req.New, Tree: req.New}, w.ids["change"]))
	parent := "parent " + string(req.Ledger) + "\n"
	for name, c := range map[string]struct{ text, old, new, say string }{
		"files":                 {good.Text, "tree " + string(emptyTree(40)), "tree " + w.treeOf(req.New), "it has files"},
		"no statement":          {good.Text, good.Text[strings.Index(good.Text, "\n\n{"):], "\n", "no statement"},
		"half a statement":      {good.Text, "\n}\n", "\n", "cannot be read"},
		"more than a statement": {good.Text, "\n}\n", "\n}\n{}\n", "cannot be read"},
		"not JSON":              {good.Text, "\"seq\": 2,", "seq: 2", "cannot be read"},
		"another format":        {good.Text, "\"format\": 1,", "\"format\": 2,", "format 2"},
		"another decision":      {good.Text, "\"decision\": \"abort\"", "\"decision\": \"\\u001b[1m\"", "unknown decision"},
		"an option for an id":   {good.Text, "\"aborts\": \"" + string(req.Record), "\"aborts\": \"--upload-pack=x", "object id"},
		"no parent":             {good.Text, parent, "", "it is the first"},
		"a merge":               {good.Text, parent, parent + "parent " + string(req.New) + "\n", "parents"},
		"a merge of itself":     {good.Text, parent, parent + parent, "parents"},
		"landed without it":     {land.Text, "parent " + string(req.New) + "\n", "", "parents"},
		"another head":          {land.Text, "parent " + string(w.ids["change"]), "parent " + string(w.ids["other"]), "parents"},
		"the first with a past": {good.Text, "\"decision\": \"abort\"", "\"decision\": \"adopt\", \"new\": \"" + string(req.New) + "\"", "parents"},
	} {
		text := strings.Replace(c.text, c.old, c.new, 1)
		if text == c.text {
			t.Fatalf("%s: nothing to change", name)
		}
		bad := queue.Sealed{SHA: objectID("commit", []byte(text), 40), Text: text}
		w.must(w.repo.Plant(w.ctx, bad))
		s := abortOf(req.Record)
		s.Seq = 4
		for _, tip := range []queue.SHA{bad.SHA, w.seal(bad.SHA, s).SHA} {
			_, err := w.repo.Records(w.ctx, req.Ledger, tip)
			var wrong *queue.LedgerError
			if !errors.As(err, &wrong) || wrong.Missing || !strings.Contains(wrong.Reason, c.say) || !strings.Contains(wrong.Reason, bad.SHA.Short()) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
	// What a later version adds is no fault.
	text := strings.Replace(good.Text, "\"seq\": 2,", "\"seq\": 2,\n  \"mood\": \"fine\",", 1)
	next := queue.Sealed{SHA: objectID("commit", []byte(text), 40), Text: text}
	w.must(w.repo.Plant(w.ctx, next))
	if written, err := w.repo.Records(w.ctx, req.Ledger, next.SHA); err != nil || len(written) != 1 || written[0].Statement.Seq != 2 {
		t.Errorf("an unknown field: %v, %v", written, err)
	}
	tree := w.must1(w.repo.git().Text(w.ctx, "rev-parse", string(req.New)+"^{tree}"))
	var wrong *queue.LedgerError
	if _, err := w.repo.Records(w.ctx, "", queue.SHA(tree)); !errors.As(err, &wrong) || !strings.Contains(wrong.Reason, "it is a tree") {
		t.Errorf("a tree: %v", err)
	}
}

func (w *world) must1(text string, err error) string {
	w.t.Helper()
	w.must(err)
	return text
}

// BenchmarkRecords reads a ledger of years.
func BenchmarkRecords(b *testing.B) {
	w := newWorld(b, "sha1")
	w.play(func(s *script) { s.commit("base", tree{"a": "a\n"}) }).mirror("base")
	first := w.adopt("main", w.ids["base"])
	const n = 10_000
	chain := w.chain(first, n)
	w.must(w.repo.git().Run(w.ctx, "update-ref", ledgerRef("main"), string(chain[n-1])))
	w.must(w.repo.git().Run(w.ctx, "repack", "-adq"))
	for b.Loop() {
		written, err := w.repo.Records(w.ctx, "", chain[n-1])
		w.must(err)
		if len(written) != n+1 || written[n].Statement.Seq != n+1 {
			b.Fatalf("read %d", len(written))
		}
	}
}
