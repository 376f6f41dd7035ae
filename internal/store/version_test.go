package store_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
)

// nextVariable makes all databases of the test binary look as if a newer lander had migrated them already.
const nextVariable = "LANDER_TEST_NEXT"

// migrate makes the template of all databases.
func migrate(ctx context.Context, url string) error {
	err := store.Migrate(ctx, url)
	if os.Getenv(nextVariable) == "" || err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(next(ctx, conn, "additive"), conn.Close(ctx))
}

// next does what a migration of the future would do.
func next(ctx context.Context, conn *pgx.Conn, name string) error {
	text, err := os.ReadFile(filepath.Join("testdata", "next", name+".sql"))
	if err != nil {
		return err
	}
	_, err = conn.PgConn().Exec(ctx, string(text)).ReadAll()
	return err
}

// While replicas are replaced one by one, this lander works on what the next one has added to: its own tests hold there too.
func TestOnASchemaThatWasAddedTo(t *testing.T) {
	t.Parallel()
	if os.Getenv(nextVariable) != "" {
		return // this is that run
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tests := "TestOneChange|TestOfTwo|TestAfterAStale|TestHeadMoves|TestAClosed|TestEveryRun|TestPolicy|TestAnIntent|TestAnOldBackup|" +
		"TestRoundTrip|TestTheSchemaAccepts|TestOneHolder|TestASave|TestWhatDid|TestANewer"
	cmd := exec.CommandContext(t.Context(), program, "-test.v", "-test.run=^("+tests+")", "-rapid.checks=40", "-rapid.nofailfile")
	cmd.Env = append(os.Environ(), nextVariable+"=1")
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if n := strings.Count(string(said), "--- PASS: Test"); n < strings.Count(tests, "|")+1 {
		t.Errorf("only %d tests ran:\n%s", n, said)
	}
}

// An older lander that may still write is healthy, and migrates nothing.
func TestANewerLanderMayHaveMigrated(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	s, admin := open(t, url), sql(t, url)
	if os.Getenv(nextVariable) == "" {
		if err := next(t.Context(), admin, "additive"); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Migrate(t.Context(), url); err != nil {
		t.Errorf("migrate: %v", err)
	}
	have, want, err := s.SchemaVersion(t.Context())
	if err != nil || have != want+1 {
		t.Errorf("version %d of %d, %v", have, want, err)
	}
	if err := open(t, url).Healthy(t.Context()); err != nil {
		t.Errorf("on a schema that was added to: %v", err)
	}
}

// A lander that is too old for what a newer one made of the database is told so wherever it would do something, also when it runs
// already, and changes nothing. The others go on.
func TestALanderThatIsTooOldIsShutOut(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	s, admin := open(t, url), sql(t, url)
	q := ready(t, s, lane)
	release, _, err := s.Hold(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	if err := next(t.Context(), admin, "shut"); err != nil {
		t.Fatal(err)
	}
	told := func(what string, err error) {
		t.Helper()
		if err == nil || errors.Is(err, queue.ErrStale) || !strings.Contains(err.Error(), "run the newer lander here too") {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = s.Save(t.Context(), queue.Save{Old: q, New: begin(q, 1)})
	told("an intent", err)
	_, err = s.Save(t.Context(), queue.Save{Old: q, New: edit(q, 1, func(e *queue.Entry) { e.Held = true })})
	told("a save", err)
	release()
	_, _, err = s.Hold(t.Context(), lane)
	told("a hold", err)
	told("health", s.Healthy(t.Context()))
	_, err = store.Open(t.Context(), url, zerolog.Nop())
	told("a start", err)
	if err := store.Migrate(t.Context(), url); err != nil {
		t.Errorf("migrate, which has nothing to do: %v", err)
	}
	same(t, load(t, s, lane), q)
	if held := ask[int](t, admin, holders); held != 0 {
		t.Error("who may not write holds the lane")
	}
}
