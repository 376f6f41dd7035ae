package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Every sentence for the operator stands here.

// What Postgres says when it refuses, as far as somebody branches on it.
const (
	codeStale         = "LND01" // of lander's own trigger lanes_step
	codeShutOut       = "LND02" // the same, to a lander that is too old
	codeSerialization = "40001"
	codeUndefined     = "42P01" // a table that does not exist
	codeBadPassword   = "28P01"
	codeBadUser       = "28000"
	codeNoDatabase    = "3D000"
	codeNoConnection  = "53300"
)

func errBadURL(err error) error {
	return fmt.Errorf("open database: LANDER_DATABASE_URL must look like postgres://USER:PASSWORD@HOST:5432/DATABASE: %w", err)
}

func errUnreachable(cfg *pgx.ConnConfig, err error) error {
	where := fmt.Sprintf("%s at %s", cfg.Database, cfg.Host)
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case codeBadPassword, codeBadUser:
			return fmt.Errorf("open database %s: Postgres does not let the user %s in; check user and password in LANDER_DATABASE_URL: %w", where, cfg.User, err)
		case codeNoDatabase:
			return fmt.Errorf("open database %s: Postgres has no database of that name; make it with: createdb %s: %w", where, cfg.Database, err)
		case codeNoConnection:
			return fmt.Errorf("open database %s: Postgres has no connection to spare; raise its max_connections: %w", where, err)
		}
		return fmt.Errorf("open database %s: %w", where, err)
	}
	return fmt.Errorf("open database %s: nothing answers there; see that Postgres runs and that LANDER_DATABASE_URL names it: %w", where, flat{err})
}

// flat says in one line what pgx says in several, some of them twice.
type flat struct{ error }

func (f flat) Unwrap() error { return f.error }

func (f flat) Error() string {
	var said []string
	for line := range strings.Lines(f.error.Error()) {
		line = strings.TrimSpace(line)
		if !slices.ContainsFunc(said, func(before string) bool { return strings.Contains(before, line) }) {
			said = append(said, line)
		}
	}
	return strings.ReplaceAll(strings.Join(said, "; "), ":; ", ": ")
}

func errTooOld(cfg *pgx.ConnConfig, version int) error {
	return fmt.Errorf("open database %s at %s: it is PostgreSQL %d, and lander needs %d or newer", cfg.Database, cfg.Host, version/10000, oldest/10000)
}

func errShutOut(mine int64) error {
	return fmt.Errorf("a newer lander has changed the database so that this one, which was made for schema version %d, must not write to it; "+
		"run the newer lander here too, or restore the backup from before it", mine)
}

func errSchema(have, want int64) error {
	return fmt.Errorf("check database: its schema is at version %d and this lander needs %d; run: lander migrate", have, want)
}
