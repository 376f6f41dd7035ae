package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"lander/internal/hub"
)

const (
	repository = "acme/app"
	secret     = "a-secret-of-this-test"
	patience   = 60 * time.Second // for anything that another process brings about; far more than it takes
)

// commands are what the scripts can say beside testscript's own.
//
//	hub                     starts a code host with acme/app on it, and points LANDER_* at it
//	open NAME FILE TITLE    opens a pull request that adds or changes FILE (as the script has it, with the directory for WORK)
//	approve N               by maya
//	up [FLAG...]            starts "lander serve" and waits until it is up; sets URL
//	down INT|TERM|KILL      ends it, and waits until it has; after INT and TERM its exit status must be 0
//	until PATTERN CMD...    runs a command again and again until what it prints matches
//	status N CMD...         runs a command that must end with this exit status; what it prints is in the files out and err
//	says PATTERN...         what the last one printed on standard error is one sentence that matches
//	ordinary CMD...         as status 1, by a user who is not root
//	begin CMD...            starts a command and waits until it has printed something
//	end N                   waits for the first begun command, which must end with this exit status; out and err as for status
//	alone                   waits until no process lives that has to do with this script's directory
//	occupy NAME             listens on a free port; sets NAME to its address
//	git ARGS...             git with a fixed author
//	json FILE PATH VALUE    a value in a JSON file, such as lanes.0.queued
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"hub": startHub, "open": openPull, "approve": approve, "up": up, "down": down, "until": until, "status": status, "says": says,
	"ordinary": ordinary, "begin": begin, "end": end, "alone": alone, "occupy": occupy, "git": git, "json": checkJSON,
}

// world is what belongs to one script.
type world struct {
	hub    *hub.Hub
	hook   int64
	server *exec.Cmd
	log    *bytes.Buffer
	read   chan struct{} // closed when all of the log was read
	stderr string        // of the last command that a script ran by these commands
	begun  []*begun
	owned  []func()

	endPostgres func() // of the database that landers share
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func setup(env *testscript.Env) error {
	w := &world{}
	env.Values[worldKey{}], env.Values[hiredKey{}] = w, map[string]*hired{}
	env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
	env.Setenv("LANDER_DATA_DIR", filepath.Join(env.WorkDir, "data"))
	env.Setenv("LANDER_LISTEN", "127.0.0.1:0")
	env.Setenv("GORACE", "atexit_sleep_ms=0") // with -race each lander would otherwise sleep for a second before it ends
	env.Setenv("TMPDIR", filepath.Join(env.WorkDir, ".tmp"))
	env.Defer(func() {
		if w.server != nil {
			_ = w.server.Process.Kill()
			_ = w.server.Wait()
		}
		for i := len(w.owned) - 1; i >= 0; i-- {
			w.owned[i]()
		}
	})
	// Whoever runs Postgres must be able to write in the temporary directory too.
	return os.Chmod(filepath.Join(env.WorkDir, ".tmp"), 0o777|os.ModeSticky)
}

func startHub(ts *testscript.TestScript, _ bool, _ []string) {
	w := worldOf(ts)
	var err error
	w.hub, err = hub.Open(ts.MkAbs("hub"), hub.Options{RateLimit: 1_000_000})
	ts.Check(err)
	server := httptest.NewServer(w.hub.Handler())
	w.owned = append(w.owned, func() { server.Close(); _ = w.hub.Close() })
	w.hub.SetURL(server.URL)
	for _, u := range []hub.User{{Login: "maya"}, {Login: "noor"}, {Login: "lander", Type: "Bot"}} {
		_, err := w.hub.AddUser(u)
		ts.Check(err)
	}
	ts.Check(w.hub.AddRepo(repository, hub.Seed{Files: map[string]string{
		".lander.yml": "version: 1\nrequire: {approvals: 1}\nsuite:\n  timeout: 1m\n  steps:\n    - {name: unit, run: sh test.sh}\n",
		"test.sh":     "for t in tests/*; do sh \"$t\" || exit 1; done\n",
		"tests/true":  "true\n",
	}, Message: "Begin"}))
	for login, role := range map[string]hub.Role{"maya": hub.RoleMaintain, "noor": hub.RoleWrite, "lander": hub.RoleAdmin} {
		ts.Check(w.hub.SetRole(repository, login, role))
	}
	ts.Check(w.hub.Protect(repository, "main", hub.Protection{Push: []string{"lander"}}))
	token, err := w.hub.AddToken("lander", "")
	ts.Check(err)
	for name, value := range map[string]string{
		"LANDER_FORGE_URL": server.URL + "/api/v3", "LANDER_TOKEN": token, "LANDER_WEBHOOK_SECRETS": secret,
		"LANDER_LANES": repository + ":main", "LANDER_POLL": "1s", "GIT_URL": server.URL + "/" + repository + ".git",
	} {
		ts.Setenv(name, value)
	}
}

func openPull(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: open NAME FILE TITLE")
	}
	w, name, file, title := worldOf(ts), args[0], args[1], args[2]
	text := strings.ReplaceAll(ts.ReadFile(file), "WORK", ts.Getenv("WORK"))
	push := hub.Push{By: "noor", Branch: name, From: "main", Commits: []hub.Commit{{Message: title, Files: map[string]string{file: text}}}}
	_, err := w.hub.Push(repository, push)
	ts.Check(err)
	_, err = w.hub.OpenPull(repository, hub.NewPull{Author: "noor", Title: title, Head: name})
	ts.Check(err)
}

