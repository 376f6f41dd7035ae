package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"

	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m, migrate) }

var (
	lane = queue.Lane{Repo: "acme/app", Trunk: "main"}
	noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

	ann = queue.Person{ID: 1, Login: "ann"}
	bob = queue.Person{ID: 2, Login: "bob"}

	policy = queue.Policy{Approvals: 1, NoLabels: []string{"wip"}, Recipe: queue.Recipe{Steps: []queue.Step{{Name: "unit", Run: "make"}}}}
)

func open(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// sha makes a commit id from one digit.
func sha(digit string) queue.SHA { return queue.SHA(strings.Repeat(digit, 40)) }

// record makes the commit id of a ledger's record.
func record(seq int64) queue.SHA { return queue.SHA(fmt.Sprintf("%040x", 0xfeed<<32+seq)) }

// entry is a pull request by ann that bob approved.
func entry(n queue.Number, head queue.SHA) *queue.Entry {
	return &queue.Entry{
		Change: queue.Change{Number: n, Head: head, Branch: fmt.Sprintf("topic-%d", n), Title: "a title", Body: "a body", Author: ann, URL: "https://forge/1"},
		State:  queue.Queued, SeenAt: noon, HeadSince: noon, AskedBy: bob, AskedAt: noon, Handled: []string{"review/1"},
		Approvals: []queue.Approval{{ID: "review/1", Who: bob, At: noon, Via: "review"}},
	}
}

// candidate is what stands on base with one member.
func candidate(id queue.CandidateID, base, at queue.SHA, of *queue.Entry) *queue.Candidate {
	return &queue.Candidate{
		ID: id, Base: base, Members: []queue.Member{{Number: of.Number, Head: of.Head}}, Style: queue.StyleRebase, At: noon,
		Built:  queue.Built{SHA: at, Tree: sha("7"), Commits: []queue.BuiltCommit{{SHA: at, Member: of.Number, From: of.Head, Title: "a title"}}},
		Recipe: policy.Recipe, State: queue.CandidateBuilt, Since: noon,
	}
}

// green is the verdict of a run of all of the policy's recipe.
func green() *queue.Verdict {
	return &queue.Verdict{Outcome: queue.Green, Took: time.Second, Steps: []queue.StepResult{{Name: "unit", Took: time.Second}}}
}

// with is a changed copy, as queue makes them.
func with[T any](v *T, change func(*T)) *T {
	c := *v
	change(&c)
	return &c
}

// start saves a lane with a ledger and two queued pull requests.
func start(t testing.TB, s *store.Store, lane queue.Lane) queue.Queue {
	t.Helper()
	q, err := s.Load(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	n := q
	n = move(n, queue.Move{Kind: queue.MoveAdopt, New: sha("a"), At: noon})
	n.Ledger = queue.Ledger{Tip: record(1), Seq: 1}
	n.Entries = []*queue.Entry{entry(1, sha("1")), entry(2, sha("2"))}
	n.Journal = []queue.Record{{At: noon, Number: 1, Kind: "queued", Text: "bob asked"}}
	return save(t, s, queue.Save{Old: q, New: n, Policy: &policy})
}

// move puts trunk elsewhere.
func move(q queue.Queue, m queue.Move) queue.Queue {
	m.Old, q.Tip = q.Tip, m.New
	q.Moves = append(slices.Clone(q.Moves), m)
	return q
}

// begin takes up the intent to land a candidate.
func begin(q queue.Queue, id queue.CandidateID) queue.Queue {
	return put(q, with(q.Candidate(id), func(c *queue.Candidate) {
		seq := q.Ledger.Seq + 1
		c.State, c.Intent = queue.CandidateLanding, &queue.Intent{
			Ledger: q.Ledger.Tip, Seq: seq, Record: queue.Sealed{SHA: record(seq), Text: "tree 4b825dc\n\nland #1 on main\n"},
			Heads: []queue.HeadMove{{Number: 1, Repo: "ann/app", Branch: "topic-1", From: sha("1"), To: c.Built.SHA}},
		}
	}))
}

// landed is the step after which a candidate that was landing has landed.
func landed(q queue.Queue, id queue.CandidateID, at time.Time) queue.Queue {
	c := q.Candidate(id)
	q = put(q, with(c, func(c *queue.Candidate) { c.State, c.Since = queue.CandidateLanded, at }))
	q.Ledger.Tip, q.Ledger.Seq = c.Intent.Record.SHA, c.Intent.Seq
	q = move(q, queue.Move{Kind: queue.MoveLand, New: c.Built.SHA, At: at, Candidate: id, Record: q.Ledger.Tip, Seq: q.Ledger.Seq, Members: c.Members})
	for _, m := range c.Members {
		q = edit(q, m.Number, func(e *queue.Entry) {
			l := queue.Landing{Candidate: id, Head: m.Head, Tip: c.Built.SHA, At: at}
			for _, bc := range c.Built.Commits {
				if bc.Member == m.Number {
					l.Commits = append(l.Commits, bc)
				}
			}
			e.State, e.Landing, e.Past = queue.Landed, &l, append(slices.Clone(e.Past), l)
		})
	}
	return q
}

// ready is start with a candidate of #1 that passed and was confirmed.
func ready(t testing.TB, s *store.Store, lane queue.Lane) queue.Queue {
	t.Helper()
	q := start(t, s, lane)
	c := candidate(1, q.Tip, sha("c"), q.Entries[0])
	q = save(t, s, queue.Save{Old: q, New: put(q, c)})
	q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidates[0], func(c *queue.Candidate) {
		c.State, c.Run = queue.CandidateTesting, 1
	}))})
	return save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidates[0], func(c *queue.Candidate) {
		c.State, c.Verdict = queue.CandidateConfirmed, green()
	}))})
}

