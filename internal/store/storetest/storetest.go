// Package storetest gives each test a Postgres database of its own.
//
// The first test of a package that asks starts a private server (see package embedded) with durability off, and migrates one
// template database. Every test then gets a copy of the template, made by copying files, and dropped at its end. A test binary
// has its own server in its own temporary directory, so any number of them run at once; the server goes, and its files with it,
// when the binary ends, however it ends.
//
// A package uses it by one line:
//
//	func TestMain(m *testing.M) { storetest.Main(m, store.Migrate) }
package storetest

import (
	"context"
	"fmt"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"lander/internal/store/embedded"
)

// Migrate brings an empty database to the schema that tests want. It must close its connections.
type Migrate func(ctx context.Context, url string) error

// limit bounds each step that is not a test's own; it is long because machines that run tests are busy.
const limit = 2 * time.Minute

var house struct {
	migrate Migrate // nil until Run

	once sync.Once
	made *maker
	err  error
}

// Main runs the package's tests and ends the process. It must be all of TestMain, or its last call, with
// [embedded.Supervise] as the first.
func Main(m *testing.M, migrate Migrate) { os.Exit(Run(m, migrate)) }

// Run is Main for a TestMain that has something to do afterwards: it gives the exit status.
func Run(m *testing.M, migrate Migrate) int {
	embedded.Supervise()
	house.migrate = migrate
	status := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, "storetest:", err)
		return max(status, 1)
	}
	return status
}

// New gives the URL of a new database with the schema. It is dropped, and whoever is still connected thrown out, at the test's end.
func New(tb testing.TB) (url string) {
	tb.Helper()
	return fresh(tb, template)
}

// Empty gives the URL of a new database without the schema, for tests of the migrations themselves.
func Empty(tb testing.TB) (url string) {
	tb.Helper()
	return fresh(tb, "template0")
}

// Copy gives the URL of a new database that holds what another of this package does, as a backup would. Nobody may be in that one;
// who has just left it is waited for.
func Copy(tb testing.TB, from string) (url string) {
	tb.Helper()
	return fresh(tb, path.Base(strings.SplitN(from, "?", 2)[0]))
}

func fresh(tb testing.TB, from string) string {
	tb.Helper()
	house.once.Do(func() { house.made, house.err = start(house.migrate) })
	if house.err != nil {
		tb.Fatalf("storetest: %v", house.err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	name, err := house.made.clone(ctx, from)
	if err != nil {
		tb.Fatalf("storetest: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := house.made.drop(ctx, name); err != nil {
			tb.Errorf("storetest: %v", err)
		}
	})
	return house.made.server.URL(name)
}

// stop ends the server if a test has started it.
func stop() error {
	house.once.Do(func() {}) // from here on nobody starts one
	if house.made == nil {
		return nil
	}
	return house.made.server.Stop()
}
