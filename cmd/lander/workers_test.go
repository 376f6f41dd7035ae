package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"lander/internal/store/embedded"
)

// What scripts can say about workers:
//
//	postgres                        starts a database for all landers of the script, and points LANDER_DATABASE_URL at it
//	database stop|go|end            halts all of it, so that nobody gets an answer, lets it go on, ends it
//	worker NAME [FLAG...]           starts "lander worker", without any of serve's credentials, and waits until it is up
//	signal NAME INT|TERM|KILL|STOP|CONT
//	gone NAME N                     waits until it has ended, which must be with this exit status; its log is in the file NAME.log
//	tells NAME WORDS                waits until a worker's log has them
//	idle NAME                       waits until a worker has no process below it
//	shut N                          closes a pull request
func init() {
	commands["postgres"] = startPostgres
	commands["database"] = haltPostgres
	commands["worker"] = startWorker
	commands["signal"] = signalWorker
	commands["gone"] = workerGone
	commands["tells"] = workerTells
	commands["idle"] = workerIdle
	commands["shut"] = shutPull
}

// hired is a worker under way.
type hired struct {
	cmd  *exec.Cmd
	mu   sync.Mutex
	log  bytes.Buffer
	read chan struct{} // closed when all of the log was read
}

func (h *hired) text() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

type hiredKey struct{}

// crewOf are a script's workers, by name.
func crewOf(ts *testscript.TestScript) map[string]*hired {
	return ts.Value(hiredKey{}).(map[string]*hired)
}

func startPostgres(ts *testscript.TestScript, _ bool, _ []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	pg, err := embedded.Start(ctx, embedded.Options{Dir: ts.MkAbs("postgres")})
	ts.Check(err)
	w := worldOf(ts)
	end := sync.OnceFunc(func() { _ = pg.Stop() })
	w.owned, w.endPostgres = append(w.owned, end), end
	ts.Check(pg.Ensure(ctx, "shared"))
	ts.Setenv("LANDER_DATABASE_URL", pg.URL("shared"))
}

// haltPostgres stops or continues every process of the database, as a network that swallows everything would look to lander.
func haltPostgres(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 1 && args[0] == "end" {
		worldOf(ts).endPostgres()
		return
	}
	sig := map[string]syscall.Signal{"stop": syscall.SIGSTOP, "go": syscall.SIGCONT}[strings.Join(args, "")]
	if sig == 0 {
		ts.Fatalf("usage, after postgres: database stop|go|end")
	}
	dir, found := ts.MkAbs("postgres"), 0
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		cwd, _ := os.Readlink(p + "/cwd")
		if name, _ := os.ReadFile(p + "/comm"); strings.HasPrefix(cwd, dir) && strings.HasPrefix(string(name), "postgres") {
			var pid int
			ts.Check(json.Unmarshal([]byte(filepath.Base(p)), &pid))
			if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
				ts.Check(err)
			}
			found++
		}
	}
	if found == 0 {
		ts.Fatalf("no process of the database was found")
	}
}

func startWorker(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: worker NAME [FLAG...]")
	}
	h := &hired{read: make(chan struct{})}
	h.cmd = command(ts, append([]string{"lander", "worker", "--name", args[0], "--data", ts.MkAbs(filepath.Join("workers", args[0]))}, args[1:]...))
	h.cmd.Env = slices.DeleteFunc(h.cmd.Env, func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains([]string{"LANDER_TOKEN", "LANDER_WEBHOOK_SECRETS", "LANDER_LANES", "LANDER_POLL", "LANDER_DATA_DIR", "LANDER_API_TOKEN"}, name)
	})
	out, err := h.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(h.cmd.Start())
	up := make(chan struct{})
	go func() {
		defer close(h.read)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			h.mu.Lock()
			h.log.WriteString(lines.Text() + "\n")
			h.mu.Unlock()
			var said struct{ Message string }
			if json.Unmarshal(lines.Bytes(), &said) == nil && said.Message == "worker is up" {
				close(up)
			}
		}
	}()
	crewOf(ts)[args[0]] = h
	worldOf(ts).owned = append(worldOf(ts).owned, func() {
		_ = h.cmd.Process.Signal(syscall.SIGCONT)
		_ = h.cmd.Process.Kill()
		_ = h.cmd.Wait()
	})
	select {
	case <-up:
	case <-h.read:
		ts.Fatalf("worker %s ended at once: %s", args[0], h.text())
	case <-time.After(patience):
		ts.Fatalf("worker %s is not up after %s: %s", args[0], patience, h.text())
	}
}

func signalWorker(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT}
	if len(args) != 2 || crewOf(ts)[args[0]] == nil || signals[args[1]] == 0 {
		ts.Fatalf("usage, after worker: signal NAME INT|TERM|KILL|STOP|CONT")
	}
	ts.Check(crewOf(ts)[args[0]].cmd.Process.Signal(signals[args[1]]))
}

func workerGone(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 || crewOf(ts)[args[0]] == nil {
		ts.Fatalf("usage, after worker: gone NAME N")
	}
	h := crewOf(ts)[args[0]]
	select {
	case <-h.read:
	case <-time.After(patience):
		ts.Fatalf("worker %s has not ended: %s", args[0], h.text())
	}
	_ = h.cmd.Wait()
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".log"), []byte(h.text()), 0o644))
	if got := h.cmd.ProcessState.String(); got != "exit status "+args[1] && got != "signal: "+args[1] {
		ts.Fatalf("worker %s: %s, want %s\n%s", args[0], got, args[1], h.text())
	}
	delete(crewOf(ts), args[0])
}

func workerTells(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 || crewOf(ts)[args[0]] == nil {
		ts.Fatalf("usage, after worker: tells NAME WORDS")
	}
	h := crewOf(ts)[args[0]]
	for deadline := time.Now().Add(patience); !strings.Contains(h.text(), args[1]); time.Sleep(20 * time.Millisecond) { // between two looks
		if time.Now().After(deadline) {
			ts.Fatalf("worker %s does not tell %q:\n%s", args[0], args[1], h.text())
		}
	}
}

func workerIdle(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 || crewOf(ts)[args[0]] == nil {
		ts.Fatalf("usage, after worker: idle NAME")
	}
	children := fmt.Sprintf("/proc/%d/task/*/children", crewOf(ts)[args[0]].cmd.Process.Pid)
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) { // between two looks
		below := ""
		lists, _ := filepath.Glob(children)
		for _, list := range lists {
			text, _ := os.ReadFile(list)
			below += string(text)
		}
		if below == "" {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("worker %s still has the processes %s", args[0], below)
		}
	}
}

func shutPull(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(strings.Join(args, ""))
	ts.Check(err)
	ts.Check(worldOf(ts).hub.ClosePull(repository, n, "noor"))
}