func approve(ts *testscript.TestScript, _ bool, args []string) {
	for _, arg := range args {
		n, err := strconv.Atoi(arg)
		ts.Check(err)
		_, err = worldOf(ts).hub.Approve(repository, n, "maya")
		ts.Check(err)
	}
}

// command prepares a program with the script's directory and environment.
func command(ts *testscript.TestScript, args []string) *exec.Cmd {
	path := args[0]
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) { // the script's own PATH is what the program gets to see
		if at := filepath.Join(dir, args[0]); !strings.Contains(args[0], "/") && isFile(at) {
			path = at
			break
		}
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Args[0] = args[0]
	cmd.Dir = ts.MkAbs(".")
	for _, name := range variables {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	return cmd
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// variables are the ones a script may set.
var variables = []string{
	"PATH", "HOME", "TMPDIR", "WORK", "NO_COLOR", "GORACE", "LANDER_DATA_DIR", "LANDER_LISTEN", "LANDER_FORGE_URL", "LANDER_TOKEN",
	"LANDER_WEBHOOK_SECRETS", "LANDER_LANES", "LANDER_POLL", "LANDER_API_TOKEN", "LANDER_DATABASE_URL", "LANDER_POSTGRES_BIN",
	"LANDER_SERVER", "LANDER_LOG_LEVEL", "LANDER_PREFIX", "LANDER_PUBLIC", "LANDER_APP_ID", "LANDER_LANE",
	"LANDER_SIGNING_KEY_FILE", "LANDER_ALLOWED_SIGNERS", "LANDER_RUN_READ",
}

func up(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	w.server = command(ts, append([]string{"lander", "serve"}, args...))
	w.log, w.read = &bytes.Buffer{}, make(chan struct{})
	out, err := w.server.StderrPipe()
	ts.Check(err)
	ts.Check(w.server.Start())
	urls := make(chan string, 1)
	var mu sync.Mutex
	go func() {
		defer close(w.read)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			mu.Lock()
			w.log.WriteString(lines.Text() + "\n")
			mu.Unlock()
			var said struct{ Message, URL string }
			if json.Unmarshal(lines.Bytes(), &said) == nil && said.Message == "lander is up" {
				urls <- said.URL
			}
		}
	}()
	select {
	case url := <-urls:
		ts.Setenv("URL", url)
		if w.hub == nil {
			return
		}
		if w.hook != 0 {
			ts.Check(w.hub.RemoveHook(repository, w.hook))
		}
		w.hook, err = w.hub.AddHook(repository, url+"/webhook", secret, "*")
		ts.Check(err)
	case <-w.read:
		ts.Fatalf("lander ended at once: %s", w.log)
	case <-time.After(patience):
		mu.Lock()
		defer mu.Unlock()
		ts.Fatalf("lander is not up after %s: %s", patience, w.log)
	}
}

func down(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	signal := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}[strings.Join(args, "")]
	if signal == 0 || w.server == nil {
		ts.Fatalf("usage, after up: down INT|TERM|KILL")
	}
	ts.Check(w.server.Process.Signal(signal))
	<-w.read
	err := w.server.Wait()
	w.server = nil
	if (err == nil) != (signal != syscall.SIGKILL) {
		ts.Fatalf("after SIG%s: %v\n%s", args[0], err, w.log)
	}
	ts.Check(os.WriteFile(ts.MkAbs("log"), w.log.Bytes(), 0o644))
}

func until(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: until PATTERN CMD...")
	}
	want := regexp.MustCompile("(?m)" + args[0])
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) { // between two looks
		out, err := command(ts, args[1:]).CombinedOutput()
		if want.Match(out) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%q does not say %q: %v\n%s", args[1:], args[0], err, out)
		}
	}
}

