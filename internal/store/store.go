package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"

	"lander/internal/queue"
	"lander/internal/store/db"
)

// ErrNoLane says that nothing was ever saved of a lane.
var ErrNoLane = errors.New("no such lane")

const (
	// oldest is the first Postgres with everything that lander's SQL uses, as server_version_num.
	oldest = 14_00_00
	// conns bounds the pool unless the URL says pool_max_conns: saves of a lane come one after another, and pages are small.
	conns = 6
	// reachable is how long Open waits for an answer.
	reachable = 10 * time.Second
)

// Store is lander's database.
type Store struct {
	pool  *pgxpool.Pool
	log   zerolog.Logger
	lanes sync.Map // queue.Lane -> int64: ids of rows, which are never deleted
}

// Open connects to the database that url names. It does not migrate it. A database that a newer lander has migrated is opened as long
// as that one still lets this one write. Its error is a sentence for the operator.
func Open(ctx context.Context, url string, log zerolog.Logger) (*Store, error) {
	cfg, err := parse(url)
	if err != nil {
		return nil, err
	}
	return open(ctx, cfg, log)
}

func open(ctx context.Context, cfg *pgxpool.Config, log zerolog.Logger) (*Store, error) {
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, reachable)
	defer cancel()
	var version int
	if err := pool.QueryRow(ctx, "select current_setting('server_version_num')::int").Scan(&version); err != nil {
		pool.Close()
		return nil, errUnreachable(cfg.ConnConfig, err)
	}
	if version < oldest {
		pool.Close()
		return nil, errTooOld(cfg.ConnConfig, version)
	}
	s := &Store{pool: pool, log: log}
	if err := s.allowed(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database %s at %s: %w", cfg.ConnConfig.Database, cfg.ConnConfig.Host, err)
	}
	return s, nil
}

// Close waits for what is under way in the pool and disconnects.
func (s *Store) Close() { s.pool.Close() }

// Healthy reports whether the database answers and has the schema that this program needs.
func (s *Store) Healthy(ctx context.Context) error {
	have, want, err := s.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	if have < want {
		return errSchema(have, want)
	}
	if err := s.allowed(ctx); err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	return nil
}

// Lanes lists every lane that was ever saved.
func (s *Store) Lanes(ctx context.Context) ([]queue.Lane, error) {
	rows, err := db.New(s.pool).Lanes(ctx)
	if err != nil {
		return nil, fmt.Errorf("list lanes: %w", err)
	}
	lanes := make([]queue.Lane, len(rows))
	for i, r := range rows {
		lanes[i] = queue.Lane(r)
	}
	return lanes, nil
}

// lane finds a lane's row. ErrNoLane when there is none.
func (s *Store) lane(ctx context.Context, l queue.Lane) (int64, error) {
	if id, ok := s.lanes.Load(l); ok {
		return id.(int64), nil
	}
	id, err := db.New(s.pool).LaneID(ctx, l.Repo, l.Trunk)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNoLane
	}
	if err != nil {
		return 0, fmt.Errorf("find lane %v: %w", l, err)
	}
	s.lanes.Store(l, id)
	return id, nil
}

// ensure finds a lane's row, and makes it when there is none.
func (s *Store) ensure(ctx context.Context, l queue.Lane) (int64, error) {
	id, err := s.lane(ctx, l)
	if !errors.Is(err, ErrNoLane) {
		return id, err
	}
	if err := db.New(s.pool).AddLane(ctx, l.Repo, l.Trunk); err != nil {
		return 0, fmt.Errorf("add lane %v: %w", l, err)
	}
	return s.lane(ctx, l)
}

// connect opens a connection outside the pool, for what belongs to a session.
func connect(ctx context.Context, cfg *pgx.ConnConfig, log zerolog.Logger) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to database: %w", err)
	}
	// Who waits in a statement is known to be gone by this alone. Not every system can do it.
	if _, err := conn.Exec(ctx, "select set_config('client_connection_check_interval', '2s', false)"); err != nil {
		log.Debug().Err(err).Msg("Postgres cannot watch over a connection that waits")
	}
	return conn, nil
}

// hangUp closes a connection of connect's even though the caller's context may have ended.
func hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = conn.Close(ctx) // nothing is left to be lost with it
}

func parse(url string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errBadURL(err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		cfg.MaxConns = conns
	}
	defaults(cfg.ConnConfig)
	return cfg, nil
}

// defaults adds what the URL leaves open.
func defaults(cfg *pgx.ConnConfig) {
	for name, value := range map[string]string{
		"application_name":                    "lander",
		"idle_in_transaction_session_timeout": "60000", // ms; nothing of lander thinks while it is in a transaction
		// A machine that is gone is found out by Postgres within ten seconds and not hours, and with it the locks of a save that it
		// had sent half of.
		"tcp_keepalives_idle":     "4", // s
		"tcp_keepalives_interval": "2",
		"tcp_keepalives_count":    "3",
		"tcp_user_timeout":        "10000", // ms
	} {
		if _, ok := cfg.RuntimeParams[name]; !ok {
			cfg.RuntimeParams[name] = value
		}
	}
	// And the other way round, where pgx would wait an hour.
	cfg.DialFunc = (&net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 4 * time.Second, Interval: 2 * time.Second, Count: 3},
		Control:         giveUpSending,
	}).DialContext
	cfg.RuntimeParams["lander.schema"] = strconv.FormatInt(newest(), 10)
}
