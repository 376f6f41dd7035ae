package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
	"lander/internal/vcs"
)

const (
	bot    = "lander"
	owner  = "ada" // may push past lander
	author = "noor"
	review = "maya"
)

// template is a hub with everything that the worlds have in common.
type template struct {
	dir   string
	heads map[queue.Number]string
}

const (
	app          = "acme/app"
	ledgerPrefix = "lander-ledger/"
)

// The four pull requests of a cell.
const (
	late      = 1 // needs a rebase
	plain     = 2
	red       = 3
	withdrawn = 4
)

func newTemplate(dir string) (*template, error) {
	h, err := hub.Open(dir, hub.Options{})
	if err != nil {
		return nil, err
	}
	err = furnish(h, app)
	for _, p := range []struct {
		branch, from string
		commits      []hub.Commit
	}{
		{"late", "main~1", []hub.Commit{write("one of late", "late.txt", "1\n"), write("two of late", "late.txt", "1\n2\n")}},
		{"plain", "main", []hub.Commit{write("plain", "plain.txt", "1\n")}},
		{"red", "main", []hub.Commit{write("red", "wrong.txt", "red\n")}},
		{"withdrawn", "main", []hub.Commit{write("withdrawn", "withdrawn.txt", "1\n")}},
	} {
		if err != nil {
			break
		}
		err = propose(h, app, "main", p.branch, p.from, p.commits...)
	}
	made := &template{dir, map[queue.Number]string{}}
	if pulls, wrong := h.Pulls(app); err == nil {
		err = wrong
		for _, p := range pulls {
			made.heads[queue.Number(p.Number)] = p.HeadSHA
		}
	}
	return made, errors.Join(err, h.Close())
}

func write(message, path, text string) hub.Commit {
	return hub.Commit{Message: message, Files: map[string]string{path: text}}
}

// furnish makes the people and a repository with a history of three commits on each trunk.
func furnish(h *hub.Hub, repo string, trunks ...string) error {
	roles := map[string]hub.Role{owner: hub.RoleAdmin, review: hub.RoleMaintain, author: hub.RoleWrite, bot: hub.RoleAdmin}
	for login := range roles {
		kind := "User"
		if login == bot {
			kind = "Bot"
		}
		if _, err := h.AddUser(hub.User{Login: login, Type: kind}); err != nil {
			return err
		}
	}
	if err := h.AddRepo(repo, hub.Seed{Branch: "main", Message: "Begin", Files: map[string]string{
		queue.PolicyFile: "version: 1\nsuite:\n  timeout: 60s\n  quiet: 30s\n  steps:\n    - {name: unit, run: sh test.sh}\n",
		"test.sh":        "! grep -n red *.txt\n",
		"readme.txt":     "A place to break.\n",
	}}); err != nil {
		return err
	}
	for login, role := range roles {
		if err := h.SetRole(repo, login, role); err != nil {
			return err
		}
	}
	more := []hub.Commit{write("Second", "second.txt", "2\n"), write("Third", "third.txt", "3\n")}
	if _, err := h.Push(repo, hub.Push{By: owner, Branch: "main", Commits: more}); err != nil {
		return err
	}
	for _, trunk := range append([]string{"main"}, trunks...) {
		if trunk != "main" {
			if _, err := h.Push(repo, hub.Push{By: owner, Branch: trunk, From: "main"}); err != nil {
				return err
			}
		}
		for _, branch := range []string{trunk, ledgerPrefix + trunk} {
			bypass := []string{owner}
			if branch != trunk {
				bypass = nil
			}
			if err := h.Protect(repo, branch, hub.Protection{Push: []string{bot}, Bypass: bypass}); err != nil {
				return err
			}
		}
	}
	_, err := h.AddToken(bot, token)
	return err
}

// propose opens a pull request. from is a branch, or one with ~1 behind it.
func propose(h *hub.Hub, repo, trunk, branch, from string, commits ...hub.Commit) error {
	if name, back := strings.CutSuffix(from, "~1"); back {
		dir, err := h.GitDir(repo)
		if err != nil {
			return err
		}
		if from, err = (vcs.Git{Dir: dir}).Text(context.Background(), "rev-parse", "refs/heads/"+name+"~1"); err != nil {
			return err
		}
	}
	if _, err := h.Push(repo, hub.Push{By: author, Branch: branch, From: from, Commits: commits}); err != nil {
		return err
	}
	_, err := h.OpenPull(repo, hub.NewPull{Author: author, Title: branch, Head: branch, Base: trunk})
	return err
}

