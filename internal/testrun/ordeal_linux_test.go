package testrun

import (
	"context"
	"encoding/json"
	"flag"
	"hash/fnv"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"lander/internal/queue"
)

// ordeal is a little repository, and what is run in it, in a sandbox with small limits.
type ordeal struct {
	Files   map[string]string
	Setup   []string
	Steps   []string
	Network bool // for the steps
	Recipe  queue.Recipe
	Rerun   queue.Rerun
	Limits  Limits
	Env     []string
	Secrets []string
	Hide    []string
	Named   []string
	Layers  bool   // tool caches are layers
	Story   string // of tool caches, instead of a recipe
	Program bool   // the checkout has the program "hostile", see hostileProgram

	before func(dir string) // with the ordeal's directory
	after  func(dir string)
}

var small = Limits{Memory: 64 << 20, Pids: 64, Disk: 32 << 20, Files: 2000, Output: 8 << 20}

// outcome is what came of an ordeal.
type outcome struct {
	Verdict queue.Verdict
	Log     string
}

// proved is the sandbox of this process.
var proved = sync.OnceValues(func() (*Sandbox, error) { return Prove(context.Background(), Options{}) })

var everyone = flag.Bool("everyone", false, "let each hostile suite be run by root's lander and by an ordinary user's, and not by one of them")

// modes are the users that lander may be: whoever runs the tests, and where that is root an ordinary one as well. Each takes a part of what
// there is, always the same, unless both are asked for.
func modes(t *testing.T) []string {
	t.Helper()
	if os.Geteuid() != 0 {
		return []string{"as this user"}
	}
	both := []string{"as root", "as an ordinary user"}
	if *everyone {
		return both
	}
	name := fnv.New32a()
	_, _ = name.Write([]byte(t.Name())) // never an error
	i := name.Sum32() >> 8 & 1
	return both[i : i+1]
}

// endure runs an ordeal in each mode.
func endure(t *testing.T, o ordeal, check func(*testing.T, outcome)) {
	t.Helper()
	for _, mode := range modes(t) {
		t.Run(mode, func(t *testing.T) { check(t, o.run(t, mode)) })
	}
}

const nobody = 65534

func (o ordeal) run(t *testing.T, mode string) outcome {
	t.Helper()
	dir := t.TempDir()
	for path, text := range o.Files {
		path = filepath.Join(dir, "checkout", path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, sub := range []string{"checkout", "scratch", "caches", "outside"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if o.Program {
		copySelf(t, filepath.Join(dir, "checkout", "hostile"))
	}
	if o.before != nil {
		o.before(dir)
	}
	o.Recipe.Setup = o.Setup
	o.Recipe.Steps = append(o.Recipe.Steps, steps(o.Steps...).Steps...)
	for i := range o.Recipe.Steps {
		o.Recipe.Steps[i].Network = o.Recipe.Steps[i].Network || o.Network
		o.Recipe.Steps[i].Run = strings.ReplaceAll(o.Recipe.Steps[i].Run, "OUTSIDE", filepath.Join(dir, "outside"))
	}
	var came outcome
	if mode == "as an ordinary user" {
		came = o.another(t, dir)
	} else {
		came = o.here(t.Context(), dir)
	}
	if o.after != nil {
		o.after(dir)
	}
	left, err := os.ReadDir(filepath.Join(dir, "scratch"))
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the private directory to be removed", func() bool {
		left, err = os.ReadDir(filepath.Join(dir, "scratch"))
		return err == nil && len(left) == 0
	})
	return came
}

// here runs the ordeal in this process.
func (o ordeal) here(ctx context.Context, dir string) outcome {
	found, err := proved()
	if err != nil {
		return outcome{Log: "no sandbox: " + err.Error()}
	}
	if o.Story != "" {
		return outcome{Log: tell(ctx, found, dir, o.Story)}
	}
	s := *found
	s.overlay = o.Layers
	s.limits, s.hidden, s.named = o.Limits.filled(), append(s.hidden, o.Hide...), o.Named
	r := &Runner{
		Checkouts: &shelf{dir: filepath.Join(dir, "checkout")}, Logs: filepath.Join(dir, "logs"), Scratch: filepath.Join(dir, "scratch"),
		Caches: filepath.Join(dir, "caches"), Env: o.Env, Secrets: o.Secrets, Sandbox: &s, MaxLog: 1 << 20,
	}
	job := jobOf(o.Recipe)
	job.Rerun = o.Rerun
	v := r.Run(ctx, job)
	text, err := os.ReadFile(r.logPath(job.ID))
	if err != nil {
		return outcome{v, err.Error()}
	}
	return outcome{v, string(text)}
}

// another runs the ordeal in a process of an ordinary user, with secrets of lander's in its environment.
func (o ordeal) another(t *testing.T, dir string) outcome {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ordeal"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	copySelf(t, program)
	err = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, nobody, nobody)
	})
	if err != nil {
		t.Fatal(err)
	}
	for at := filepath.Dir(dir); at != "/" && at != os.TempDir(); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = []string{"TESTRUN_HELPER=" + dir, "PATH=" + defaultPath, "TMPDIR=" + dir, "LANDER_TOKEN=" + canary, "HOME=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return readOutcome(t, dir)
}

func readOutcome(t *testing.T, dir string) (came outcome) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "outcome"))
	if err == nil {
		err = json.Unmarshal(text, &came)
	}
	if err != nil {
		t.Fatal(err)
	}
	return came
}

// startOrdeal starts another lander, as the user who runs the tests, that runs an ordeal.
func startOrdeal(t *testing.T, o ordeal) (*exec.Cmd, string) {
	t.Helper()
	dir := t.TempDir()
	for _, sub := range []string{"checkout", "scratch", "caches"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(o)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "ordeal"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "TESTRUN_HELPER="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, dir
}

// ordealHelper is the process of another.
func ordealHelper(dir string) {
	var o ordeal
	text, err := os.ReadFile(filepath.Join(dir, "ordeal"))
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err != nil {
		panic(err)
	}
	text, err = json.Marshal(o.here(context.Background(), dir))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "outcome"), text, 0o644)
	}
	if err != nil {
		panic(err)
	}
}

func copySelf(t *testing.T, to string) {
	t.Helper()
	syscall.ForkLock.RLock() // a child that is just being started must not hold it open for writing when it is to be executed
	defer syscall.ForkLock.RUnlock()
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	file, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(file, from); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}
