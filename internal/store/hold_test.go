package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"lander/internal/queue"
	"lander/internal/store/storetest"
)

const holders = "select coalesce(min(pid), 0) from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())"

func TestOneHolderAtATime(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	a, b, admin := open(t, url), open(t, url), sql(t, url)
	release, lost, err := a.Hold(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := b.Hold(t.Context(), queue.Lane{Repo: "acme/app", Trunk: "release"})
	if err != nil {
		t.Fatalf("another lane has to wait: %v", err)
	}
	other()

	impatient, cancel := context.WithCancel(t.Context())
	waits := make(chan error, 1)
	go func() {
		_, _, err := b.Hold(impatient, lane)
		waits <- err
	}()
	const queued = "select count(*) > 0 from pg_locks where locktype = 'advisory' and not granted"
	until(t, "the second waits", func() bool { return ask[bool](t, admin, queued) })
	cancel()
	if err := <-waits; !errors.Is(err, context.Canceled) {
		t.Errorf("who stops waiting gets %v", err)
	}

	had := make(chan func(), 1)
	go func() {
		release, _, err := b.Hold(context.Background(), lane)
		if err != nil {
			t.Error(err)
		}
		had <- release
	}()
	until(t, "the second waits again", func() bool { return ask[bool](t, admin, queued) })
	release()
	release()
	select {
	case second := <-had:
		second()
	case <-time.After(20 * time.Second):
		t.Fatal("the lane was released and the one who waits did not get it")
	}
	select {
	case <-lost:
		t.Error("a lane that was released counts as lost")
	default:
	}
}

// The holder's backend is killed: it is told, and the next one holds.
func TestHandoverWhenTheHoldersConnectionDies(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	a, b, admin := open(t, url), open(t, url), sql(t, url)
	release, lost, err := a.Hold(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	run(t, admin, "select pg_terminate_backend($1)", ask[int](t, admin, holders))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	next, _, err := b.Hold(ctx, lane)
	if err != nil {
		t.Fatal(err)
	}
	defer next()
	select {
	case <-lost:
	case <-ctx.Done():
		t.Fatal("the first holder was not told")
	}
}

func TestNudges(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	s, sender, admin := open(t, url), open(t, url), sql(t, url)
	other := queue.Lane{Repo: "acme/app", Trunk: "release/1.x"}
	start(t, sender, lane)
	start(t, sender, other)
	ctx, cancel := context.WithCancel(t.Context())
	nudges, err := s.Nudges(ctx)
	if err != nil {
		t.Fatal(err)
	}
	next := func() queue.Lane {
		t.Helper()
		select {
		case l, ok := <-nudges:
			if !ok {
				t.Fatal("the nudges ended")
			}
			return l
		case <-time.After(20 * time.Second):
			t.Fatal("no nudge came")
			panic("unreachable")
		}
	}
	post := func(l queue.Lane) {
		t.Helper()
		if _, err := sender.Post(t.Context(), l, queue.Resumed{By: "ada", At: noon}); err != nil {
			t.Fatal(err)
		}
	}
	post(lane)
	if l := next(); l != lane {
		t.Errorf("nudged %v", l)
	}
	post(other)
	if l := next(); l != other {
		t.Errorf("nudged %v", l)
	}
	run(t, admin, "notify lander_inbox, 'what is this'")
	if l := next(); l != (queue.Lane{}) {
		t.Errorf("strange words nudge %v, not every lane", l)
	}

	// The connection is killed, twice: each time it comes back, with a nudge for what was missed.
	const listeners = "select pid from pg_stat_activity where query like 'listen %' and datname = current_database()"
	for range 2 {
		run(t, admin, "select pg_terminate_backend(pid) from ("+listeners+") l")
		if l := next(); l != (queue.Lane{}) {
			t.Errorf("after connecting again: nudged %v, not every lane", l)
		}
		post(lane)
		if l := next(); l != lane {
			t.Errorf("nudged %v", l)
		}
	}

	// Many for one lane while nobody reads are few.
	for range 50 {
		post(lane)
	}
	post(other)
	for used := 1.0; used > 0; { // until Postgres has sent them all
		if err := admin.QueryRow(t.Context(), "select pg_notification_queue_usage()").Scan(&used); err != nil {
			t.Fatal(err)
		}
	}
	got := 0
	for next() != other {
		got++
	}
	if got > 40 { // the last may still be on their way while the first are read
		t.Errorf("50 nudges that nobody read came as %d", got)
	}
	cancel()
	for range nudges {
	}
}
