package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
)

func TestADeliveryIsReceivedOnceHoweverOftenItComes(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	replicas := []*store.Store{open(t, url), open(t, url), open(t, url)}
	d := store.Delivery{
		ID: "d-1", Event: "push", Repo: "acme/app", Body: []byte(`{"ref": "main"}`), Received: noon,
		Items: []store.InboxItem{{Lane: lane, Number: 4}, {Lane: lane, Trunk: true, Tip: sha("b")}},
	}
	var fresh atomic.Int64
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			ok, err := replicas[i%3].Receive(t.Context(), d)
			if err != nil {
				t.Error(err)
			}
			if ok {
				fresh.Add(1)
			}
		})
	}
	wg.Wait()
	if fresh.Load() != 1 {
		t.Errorf("fresh %d times", fresh.Load())
	}
	s := replicas[0]
	items, err := s.Inbox(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	if len(items) != 2 || items[0].Number != 4 || items[0].Trunk || !items[1].Trunk || items[1].Tip != sha("b") {
		t.Fatalf("inbox %+v", items)
	}

	replayed := d
	replayed.ID = "d-2"
	if ok, err := s.Receive(t.Context(), replayed); ok || err != nil {
		t.Errorf("the same body under another id: %v, %v", ok, err)
	}
	for _, id := range []string{"ping-1", "ping-2"} { // without a body there is nothing to compare
		if ok, err := s.Receive(t.Context(), store.Delivery{ID: id, Event: "ping", Received: noon.Add(time.Minute)}); !ok || err != nil {
			t.Errorf("%s: %v, %v", id, ok, err)
		}
	}

	q := load(t, s, lane)
	save(t, s, queue.Save{Old: q, New: q, Done: []int64{items[0].ID}})
	list, err := s.Deliveries(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 3 || list[2] != (store.Received{ID: "d-1", Event: "push", Repo: "acme/app", At: noon, Bytes: 15, Open: 1}) {
		t.Errorf("deliveries %+v", list)
	}
}

// A delivery whose items cannot be stored is not stored either: the forge's next try is fresh.
func TestADeliveryIsStoredWithItsItemsOrNotAtAll(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	d := store.Delivery{ID: "d", Received: noon, Items: []store.InboxItem{{Lane: lane}}}
	if ok, err := s.Receive(t.Context(), d); ok || constraint(err) != "inbox_one_thing" {
		t.Fatalf("an item about nothing: %v, %v", ok, err)
	}
	d.Items[0].Number = 1
	if ok, err := s.Receive(t.Context(), d); !ok || err != nil {
		t.Errorf("the second try: %v, %v", ok, err)
	}
}

func TestOrdersComeOutAsTheyWentIn(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	s, conn := open(t, url), sql(t, url)
	if _, err := s.Post(t.Context(), lane, queue.Resumed{}); !errors.Is(err, store.ErrNoLane) {
		t.Errorf("an order to an unknown lane: %v", err)
	}
	q := start(t, s, lane)
	seven := 7
	orders := []queue.Event{
		queue.ChangeAsked{Number: 3, Ask: queue.Ask{
			ID: "cli/1", Comment: 5, Who: bob, Role: queue.RoleAdmin, At: noon, Verb: queue.VerbLand, SHA: "abc", Priority: &seven, Text: "t", Problem: "p",
		}},
		queue.Paused{By: "ada", Reason: "release", Until: noon.Add(time.Hour), At: noon},
		queue.Paused{By: "ada", At: noon},
		queue.Resumed{By: "ada", At: noon},
	}
	var ids []int64
	for _, ev := range orders {
		id, err := s.Post(t.Context(), lane, ev)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if _, err := s.Post(t.Context(), lane, queue.TrunkSeen{}); err == nil {
		t.Error("a fact was posted as an order")
	}
	run(t, conn, `insert into inbox (lane_id, number, trunk, event) select id, 0, false, '{"kind": "of a later lander"}' from lanes`)
	items, err := s.Inbox(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	var got []queue.Event
	for _, it := range items {
		got = append(got, it.Order)
	}
	if !reflect.DeepEqual(got, orders) {
		t.Errorf("orders\n got %+v\nwant %+v", got, orders)
	}

	if done, err := s.ItemDone(t.Context(), ids[1]); done || err != nil {
		t.Errorf("before: %v, %v", done, err)
	}
	save(t, s, queue.Save{Old: q, New: q, Done: ids[:2]})
	if done, err := s.ItemDone(t.Context(), ids[1]); !done || err != nil {
		t.Errorf("after: %v, %v", done, err)
	}
	if items, err = s.Inbox(t.Context(), lane); err != nil || len(items) != 2 || items[0].ID != ids[2] {
		t.Errorf("what is left: %+v, %v", items, err)
	}
	if _, err := s.ItemDone(t.Context(), 1<<40); err == nil {
		t.Error("an item that never was is reported without an error")
	}
	other := start(t, s, queue.Lane{Repo: "acme/app", Trunk: "other"})
	save(t, s, queue.Save{Old: other, New: other, Done: ids[2:]})
	if done, err := s.ItemDone(t.Context(), ids[2]); done || err != nil {
		t.Errorf("another lane ended it: %v, %v", done, err)
	}
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := start(t, s, lane)
	tell := func(ns ...queue.Notice) {
		t.Helper()
		n := q
		n.Outbox = ns
		q = save(t, s, queue.Save{Old: q, New: n})
	}
	living := func(text string) queue.Notice {
		return queue.Notice{Key: "living/1", Kind: queue.NoticeLiving, Number: 1, Text: text}
	}
	answer := queue.Notice{Key: "answer/1", Kind: queue.NoticeAnswer, Number: 1, Text: "yes"}
	unsent := func(now time.Time, want ...string) (out []queue.Outgoing) {
		t.Helper()
		out, err := s.Unsent(t.Context(), lane, now, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range out {
			got = append(got, fmt.Sprintf("%s as %q after %d", o.Notice.Text, o.Remote, o.Tries))
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("unsent\n got %q\nwant %q", got, want)
		}
		return out
	}
	sent := func(o queue.Outgoing, remote string) {
		t.Helper()
		if err := s.Sent(t.Context(), o.Seq, remote); err != nil {
			t.Fatal(err)
		}
	}

	// A living notice that was not sent yet gives way to the next one, also within one save; a key that was told is not told again.
	tell(living("waiting"), answer)
	tell(living("first"), answer, living("testing"))
	out := unsent(noon, `yes as "" after 0`, `testing as "" after 0`)
	sent(out[0], "c-1")
	sent(out[1], "c-2")
	tell(answer)
	unsent(noon)

	// The next living one edits what was posted. While it is being posted a newer one comes: neither is lost.
	tell(living("third"))
	posting := unsent(noon, `third as "c-2" after 0`)[0]
	tell(living("second"))
	sent(posting, "c-2")
	newest := unsent(noon, `second as "c-2" after 0`)[0]

	// A failure is tried again at its time, and not before.
	if err := s.SendFailed(t.Context(), newest.Seq, "500 \x00", noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	unsent(noon.Add(time.Minute - 1))
	again := unsent(noon.Add(time.Minute), `second as "c-2" after 1`)[0]
	sent(again, "c-9") // the comment was deleted and posted anew
	tell(living("landed"))
	unsent(noon, `landed as "c-9" after 0`)

	if err := s.Sent(t.Context(), 1<<40, "x"); err == nil {
		t.Error("a notice that never was is marked without an error")
	}
}

// The first living notice is superseded while it is being posted: its comment is still the one that is edited.
func TestASupersededNoticeLeavesItsComment(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := start(t, s, lane)
	for _, text := range []string{"one", "two"} {
		n := q
		n.Outbox = []queue.Notice{{Key: "living/1", Kind: queue.NoticeLiving, Text: text}}
		q = save(t, s, queue.Save{Old: q, New: n})
		out, err := s.Unsent(t.Context(), lane, noon, 10)
		if err != nil || len(out) != 1 || out[0].Notice.Text != text {
			t.Fatalf("unsent %+v, %v", out, err)
		}
		if text == "one" {
			defer func(first int64) {
				if err := s.Sent(t.Context(), first, "c-1"); err != nil {
					t.Fatal(err)
				}
				out, err := s.Unsent(t.Context(), lane, noon, 10)
				if err != nil || len(out) != 1 || out[0].Notice.Text != "two" || out[0].Remote != "c-1" {
					t.Errorf("unsent %+v, %v", out, err)
				}
			}(out[0].Seq)
		}
	}
}

func TestMissedDeliveriesAreCountedFromATimeOn(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := ready(t, s, lane)
	n := q
	for _, ago := range []time.Duration{25 * time.Hour, 23 * time.Hour, 0} {
		n = n.Apply(queue.DeliveryMissed{Number: 1, At: noon.Add(-ago)})
	}
	save(t, s, queue.Save{Old: q, New: n})
	for since, want := range map[time.Duration]int{26 * time.Hour: 3, 24 * time.Hour: 2, -time.Second: 0} {
		if got, err := s.Missed(t.Context(), lane, noon.Add(-since)); err != nil || got != want {
			t.Errorf("missed in the last %v: %d, %v, want %d", since, got, err, want)
		}
	}
	if got, err := s.Missed(t.Context(), queue.Lane{Repo: "acme/other", Trunk: "main"}, noon.Add(-time.Hour)); err != nil || got != 0 {
		t.Errorf("missed by a lane that was never kept: %d, %v", got, err)
	}
}

func TestJournalOfOneChangeHoldsItsCandidates(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := ready(t, s, lane)
	n := q
	n.Journal = []queue.Record{
		{At: noon, Candidate: 1, Kind: "run ended", Text: "of #1"},
		{At: noon, Candidate: 2, Kind: "run ended", Text: "of another"},
		{At: noon, Number: 2, Kind: "held"},
		{At: noon, Kind: "paused"},
		{At: noon, Number: 1, Candidate: 1, Kind: "landed"},
	}
	save(t, s, queue.Save{Old: q, New: n})
	records, err := s.Journal(t.Context(), lane, 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, r := range records {
		kinds = append(kinds, r.Kind)
	}
	if want := []string{"landed", "run ended", "queued"}; !reflect.DeepEqual(kinds, want) {
		t.Errorf("journal of #1: %v, want %v", kinds, want)
	}
	if records, err = s.Journal(t.Context(), lane, 0, 2); err != nil || len(records) != 2 || records[1].Kind != "paused" {
		t.Errorf("newest two: %+v, %v", records, err)
	}
}