func status(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: status N CMD...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	finish(ts, command(ts, args[1:]), want)
}

// finish runs a command to its end.
func finish(ts *testscript.TestScript, cmd *exec.Cmd, want int) {
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	ended(ts, cmd.Run(), &out, &words, want)
}

// begun is a command under way.
type begun struct {
	cmd        *exec.Cmd
	out, words bytes.Buffer
	said       chan struct{} // closed at the first output
	once       sync.Once
}

func (b *begun) Write(p []byte) (int, error) {
	b.once.Do(func() { close(b.said) })
	return b.out.Write(p)
}

func begin(ts *testscript.TestScript, _ bool, args []string) {
	w, b := worldOf(ts), &begun{cmd: command(ts, args), said: make(chan struct{})}
	b.cmd.Stdout, b.cmd.Stderr = b, &b.words
	ts.Check(b.cmd.Start())
	w.begun = append(w.begun, b)
	w.owned = append(w.owned, func() { _ = b.cmd.Process.Kill() })
	select {
	case <-b.said:
	case <-time.After(patience):
		ts.Fatalf("%q has said nothing in %s", args, patience)
	}
}

func end(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	want, err := strconv.Atoi(strings.Join(args, ""))
	ts.Check(err)
	b := w.begun[0]
	w.begun = w.begun[1:]
	ended(ts, b.cmd.Wait(), &b.out, &b.words, want)
}

// ended keeps what a command printed, for "says" and in files, and checks its exit status.
func ended(ts *testscript.TestScript, err error, out, words *bytes.Buffer, want int) {
	var exit *exec.ExitError
	code := 0
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	worldOf(ts).stderr = words.String()
	ts.Logf("[stdout]\n%s[stderr]\n%s[status %d]", out, words, code)
	for name, text := range map[string][]byte{"out": out.Bytes(), "err": words.Bytes()} {
		ts.Check(os.WriteFile(ts.MkAbs(name), text, 0o644))
	}
	if code != want {
		ts.Fatalf("exit status %d, want %d", code, want)
	}
}

// says checks that a refusal is one sentence that matches every pattern.
func says(ts *testscript.TestScript, _ bool, args []string) {
	words := worldOf(ts).stderr
	for first, rest, ok := strings.Cut(words, "…\n"); ok && !strings.Contains(first, "lander: "); first, rest, ok = strings.Cut(words, "…\n") {
		words = rest // what was under way
	}
	if !strings.HasPrefix(words, "lander: ") || strings.Count(words, "\n") != 1 || strings.Contains(words, "\t") {
		ts.Fatalf("this is not one sentence: %q", words)
	}
	for _, pattern := range args {
		if !regexp.MustCompile(pattern).MatchString(words) {
			ts.Fatalf("%q does not say %q", words, pattern)
		}
	}
}

// nobody is a user without rights, on every system.
const nobody = 65534

func ordinary(ts *testscript.TestScript, _ bool, args []string) {
	cmd := command(ts, args)
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	finish(ts, cmd, exitNo)
}

// alone finds processes by what they were started with: command line, environment and directory.
func alone(ts *testscript.TestScript, _ bool, _ []string) {
	dir := ts.Getenv("WORK")
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) { // between two looks
		found := related(dir)
		if len(found) == 0 {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("still there:\n%s", strings.Join(found, "\n"))
		}
	}
}

func related(dir string) (found []string) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
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

func occupy(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	worldOf(ts).owned = append(worldOf(ts).owned, func() { _ = l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

func git(ts *testscript.TestScript, _ bool, args []string) {
	if out, err := gitCommand(ts, args...).CombinedOutput(); err != nil {
		ts.Fatalf("git %q: %v\n%s", args, err, out)
	}
}

func gitCommand(ts *testscript.TestScript, args ...string) *exec.Cmd {
	cmd := exec.Command("git", append([]string{
		"-c", "user.name=A U Thor", "-c", "user.email=author@example.com", "-c", "init.defaultBranch=main", "-c", "commit.gpgSign=false",
		"-c", "safe.directory=*",
	}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1"}
	return cmd
}

func checkJSON(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH VALUE")
	}
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &v); err != nil {
		ts.Fatalf("%s is not JSON: %v", args[0], err)
	}
	for _, name := range strings.Split(args[1], ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(x) {
				ts.Fatalf("%s: there is no %s in %v", args[1], name, x)
			}
			v = x[i]
		default:
			ts.Fatalf("%s: there is no %s in %v", args[1], name, v)
		}
	}
	if got := fmt.Sprint(v); !regexp.MustCompile("^(?:" + args[2] + ")$").MatchString(got) {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}
