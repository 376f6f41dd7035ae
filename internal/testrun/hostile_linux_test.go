package testrun

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"lander/internal/queue"
)

// bearers lists the processes with mark in their command line.
func bearers(mark string) []int {
	var found []int
	for _, p := range processes() {
		line, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/cmdline")
		if err == nil && bytes.Contains(line, []byte(mark)) && p.pid != os.Getpid() {
			found = append(found, p.pid)
		}
	}
	return found
}

// killBearers keeps a failing test from leaving its processes on the machine.
func killBearers(tb testing.TB, mark string) {
	tb.Cleanup(func() {
		for range 1000 {
			left := bearers(mark)
			if len(left) == 0 {
				return
			}
			for _, pid := range left {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
}

// hostile are commands that leave something behind and exit with 0. MARK is in the command line of whatever must be gone.
var hostile = map[string]string{
	"background":                  "sleep 600 MARK &",
	"background with pipe closed": "sleep 600 MARK > /dev/null 2>&1 &",
	"double fork":                 "(sleep 600 MARK & ) &",
	"setsid":                      "setsid -f sleep 600 MARK",
	"nohup":                       "nohup sleep 600 MARK &",
	"daemon":                      "setsid sh -c 'cd /; (setsid sleep 600 MARK < /dev/null > /dev/null 2>&1 &) &' &\nwhile ! test -e /proc/$!; do :; done",
	"ignores every signal it can": "sh -c 'trap \"\" TERM INT HUP QUIT USR1 USR2 TSTP; while :; do sleep 600 MARK; done' MARK &",
	"wiped environment":           "env -i setsid -f sleep 600 MARK",
	"stopped":                     "sleep 600 MARK & kill -STOP $!",
	"starts another when one dies": "sh -c 'while :; do sleep 600 MARK; done' MARK &\n" +
		"sh -c 'while :; do sleep 600 MARK & wait; done' MARK &",
	"hundreds, three levels deep": "for i in 1 2 3 4 5 6; do setsid sh -c 'for j in 1 2 3 4 5 6; do (for k in 1 2 3 4 5 6; do sleep 600 MARK & done; wait) & done; wait' MARK & done" + atLeast(230),
	"hundreds, still growing":     "for i in 1 2 3 4 5 6; do setsid sh -c 'for j in 1 2 3 4 5 6; do (for k in 1 2 3 4 5 6; do sleep 600 MARK & done; wait) & done; wait' MARK & done",
	"one that is never there":     "sh -c 'again() { again \"$@\" & }; again MARK' MARK &",
	"a fork bomb with a bottom":   "sh -c 'bomb() { test $1 -gt 6 || { bomb $(($1+1)) & bomb $(($1+1)) & }; sleep 600 MARK; }; bomb 0' MARK &",
	"the bomb gone off":           "sh -c 'bomb() { test $1 -gt 6 || { bomb $(($1+1)) & bomb $(($1+1)) & }; sleep 600 MARK; }; bomb 0' MARK &" + atLeast(220),
	"floods the log on its way":   "yes MARK &",
}

// atLeast waits until n processes with MARK are there.
func atLeast(n int) string {
	return "\nuntil test $(cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\\0' '\\n' | grep -c MARK) -gt " + strconv.Itoa(n) + "; do sleep 0.05; done"
}

func TestNothingOutlivesItsRun(t *testing.T) {
	t.Parallel()
	for name, command := range hostile { // one after the other: some are hundreds of processes
		t.Run(name, func(t *testing.T) {
			mark := newMark()
			killBearers(t, mark)
			r, s := newRunner(t)
			r.MaxLog = 1 << 20
			s.onReturn = func() {
				if left := bearers(mark); len(left) > 0 {
					t.Errorf("checkout given back with %d processes about", len(left))
				}
			}
			v := r.Run(t.Context(), jobOf(steps(strings.ReplaceAll(command, "MARK", mark))))
			want(t, v, queue.Green, "")
			if left := bearers(mark); len(left) > 0 {
				t.Errorf("%d processes are left", len(left))
			}
			t.Logf("took %v", v.Took)
		})
	}
}

func TestBackgroundLivesOnIntoLaterSteps(t *testing.T) {
	t.Parallel()
	mark := newMark()
	killBearers(t, mark)
	r, _ := newRunner(t)
	recipe := steps("kill -0 $(cat pid)")
	recipe.Setup = []string{"sleep 600 " + mark + " & echo $! > pid"}
	want(t, r.Run(t.Context(), jobOf(recipe)), queue.Green, "")
	if left := bearers(mark); len(left) > 0 {
		t.Errorf("%d processes are left", len(left))
	}
}

func TestCommandsInheritNothing(t *testing.T) {
	t.Parallel()
	r, _ := newRunner(t)
	// 0, 1, 2 and the descriptor that ls itself reads the directory by.
	v := r.Run(t.Context(), jobOf(steps("exec ls /proc/self/fd", "cat; ! (: < /dev/tty)", "kill -KILL 0")))
	log := readLog(t, r, "run-1")
	if !strings.Contains(log, "ls /proc/self/fd\n0\n1\n2\n3\n===") {
		t.Errorf("log:\n%s", log)
	}
	want(t, v, queue.Red, "SIGKILL") // its own group, and nobody else's
}

func TestSupervisorKilled(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]string{
		"killed":              "kill -KILL $PPID; sleep 600 MARK",
		"killed by a daemon":  "setsid sh -c 'kill -KILL '$PPID'; sleep 600 MARK' MARK & sleep 600 MARK",
		"killed from a crowd": "for i in 1 2 3 4 5 6 7 8 9; do setsid -f sleep 600 MARK; done; cd /; kill -KILL $PPID; exec sleep 600 MARK",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mark := newMark()
			killBearers(t, mark)
			r, s := newRunner(t)
			v := r.Run(t.Context(), jobOf(steps(strings.ReplaceAll(command, "MARK", mark), "true")))
			want(t, v, queue.Infra, "supervises the run ended without a report: signal: killed")
			if left := bearers(mark); len(left) > 0 {
				t.Errorf("%d processes are left", len(left))
			}
			if s.released != 1 {
				t.Errorf("released %d times", s.released)
			}
			if left, _ := filepath.Glob(r.Scratch + "/*"); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	t.Run("asked to stop", func(t *testing.T) {
		t.Parallel()
		r, _ := newRunner(t)
		v := r.Run(t.Context(), jobOf(steps("for s in TERM INT HUP QUIT USR1 USR2; do kill -$s $PPID; done; sleep 0.05")))
		want(t, v, queue.Green, "")
	})
	t.Run("made to stand still", func(t *testing.T) {
		t.Parallel()
		mark := newMark()
		killBearers(t, mark)
		r, _ := newRunner(t)
		r.grace = 300 * time.Millisecond
		recipe := steps("kill -STOP $PPID; sleep 600 " + mark)
		recipe.Timeout = 300 * time.Millisecond
		want(t, r.Run(t.Context(), jobOf(recipe)), queue.TimedOut, "timeout")
		if left := bearers(mark); len(left) > 0 {
			t.Errorf("%d processes are left", len(left))
		}
	})
}

func startHelper(t *testing.T, command string) (*exec.Cmd, string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "scratch"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "recipe"), []byte(command), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "TESTRUN_HELPER="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, dir
}

func TestNothingOutlivesLander(t *testing.T) {
	t.Parallel()
	mark := newMark()
	killBearers(t, mark)
	cmd, dir := startHelper(t, strings.ReplaceAll("setsid -f sleep 600 MARK; env -i setsid -f sleep 600 MARK; trap '' TERM; sleep 600 MARK", "MARK", mark))
	until(t, "the run's processes", func() bool { return len(bearers(mark)) >= 3 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	died := time.Now()
	until(t, "the run's processes to end", func() bool { return len(bearers(mark)) == 0 })
	t.Logf("nothing left %v after lander was killed", time.Since(died))
	until(t, "the run's private directory to go", func() bool {
		left, err := os.ReadDir(filepath.Join(dir, "scratch"))
		return err == nil && len(left) == 0
	})
}

func TestSweepAfterBothWereKilled(t *testing.T) {
	t.Parallel()
	mark := newMark()
	killBearers(t, mark)
	cmd, dir := startHelper(t, strings.ReplaceAll("echo $PPID > sup.tmp; setsid -f sleep 600 MARK; mkdir -p $TMPDIR/a/b; chmod 0 $TMPDIR/a; mv sup.tmp sup; sleep 600 MARK", "MARK", mark))
	until(t, "the run's processes", func() bool { return len(bearers(mark)) >= 2 && exists(filepath.Join(dir, "sup")) })

	// A run that is alive is let alone, also by another lander.
	r := &Runner{Scratch: filepath.Join(dir, "scratch")}
	if err := r.Sweep(); err != nil || len(bearers(mark)) < 2 {
		t.Fatalf("swept a live run: %v", err)
	}

	text, err := os.ReadFile(filepath.Join(dir, "sup"))
	if err != nil {
		t.Fatal(err)
	}
	supervisor, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{cmd.Process.Pid, supervisor} { // stopped first, so that neither sees the other die
		syscall.Kill(pid, syscall.SIGSTOP)
	}
	for _, pid := range []int{cmd.Process.Pid, supervisor} {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	cmd.Wait()
	if len(bearers(mark)) < 2 {
		t.Fatal("the run died by itself, so there is nothing to sweep")
	}
	until(t, "the sweep", func() bool {
		if err := r.Sweep(); err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadDir(filepath.Join(dir, "scratch"))
		return err == nil && len(left) == 0
	})
	if left := bearers(mark); len(left) > 0 {
		t.Errorf("%d processes are left", len(left))
	}
}
