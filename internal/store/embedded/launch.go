package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// launch starts the watchdog with the server below it and waits until it answers.
func (p place) launch(ctx context.Context, o Options, install Install, remove []string, held *os.File) (*Server, error) {
	sockets, temporary, err := p.sockets()
	if err != nil {
		return nil, err
	}
	if temporary {
		remove = append(remove[:len(remove):len(remove)], sockets)
	}
	log, err := openLog(p.log())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("open server log: %w", err)
	}
	begun := time.Now()
	s := &Server{install: install, sockets: sockets, log: o.Log, lock: held, done: make(chan struct{})}
	err = s.spawn(job{
		Server:  append([]string{filepath.Join(install.Bin, "postgres")}, serverArgs(install.Major, p.cluster(), sockets, o.Durable)...),
		Dir:     p.base,
		Account: p.account,
		Scrap:   o.Dir == "",
		Remove:  remove,
	}, log)
	if err != nil {
		return nil, err
	}
	if err := s.ready(ctx); err != nil {
		stopped := s.halt()
		if errors.Is(err, errEnded) {
			return nil, errStart(p.log(), tail(log, from))
		}
		return nil, errors.Join(err, stopped)
	}
	s.log.Info().Int("version", install.Major).Str("bin", install.Bin).Str("dir", p.cluster()).Str("user", p.account.Name).
		Dur("took", time.Since(begun)).Msg("Postgres started")
	return s, nil
}

// spawn starts the watchdog.
func (s *Server) spawn(j job, log *os.File) error {
	text, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("start watchdog: %w", err)
	}
	program, err := self()
	if err != nil {
		return fmt.Errorf("start watchdog: %w", err)
	}
	in, out, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start watchdog: %w", err)
	}
	defer in.Close()
	cmd := exec.Command(program)
	cmd.Args = []string{"lander-postgres-watchdog"}
	// A program built with -race would otherwise sleep for a second before it ends.
	cmd.Env = append(environment(), jobVariable+"="+string(text), "GORACE=atexit_sleep_ms=0")
	cmd.Dir = "/"
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, log, log
	cmd.ExtraFiles = []*os.File{s.lock}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // the terminal's Ctrl-C is not for it
	if err := cmd.Start(); err != nil {
		return errors.Join(fmt.Errorf("start watchdog: %w", err), out.Close())
	}
	s.stop, s.watchdog = out.Close, cmd.Process.Pid
	go func() {
		s.err = cmd.Wait()
		if !s.stopping.Load() {
			s.log.Error().Err(s.err).Str("log", log.Name()).Msg("Postgres ended by itself")
		}
		close(s.done)
	}()
	return nil
}

// errEnded says that the server ended while it was being waited for.
var errEnded = errors.New("server ended")

// ready waits until the server answers.
func (s *Server) ready(ctx context.Context) error {
	for begun, told := time.Now(), false; ; {
		err := s.greet(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.done:
			return errEnded
		default:
		}
		if !told && time.Since(begun) > 5*time.Second {
			s.log.Info().AnErr("answer", err).Msg("Postgres is still starting, as it does after a crash; waiting")
			told = true
		}
		if !pause(ctx) {
			return fmt.Errorf("start Postgres: %w: %w", ctx.Err(), err)
		}
	}
}

// greet makes a connection, and asks the socket first because that costs nothing.
func (s *Server) greet(ctx context.Context) error {
	conn, err := net.Dial("unix", socketFile(s.sockets))
	if err != nil {
		return err
	}
	if err := conn.Close(); err != nil {
		return err
	}
	pg, err := pgconn.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	return pg.Close(ctx)
}

// openLog opens the server's log for more, and puts a long one aside.
func openLog(path string) (*os.File, error) {
	const long = 4 << 20
	if info, err := os.Lstat(path); err == nil && info.Size() > long {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, fmt.Errorf("rotate server log: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open server log: %w", err)
	}
	return f, nil
}

// tail is the end of what was logged since from.
func tail(log *os.File, from int64) string {
	text, err := io.ReadAll(io.NewSectionReader(log, from, 1<<20))
	if err != nil {
		return err.Error()
	}
	return lastLines(text)
}
