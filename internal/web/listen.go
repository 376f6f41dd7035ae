package web

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"
)

// Listen opens a TCP address for Serve.
func Listen(addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, errListen(addr, err)
	}
	return ln, nil
}

// ListenSocket opens a unix socket that only this user can reach. A file that a lander which is gone left there is replaced; one
// that somebody still answers at is an error.
func ListenSocket(path string) (net.Listener, error) {
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		conn.Close()
		return nil, errSocketInUse(path)
	}
	// Made where nobody else can go, so that it is never reachable before it has its mode.
	private, err := os.MkdirTemp(filepath.Dir(path), ".s")
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	defer os.RemoveAll(private)
	made := filepath.Join(private, "s")
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	ln.SetUnlinkOnClose(false) // it moves
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, path)); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, errors.Join(err, ln.Close()))
	}
	return &socket{UnixListener: ln, path: path}, nil
}

// socket removes its file when it is closed.
type socket struct {
	*net.UnixListener
	path string
}

func (s *socket) Close() error {
	err := s.UnixListener.Close()
	if gone := os.Remove(s.path); err == nil && !errors.Is(gone, os.ErrNotExist) {
		err = gone
	}
	return err
}

type leavingKey struct{}

// leaving closes when the server is to end: for what would not end by itself, or not soon. Nil, which never closes, outside Serve.
func leaving(ctx context.Context) <-chan struct{} {
	done, _ := ctx.Value(leavingKey{}).(<-chan struct{})
	return done
}

// Serve answers on every listener until ctx ends, then lets requests end for at most ten seconds. Listeners are closed when it returns.
// What comes over a unix socket is marked with FromSocket.
func Serve(ctx context.Context, h http.Handler, lg zerolog.Logger, listeners ...net.Listener) error {
	leaving, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	base := context.WithValue(context.WithoutCancel(ctx), leavingKey{}, leaving.Done())
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute, // 26 MiB over a slow line
		WriteTimeout:      time.Minute, // what takes longer says so itself
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if c.LocalAddr().Network() == "unix" {
				return FromSocket(ctx)
			}
			return ctx
		},
		ErrorLog: log.New(lg, "", 0),
	}
	srv.RegisterOnShutdown(leave)
	group, running := errgroup.WithContext(ctx)
	for _, ln := range listeners {
		group.Go(func() error {
			if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve on %s: %w", ln.Addr(), err)
			}
			return nil
		})
	}
	group.Go(func() error {
		<-running.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := srv.Shutdown(end); err != nil {
			return fmt.Errorf("stop serving: %w", errors.Join(err, srv.Close()))
		}
		return nil
	})
	return group.Wait()
}