// put replaces the candidate of that id, or adds it.
func put(q queue.Queue, c *queue.Candidate) queue.Queue {
	all := []*queue.Candidate{}
	for _, old := range q.Candidates {
		if old.ID != c.ID {
			all = append(all, old)
		}
	}
	q.Candidates, q.Next = append(all, c), max(q.Next, c.ID)
	return q
}

// edit replaces an entry by a changed copy.
func edit(q queue.Queue, n queue.Number, change func(*queue.Entry)) queue.Queue {
	all := []*queue.Entry{}
	for _, e := range q.Entries {
		if e.Number == n {
			e = with(e, change)
		}
		all = append(all, e)
	}
	q.Entries = all
	return q
}

func save(t testing.TB, s *store.Store, step queue.Save) queue.Queue {
	t.Helper()
	q, err := s.Save(t.Context(), step)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func load(t testing.TB, s *store.Store, lane queue.Lane) queue.Queue {
	t.Helper()
	q, err := s.Load(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// same fails unless the two states are equal in everything.
func same(t interface {
	Helper()
	Fatalf(string, ...any)
}, got, want queue.Queue,
) {
	t.Helper()
	if d := difference(got, want); d != "" {
		t.Fatalf("%s", d)
	}
}

func difference(got, want queue.Queue) string {
	if reflect.DeepEqual(got, want) {
		return ""
	}
	for i := range min(len(got.Entries), len(want.Entries)) {
		if !reflect.DeepEqual(got.Entries[i], want.Entries[i]) {
			return fmt.Sprintf("entry:\n got %+v\nwant %+v", got.Entries[i], want.Entries[i])
		}
	}
	for i := range min(len(got.Candidates), len(want.Candidates)) {
		if !reflect.DeepEqual(got.Candidates[i], want.Candidates[i]) {
			return fmt.Sprintf("candidate:\n got %+v\nwant %+v", got.Candidates[i], want.Candidates[i])
		}
	}
	return fmt.Sprintf("queue:\n got %+v\nwant %+v", got, want)
}

// sql is a plain connection for what no Store would do.
func sql(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func run(t testing.TB, conn *pgx.Conn, text string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func ask[T any](t testing.TB, conn *pgx.Conn, text string, args ...any) (v T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), text, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// constraint names the constraint that an error is about.
func constraint(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.ConstraintName
	}
	return ""
}

// until polls a condition.
func until(t testing.TB, what string, true func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !true() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come true", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
