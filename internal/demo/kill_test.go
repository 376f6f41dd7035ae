package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

var (
	kills   = flag.Int("kills", 0, "kill so many stories, each at a random moment, and print a table; 0: one story, three times")
	program = flag.String("lander", "", "the lander that is killed; empty: this test binary, which plays the story as lander does")
	seed    = flag.Uint64("seed", 0, "of the random moments; 0: another one each time, which is printed")
)

// storyVariable turns the test binary into "lander demo --headless --json --resume --data" with the directory that it holds.
const storyVariable = "LANDER_TEST_STORY"

func playAsProcess(dir string) int {
	log, err := os.OpenFile(filepath.Join(dir, "lander.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	r, err := Play(context.Background(), Options{Data: dir, Resume: true, Log: zerolog.New(log).With().Timestamp().Logger()}, func(News) {})
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lander:", err)
		return 2
	}
	if !r.OK {
		return 1
	}
	return 0
}

// A story that is killed again and again, by SIGKILL and without a pause before the next process, ends with the same fates, and
// nothing of the killed ones is left. Every second kill takes all of lander's children with it, as the end of a container does. After
// the others nobody waits for the killed process until the next one is gone too, as where the first process of a container never does.
func TestAStoryOutlivesKills(t *testing.T) {
	if *kills > 0 {
		killMany(t, *kills)
		return
	}
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 3))
	tr := trial{dir: dataDir(t)}
	for i := range 3 {
		tr.kills = append(tr.kills, kill{after: 1500*time.Millisecond + time.Duration(random.Int64N(int64(3*time.Second))), all: i%2 == 1, unwaited: i%2 == 0})
	}
	tr.run(t, nil)
	t.Log(tr.row())
	if len(tr.wrong) > 0 {
		t.Error(tr.complaint())
	}
}

// killMany measures a story that nobody kills, and then kills others.
func killMany(t *testing.T, n int) {
	t.Helper()
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	random := rand.New(rand.NewPCG(*seed, 0))
	whole := trial{dir: dataDir(t)}
	whole.run(t, nil)
	if len(whole.wrong) > 0 {
		t.Fatal(whole.complaint())
	}
	usual := whole.took
	fmt.Printf("a story that nobody kills takes %.1f s; seed %d\n\n%4s  %-46s %9s  %-5s  %s\n", usual.Seconds(), *seed, "", "killed at", "then took", "fates", "left over")
	bad, all, kills := 0, 0, 0
	for i := 0; i < n; i++ {
		tr := trial{dir: dataDir(t)}
		left := usual
		for again := true; again; again = random.IntN(3) == 0 {
			after := time.Duration(random.Int64N(int64(left)))
			left = max(left-after, time.Second)
			kills++
			tr.kills = append(tr.kills, kill{after: after, all: random.IntN(4) == 0, unwaited: kills%2 == 0})
		}
		tr.run(t, whole.result.Fates)
		all += tr.hit
		if tr.hit == 0 && len(tr.wrong) == 0 { // nobody was killed, for the machine has less else to do now
			usual = tr.kills[0].after
			i--
			if err := os.RemoveAll(tr.dir); err != nil {
				t.Error(err)
			}
			continue
		}
		fmt.Printf("%4d  %s\n", i+1, tr.row())
		if len(tr.wrong) > 0 {
			bad++
			t.Errorf("story %d: %s", i+1, tr.complaint())
		}
		if err := os.RemoveAll(tr.dir); err != nil {
			t.Error(err)
		}
	}
	fmt.Printf("\n%d stories, %d kills, %d stories went wrong\n", n, all, bad)
}

// kill is one to come.
type kill struct {
	after    time.Duration // the process has begun
	all      bool          // its children too
	unwaited bool          // it stays a zombie as long as the next process lives
}

func (k kill) String() string {
	text := fmt.Sprintf("%.2f s", k.after.Seconds())
	if k.all {
		text += " (all)"
	}
	if k.unwaited {
		text += " (unwaited)"
	}
	return text
}

// trial is one story with its kills. The last process is let be.
type trial struct {
	dir   string
	kills []kill

	hit    int       // kills that found a process
	zombie *exec.Cmd // the process before, if it was killed and nobody has waited for it
	took   time.Duration
	result Result
	same   bool
	left   []string
	wrong  []string
}

