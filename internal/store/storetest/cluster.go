package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"lander/internal/store/embedded"
)

// Cluster is a server for tests that break it: unlike the one of New it keeps what was committed over a kill.
type Cluster struct {
	dir string
	maker
}

// NewCluster starts a server in dir, with a template migrated. Whoever calls it stops it, and TestMain calls [embedded.Supervise].
func NewCluster(ctx context.Context, dir string, migrate Migrate) (*Cluster, error) {
	c := &Cluster{dir: dir}
	if err := c.Restart(ctx); err != nil {
		return nil, err
	}
	if err := c.prepare(ctx, migrate); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// Make makes a database with the schema and gives its name.
func (c *Cluster) Make(ctx context.Context) (name string, err error) { return c.clone(ctx, template) }

// Drop removes a database with whoever is in it.
func (c *Cluster) Drop(ctx context.Context, name string) error { return c.drop(ctx, name) }

// URL is a database for one application, by whose name Cut knows its connections.
func (c *Cluster) URL(name, application string) string {
	return c.server.URL(name) + "&application_name=" + url.QueryEscape(application)
}

// Cut ends every connection of an application to a database, as a broken network would.
func (c *Cluster) Cut(ctx context.Context, name, application string) error {
	conn, err := pgx.Connect(ctx, c.server.URL("postgres"))
	if err != nil {
		return fmt.Errorf("cut %s off: %w", application, err)
	}
	_, err = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = $2`, name, application)
	if err = errors.Join(err, conn.Close(ctx)); err != nil {
		return fmt.Errorf("cut %s off: %w", application, err)
	}
	return nil
}

// Kill kills the server with SIGKILL and returns when it is gone.
func (c *Cluster) Kill() error {
	text, err := os.ReadFile(filepath.Join(c.dir, "cluster", "postmaster.pid"))
	if err != nil {
		return fmt.Errorf("find Postgres: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil || pid <= 1 {
		return fmt.Errorf("find Postgres: process %q", first)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill Postgres, process %d: %w", pid, err)
	}
	<-c.server.Done()
	_ = c.server.Stop() // it says that the server was killed
	return nil
}

// Restart starts the server that was killed, at the same address.
func (c *Cluster) Restart(ctx context.Context) error {
	server, err := embedded.Start(ctx, embedded.Options{Dir: c.dir, Durable: true})
	if err != nil {
		return err
	}
	c.server = server
	return nil
}

// Stop stops the server.
func (c *Cluster) Stop() error { return c.server.Stop() }
