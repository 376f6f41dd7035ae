package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"
)

// Options say what to start. The zero Options start an empty server that leaves nothing behind.
type Options struct {
	Dir     string         // directory of its own for the cluster, made when missing; empty: a temporary one, deleted when the server has stopped
	Durable bool           // what was committed survives a crash of the machine; off only for tests
	Bin     string         // directory of the PostgreSQL programs; empty: as Find finds them
	Log     zerolog.Logger // the zero logger is silent
}

// Server is a running Postgres.
type Server struct {
	install Install
	sockets string
	log     zerolog.Logger

	watchdog int          // process number
	stop     func() error // closes lander's end of the pipe
	stopping atomic.Bool
	lock     *os.File
	done     chan struct{} // closed when the watchdog has gone, and the server before it
	err      error         // how it ended, once done is closed
	once     sync.Once
}

// Start starts the server and returns when it answers. ctx bounds only the start; recovery after a crash may take a while.
// Its errors are sentences for the operator: no PostgreSQL, a directory in use, of another user, or of another version.
func Start(ctx context.Context, o Options) (*Server, error) {
	if !supervised.Load() {
		return nil, errUnsupervised()
	}
	all, err := search{bin: cmp.Or(o.Bin, os.Getenv(BinVariable)), path: os.Getenv("PATH"), places: usual}.all()
	if err != nil {
		return nil, err
	}
	dir, remove, err := open(o.Dir)
	if err != nil {
		return nil, err
	}
	held, err := lock(ctx, dir)
	if err != nil {
		return nil, err
	}
	s, err := start(ctx, o, dir, remove, all, held)
	if err != nil {
		err = errors.Join(err, held.Close())
		for _, path := range remove {
			err = errors.Join(err, os.RemoveAll(path))
		}
		return nil, err
	}
	return s, nil
}

// open makes the directory and resolves it, because Postgres tells where it works in resolved form.
func open(dir string) (real string, remove []string, err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp(fastTemp(), homePrefix); err != nil {
			return "", nil, fmt.Errorf("make temporary database: %w", err)
		}
		remove = []string{dir}
		if err = os.Chmod(dir, 0o711); err != nil {
			return "", nil, fmt.Errorf("make temporary database: %w", err)
		}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", nil, fmt.Errorf("open database: %w", err)
	}
	if err = makeDirs(dir); err != nil {
		return "", nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", nil, fmt.Errorf("open database: %w", err)
	}
	return dir, remove, nil
}

// start does what Start does once the directory is locked.
func start(ctx context.Context, o Options, dir string, remove []string, all []Install, held *os.File) (*Server, error) {
	p, err := locate(dir, all)
	if err != nil {
		return nil, err
	}
	if p.base != dir && len(remove) > 0 {
		remove = append(remove, p.base)
	}
	install, err := p.choose(all)
	if err != nil {
		return nil, err
	}
	p.bin = install.Bin
	if err := p.make(ctx, o.Durable, held); err != nil {
		if p.base != dir {
			err = errors.Join(err, os.RemoveAll(p.base))
		}
		return nil, err
	}
	for retry := time.Now().Add(immediateLimit); ; {
		left, err := p.sweep(ctx)
		if err != nil {
			return nil, err
		}
		s, err := p.launch(ctx, o, install, remove, held)
		// After a kill of the postmaster its last backends may hold the shared memory for a moment.
		if err == nil || !left || time.Now().After(retry) || !pause(ctx) {
			return s, err
		}
	}
}

// URL is the connection string for a database of the server. The database need not exist: see Ensure.
func (s *Server) URL(db string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + db}
	u.RawQuery = url.Values{"host": {s.sockets}, "port": {strconv.Itoa(port)}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// Major is the server's major version, 14 or more.
func (s *Server) Major() int { return s.install.Major }

// Ensure creates the database unless it is there.
func (s *Server) Ensure(ctx context.Context, db string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("create database %s: %w", db, err)
	}
	defer conn.Close(ctx)
	var there bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, db).Scan(&there); err != nil || there {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{db}.Sanitize())
	const duplicate = "42P04"
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == duplicate {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create database %s: %w", db, err)
	}
	return nil
}

// Done is closed when the server has gone, asked to or not. Nothing starts it again: a lander without its database ends.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stop ends the server, disconnects whoever still uses it, waits until it is gone, and frees the directory.
// A second Stop does nothing.
func (s *Server) Stop() error {
	var err error
	s.once.Do(func() {
		err = errors.Join(s.halt(), s.lock.Close())
		s.log.Info().Msg("Postgres stopped")
	})
	return err
}

// halt lets go of the pipe and waits for the watchdog.
func (s *Server) halt() error {
	s.stopping.Store(true)
	if err := s.stop(); err != nil {
		return fmt.Errorf("stop Postgres: %w", err)
	}
	<-s.done
	if s.err != nil {
		return fmt.Errorf("stop Postgres: %w", s.err)
	}
	return nil
}
