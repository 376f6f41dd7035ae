package testrun

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"lander/internal/queue"
)

// canary is a secret that must not be found by anybody.
const canary = "canary-7f3b1f06c2"

// no defines a function that ends a step with 1 if what must not come about does.
const no = `no() { if (eval "$1") > /tmp/said 2>&1; then echo "allowed: $1"; cat /tmp/said; exit 1; fi; }`

// The hostile corpus: each is a little repository whose suite sets out to do harm. Nothing gets out, nothing survives, the verdict names the
// limit, and the next run is none the worse.

func TestFloodsEndAtTheirLimit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		command string
		reason  string
	}{
		"memory":                {"tail /dev/zero", "held more memory than the limit of 64 MiB (memory)"},
		"memory of many":        {"for i in 1 2 3 4 5 6 7 8; do (head -c 12000000 /dev/zero | tail -c 12000000 | (sleep 600; cat)) & done; sleep 600 | tail /dev/zero", "(memory)"},
		"memory by files":       {"head -c 15000000 /dev/zero > /dev/shm/a; head -c 15000000 /dev/zero > /tmp/a; for i in 1 2 3 4; do sh -c 'x=$(head -c 9000000 /dev/zero | tr \\\\0 x); sleep 600' & done; sleep 600", "(memory)"},
		"fork bomb":             {"bomb() { bomb & bomb & wait; }; bomb", "had more processes and threads than the limit of 64 (pids)"},
		"fork bomb in sessions": {"cat > b <<'E'\n#!/bin/sh\nsetsid ./b & setsid ./b & sleep 600\nE\nchmod +x b; ./b", "(pids)"},
		"disk":                  {"i=0; while :; do i=$((i+1)); head -c 4000000 /dev/zero > f$i; done", "wrote more to the disk than the limit of 32 MiB (disk)"},
		"disk at home":          {"cd; i=0; while :; do i=$((i+1)); head -c 4000000 /dev/zero > f$i; done", "(disk)"},
		"disk in the dark":      {"mkdir dark; i=0; cd dark; chmod 300 .; while :; do i=$((i+1)); head -c 4000000 /dev/zero > f$i; done", "(disk)"},
		"disk without names":    {"TESTRUN_HOSTILE=unlinked exec ./hostile", "(disk)"},
		"one large file":        {"exec head -c 100000000 /dev/zero > f", "(disk)"},
		"inodes":                {"i=0; while :; do i=$((i+1)); : > f$i; done", "made more files than the limit of 2000 (files)"},
		"inodes in memory":      {"i=0; while :; do i=$((i+1)); : > /tmp/f$i; done", "(files)"},
		"log":                   {"yes", "wrote more output than the limit of 8 MiB (output)"},
		"log by a daemon":       {"setsid -f yes; sleep 600", "(output)"},
	} {
		t.Run(name, func(t *testing.T) { // one after the other
			mark := newMark()
			killBearers(t, mark)
			command := "sleep 600 " + mark + " &\n" + c.command
			endure(t, ordeal{Steps: []string{command}, Limits: small, Program: name == "disk without names"}, func(t *testing.T, came outcome) {
				want(t, came.Verdict, queue.Red, c.reason)
				if left := bearers(mark); len(left) > 0 {
					t.Errorf("%d processes are left", len(left))
				}
				t.Logf("took %v", came.Verdict.Took)
			})
		})
	}
}

func TestNothingOutlivesItsSandbox(t *testing.T) {
	t.Parallel()
	for name, command := range hostile {
		t.Run(name, func(t *testing.T) {
			mark := newMark()
			killBearers(t, mark)
			limits := small
			limits.Pids, limits.Memory = 1000, 1<<30
			endure(t, ordeal{Steps: []string{strings.ReplaceAll(command, "MARK", mark)}, Limits: limits}, func(t *testing.T, came outcome) {
				if came.Verdict.Outcome != queue.Green && !strings.Contains(came.Verdict.Reason, "(output)") {
					t.Fatalf("%+v\n%s", came.Verdict, came.Log)
				}
				if left := bearers(mark); len(left) > 0 {
					t.Errorf("%d processes are left", len(left))
				}
			})
		})
	}
}

