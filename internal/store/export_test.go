package store

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"
)

// MigrateTo stops at a version, for tests of the migrations after it.
var MigrateTo = migrateTo

// Fit is what a value looks like after it was in Postgres.
func Fit[T any](v T) T { return fit(v) }

// OpenWith opens a Store whose connections the test has its hands on.
func OpenWith(ctx context.Context, url string, change func(*pgxpool.Config)) (*Store, error) {
	cfg, err := parse(url)
	if err != nil {
		return nil, err
	}
	change(cfg)
	return open(ctx, cfg, zerolog.Nop())
}
