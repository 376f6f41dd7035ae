package embedded

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// A lander, its watchdog and its server are killed in every combination, and the next lander starts on the same directory at
// once: it finds what was committed, and nothing of the old server runs any more.
func TestStartAfterKill(t *testing.T) {
	t.Parallel()
	for name, victims := range map[string]func(lander, watchdog, server int) []int{
		"lander":              func(l, _, _ int) []int { return []int{l} },
		"lander and watchdog": func(l, w, _ int) []int { return []int{w, l} },
		"lander and server":   func(l, _, s int) []int { return []int{s, l} },
		"all three":           func(l, w, s int) []int { return []int{l, w, s} },
	} {
		for _, durable := range []bool{true, false} {
			if !durable && name != "all three" {
				continue // the settings matter only to what is recovered
			}
			t.Run(name+map[bool]string{true: " durable", false: ""}[durable], func(t *testing.T) {
				t.Parallel()
				dir := home(t)
				l := startLander(t, thisProgram(t), order{Dir: dir, Durable: durable}, nil)
				if l.Err != "" {
					t.Fatal(l.Err)
				}
				run(t, l.URL, `CREATE TABLE kept AS SELECT 'here' AS word`)
				server := postmaster(t, l.Dir)
				for _, pid := range victims(l.cmd.Process.Pid, l.Watchdog, server) {
					if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
						t.Fatal(err)
					}
				}
				if err := l.cmd.Wait(); err == nil {
					t.Fatal("the lander outlived SIGKILL")
				}
				s := startServer(t, Options{Dir: dir, Durable: durable})
				if durable { // without fsync and without an orderly end nothing is promised but a start
					if got := value(t, s.URL("postgres"), `SELECT word FROM kept`); got != "here" {
						t.Errorf("after the kill the table says %q", got)
					}
				}
				if now := postmaster(t, l.Dir); now == server {
					t.Errorf("the old server %d is the new one", server)
				}
				eventually(t, "the old server is gone", func() bool { return !alive(server) })
			})
		}
	}
}

// A lander is killed while its database is being made: the maker still writes, and the next lander waits until it has gone.
func TestKilledWhileMaking(t *testing.T) {
	t.Parallel()
	dir := home(t)
	text, err := json.Marshal(order{Dir: dir, Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(thisProgram(t))
	cmd.Env = append(os.Environ(), landerVariable+"="+string(text))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "initdb writes", func() bool {
		_, err := os.Stat(filepath.Join(dir, "cluster.new", "global"))
		return err == nil
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the lander outlived SIGKILL")
	}
	s := startServer(t, Options{Dir: dir, Durable: true})
	if got := value(t, s.URL("postgres"), `SELECT 'alive'`); got != "alive" {
		t.Errorf("got %q", got)
	}
}

// A temporary server leaves no file behind, even when its lander is killed.
func TestKilledTemporary(t *testing.T) {
	t.Parallel()
	l := startLander(t, thisProgram(t), order{}, nil)
	if l.Err != "" {
		t.Fatal(l.Err)
	}
	server := postmaster(t, l.Dir)
	if err := l.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server is gone", func() bool { return !alive(server) })
	eventually(t, "its directory is gone", func() bool {
		_, err := os.Stat(l.Dir)
		return errors.Is(err, fs.ErrNotExist)
	})
}

// A lander whose server dies hears of it, and Stop says so.
func TestServerDies(t *testing.T) {
	t.Parallel()
	s, err := Start(t.Context(), Options{Dir: home(t)})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Done():
		t.Fatal("done before the end")
	default:
	}
	var name string
	if name = value(t, s.URL("postgres"), `SHOW data_directory`); name == "" {
		t.Fatal("the server has no data directory")
	}
	f, err := readPidFile(name + "/postmaster.pid")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(f.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if err := s.Stop(); err == nil {
		t.Error("Stop says nothing of a server that died")
	}
}

// The process number of a server that crashed may belong to anybody later, even to another server of the same user; and a
// copied directory names the original's server. Neither is touched, and neither is in the way.
func TestForeignProcessInPidFile(t *testing.T) {
	t.Parallel()
	bystander := startServer(t, Options{Dir: home(t)})
	theirs := value(t, bystander.URL("postgres"), `SHOW data_directory`)
	text, err := os.ReadFile(theirs + "/postmaster.pid")
	if err != nil {
		t.Fatal(err)
	}

	dir := home(t)
	s, err := Start(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ours := value(t, s.URL("postgres"), `SHOW data_directory`)
	info, err := os.Stat(ours)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	left := ours + "/postmaster.pid"
	if err := os.WriteFile(left, text, 0o600); err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	if err := os.Chown(left, int(owner.Uid), int(owner.Gid)); err != nil {
		t.Fatal(err)
	}
	again := startServer(t, Options{Dir: dir})
	for _, each := range []*Server{again, bystander} {
		if got := value(t, each.URL("postgres"), `SELECT 'alive'`); got != "alive" {
			t.Errorf("got %q", got)
		}
	}
}
