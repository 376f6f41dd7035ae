package web

import (
	"context"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// short is a directory whose path leaves room for a socket's name.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "l")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func over(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
}

func TestTheSocketIsAnAdminAndThePortIsNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const soon = `{"wait":"20ms"}`
	path := filepath.Join(short(t), "lander.sock")
	local, err := ListenSocket(path)
	if err != nil {
		t.Fatal(err)
	}
	port, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, w.Handler(), zerolog.Nop(), local, port) }()

	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Mode().Type() != fs.ModeSocket {
		t.Errorf("socket %v, %v", info.Mode(), err)
	}
	post := func(c *http.Client, host string) int {
		a, err := c.Post("http://"+host+"/api/v1/resume?lane=acme/app:main", "application/json", strings.NewReader(soon))
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		return a.StatusCode
	}
	if got := post(over(path), "lander"); got != http.StatusAccepted {
		t.Errorf("over the socket: %d", got)
	}
	if got := post(http.DefaultClient, port.Addr().String()); got != http.StatusUnauthorized {
		t.Errorf("over the port: %d", got)
	}

	if _, err := ListenSocket(path); err == nil || !strings.Contains(err.Error(), "another lander answers there") {
		t.Errorf("a second lander: %v", err)
	}
	if _, err := Listen(port.Addr().String()); err == nil || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("a port in use: %v", err)
	}

	// A page that listens does not keep lander from ending.
	next := listen(t, "http://"+port.Addr().String(), "/events")
	next()
	// Nor does a request that waits for a keeper.
	waits := make(chan int, 1)
	go func() {
		a, err := over(path).Post("http://lander/api/v1/resume?lane=acme/lib:main", "application/json", strings.NewReader("{}"))
		if err != nil {
			waits <- 0
			return
		}
		a.Body.Close()
		waits <- a.StatusCode
	}()
	until(t, "the order", func() bool { return w.db.count(func(m *memory) int { return len(m.items) }) == 2 })
	begin := time.Now()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := <-waits; got != http.StatusServiceUnavailable {
		t.Errorf("the request that waited: %d", got)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("ending took %v", took)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestASocketThatADeadLanderLeftIsReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(short(t), "lander.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	ln, err := ListenSocket(path)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
}

func TestServeEndsWithTheFaultOfAListener(t *testing.T) {
	t.Parallel()
	ln, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := Serve(context.Background(), http.NotFoundHandler(), zerolog.Nop(), ln); err == nil || !strings.Contains(err.Error(), ln.Addr().String()) {
		t.Errorf("%v", err)
	}
}

// A request that is under way when lander ends gets its answer.
func TestServeLetsRequestsEnd(t *testing.T) {
	t.Parallel()
	ln, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	inside, goOn := make(chan struct{}), make(chan struct{})
	ctx, stop := context.WithCancel(context.Background())
	ended, got := make(chan error, 1), make(chan int, 1)
	go func() {
		ended <- Serve(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(inside)
			<-goOn
			if r.Context().Err() == nil {
				w.WriteHeader(http.StatusTeapot)
			}
		}), zerolog.Nop(), ln)
	}()
	go func() {
		a, err := http.Get("http://" + ln.Addr().String())
		if err != nil {
			got <- 0
			return
		}
		a.Body.Close()
		got <- a.StatusCode
	}()
	<-inside
	stop()
	until(t, "the port to close", func() bool {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	close(goOn)
	if status := <-got; status != http.StatusTeapot {
		t.Errorf("answered %d", status)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
