package store_test

import (
	"strings"
	"testing"
	"time"

	"lander/internal/store"
	"lander/internal/store/storetest"
)

func TestADatabaseIsExaminedAndNotChanged(t *testing.T) {
	t.Parallel()
	url := storetest.Empty(t)
	a, err := store.Examine(t.Context(), url, time.Now)
	if err != nil || a.Have != 0 || a.Want < 1 || a.ShutOut != nil || a.TooOld || a.ReadOnly || !strings.Contains(a.Version, ".") {
		t.Errorf("an empty one: %+v, %v", a, err)
	}
	if a.Ahead.Abs() > a.Within+time.Second || a.Within <= 0 {
		t.Errorf("its clock is %v ahead, within %v", a.Ahead, a.Within)
	}
	var tables int
	if err := sql(t, url).QueryRow(t.Context(), "select count(*) from pg_tables where schemaname = 'public'").Scan(&tables); err != nil || tables != 0 {
		t.Errorf("%d tables were made, %v", tables, err)
	}
	if err := store.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	yesterday := func() time.Time { return time.Now().Add(-24 * time.Hour) }
	if a, err = store.Examine(t.Context(), url, yesterday); err != nil || a.Have != a.Want || a.ShutOut != nil {
		t.Errorf("a migrated one: %+v, %v", a, err)
	}
	if (a.Ahead - 24*time.Hour).Abs() > a.Within+time.Second {
		t.Errorf("seen from yesterday it is %v ahead", a.Ahead)
	}
	if ahead, within, err := open(t, url).Clock(t.Context(), yesterday); err != nil || (ahead-24*time.Hour).Abs() > within+time.Second {
		t.Errorf("an open one, seen from yesterday, is %v ahead, %v", ahead, err)
	}
	run(t, sql(t, url), "update schema_floor set oldest = 9000")
	if a, err = store.Examine(t.Context(), url, time.Now); err != nil || a.ShutOut == nil || !strings.Contains(a.ShutOut.Error(), "newer lander") {
		t.Errorf("one of a newer lander: %+v, %v", a, err)
	}
	if a, err = store.Examine(t.Context(), url+"&default_transaction_read_only=on", time.Now); err != nil || !a.ReadOnly {
		t.Errorf("one that takes no writes: %+v, %v", a, err)
	}
	if _, err = store.Examine(t.Context(), "postgres://lander:geheim@127.0.0.1:1/lander", time.Now); err == nil ||
		!strings.Contains(err.Error(), "nothing answers there") || strings.Contains(err.Error(), "geheim") || strings.Contains(err.Error(), "\n") {
		t.Errorf("none: %v", err)
	}
}
