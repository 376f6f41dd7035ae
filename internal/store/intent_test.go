package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
)

// What an intent needs is checked again when it is stored. Who refuses says which check it was, the connection serves on, and the
// next intent is taken.
func TestAnIntentIsCheckedAgain(t *testing.T) {
	t.Parallel()
	w := (&wire{}).whole()
	s := through(t, storetest.New(t), w)
	q := ready(t, s, lane)
	strict := policy
	strict.Approvals = 2
	intent := begin(q, 1)
	elsewhere := move(intent, queue.Move{Kind: queue.MoveBypass, New: sha("f"), At: noon})
	late := intent
	late.Ledger = queue.Ledger{Tip: record(7), Seq: 7}
	paused, stopped := intent, intent
	paused.Pause, stopped.Stop = &queue.Pause{By: "ada", At: noon}, &queue.Stop{Reason: "rewound", At: noon}
	known := move(move(intent, queue.Move{
		Kind: queue.MoveLand, New: sha("f"), Record: record(9), Seq: 9, Recalled: true, Members: []queue.Member{{Number: 1, Head: sha("1")}},
	}), queue.Move{Kind: queue.MoveRewind, New: sha("a")})
	for name, c := range map[string]struct {
		new    queue.Queue
		policy *queue.Policy
		want   string
	}{
		"trunk moves at that moment": {elsewhere, nil, "candidates_intent_open"},
		"so does the ledger":         {late, nil, "candidates_intent_open"},
		"the lane is paused":         {paused, nil, "candidates_intent_moving"},
		"the lane is stopped":        {stopped, nil, "candidates_intent_moving"},
		"the change was withdrawn":   {edit(intent, 1, func(e *queue.Entry) { e.State = queue.Idle }), nil, "candidates_intent_members"},
		"the head has moved":         {edit(intent, 1, func(e *queue.Entry) { e.Head, e.Approvals = sha("5"), nil }), nil, "candidates_intent_members"},
		"the approval was taken":     {edit(intent, 1, func(e *queue.Entry) { e.Approvals = nil }), nil, "candidates_intent_approved"},
		"the policy asks for more":   {intent, &strict, "candidates_intent_approved"},
		"somebody objects":           {edit(intent, 1, func(e *queue.Entry) { e.Objections = []queue.Person{ann} }), nil, "candidates_intent_wanted"},
		"the policy cannot be read":  {intent, &queue.Policy{Problem: "no such style"}, "candidates_intent_policy"},
		"that head landed elsewhere": {known, nil, "candidates_intent_once"},
	} {
		before := w.asks.Load()
		if _, err := s.Save(t.Context(), queue.Save{Old: q, New: c.new, Policy: c.policy}); constraint(err) != c.want {
			t.Errorf("%s: want %s, got %v", name, c.want, err)
		}
		if n := w.asks.Load() - before; n > 8 {
			t.Errorf("%s: %d round trips: the connection was given up", name, n)
		}
		same(t, load(t, s, lane), q)
	}
	forged := put(q, with(intent.Candidate(1), func(c *queue.Candidate) {
		c.Intent = with(c.Intent, func(i *queue.Intent) { i.Record.Text = "NUL \x00" })
	}))
	if _, err := s.Save(t.Context(), queue.Save{Old: q, New: forged}); err == nil {
		t.Error("a record that comes back as another was stored")
	}
	q = save(t, s, queue.Save{Old: q, New: intent})
	same(t, load(t, s, lane), q)

	// From here on it is what was begun, or is given up for one further up in the ledger.
	changed := put(q, with(q.Candidates[0], func(c *queue.Candidate) {
		c.Intent = with(c.Intent, func(i *queue.Intent) { i.Record.SHA = record(8) })
	}))
	if _, err := s.Save(t.Context(), queue.Save{Old: q, New: changed}); constraint(err) != "candidates_intent_kept" {
		t.Errorf("an open intent was changed: %v", err)
	}
	lost := put(q, with(q.Candidates[0], func(c *queue.Candidate) { c.State, c.Intent = queue.CandidatePassed, nil }))
	if _, err := s.Save(t.Context(), queue.Save{Old: q, New: lost}); err == nil {
		t.Error("an open intent was forgotten")
	}
	n := q
	n.Ledger = queue.Ledger{Tip: record(8), Seq: 2} // the record that burnt it
	n = begin(put(n, with(n.Candidates[0], func(c *queue.Candidate) { c.State = queue.CandidateConfirmed })), 1)
	q = save(t, s, queue.Save{Old: q, New: n})
	same(t, load(t, s, lane), q)
}

// Two that want to land on one trunk at the very same moment: the second was stopped by the first, not by luck.
func TestOfTwoIntentsOneIsStale(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	a, b, admin := open(t, url), open(t, url), sql(t, url)
	q := ready(t, a, lane)
	blocker := sql(t, url)
	run(t, blocker, "begin")
	run(t, blocker, "select from lanes for update")
	var wg sync.WaitGroup
	var errs [2]error
	for i, s := range []*store.Store{a, b} {
		wg.Go(func() { _, errs[i] = s.Save(context.Background(), queue.Save{Old: q, New: begin(q, 1)}) })
	}
	until(t, "two saves that wait for the lane", func() bool {
		return ask[int](t, admin, "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()") == 2
	})
	run(t, blocker, "rollback")
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs[:]...), queue.ErrStale) {
		t.Fatalf("want one success and one ErrStale, got %v and %v", errs[0], errs[1])
	}
	if q = load(t, a, lane); q.Candidates[0].State != queue.CandidateLanding || q.Version != 5 {
		t.Errorf("the lane is %+v", q)
	}
}

// To Postgres an intent can seem to hang on what another lane does. It is sent again, and nobody notices.
func TestAnIntentThatSeemsToHangOnAnotherLaneIsSentAgain(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	w := (&wire{}).whole()
	s, admin := through(t, url, w), sql(t, url)
	save(t, s, landing(t, s, queue.Lane{Repo: "acme/app", Trunk: "other"})) // prepares the statements, and is the other lane
	q := ready(t, s, lane)
	step := queue.Save{Old: q, New: edit(begin(q, 1), 2, func(e *queue.Entry) { e.Title = "another title" })}

	other, blocker := sql(t, url), sql(t, url)
	run(t, other, "begin isolation level serializable")
	ask[int](t, other, "select count(*) from lanes")
	run(t, blocker, "begin")
	run(t, blocker, "select from candidates c join lanes l on l.id = c.lane_id where l.trunk = 'main' for update of c")
	before := w.asks.Load()
	done := make(chan error, 1)
	var after queue.Queue
	go func() {
		var err error
		after, err = s.Save(context.Background(), step)
		done <- err
	}()
	until(t, "a save that waits for the row", func() bool {
		return ask[int](t, admin, "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()") == 1
	})
	run(t, other, `insert into candidates (lane_id, id, base, below, style, at, sha, tree, commits, recipe, recipe_digest, state, run, since, outcome, reason)
		select lane_id, 2, base, 0, style, at, sha, tree, commits, recipe, recipe_digest, 'built', 0, since, null, ''
		from candidates c join lanes l on l.id = c.lane_id where l.trunk = 'other'`)
	run(t, other, "commit")
	run(t, blocker, "rollback")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := w.asks.Load() - before; n < 2 {
		t.Errorf("%d round trips: it was not sent again, so this test proves nothing", n)
	}
	same(t, load(t, s, lane), after)
}
