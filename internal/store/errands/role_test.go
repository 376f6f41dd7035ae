package errands_test

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// The login that docs/worker.sql makes is enough for a worker, to be killed and stopped as well, and for nothing else.
func TestALoginForWorkersAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "worker.sql"))
	if err != nil {
		t.Fatal(err)
	}
	w.sql(string(text))
	w.sql("alter role lander_worker login")
	admin := w.url
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User("lander_worker")
	w.url = u.String()
	a := w.worker("a", 1, "big")
	given := w.give("main.1.1", "big")
	j := w.takes(a)
	if err := j.Send(j.ctx, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	beats := w.look(given.ID).Beats
	w.until("beats", func() bool { return w.look(given.ID).Beats > beats })
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	b := w.worker("b", 1, "big")
	second := w.takes(b)
	second.verdict <- []byte("green")
	w.until("a verdict", func() bool { return w.look(given.ID).Ended })

	thief := w.connect()
	for _, sql := range []string{
		"select * from lanes", "update lanes set tip = ''", "select * from entries", "insert into approvals default values", "select * from candidates",
		"update runs set outcome = 'green'", "insert into inbox default values", "select * from outbox", "delete from journal",
		"update errands set job = 'x'", "update errands set pack = 'x'", "delete from errands", "insert into errands (repo) values ('x')",
		"update schema_floor set oldest = 1", "create table mine (x int)", "drop table workers", "alter role lander_worker superuser",
	} {
		_, err := thief.Exec(t.Context(), sql)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "42501" {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if s := w.look(given.ID); s.Attempt != 2 || !strings.Contains(string(s.Verdict), "green") {
		t.Errorf("ended: %+v", s)
	}
}
