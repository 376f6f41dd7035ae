package testrun

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lander/internal/queue"
)

func TestMain(m *testing.M) {
	mostLayers, mostGreen = 3, 4
	if dir := os.Getenv("TESTRUN_HELPER"); dir != "" {
		helper(dir)
		return
	}
	if what := os.Getenv("TESTRUN_HOSTILE"); what != "" {
		os.Exit(hostileProgram(what, os.Args[1:]))
	}
	os.Exit(m.Run())
}

const (
	candidate = queue.SHA("c0ffee0000000000000000000000000000000001")
	base      = queue.SHA("ba5e000000000000000000000000000000000002")
)

// shelf gives one directory as every checkout, and keeps account.
type shelf struct {
	dir string
	err error

	mu       sync.Mutex
	asked    []queue.SHA
	released int
	onReturn func()
	onTake   func()
}

func (s *shelf) Checkout(_ context.Context, sha queue.SHA) (string, func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, sha)
	if s.onTake != nil {
		s.onTake()
	}
	if s.err != nil {
		return "", nil, s.err
	}
	return s.dir, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.released++
		if s.onReturn != nil {
			s.onReturn()
		}
	}, nil
}

func newRunner(tb testing.TB) (*Runner, *shelf) {
	tb.Helper()
	s := &shelf{dir: tb.TempDir()}
	return &Runner{Checkouts: s, Logs: filepath.Join(tb.TempDir(), "logs"), Scratch: tb.TempDir()}, s
}

// steps is a recipe with one step per command, named a, b, c, ...
func steps(commands ...string) queue.Recipe {
	var r queue.Recipe
	for i, command := range commands {
		r.Steps = append(r.Steps, queue.Step{Name: string(rune('a' + i)), Run: command})
	}
	return r
}

func jobOf(recipe queue.Recipe) Job {
	return Job{
		ID: "run-1", Lane: queue.Lane{Repo: "acme/app", Trunk: "main"}, Candidate: candidate, Base: base,
		Members: []queue.Number{7, 12}, Recipe: recipe,
	}
}

func readLog(tb testing.TB, r *Runner, id string) string {
	tb.Helper()
	text, err := os.ReadFile(r.logPath(id))
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

func want(tb testing.TB, v queue.Verdict, outcome queue.Outcome, reason string) {
	tb.Helper()
	if v.Outcome != outcome || !strings.Contains(v.Reason, reason) {
		tb.Fatalf("verdict %q, %q; want %q with %q\n%+v", v.Outcome, v.Reason, outcome, reason, v)
	}
}

// until polls for a condition that another process brings about.
func until(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			tb.Fatalf("gave up waiting for %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// newMark is an argument that "sleep 600 MARK" bears and by which no other process can be meant.
func newMark() string { return fmt.Sprintf("0.000%015d", rand.Int64N(1e15)) }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func (s *shelf) onCheckout(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onTake = do
}

// helper is another lander: it runs what the file recipe in dir says.
func helper(dir string) {
	if exists(filepath.Join(dir, "ordeal")) {
		ordealHelper(dir)
		return
	}
	command, err := os.ReadFile(filepath.Join(dir, "recipe"))
	if err != nil {
		panic(err)
	}
	r := &Runner{Checkouts: &shelf{dir: dir}, Logs: filepath.Join(dir, "logs"), Scratch: filepath.Join(dir, "scratch")}
	r.Run(context.Background(), jobOf(steps(string(command))))
}

func makeFIFO(tb testing.TB, path string) {
	tb.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// goEnv is a setting of the go command of whoever runs the tests.
func goEnv(tb testing.TB, name string) string {
	tb.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
