package storetest_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"lander/internal/store/storetest"
)

// endVariable makes the test binary run one test that ends in a bad way, and says where its database is.
const endVariable = "LANDER_TEST_BAD_END"

var migrations atomic.Int32

func TestMain(m *testing.M) {
	storetest.Main(m, func(ctx context.Context, url string) error {
		migrations.Add(1)
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, `CREATE TABLE word (word text); INSERT INTO word VALUES ('template')`)
		return err
	})
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func words(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	var got string
	if err := conn.QueryRow(t.Context(), `SELECT string_agg(word, ' ' ORDER BY word) FROM word`).Scan(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

// Tests run side by side, each writes, and each sees the template and its own word alone.
func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	for n := range 10 {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			conn := connect(t, storetest.New(t))
			word := fmt.Sprintf("test%d", n)
			if _, err := conn.Exec(t.Context(), `INSERT INTO word VALUES ($1)`, word); err != nil {
				t.Fatal(err)
			}
			if got := words(t, conn); got != "template "+word {
				t.Errorf("got %q", got)
			}
			if got := migrations.Load(); got != 1 {
				t.Errorf("the template was migrated %d times", got)
			}
		})
	}
}

func TestEmptyHasNoSchema(t *testing.T) {
	t.Parallel()
	var tables int
	conn := connect(t, storetest.Empty(t))
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables); err != nil {
		t.Fatal(err)
	}
	if tables != 0 {
		t.Errorf("%d tables", tables)
	}
}

// A test that forgets to disconnect does not keep its database.
func TestDroppedAtTheEnd(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("test", func(t *testing.T) {
		url = storetest.New(t)
		if _, err := pgx.Connect(t.Context(), url); err != nil {
			t.Fatal(err)
		}
	})
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		conn.Close(t.Context())
		t.Error("the database is still there")
	}
}

// A test binary that panics, exits or is killed leaves no server and no files.
func TestBadEnd(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"panic", "exit", "kill"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			program, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program, "-test.run=^TestBadEnding$")
			cmd.Env = append(os.Environ(), endVariable+"="+end)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(out)
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err == nil {
				t.Fatalf("it ended well: %s", text)
			}
			_, rest, _ := strings.Cut(string(text), "cluster=")
			cluster, _, found := strings.Cut(rest, "\n")
			if !found {
				t.Fatalf("it did not say where its cluster is: %s", text)
			}
			deadline := time.Now().Add(30 * time.Second)
			for tick := time.NewTicker(10 * time.Millisecond); ; <-tick.C {
				if _, err := os.Stat(filepath.Dir(cluster)); os.IsNotExist(err) {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("%s is still there", cluster)
				}
			}
		})
	}
}

// TestBadEnding does nothing unless TestBadEnd runs it, in a process of its own.
func TestBadEnding(t *testing.T) {
	end := os.Getenv(endVariable)
	if end == "" {
		return
	}
	var cluster string
	if err := connect(t, storetest.New(t)).QueryRow(t.Context(), `SHOW data_directory`).Scan(&cluster); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("cluster=%s\n", cluster)
	switch end {
	case "panic":
		go func() { panic("as ordered") }()
		<-t.Context().Done()
	case "exit":
		os.Exit(3)
	case "kill":
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if err := self.Kill(); err != nil {
			t.Fatal(err)
		}
		<-t.Context().Done()
	}
}

func BenchmarkNew(b *testing.B) {
	storetest.New(b) // starts the server
	for b.Loop() {
		storetest.New(b)
	}
}
