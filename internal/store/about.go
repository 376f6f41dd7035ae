package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"lander/internal/store/db"
)

// About is what there is to know of a database before a lander works with it.
type About struct {
	Version  string        // of Postgres, as in "15.14"
	TooOld   bool          // for lander's SQL
	ReadOnly bool          // it takes no writes: a standby, or set so
	Have     int64         // the migration that the schema is at; 0: none yet
	Want     int64         // the one that this program needs
	ShutOut  error         // a sentence: a newer lander forbids this one to write; nil: it may
	Ahead    time.Duration // how far its clock is ahead of this machine's; below zero: behind
	Within   time.Duration // how exact that is
}

// Examine looks at the database that url names, and changes nothing. An error says that it cannot be reached, as a sentence for the
// operator. now is this machine's clock.
func Examine(ctx context.Context, url string, now func() time.Time) (About, error) {
	cfg, err := parse(url)
	if err != nil {
		return About{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, reachable)
	defer cancel()
	conn, err := connect(ctx, cfg.ConnConfig, zerolog.Nop())
	if err != nil {
		return About{}, errUnreachable(cfg.ConnConfig, err)
	}
	defer hangUp(conn)
	a := About{Want: newest()}
	var number int
	const about = `select current_setting('server_version_num')::int, split_part(current_setting('server_version'), ' ', 1),
		pg_is_in_recovery() or current_setting('default_transaction_read_only')::bool`
	if err := conn.QueryRow(ctx, about).Scan(&number, &a.Version, &a.ReadOnly); err != nil {
		return About{}, errUnreachable(cfg.ConnConfig, err)
	}
	a.TooOld = number < oldest
	if a.Ahead, a.Within, err = clock(ctx, conn, now); err != nil {
		return About{}, errUnreachable(cfg.ConnConfig, err)
	}
	if a.Have, err = applied(ctx, conn); err != nil {
		return About{}, err
	}
	a.ShutOut = allowed(ctx, conn)
	return a, nil
}

// Clock compares the database's clock with this machine's: how far it is ahead, and how exact that is.
func (s *Store) Clock(ctx context.Context, now func() time.Time) (ahead, within time.Duration, err error) {
	if ahead, within, err = clock(ctx, s.pool, now); err != nil {
		return 0, 0, fmt.Errorf("ask the database for the time: %w", err)
	}
	return ahead, within, nil
}

func clock(ctx context.Context, conn db.DBTX, now func() time.Time) (ahead, within time.Duration, err error) {
	asked := now()
	var at time.Time
	if err := conn.QueryRow(ctx, "select clock_timestamp()").Scan(&at); err != nil {
		return 0, 0, err
	}
	within = now().Sub(asked) / 2
	return at.Sub(asked.Add(within)), within, nil
}

// applied is the newest migration that the database has had; 0: none.
func applied(ctx context.Context, conn *pgx.Conn) (have int64, err error) {
	err = conn.QueryRow(ctx, "select coalesce(max(version_id), 0)::bigint from goose_db_version where is_applied").Scan(&have)
	if undefined(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	return have, nil
}
