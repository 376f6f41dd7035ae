package embedded

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// landerVariable turns the test binary into a lander that starts a server, says so, and does nothing until it is told to stop.
const landerVariable = "LANDER_TEST_EMBEDDED"

func TestMain(m *testing.M) {
	Supervise()
	if text, ok := os.LookupEnv(landerVariable); ok {
		os.Exit(beLander(text))
	}
	os.Exit(m.Run())
}

// order is what the test wants of such a lander; report is what it answers.
type order struct {
	Dir     string
	Durable bool
}

type report struct {
	URL      string
	Dir      string // holds cluster
	Watchdog int
	Err      string
}

func beLander(text string) int {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := Start(ctx, Options{Dir: o.Dir, Durable: o.Durable})
	r := report{}
	if err != nil {
		r.Err = err.Error()
	} else {
		r = report{URL: s.URL("postgres"), Dir: filepath.Dir(s.sockets), Watchdog: s.watchdog}
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil || s == nil {
		return 1
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return 1
	}
	if err := s.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// lander is another process with a server of its own.
type lander struct {
	report
	cmd  *exec.Cmd
	tell io.Closer // closing it asks for an orderly end
}

// startLander starts one, from program or this test binary, as somebody else if attr says so.
func startLander(t *testing.T, program string, o order, attr *syscall.SysProcAttr) *lander {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	l := &lander{cmd: exec.Command(program)}
	l.cmd.Env = append(os.Environ(), landerVariable+"="+string(text))
	l.cmd.Stderr, l.cmd.SysProcAttr, l.cmd.Dir = os.Stderr, attr, "/"
	in, err := l.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l.tell = in
	t.Cleanup(func() {
		in.Close()
		l.cmd.Wait() // a test that waits for it itself has done so by now
		if l.Watchdog != 0 {
			eventually(t, "the watchdog is gone", func() bool { return !alive(l.Watchdog) })
		}
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("read lander's report: %v", err)
	}
	if err := json.Unmarshal(line, &l.report); err != nil {
		t.Fatal(err)
	}
	return l
}

// home is a directory that everybody can enter: what t.TempDir gives is closed, so root would keep its cluster elsewhere.
func home(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(fastTemp(), "lander-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

func thisProgram(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// start starts a server in this process and stops it with the test.
func startServer(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// run executes one statement on a connection of its own.
func run(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// value reads one text.
func value(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var got string
	if err := conn.QueryRow(t.Context(), sql).Scan(&got); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

// eventually waits for a condition that another process brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for !ok() {
		if !pause(ctx) {
			t.Errorf("waited in vain: %s", what)
			return
		}
	}
}

// postmaster is the server's process number.
func postmaster(t *testing.T, base string) int {
	t.Helper()
	f, err := readPidFile(filepath.Join(base, "cluster", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	return f.pid
}