func TestTheFirstProcessCannotBeHad(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		commands []string
		outcome  queue.Outcome
		reason   string
	}{
		"shrugs off signals, keeps its own to itself": {[]string{"TESTRUN_HOSTILE='first process' ./hostile", "true"}, queue.Green, ""},
		"a test that kills its shell and passes":      {[]string{"sh -c 'kill -KILL $PPID; echo PASS; exit 0'", "true"}, queue.Red, "SIGKILL"},
		"a test that kills all that it can":           {[]string{"sh -c 'echo PASS; kill -KILL -1'; exit 0", "true"}, queue.Red, "SIGKILL"},
		"a daemon that kills all that it can":         {[]string{"setsid sh -c 'while :; do kill -KILL -1; done' & sleep 600", "true"}, queue.Red, "SIGKILL"},
		"a test that kills the first process":         {[]string{"kill -KILL $PPID; kill -STOP $PPID; kill -ABRT $PPID; exit 3"}, queue.Red, "exited with 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endure(t, ordeal{Steps: c.commands, Limits: Limits{Pids: 200}, Program: true}, func(t *testing.T, came outcome) {
				want(t, came.Verdict, c.outcome, c.reason)
			})
		})
	}
}

func TestDeniedCalls(t *testing.T) {
	t.Parallel()
	endure(t, ordeal{Steps: []string{"TESTRUN_HOSTILE=calls ./hostile"}, Program: true}, func(t *testing.T, came outcome) {
		if came.Verdict.Outcome != queue.Green {
			t.Errorf("%+v\n%s", came.Verdict, came.Log)
		}
	})
}

