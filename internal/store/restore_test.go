package store_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"lander/internal/queue"
	"lander/internal/store/storetest"
)

// A backup is taken, #1 lands and is closed, the backup is restored: what the ledger tells is taken over, also of a change that the
// backup has never seen, and neither lands again.
func TestAnOldBackupIsRestored(t *testing.T) {
	t.Parallel()
	at := storetest.New(t)
	s := open(t, at)
	ready(t, s, lane)
	s.Close()
	backup := restored(t, at)

	s = open(t, backup)
	q := load(t, s, lane)
	if q.Candidates[0].State != queue.CandidateConfirmed {
		t.Fatalf("the backup holds %+v", q.Candidates[0])
	}
	land := func(seq int64, of queue.CandidateID, old, to queue.SHA, n queue.Number, head queue.SHA) queue.Written {
		return queue.Written{SHA: record(seq), Statement: queue.Statement{
			Format: 1, Seq: seq, Lane: lane.String(), Decision: queue.DecisionLand, Attempt: of, Old: old, New: to, At: noon.Add(time.Hour),
			Entries: []queue.LedgerEntry{{Number: n, Head: head, Commits: []queue.SHA{to}}},
		}}
	}
	n := q.Apply(queue.LedgerSeen{Tip: record(3), At: noon, Above: []queue.Written{
		land(2, 1, sha("a"), sha("c"), 1, sha("1")), land(3, 5, sha("d"), sha("e"), 8, sha("8")),
	}})
	n = n.Apply(queue.TrunkSeen{Tip: sha("e"), At: noon})
	q = save(t, s, queue.Save{Old: q, New: n})
	same(t, load(t, s, lane), q)
	if e := q.Entry(1); e.State != queue.Landed || e.Landing.Tip != sha("c") || len(e.Past) != 1 || e.Past[0].Commits[0].SHA != sha("c") {
		t.Errorf("#1 is %+v", e)
	}
	if q.Tip != sha("e") || q.Ledger.Tip != record(3) || q.Ledger.Seq != 3 || q.Next != 5 {
		t.Errorf("the lane is %+v", q)
	}
	// The ledger is seen once more, as by a replica that did not know yet.
	same(t, save(t, s, queue.Save{Old: q, New: q.Apply(queue.LedgerSeen{Tip: record(3), At: noon})}), load(t, s, lane))
	q = load(t, s, lane)

	unknown, err := s.Former(t.Context(), lane, 8)
	if err != nil || unknown == nil || unknown.Number != 8 || unknown.Head != "" || unknown.State != queue.Idle || unknown.Past[0].Tip != sha("e") {
		t.Errorf("#8, of which only the ledger tells: %+v, %v", unknown, err)
	}
	landings, err := s.Landings(t.Context(), lane, 10)
	if err != nil || len(landings) != 2 || landings[0].Number != 8 || landings[0].Candidate != 0 || landings[0].Record != record(3) || landings[1].Title != "a title" {
		t.Errorf("landings %+v, %v", landings, err)
	}
	log, err := s.TrunkLog(t.Context(), lane, 10)
	if err != nil || len(log) != 4 || log[0].Kind != queue.MoveLand || !log[0].Recalled || log[1].Kind != queue.MoveBypass || log[2].New != sha("c") {
		t.Errorf("trunk log %+v, %v", log, err)
	}

	// Whatever goes wrong above, the same head does not land again.
	c := candidate(6, q.Tip, sha("9"), q.Entries[0])
	again := edit(put(q, c), 1, func(e *queue.Entry) { e.State = queue.Queued })
	q = save(t, s, queue.Save{Old: q, New: again})
	q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidate(6), func(c *queue.Candidate) {
		c.State, c.Run, c.Verdict = queue.CandidateConfirmed, 1, green()
	}))})
	if _, err := s.Save(t.Context(), queue.Save{Old: q, New: begin(q, 6)}); constraint(err) != "candidates_intent_once" {
		t.Errorf("a head that has landed: %v", err)
	}
}

// restored copies a database that nobody is connected to, as pg_dump and pg_restore would.
func restored(t *testing.T, from string) string {
	t.Helper()
	u, err := url.Parse(from)
	if err != nil {
		t.Fatal(err)
	}
	name := u.Path[1:]
	copied := name + "_backup"
	u.Path = "/postgres"
	conn, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := conn.Exec(context.Background(), "drop database "+copied+" with (force)"); err != nil {
			t.Error(err)
		}
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	until(t, "everybody disconnected", func() bool {
		return ask[int](t, conn, "select count(*) from pg_stat_activity where datname = $1", name) == 0
	})
	run(t, conn, "create database "+copied+" template "+name)
	u.Path = "/" + copied
	return u.String()
}
