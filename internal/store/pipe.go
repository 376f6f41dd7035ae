package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pipe collects the statements of generated code instead of running them, to send them all in one round trip and as one
// transaction. It is for statements without an answer.
type pipe struct {
	batch  pgx.Batch
	what   string
	labels []string // what each statement is about

	serializable bool // else Postgres's ordinary isolation
}

// at says what the next statements are about, for errors.
func (p *pipe) at(format string, args ...any) { p.what = fmt.Sprintf(format, args...) }

// Exec queues a statement.
func (p *pipe) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	p.batch.Queue(sql, args...)
	p.labels = append(p.labels, p.what)
	return pgconn.CommandTag{}, nil
}

// Query is there for the interface of the generated code only.
func (p *pipe) Query(context.Context, string, ...any) (pgx.Rows, error) {
	panic("store: a pipe has no answers")
}

// QueryRow is there for the interface of the generated code only.
func (p *pipe) QueryRow(context.Context, string, ...any) pgx.Row {
	panic("store: a pipe has no answers")
}

// send runs what was queued: all of it, or nothing and an error.
func (p *pipe) send(ctx context.Context, pool *pgxpool.Pool) error {
	if !p.serializable {
		return p.run(pool.SendBatch(ctx, &p.batch))
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	// Only a transaction that is begun by word can have another isolation. The words travel along with the rest.
	var batch pgx.Batch
	batch.Queue("begin isolation level serializable")
	batch.QueuedQueries = append(batch.QueuedQueries, p.batch.QueuedQueries...)
	batch.Queue("commit")
	p.batch, p.labels = batch, append(append([]string{"begin"}, p.labels...), "commit")
	err = p.run(conn.SendBatch(ctx, &p.batch))
	if err != nil && !conn.Conn().IsClosed() && conn.Conn().PgConn().TxStatus() != 'I' {
		// The transaction is void already; this only spares a new connection. One that cannot say it is closed by Release.
		_, _ = conn.Exec(ctx, "rollback")
	}
	return err
}

func (p *pipe) run(answers pgx.BatchResults) error {
	for _, label := range p.labels {
		if _, err := answers.Exec(); err != nil {
			_ = answers.Close() // says the same again
			return fmt.Errorf("%s: %w", label, err)
		}
	}
	// The end of the transaction, unless it has one by word: constraints that were deferred speak here.
	return answers.Close()
}
