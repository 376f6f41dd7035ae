package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestTemporaryServer(t *testing.T) {
	t.Parallel()
	s, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	url := s.URL("queue of acme/app")
	for range 2 { // the second time it is there already
		if err := s.Ensure(t.Context(), "queue of acme/app"); err != nil {
			t.Fatal(err)
		}
	}
	if got := value(t, url, `SELECT current_database()`); got != "queue of acme/app" {
		t.Errorf("connected to %q", got)
	}
	for setting, want := range map[string]string{
		"listen_addresses": "", "fsync": "off", "server_encoding": "UTF8", "TimeZone": "UTC",
	} {
		if got := value(t, url, `SELECT current_setting('`+setting+`')`); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	if got := value(t, url, `SELECT datcollate FROM pg_database WHERE datname = current_database()`); got != "C" {
		t.Errorf("sorts by %q", got)
	}
	home := filepath.Dir(value(t, url, `SHOW data_directory`))
	info, err := os.Stat(s.sockets)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("socket directory: %v, %v; want mode 0700", info.Mode(), err)
	}
	for range 2 {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	<-s.Done()
	if _, err := os.Stat(home); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there: %v", home, err)
	}
}

func TestDurableServerKeepsData(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(home(t), "data", "postgres")
	s := startServer(t, Options{Dir: dir, Durable: true})
	for setting, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"} {
		if got := value(t, s.URL("postgres"), `SELECT current_setting('`+setting+`')`); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	run(t, s.URL("postgres"), `CREATE TABLE kept AS SELECT 'here' AS word`)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	s = startServer(t, Options{Dir: dir, Durable: true})
	if got := value(t, s.URL("postgres"), `SELECT word FROM kept`); got != "here" {
		t.Errorf("after a restart the table says %q", got)
	}
}

// What an interrupted initdb leaves is not in the way.
func TestHalfMadeClusterIsMadeAgain(t *testing.T) {
	t.Parallel()
	dir := home(t)
	if err := os.MkdirAll(filepath.Join(dir, "cluster.new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, Options{Dir: dir})
	if got := value(t, s.URL("postgres"), `SHOW data_directory`); got != filepath.Join(dir, "cluster") {
		t.Errorf("the cluster is in %s", got)
	}
}

func TestDirectoryInUse(t *testing.T) {
	t.Parallel()
	dir := home(t)
	l := startLander(t, thisProgram(t), order{Dir: dir}, nil)
	if l.Err != "" {
		t.Fatal(l.Err)
	}
	_, err := Start(t.Context(), Options{Dir: dir})
	if err == nil {
		t.Fatal("two landers share a directory")
	}
	for _, want := range []string{dir, fmt.Sprintf("process %d;", l.cmd.Process.Pid), "--data"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	// It is free when the other has ended.
	l.tell.Close()
	if err := l.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	startServer(t, Options{Dir: dir})
}

// A socket's path has room for about a hundred bytes; a directory's has more.
func TestLongPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(home(t), strings.Repeat("long/", 40))
	s, err := Start(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got := value(t, s.URL("postgres"), `SELECT 'alive'`); got != "alive" {
		t.Errorf("got %q", got)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if len(s.sockets) > longestSocket {
		t.Errorf("sockets in %s", s.sockets)
	}
	if _, err := os.Stat(s.sockets); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there: %v", s.sockets, err)
	}
}

// Root may keep its data where nobody else can go, and Postgres cannot be root.
func TestClosedDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, Options{Dir: dir, Durable: true})
	run(t, s.URL("postgres"), `CREATE TABLE kept AS SELECT 'here' AS word`)
	home := filepath.Dir(value(t, s.URL("postgres"), `SHOW data_directory`))
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if home != dir {
		t.Cleanup(func() { os.RemoveAll(home) })
	}
	s = startServer(t, Options{Dir: dir, Durable: true})
	if got := value(t, s.URL("postgres"), `SELECT word FROM kept`); got != "here" {
		t.Errorf("after a restart the table says %q", got)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(home, "cluster"), filepath.Join(home, "moved")); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{Dir: dir, Durable: true}); home != dir && (err == nil || !strings.Contains(err.Error(), "nothing is there")) {
		t.Errorf("a cluster that has vanished: %v", err)
	}
}

func TestOtherVersion(t *testing.T) {
	t.Parallel()
	dir := home(t)
	s := startServer(t, Options{Dir: dir})
	version := value(t, s.URL("postgres"), `SHOW data_directory`) + "/PG_VERSION"
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(version, []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "was made by PostgreSQL 9, and ") {
		t.Errorf("got %v", err)
	}
}

func TestStrangeDirectory(t *testing.T) {
	t.Parallel()
	dir := home(t)
	if err := os.Mkdir(filepath.Join(dir, "cluster"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
}

// A server that cannot start says why in its own words.
func TestServerThatCannotStart(t *testing.T) {
	t.Parallel()
	dir := home(t)
	s := startServer(t, Options{Dir: dir})
	cluster := value(t, s.URL("postgres"), `SHOW data_directory`)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cluster+"/postgresql.conf", []byte("nonsense = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("got %v", err)
	}
}

func TestStartIsCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := home(t)
	if s, err := Start(ctx, Options{Dir: dir}); err == nil {
		t.Error(errors.Join(errors.New("started"), s.Stop()))
	}
	startServer(t, Options{Dir: dir})
}

// An ordinary user runs lander, and later root on the same directory: the server keeps its owner.
func TestOrdinaryUserThenRoot(t *testing.T) {
	t.Parallel()
	dir := home(t)
	program := thisProgram(t)
	var attr *syscall.SysProcAttr
	if os.Geteuid() == 0 {
		someone, err := substitute()
		if err != nil {
			t.Fatal(err)
		}
		attr = someone.attributes()
		if err := someone.own(dir); err != nil {
			t.Fatal(err)
		}
		program = copyFile(t, program, filepath.Join(dir, "program"))
	}
	l := startLander(t, program, order{Dir: dir, Durable: true}, attr)
	if l.Err != "" {
		t.Fatal(l.Err)
	}
	run(t, l.URL, `CREATE TABLE kept AS SELECT 'here' AS word`)
	l.tell.Close()
	if err := l.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, Options{Dir: dir, Durable: true})
	if got := value(t, s.URL("postgres"), `SELECT word FROM kept`); got != "here" {
		t.Errorf("the table says %q", got)
	}
}

func copyFile(t *testing.T, from, to string) string {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return to
}
