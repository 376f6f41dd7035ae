package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	schema "lander/sql"
)

// Migrate brings the schema of the database at url up to date. Any number of landers may do so at once: one works, the others
// wait. A schema that is newer than this program is left as it is.
func Migrate(ctx context.Context, url string) error { return migrateTo(ctx, url, goose.MaxVersion) }

func migrateTo(ctx context.Context, url string, version int64) error {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return errBadURL(err)
	}
	defaults(cfg)
	conns := stdlib.OpenDB(*cfg)
	defer conns.Close()
	if err := conns.PingContext(ctx); err != nil {
		return errUnreachable(cfg, err)
	}
	p, err := provider(conns)
	if err != nil {
		return err
	}
	if _, err := p.UpTo(ctx, version); err != nil {
		return fmt.Errorf("migrate database %s: %w", cfg.Database, err)
	}
	if version < riverSince {
		return nil
	}
	return migrateRiver(ctx, url)
}

func provider(conns *sql.DB) (*goose.Provider, error) {
	dir, err := fs.Sub(schema.Migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	// Asked for every second, for ten minutes: as long as the slowest migration may take.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return nil, fmt.Errorf("make migration lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, conns, dir, goose.WithSessionLocker(locker))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return p, nil
}
