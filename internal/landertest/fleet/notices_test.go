package fleet

import (
	"context"
	"strings"
	"testing"
	"time"

	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/verify"
)

// What must not be in a world that was fine until then is noticed: each sin comes on top of those before it.
func TestOracleNotices(t *testing.T) {
	t.Parallel()
	c := fineWorld(t)
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	git, err := c.git(app)
	must(err)
	tell := func(ev queue.Event) { // as a lander would that comes to know it
		t.Helper()
		q, _, err := c.store.View(ctx, c.lane)
		must(err)
		_, err = c.store.Save(ctx, queue.Save{Old: q, New: q.Apply(ev)})
		must(err)
	}
	for _, sin := range []struct {
		name string
		do   func()
		want []string
		rest string // what the wait for rest says; empty: that all is at rest
	}{
		{"nothing", func() {}, nil, ""},
		{"a pause that held", func() {
			n, err := c.stands(c.lane)
			must(err)
			c.pauses = append(c.pauses, standstill{c.lane, n, n})
		}, nil, ""},
		{"a pause that did not", func() { c.pauses = append(c.pauses, standstill{c.lane, 1, 4}) }, []string{"while the lane was paused"}, ""},
		{"a rewind seen that nobody made", func() {
			tell(queue.TrunkSeen{Tip: queue.SHA(strings.Repeat("a", 40)), Rewound: true, At: time.Now()})
		}, []string{"lander saw 1 rewinds, and people made 0"}, "it has seen 1 rewinds, and people made 0"},
		{"a stop that nobody explains", func() {
			tell(queue.Resumed{By: owner, At: time.Now().Add(time.Minute)})
			q, _, err := c.store.View(ctx, c.lane)
			must(err)
			stopped := q
			stopped.Stop = &queue.Stop{Reason: "just so", At: time.Now()}
			_, err = c.store.Save(ctx, queue.Save{Old: q, New: stopped})
			must(err)
		}, []string{"lander saw 1 rewinds, and people made 0"}, "just so; the journal does not say why"},
		{"a breach", func() {
			tell(queue.Breached{Findings: []string{"record 2 is forged"}, At: time.Now()})
		}, []string{"lander raised the alarm: breach: record 2 is forged"}, "the journal says breach: record 2 is forged"},
		{"an alarm of the ledger", func() {
			tell(queue.LedgerSeen{Problem: &queue.LedgerError{Reason: "record 9 is gone", Missing: true}, At: time.Now()})
		}, []string{"lander raised the alarm: ledger: "}, "the journal says ledger: "},
		{"a landing without a record", func() {
			_, err := c.hub.Push(app, hub.Push{By: bot, Branch: "main", Commits: []hub.Commit{write("Sneak", "sneak.txt", "1\n")}})
			must(err)
		}, []string{"verify counts 3 landings, and lander moved trunk 4 times", "verify finds a bypass that nobody made"}, "the journal says"},
		{"a ledger that was taken back", func() {
			must(git.Run(ctx, "update-ref", "refs/heads/"+c.lane.LedgerBranch(), "refs/heads/"+c.lane.LedgerBranch()+"~1"))
		}, []string{"verify counts 2 landings", "verify finds a missing that nobody made"}, "the journal says"},
		{"no ledger", func() {
			must(git.Run(ctx, "update-ref", "-d", "refs/heads/"+c.lane.LedgerBranch()))
		}, []string{"cannot be verified"}, "the journal says"},
	} {
		sin.do()
		var o outcome
		c.breaches = nil
		c.judge(&o)
		wrong := strings.Join(c.breaches, "\n")
		for _, want := range sin.want {
			if !strings.Contains(wrong, want) {
				t.Errorf("%s: no complaint has %q: %s", sin.name, want, wrong)
			}
		}
		if len(sin.want) == 0 && wrong != "" {
			t.Errorf("%s: it complains: %s", sin.name, wrong)
		}
		err := c.unsettled(c.lane)
		switch {
		case sin.rest == "" && err != nil:
			t.Errorf("%s: not at rest: %v", sin.name, err)
		case sin.rest != "" && (err == nil || !settled(err) || !strings.Contains(err.Error(), sin.rest)):
			t.Errorf("%s: the wait for rest says %v, want an alarm that has %q", sin.name, err, sin.rest)
		}
	}
}

// fineWorld is a world in which all has landed that should, and whose landers are gone.
func fineWorld(t *testing.T) *cell {
	t.Helper()
	shape, err := house.shape(false)
	if err != nil {
		t.Fatal(err)
	}
	lane := queue.Lane{Repo: app, Trunk: "main"}
	w, err := newWorld(shape.dir, lane)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	w.mayRest = func(queue.Lane, queue.Number) bool { return false }
	c := &cell{world: w, heads: shape.heads, lane: lane}
	r, err := c.start(nil)
	if err == nil && !until(limit, func() bool { return c.holds(r) }) {
		t.Fatal("nobody held the lane")
	}
	for _, n := range []int{late, plain, red, withdrawn} {
		if err == nil {
			_, err = c.hub.Approve(app, n, review)
		}
	}
	if err == nil {
		err = c.rest()
	}
	r.proc.kill()
	if err != nil {
		t.Fatalf("%v\n%s", err, w.log.all())
	}
	return c
}

// Of what verify says, only that is believed which the post-receive log has a person for; and all of that must be said.
func TestOracleHoldsVerifyToTheLog(t *testing.T) {
	t.Parallel()
	c := fineWorld(t)
	tip, err := c.hub.Tip(app, "main")
	if err != nil {
		t.Fatal(err)
	}
	past, err := c.hub.Push(app, hub.Push{By: owner, Branch: "main", Commits: []hub.Commit{write("Past lander", "human.txt", "by hand\n")}})
	if err != nil {
		t.Fatal(err)
	}
	said := verify.Finding{Kind: verify.Bypass, Commit: past}
	for name, k := range map[string]struct {
		landings int
		found    []verify.Finding
		want     string
	}{
		"all of it":                  {3, []verify.Finding{said}, ""},
		"nothing":                    {3, nil, "verify does not say that " + past},
		"a bypass that is a landing": {3, []verify.Finding{said, {Kind: verify.Bypass, Commit: tip}}, "verify finds a bypass that nobody made"},
		"a rewind":                   {3, []verify.Finding{said, {Kind: verify.Rewind, Commit: tip}}, "verify finds 1 rewinds, and people made 0"},
		"another tree":               {3, []verify.Finding{said, {Kind: verify.Tree, Breach: true, Text: "of wood"}}, "verify finds a tree that nobody made: of wood"},
		"a landing less":             {2, []verify.Finding{said}, "verify counts 2 landings, and lander moved trunk 3 times"},
	} {
		o := &oracle{world: c.world, lane: c.lane}
		if err := o.read(); err != nil {
			t.Fatal(err)
		}
		o.reported(verify.Report{Landings: k.landings, Findings: k.found, AdoptedAt: o.onTrunk()[1].new})
		wrong := strings.Join(o.wrong, "\n")
		if k.want == "" && wrong != "" || !strings.Contains(wrong, k.want) || len(o.wrong) > 1 {
			t.Errorf("%s: it complains %q, want %q", name, wrong, k.want)
		}
	}
}