func TestWhatIsOutsideCannotBeReached(t *testing.T) {
	t.Parallel()
	t.Run("files", func(t *testing.T) {
		t.Parallel()
		outside := ""
		o := ordeal{
			Files: map[string]string{".gitignore": "x\n"},
			Steps: []string{
				no + `
				no 'cat OUTSIDE/canary'; no 'ls "$(dirname OUTSIDE)"'; no 'cat /etc/shadow'; no 'ls /etc/ssl/private/*'; no 'ls /root/.ssh'; no 'ls /var/lib'
				no 'cat /proc/1/root/etc/passwd'; no 'ls /proc/1/cwd/'; no 'cat /proc/*/environ /proc/*/cmdline | grep -a "canary-[7]f"'
				no 'env | grep "canary-[7]f"'; no 'ls -l /proc/*/fd | grep outside'
				no 'grep -rsl "canary-[7]f" /etc /src /scratch /cache /tmp /dev/shm /run /var /home /mnt /srv /sys --exclude=hostile'
				ln -s OUTSIDE/canary link; no 'cat link'; no 'echo mine > link'
				no 'ln OUTSIDE/canary hard'; no 'ln /etc/passwd hard'; no 'ln /usr/bin/env hard'
				no 'echo mine >> /etc/passwd'; no 'echo mine > /usr/bin/mine'; no 'rm -f /usr/bin/env'; no 'touch /mine'; no 'touch /dev/mine'
				no 'echo 1 > /proc/sys/kernel/core_pattern'; no 'echo b > /proc/sysrq-trigger'
				test "$(id -u)" = 1000; test "$(id -G)" = 1000
				no 'su -c true'; no 'mount -t tmpfs none /src'; no 'unshare -r true'; no 'chroot /src true'`,
				// What would be followed when the private directory is removed.
				`ln -s OUTSIDE "$HOME/up"; ln -s OUTSIDE/canary "$TMPDIR/file"; mkdir "$HOME/deep"; ln -s OUTSIDE "$HOME/deep/up"; chmod 0 "$HOME/deep"; rm -rf ./*; ln -s OUTSIDE out`,
			},
			before: func(dir string) {
				outside = filepath.Join(dir, "outside")
				if err := os.WriteFile(filepath.Join(outside, "canary"), []byte(canary), 0o666); err != nil {
					t.Fatal(err)
				}
			},
			after: func(string) {
				text, err := os.ReadFile(filepath.Join(outside, "canary"))
				if err != nil || string(text) != canary {
					t.Errorf("what is outside was changed: %q, %v", text, err)
				}
			},
		}
		endure(t, o, func(t *testing.T, came outcome) {
			if came.Verdict.Outcome != queue.Green || strings.Contains(came.Log, "canary-7") {
				t.Errorf("%+v\n%s", came.Verdict, came.Log)
			}
		})
	})
	t.Run("git objects", func(t *testing.T) {
		t.Parallel()
		o := ordeal{
			Steps: []string{no + `
				store=$(cat .git/objects/info/alternates)
				test "$(cat $store/aa/object)" = kept
				no "echo mine > $store/aa/object"; no "rm -rf $store/aa"; no "touch $store/new"; no "chmod -R 777 $store"; no "mv $store $store.old"
				no "ln $store/aa/object hard"; no "ls $store/../config"`},
			before: func(dir string) {
				store := filepath.Join(dir, "outside", "objects")
				for path, text := range map[string]string{
					filepath.Join(store, "aa", "object"):                                    "kept",
					filepath.Join(dir, "outside", "config"):                                 "secret",
					filepath.Join(dir, "checkout", ".git", "objects", "info", "alternates"): store + "\n",
				} {
					if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			},
			after: func(dir string) {
				if text, err := os.ReadFile(filepath.Join(dir, "outside", "objects", "aa", "object")); err != nil || string(text) != "kept" {
					t.Errorf("git's objects were changed: %q, %v", text, err)
				}
			},
		}
		endure(t, o, func(t *testing.T, came outcome) {
			if came.Verdict.Outcome != queue.Green {
				t.Errorf("%+v\n%s", came.Verdict, came.Log)
			}
		})
	})
	t.Run("another run and another lane's cache", func(t *testing.T) {
		t.Parallel()
		o := ordeal{
			Steps: []string{no + `
				no 'ls OUTSIDE'; no 'ls "$(dirname OUTSIDE)/scratch"'; no 'ls "$(dirname OUTSIDE)/scratch/other"'; no 'ls "$(dirname OUTSIDE)/caches"'
				test "$(ls /cache)" = ""; touch /cache/mine; no 'ls /cache/../other'; no 'mv /cache /cache2'
				ln -s ../other /cache/up; no 'ls /cache/up/'`},
			before: func(dir string) {
				for _, path := range []string{"caches/other"} {
					if err := os.MkdirAll(filepath.Join(dir, path), 0o700); err != nil {
						t.Fatal(err)
					}
				}
			},
			after: func(dir string) {
				if left, err := os.ReadDir(filepath.Join(dir, "caches", "other")); err != nil || len(left) > 0 {
					t.Errorf("another lane's cache was changed: %v, %v", left, err)
				}
			},
		}
		endure(t, o, func(t *testing.T, came outcome) {
			if came.Verdict.Outcome != queue.Green {
				t.Errorf("%+v\n%s", came.Verdict, came.Log)
			}
		})
	})
	t.Run("the network", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		abstract, err := net.Listen("unix", "@lander-"+newMark())
		if err != nil {
			t.Fatal(err)
		}
		defer abstract.Close()
		places := []string{
			"tcp," + l.Addr().String(), "unix," + abstract.Addr().String(), "tcp,169.254.169.254:80", "tcp,[fd00:ec2::254]:80", "udp,169.254.169.254:53",
			"tcp,8.8.8.8:53", "udp,8.8.8.8:53", "tcp,[2001:4860:4860::8888]:53",
		}
		own, err := net.InterfaceAddrs()
		if err != nil {
			t.Fatal(err)
		}
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range own {
			if ip, _, err := net.ParseCIDR(a.String()); err == nil && !ip.IsLoopback() {
				places = append(places, "tcp,"+net.JoinHostPort(ip.String(), port))
			}
		}
		endure(t, ordeal{Steps: []string{"TESTRUN_HOSTILE=connect ./hostile '" + strings.Join(places, "' '") + "'"}, Program: true}, func(t *testing.T, came outcome) {
			if came.Verdict.Outcome != queue.Green || strings.Contains(came.Log, "timeout") {
				t.Errorf("%+v\n%s", came.Verdict, came.Log)
			}
		})
	})
}