// world is a hub, a database and some replicas.
type world struct {
	dir     string
	log     logbook
	hub     *hub.Hub
	handler http.Handler
	cluster *storetest.Cluster
	db      string
	store   *store.Store
	lanes   []queue.Lane
	poll    time.Duration
	wire    *wire
	weather weather
	reach   func(r *replica, steps []string, after bool) bool // nil: nobody asks
	ends    []func()

	mu       sync.Mutex
	replicas []*replica
	starts   int
	held     []holding
}

// holding is a moment at which a replica became a lane's holder.
type holding struct {
	at   time.Time
	lane string
	by   *replica
}

// replica is one lander, from its start until it is gone.
type replica struct {
	name    string
	dir     string
	front   *front
	proc    *process
	mu      sync.Mutex
	url     string
	stopped bool
}

// newWorld makes a world from a hub's directory, which it copies.
func newWorld(from string, lanes ...queue.Lane) (w *world, err error) {
	w = &world{lanes: lanes, poll: 300 * time.Millisecond}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.dir, err = house.sub("world"); err != nil {
		return w, err
	}
	dir := filepath.Join(w.dir, "hub")
	if err = os.CopyFS(dir, os.DirFS(from)); err != nil {
		return w, fmt.Errorf("copy hub: %w", err)
	}
	if err = runnable(dir); err != nil {
		return w, err
	}
	log := zerolog.New(&w.log).Level(zerolog.InfoLevel).With().Str("who", "hub").Timestamp().Logger()
	if w.hub, err = hub.Open(dir, hub.Options{RateLimit: 100_000_000, Log: log}); err != nil {
		return w, err
	}
	w.handler = w.hub.Handler()
	x, end := newWire(w.up)
	w.wire = x
	w.ends = append(w.ends, end)
	told := map[string]bool{}
	for _, l := range lanes {
		if told[l.Repo] {
			continue
		}
		told[l.Repo] = true
		if _, err = w.hub.AddHook(l.Repo, x.url, secret, "*"); err != nil {
			return w, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if w.cluster, err = house.cluster(ctx); err != nil {
		return w, err
	}
	if w.db, err = w.cluster.Make(ctx); err != nil {
		return w, err
	}
	w.store, err = store.Open(ctx, w.cluster.URL(w.db, "oracle")+"&pool_max_conns=2", zerolog.Nop())
	return w, err
}

// runnable gives copied hooks back the mode that a copy lost.
func runnable(dir string) error {
	hooks, err := filepath.Glob(filepath.Join(dir, "repos", "*", "*", "hooks", "*"))
	if err != nil {
		return fmt.Errorf("find hooks: %w", err)
	}
	for _, hook := range hooks {
		if err := os.Chmod(hook, 0o755); err != nil {
			return fmt.Errorf("equip hub: %w", err)
		}
	}
	return nil
}

// close ends everything that the world has started.
func (w *world) close() error {
	for _, r := range w.all() {
		r.proc.kill()
	}
	for _, end := range w.ends {
		end()
	}
	var all error
	if w.store != nil {
		w.store.Close()
	}
	if w.hub != nil {
		all = errors.Join(all, w.hub.Close())
	}
	if w.db != "" {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		all = errors.Join(all, w.cluster.Drop(ctx, w.db))
	}
	if w.cluster != nil {
		house.giveBack(w.cluster)
	}
	return errors.Join(all, os.RemoveAll(w.dir))
}

func (w *world) all() []*replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*replica(nil), w.replicas...)
}

// alive are the replicas that run and are not stopped.
func (w *world) alive() (rs []*replica) {
	for _, r := range w.all() {
		r.mu.Lock()
		if r.proc.alive() && !r.stopped {
			rs = append(rs, r)
		}
		r.mu.Unlock()
	}
	return rs
}

// up are the addresses that webhooks go to; a stopped replica has one as well.
func (w *world) up() (urls []string) {
	for _, r := range w.all() {
		r.mu.Lock()
		if r.proc.alive() && r.url != "" {
			urls = append(urls, r.url)
		}
		r.mu.Unlock()
	}
	return urls
}

