package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"lander/internal/store/embedded"
)

// template is the database that all others are copies of.
const template = "template_lander"

// maker makes databases on its server.
type maker struct {
	server *embedded.Server
	count  atomic.Int64
}

// start starts the server and migrates the template.
func start(migrate Migrate) (*maker, error) {
	if migrate == nil {
		return nil, errors.New("TestMain does not call storetest.Main")
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	server, err := embedded.Start(ctx, embedded.Options{})
	if err != nil {
		return nil, err
	}
	m := &maker{server: server}
	if err := m.prepare(ctx, migrate); err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return m, nil
}

// prepare makes the template, and closes it: a database can be copied only while nobody is in it.
func (m *maker) prepare(ctx context.Context, migrate Migrate) error {
	if err := m.server.Ensure(ctx, template); err != nil {
		return err
	}
	if err := migrate(ctx, m.server.URL(template)); err != nil {
		return fmt.Errorf("migrate template: %w", err)
	}
	return m.exec(ctx,
		`ALTER DATABASE `+template+` WITH ALLOW_CONNECTIONS false`,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '`+template+`'`,
	)
}

// clone makes a copy of a database.
func (m *maker) clone(ctx context.Context, from string) (name string, err error) {
	name = fmt.Sprintf("test_%d", m.count.Add(1))
	strategy := " STRATEGY FILE_COPY"
	if m.server.Major() < 15 {
		strategy = "" // the only way there was
	}
	return name, m.exec(ctx, `CREATE DATABASE `+name+` TEMPLATE `+from+strategy)
}

// drop removes a database with whoever is in it.
func (m *maker) drop(ctx context.Context, name string) error {
	return m.exec(ctx, `DROP DATABASE `+name+` WITH (FORCE)`)
}

// exec runs statements one by one, because databases are not made in a transaction.
func (m *maker) exec(ctx context.Context, statements ...string) error {
	conn, err := pgx.Connect(ctx, m.server.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", sql, err), conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}
