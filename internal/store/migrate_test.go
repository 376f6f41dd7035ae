package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
	schema "lander/sql"
)

func TestFiveReplicasMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := storetest.Empty(t)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if err := store.Migrate(t.Context(), url); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s := open(t, url)
	if err := s.Healthy(t.Context()); err != nil {
		t.Error(err)
	}
	start(t, s, lane)
	if err := store.Migrate(t.Context(), url); err != nil {
		t.Errorf("once more: %v", err)
	}
}

// Every migration runs on a database that holds rows. testdata/fixtures/NNNN.sql is applied after migration NNNN, so a later
// migration finds what an older lander may have left; add one with each migration that makes or changes a table.
func TestMigrationsOnADatabaseWithRows(t *testing.T) {
	t.Parallel()
	url := storetest.Empty(t)
	conn := sql(t, url)
	names, err := fs.Glob(schema.Migrations, "migrations/*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("migrations %v, %v", names, err)
	}
	for i, name := range names {
		number, _, _ := strings.Cut(filepath.Base(name), "_")
		version, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.MigrateTo(t.Context(), url, int64(version)); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			text, err := fs.ReadFile(schema.Migrations, name)
			if err != nil {
				t.Fatal(err)
			}
			if oldest := ask[int](t, conn, "select oldest from schema_floor"); oldest < 2 || oldest > version || !strings.Contains(string(text), "schema_floor") {
				t.Errorf("%s does not say which landers may write: %d", name, oldest)
			}
		}
		rows, err := os.ReadFile(filepath.Join("testdata", "fixtures", number+".sql"))
		if i > 0 && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.PgConn().Exec(t.Context(), string(rows)).ReadAll(); err != nil {
			t.Fatalf("fixture %s: %v", number, err)
		}
	}

	// What the first fixture holds is a lane like any other, and goes on.
	s := open(t, url)
	q := load(t, s, lane)
	if len(q.Entries) != 2 || len(q.Candidates) != 1 || q.Candidates[0].State != queue.CandidateTesting || len(q.Entry(2).Approvals) != 1 || q.Pause == nil {
		t.Fatalf("state of the fixture: %+v", q)
	}
	if e, err := s.Former(t.Context(), lane, 1); err != nil || e == nil || e.Landing == nil || e.Landing.Tip != sha("b") {
		t.Errorf("the landed change: %+v, %v", e, err)
	}
	if all, err := s.Landings(t.Context(), lane, 10); err != nil || len(all) != 1 || all[0].Candidate != 1 || all[0].Record != "" {
		t.Errorf("landings %+v, %v", all, err)
	}
	if log, err := s.TrunkLog(t.Context(), lane, 10); err != nil || len(log) != 1 || log[0].Kind != queue.MoveAdopt || log[0].New != q.Tip {
		t.Errorf("trunk log %+v, %v", log, err)
	}
	items, err := s.Inbox(t.Context(), lane)
	if err != nil || len(items) != 3 || items[2].Order == nil {
		t.Errorf("inbox %+v, %v", items, err)
	}
	out, err := s.Unsent(t.Context(), lane, noon, 10)
	if err != nil || len(out) != 1 || out[0].Remote != "c-1" {
		t.Errorf("outbox %+v, %v", out, err)
	}
	release := load(t, s, queue.Lane{Repo: "acme/app", Trunk: "release"})
	after := save(t, s, queue.Save{Old: release, New: landed(release, 2, noon)})
	same(t, load(t, s, release.Lane), after)
	if after.Ledger.Seq != 4 || after.Entry(2).Past[0].Tip != sha("e") || after.Entry(1).Ours[0] != sha("b") {
		t.Errorf("the lane of the second fixture: %+v", after)
	}
	train := load(t, s, queue.Lane{Repo: "acme/app", Trunk: "train"})
	if len(train.Candidates) != 3 || len(train.Cases) != 1 || train.Cases[0].Names[0] != "lint" || train.Candidate(5).Of != 3 || train.Sound != sha("a") ||
		train.Estimates.All.Good != 3 || train.Entry(3).After != 2 || !train.Entry(3).Alone || train.Candidate(4).Verdict.Steps[0].Run != 1 {
		t.Fatalf("the lane of the third fixture: %+v", train)
	}
	train = save(t, s, queue.Save{Old: train, New: begin(train, 4)})
	after = save(t, s, queue.Save{Old: train, New: landed(train, 4, noon)})
	same(t, load(t, s, train.Lane), after)
	// What schema 3 left knows no areas; a lane that has some goes on.
	if c := after.Candidates[0]; c.Apart != nil || c.Ground != "" || len(c.Awaits) != 0 || after.Entry(3).MappedBy != "" {
		t.Errorf("the lane of the third fixture was built apart: %+v", c)
	}
	apart := load(t, s, queue.Lane{Repo: "acme/app", Trunk: "areas"})
	if c := apart.Candidate(2); c == nil || c.Apart == nil || c.Ground != apart.Tip || len(c.Awaits) != 1 || c.Awaits[0].Number != 1 || apart.Entry(2).Areas[0] != "api" {
		t.Fatalf("the lane of the fourth fixture: %+v", apart)
	}
	apart = save(t, s, queue.Save{Old: apart, New: begin(apart, 3)})
	after = save(t, s, queue.Save{Old: apart, New: landed(apart, 3, noon)})
	same(t, load(t, s, apart.Lane), after)
	n := put(q, with(q.Candidates[0], func(c *queue.Candidate) {
		c.State, c.Verdict = queue.CandidatePassed, &queue.Verdict{Outcome: queue.Green}
	}))
	same(t, save(t, s, queue.Save{Old: q, New: n}), load(t, s, lane))
}

func TestAnOldSchemaIsNotHealthy(t *testing.T) {
	t.Parallel()
	url := storetest.Empty(t)
	s := open(t, url)
	if err := s.Healthy(t.Context()); err == nil || !strings.Contains(err.Error(), "lander migrate") {
		t.Errorf("an empty database: %v", err)
	}
	if err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if err := s.Healthy(t.Context()); err != nil {
		t.Error(err)
	}
	have, want, err := s.SchemaVersion(t.Context())
	if err != nil || have != want || want < 1 {
		t.Errorf("version %d of %d, %v", have, want, err)
	}
}

func TestADatabaseThatCannotBeUsedIsOneClearSentence(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	for name, c := range map[string]struct{ url, want string }{
		"nothing there":    {"postgres://lander:geheim@127.0.0.1:1/lander?connect_timeout=2", "nothing answers there"},
		"no such database": {strings.Replace(url, "/test_", "/nothing_", 1), "createdb nothing_"},
		"no URL at all":    {"postgres://lander:geheim@host:port/x", "LANDER_DATABASE_URL must look like"},
	} {
		began := time.Now()
		_, err := store.Open(t.Context(), c.url, zerolog.Nop())
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\n\t") || strings.Contains(err.Error(), "geheim") || time.Since(began) > 15*time.Second {
			t.Errorf("%s: after %v: %v", name, time.Since(began), err)
		}
		if again := store.Migrate(t.Context(), c.url); again == nil || !strings.Contains(again.Error(), c.want) || strings.Contains(again.Error(), "geheim") {
			t.Errorf("%s: Migrate: %v", name, again)
		}
	}
}