// start starts a replica on a directory of its own, or, after another one that is gone, on that one's.
func (w *world) start(after *replica) (*replica, error) {
	w.mu.Lock()
	w.starts++
	r := &replica{name: fmt.Sprintf("r%d", w.starts)}
	w.mu.Unlock()
	r.dir = filepath.Join(w.dir, r.name)
	if after != nil {
		r.dir = after.dir
	}
	f, end := newFront(w.handler, &w.weather)
	w.mu.Lock()
	w.ends = append(w.ends, end)
	w.mu.Unlock()
	r.front = f
	f.heads = func(ref string) string {
		for _, l := range w.lanes {
			switch ref {
			case "refs/heads/" + l.Trunk:
				return trunkPushed
			case "refs/heads/" + ledgerPrefix + l.Trunk:
				return ""
			}
		}
		return headPushed
	}
	f.reach = func(steps []string, after bool) bool { return w.at(r, steps, after) }
	var lanes []string
	for _, l := range w.lanes {
		lanes = append(lanes, l.String())
	}
	text, err := json.Marshal(plan{
		Database: w.cluster.URL(w.db, r.name), Data: r.dir, Forge: f.url, Lanes: lanes, Poll: w.poll, Patience: 700 * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	scratch := filepath.Join(w.dir, "tmp")
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return nil, err
	}
	env := append(os.Environ(), orderKey+"="+string(text), "TMPDIR="+scratch, "GORACE=atexit_sleep_ms=0", "GOMAXPROCS=2")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.proc, err = spawn("/proc/self/exe", nil, env, func(line string) { w.log.said(r.name, line) }, func(said report) { w.heard(r, said) })
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.replicas = append(w.replicas, r)
	w.mu.Unlock()
	return r, nil
}

func (w *world) heard(r *replica, said report) {
	switch said.Kind {
	case "ready":
		r.mu.Lock()
		r.url = said.URL
		r.mu.Unlock()
	case "held":
		w.note("%s holds %s", r.name, said.Lane)
		w.mu.Lock()
		w.held = append(w.held, holding{time.Now(), said.Lane, r})
		w.mu.Unlock()
	case "at":
		go func() {
			fail := w.at(r, said.Steps, said.After)
			r.order(order{ID: said.ID, Fail: fail})
		}()
	}
}

func (w *world) at(r *replica, steps []string, after bool) bool {
	when := "before"
	if after {
		when = "after"
	}
	w.note("%s %s %s", r.name, when, strings.Join(steps, ", "))
	if w.reach == nil {
		return false
	}
	return w.reach(r, steps, after)
}

func (r *replica) order(o order) {
	r.mu.Lock() // it may not have been put there yet
	p := r.proc
	r.mu.Unlock()
	p.order(o)
}

func (r *replica) ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.url != ""
}

// freeze stops a replica in mid-air, or lets it go on.
func (r *replica) freeze(stop bool) {
	r.mu.Lock()
	r.stopped = stop
	r.mu.Unlock()
	if stop {
		r.proc.signal(syscall.SIGSTOP)
	} else {
		r.proc.signal(syscall.SIGCONT)
	}
}

// heldSince reports whether another replica than r has become a lane's holder since then.
func (w *world) heldSince(then time.Time, r *replica) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.held {
		if h.by != r && h.at.After(then) {
			return true
		}
	}
	return false
}

func (w *world) holds(r *replica) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.held {
		if h.by == r {
			return true
		}
	}
	return false
}

// git is git on the hub's side.
func (w *world) git(repo string) (vcs.Git, error) {
	dir, err := w.hub.GitDir(repo)
	return vcs.Git{Dir: dir}, err
}

func (w *world) note(format string, args ...any) { w.log.said("fleet", fmt.Sprintf(format, args...)) }

// until looks again and again until so.
func until(limit time.Duration, so func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return so()
		}
	}
	return true
}

// logbook keeps what was said, with the time.
type logbook struct {
	mu    sync.Mutex
	text  bytes.Buffer
	begun time.Time
}

func (l *logbook) said(who, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begun.IsZero() {
		l.begun = time.Now()
	}
	fmt.Fprintf(&l.text, "%7.3f %-5s %s\n", time.Since(l.begun).Seconds(), who, line)
}

func (l *logbook) Write(p []byte) (int, error) {
	l.said("hub", strings.TrimSpace(string(p)))
	return len(p), nil
}

func (l *logbook) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
