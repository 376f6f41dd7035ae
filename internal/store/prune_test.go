package store_test

import (
	"testing"
	"time"

	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
)

// What was dealt with is forgotten in time; what is still to be done, what a living comment is edited by, and what tells a replay
// from something new never is.
func TestPruneForgetsOnlyWhatNobodyNeeds(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	s := open(t, url)
	conn := sql(t, url)
	q := start(t, s, lane)
	for _, d := range []store.Delivery{
		{ID: "dealt with", Event: "push", Repo: "acme/app", Body: []byte(`1`), Received: noon, Items: []store.InboxItem{{Lane: lane, Number: 4}}},
		{ID: "open", Event: "push", Repo: "acme/app", Body: []byte(`2`), Received: noon, Items: []store.InboxItem{{Lane: lane, Number: 5}}},
	} {
		if _, err := s.Receive(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	items, err := s.Inbox(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	next := q
	next.Outbox = []queue.Notice{
		{Key: "landed/4", Kind: queue.NoticeLanded, Number: 4, At: noon},
		{Key: "living/4", Kind: queue.NoticeLiving, Number: 4, At: noon},
		{Key: "answer/5", Kind: queue.NoticeAnswer, Number: 5, At: noon},
	}
	save(t, s, queue.Save{Old: q, New: next, Done: []int64{items[0].ID}})
	unsent, err := s.Unsent(t.Context(), lane, noon, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range unsent {
		if o.Notice.Number == 5 {
			continue
		}
		if err := s.Sent(t.Context(), o.Seq, "77"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Prune(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := ask[string](t, conn, "select string_agg(key, ' ' order by key) from outbox"); got != "answer/5 living/4" {
		t.Errorf("outbox holds %q", got)
	}
	if got := ask[string](t, conn, "select string_agg(id || ':' || length(body), ' ' order by id) from deliveries"); got != "dealt with:0 open:1" {
		t.Errorf("deliveries hold %q", got)
	}
	if items, err = s.Inbox(t.Context(), lane); err != nil || len(items) != 1 || items[0].Number != 5 {
		t.Errorf("inbox %+v, %v", items, err)
	}
	again := store.Delivery{ID: "new id", Event: "push", Repo: "acme/app", Body: []byte(`1`), Received: noon.Add(time.Hour)}
	if fresh, err := s.Receive(t.Context(), again); fresh || err != nil {
		t.Errorf("a replay after the pruning: %v, %v", fresh, err)
	}
}
