package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"

	"lander/internal/store/db"
	schema "lander/sql"
)

// SchemaVersion says which migration the database is at, 0 when it has none, and which one this program needs.
func (s *Store) SchemaVersion(ctx context.Context) (have, want int64, err error) {
	want = newest()
	err = s.pool.QueryRow(ctx, "select coalesce(max(version_id), 0)::bigint from goose_db_version where is_applied").Scan(&have)
	if undefined(err) {
		return 0, want, nil
	}
	if err != nil {
		return 0, want, fmt.Errorf("read schema version: %w", err)
	}
	return have, want, nil
}

// allowed reports whether this program may write to the database. While landers are replaced one by one, the newest of them has
// migrated already and the oldest still runs; every migration says whether they get on with one another.
func (s *Store) allowed(ctx context.Context) error { return allowed(ctx, s.pool) }

func allowed(ctx context.Context, conn db.DBTX) error {
	floor, err := db.New(conn).Floor(ctx)
	if undefined(err) {
		return nil // not migrated yet
	}
	if err != nil {
		return fmt.Errorf("read which landers may write: %w", err)
	}
	if newest() < floor {
		return errShutOut(newest())
	}
	return nil
}

// newest is the schema that this program was made for.
var newest = sync.OnceValue(func() (version int64) {
	names, err := fs.Glob(schema.Migrations, "migrations/*.sql")
	if err != nil {
		panic(err) // the pattern is right
	}
	for _, name := range names {
		v, err := goose.NumericComponent(name)
		if err != nil {
			panic(err) // the names are part of this program
		}
		version = max(version, v)
	}
	return version
})

func undefined(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == codeUndefined
}