func TestTheNetworkIsForSetup(t *testing.T) {
	t.Parallel()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "from the network") }))
	t.Cleanup(site.Close)
	other := httptest.NewServer(http.NotFoundHandler()) // of this machine, and nobody said that it is meant
	t.Cleanup(other.Close)
	at := strings.TrimPrefix(site.URL, "http://")
	fetch := func(from string) string { return "TESTRUN_HOSTILE=fetch ./hostile " + from }
	stays := "TESTRUN_HOSTILE='fetch when told' setsid -f ./hostile " + site.URL + "; until test -e ready; do sleep 0.02; done"
	for name, c := range map[string]struct {
		o  ordeal
		by bool // the step reaches it
	}{
		"steps have none":                   {ordeal{Setup: []string{fetch(site.URL)}, Steps: []string{fetch(site.URL)}}, false},
		"a step that asks has it":           {ordeal{Steps: []string{fetch(site.URL)}, Network: true}, true},
		"what setup leaves behind has none": {ordeal{Setup: []string{stays}, Steps: []string{"touch go; until test -e came; do sleep 0.02; done; cat came; exit $(cat status)"}}, false},
		"nor can setup reach this machine":  {ordeal{Setup: []string{"if " + fetch(other.URL) + "; then exit 9; fi; if " + fetch("http://169.254.169.254/") + "; then exit 9; fi"}, Steps: []string{"exit 1"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.o.Program, c.o.Named = true, []string{at}
			endure(t, c.o, func(t *testing.T, came outcome) {
				if c.by {
					want(t, came.Verdict, queue.Green, "")
					return
				}
				want(t, came.Verdict, queue.Red, `step "a" exited with 1`)
			})
		})
	}
}

func TestASandboxEndsWithLanderAndWithItsSupervisor(t *testing.T) {
	t.Parallel()
	for name, below := range map[string]int{"lander": 0, "supervisor": 1, "bwrap": 2, "the first process": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mark := newMark()
			killBearers(t, mark)
			o := ordeal{Recipe: steps("setsid -f sleep 600 " + mark + "; env -i setsid -f sleep 600 " + mark + "; trap '' TERM; sleep 600 " + mark)}
			lander, dir := startOrdeal(t, o)
			until(t, "the run's processes", func() bool { return len(bearers(mark)) >= 3 })
			line := append([]int{lander.Process.Pid}, between(lander.Process.Pid, bearers(mark)[0])...)
			if len(line) < 5 {
				t.Fatalf("between lander and what it runs are %v", line)
			}
			pid := line[below]
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			until(t, "the run's processes to end", func() bool { return len(bearers(mark)) == 0 })
			err := lander.Wait()
			if name == "lander" {
				until(t, "the private directory to go", func() bool {
					left, err := os.ReadDir(filepath.Join(dir, "scratch"))
					return err == nil && len(left) == 0
				})
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			came := readOutcome(t, dir)
			if came.Verdict.Outcome != queue.Infra {
				t.Errorf("%+v", came.Verdict)
			}
		})
	}
}

// between lists who is between an ancestor and a process, the ancestor's child first.
func between(ancestor, pid int) (line []int) {
	parents := map[int]int{}
	for _, p := range processes() {
		parents[p.pid] = p.parent
	}
	for ; pid != ancestor && pid > 1; pid = parents[pid] {
		line = append([]int{pid}, line...)
	}
	return line
}