func (tr *trial) run(t *testing.T, want []Fate) {
	t.Helper()
	for _, dir := range []string{"data", "tmp"} {
		if err := os.Mkdir(filepath.Join(tr.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Whoever runs Postgres must be able to write there too.
	if err := os.Chmod(filepath.Join(tr.dir, "tmp"), 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	for _, k := range tr.kills {
		if !tr.killOne(t, k) {
			break // it was over before
		}
		tr.hit++
	}
	if tr.hit == 0 && len(tr.kills) > 0 && len(tr.wrong) == 0 {
		return
	}
	tr.last(t)
	tr.same = alike(tr.result.Fates, want)
	if !tr.same {
		tr.wrong = append(tr.wrong, fmt.Sprintf("fates %+v", tr.result.Fates))
	}
	tr.wrong = append(tr.wrong, tr.result.Wrong...)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) { // between two looks
		if tr.left = append(running(tr.dir), tr.files(t)...); len(tr.left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			tr.wrong = append(tr.wrong, "left over: "+strings.Join(tr.left, "; "))
			return
		}
	}
}

// alike compares what does not differ from one story to the next; without something to compare with, each must have met its fate.
func alike(have, want []Fate) bool {
	if want == nil {
		return len(have) == 19 && !slices.ContainsFunc(have, func(f Fate) bool { return !f.Met })
	}
	return slices.EqualFunc(have, want, func(a, b Fate) bool {
		a.Commit, b.Commit = "", ""
		return a == b
	})
}

func (tr *trial) start(t *testing.T) (cmd *exec.Cmd, out, words *bytes.Buffer) {
	t.Helper()
	data := filepath.Join(tr.dir, "data")
	path := *program
	args := []string{"demo", "--headless", "--json", "--resume", "--data", data}
	if path == "" {
		var err error
		if path, err = os.Executable(); err != nil {
			t.Fatal(err)
		}
		args = nil
	}
	out, words = &bytes.Buffer{}, &bytes.Buffer{}
	cmd = exec.Command(path, args...)
	cmd.Env = append(os.Environ(), storyVariable+"="+data, "TMPDIR="+filepath.Join(tr.dir, "tmp"), "GORACE=atexit_sleep_ms=0")
	cmd.Stdout, cmd.Stderr = out, words
	cmd.WaitDelay = time.Second // a child that was not killed may hold the pipes
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out, words
}

// killOne plays until the kill, and reports whether it was in time.
func (tr *trial) killOne(t *testing.T, k kill) bool {
	t.Helper()
	cmd, _, words := tr.start(t)
	before := tr.zombie
	tr.zombie = nil
	defer bury(before)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for { // until it has ended, without taking its status
			err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
			if !errors.Is(err, unix.EINTR) {
				return
			}
		}
	}()
	select {
	case <-over:
		if err := cmd.Wait(); err != nil {
			tr.wrong = append(tr.wrong, fmt.Sprintf("before the kill: %v: %s", err, words))
		}
		return false
	case <-time.After(k.after):
	}
	victims := []int{cmd.Process.Pid}
	if k.all {
		for _, found := range running(tr.dir) {
			word, _, _ := strings.Cut(found, " ")
			if pid, err := strconv.Atoi(word); err == nil && pid != cmd.Process.Pid {
				victims = append(victims, pid)
			}
		}
	}
	for _, pid := range victims {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Error(err)
		}
	}
	if k.unwaited {
		tr.zombie = cmd
	} else {
		bury(cmd)
	}
	return true
}

// bury waits for a process that was killed; nil: there is none.
func bury(cmd *exec.Cmd) {
	if cmd != nil {
		_ = cmd.Wait() // it was killed
	}
}

func (tr *trial) last(t *testing.T) {
	t.Helper()
	cmd, out, words := tr.start(t)
	defer bury(tr.zombie)
	began := time.Now()
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	select {
	case err := <-over:
		tr.took = time.Since(began)
		if err != nil {
			tr.wrong = append(tr.wrong, fmt.Sprintf("%v: %s", err, words))
		}
	case <-time.After(3 * time.Minute):
		tr.took = time.Since(began)
		tr.wrong = append(tr.wrong, "it does not end")
		_ = cmd.Process.Kill() // it may just have ended
		<-over
	}
	if err := json.Unmarshal(out.Bytes(), &tr.result); err != nil {
		tr.wrong = append(tr.wrong, fmt.Sprintf("result %q: %v", out, err))
	}
}

// running lists the processes that have to do with a directory.
func running(dir string) (found []string) {
	processes, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well formed
	for _, p := range processes {
		if filepath.Base(p) == strconv.Itoa(os.Getpid()) {
			continue
		}
		// What has gone meanwhile, and what belongs to others, cannot be read; neither is meant.
		args, _ := os.ReadFile(p + "/cmdline")
		env, _ := os.ReadFile(p + "/environ")
		cwd, _ := os.Readlink(p + "/cwd")
		if len(args) > 0 && strings.Contains(string(args)+string(env)+cwd, dir) {
			found = append(found, filepath.Base(p)+" "+strings.ReplaceAll(string(args), "\x00", " "))
		}
	}
	return found
}

// files lists what only something that was cut off leaves behind.
func (tr *trial) files(t *testing.T) (found []string) {
	t.Helper()
	err := filepath.WalkDir(tr.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		name, parent := d.Name(), filepath.Dir(path)
		if parent == filepath.Join(tr.dir, "tmp") || strings.HasSuffix(name, ".lock") || strings.HasPrefix(name, ".mirror-") || strings.HasSuffix(name, ".new") {
			found = append(found, strings.TrimPrefix(path, tr.dir+"/"))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return found
}

// row is a line of the table.
func (tr *trial) row() string {
	var at []string
	for _, k := range tr.kills {
		at = append(at, k.String())
	}
	if tr.hit < len(at) {
		at = append(at[:tr.hit], "over before "+at[tr.hit])
	}
	same := "same"
	if !tr.same || len(tr.result.Wrong) > 0 {
		same = "WRONG"
	}
	left := "none"
	if len(tr.left) > 0 {
		left = strings.Join(tr.left, "; ")
	}
	return fmt.Sprintf("%-46s %7.1f s  %-5s  %s", strings.Join(at, ", "), tr.took.Seconds(), same, left)
}

func (tr *trial) complaint() string {
	text, _ := os.ReadFile(filepath.Join(tr.dir, "data", "lander.log")) // none is told by the rest
	lines := strings.Split(string(text), "\n")
	// What is wrong comes last, for of a long output it is the end that is read.
	return "the end of the log:\n" + strings.Join(lines[max(0, len(lines)-60):], "\n") + "\nwhat is wrong:\n" + strings.Join(tr.wrong, "\n")
}
