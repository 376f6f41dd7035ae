package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// riverSchema holds the tables of River, apart from lander's own. A migration makes it; from then on River's migrations follow lander's.
const (
	riverSchema = "river"
	riverSince  = 7
)

// riverLock is held while River migrates, for it does not see to that itself.
const riverLock = 0x6c616e646572

func migrateRiver(ctx context.Context, url string) (err error) {
	cfg, err := parse(url)
	if err != nil {
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("migrate River: %w", err)
	}
	defer pool.Close()
	held, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("migrate River: %w", err)
	}
	defer held.Release()
	if _, err := held.Exec(ctx, "select pg_advisory_lock($1)", riverLock); err != nil {
		return fmt.Errorf("lock migration of River: %w", err)
	}
	defer func() {
		_, unlocked := held.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock($1)", riverLock)
		err = errors.Join(err, unlocked)
	}()
	m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: riverSchema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("read migrations of River: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate River: %w", err)
	}
	return nil
}
