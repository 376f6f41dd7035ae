package landertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/config"
	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
	"lander/internal/vcs"
)

const (
	repository = "acme/app"
	bot        = "lander"
	owner      = "ada" // may push past lander
	secret     = "hush-hush-hush"
)

// roles are the people of every world. Kai, who has a fork, has no role.
var roles = map[string]hub.Role{
	"ada": hub.RoleAdmin, "maya": hub.RoleMaintain, "omar": hub.RoleWrite, "noor": hub.RoleWrite, "tess": hub.RoleTriage, "rita": hub.RoleRead,
	"kai": hub.RoleNone, "robo": hub.RoleWrite,
}

// firstFiles are in the first commit of every world, unless the story has its own of that name. The suite is red when a file says so.
var firstFiles = map[string]string{
	queue.PolicyFile: "version: 1\nbatch: {max: 1}\nwindow: 1\nsuite:\n  timeout: 60s\n  quiet: 30s\n  steps:\n    - {name: unit, run: sh test.sh}\n",
	"test.sh":        "! grep -n red *.txt\n",
	"readme.txt":     "A place to test.\n",
}

// world is a hub, a database and a lander.
type world struct {
	testing.TB
	clock
	hub      *hub.Hub
	hubURL   string
	wire     *wire
	database string
	settings config.Server
	lanes    []queue.Lane
	life     *life // nil: lander is down
	zombie   *life // lives on after another took over
	points   points
	gate     runGate
	hung     bool                // the story keeps the gate shut
	gateOf   runGate             // for the runs of some changes
	hungOf   map[int]bool        // which the story keeps there
	timed    func(runner) runner // gives runs a length by this world's clock
	log      logbook

	forgePatience time.Duration // 0: lander's own
	pollOnly      bool
	pushes        map[string]int    // by branch
	names         map[string]string // of commits
	consents      []*consent
	pauses        []pause

	ci       []hub.Check                // that run on every candidate that is pushed; the slug of the app is in ExternalID
	act      func(command) error        // does a command of the story
	late     func() error               // the push to trunk at which a lander was killed
	backup   string                     // a database; empty: none was made
	gone     map[queue.Lane][]store.Run // of databases that were lost
	records  map[string]string          // the ledger's tip that was named last, by trunk
	breaches []string                   // that the story means verify to find
}

// newWorld makes a world with a repository of these files, and a lander for its lanes, the first of which is main.
func newWorld(tb testing.TB, files map[string]string, trunks ...string) *world {
	tb.Helper()
	w := &world{TB: tb, clock: clock{now: begin}, timed: func(r runner) runner { return r }, hungOf: map[int]bool{}, pushes: map[string]int{}, names: map[string]string{}, gone: map[queue.Lane][]store.Run{}, records: map[string]string{}}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("lander and the hub said:\n%s", w.log.text())
		}
	})
	dir := tb.TempDir()
	logger := zerolog.New(zerolog.ConsoleWriter{Out: &w.log, NoColor: true, PartsExclude: []string{"time"}}).Level(zerolog.DebugLevel)
	var err error
	w.hub, err = hub.Open(filepath.Join(dir, "hub"), hub.Options{Now: w.Now, RateLimit: 1_000_000, Log: logger})
	w.must(err)
	handler := w.hub.Handler()
	w.hubURL = w.serve(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Date", w.Now().UTC().Format(http.TimeFormat)) // else net/http's own clock
		handler.ServeHTTP(rw, r)
	})
	w.hub.SetURL(w.hubURL)
	tb.Cleanup(func() { w.must(w.hub.Close()) })
	w.people()
	all := map[string]string{}
	for _, set := range []map[string]string{firstFiles, files} {
		for path, text := range set {
			all[path] = text
		}
	}
	if slices.Contains(keys(files), "no "+queue.PolicyFile) {
		delete(all, queue.PolicyFile)
		delete(all, "no "+queue.PolicyFile)
	}
	w.must(w.hub.AddRepo(repository, hub.Seed{Branch: "main", Files: all, Message: "Begin"}))
	w.names[w.tip("main")] = "first"
	for _, login := range keys(roles) {
		w.must(w.hub.SetRole(repository, login, roles[login]))
	}
	w.must(w.hub.SetRole(repository, bot, hub.RoleAdmin))
	lanes := []string{repository + ":main"}
	for _, trunk := range trunks {
		_, err := w.hub.Push(repository, hub.Push{By: owner, Branch: trunk, From: "main"})
		w.must(err)
		lanes = append(lanes, repository+":"+trunk)
	}
	for _, trunk := range append([]string{"main"}, trunks...) {
		w.must(w.hub.Protect(repository, trunk, hub.Protection{Push: []string{bot}, Bypass: []string{owner}}))
	}
	token, err := w.hub.AddToken(bot, "token-of-lander")
	w.must(err)
	w.wire = newWire(w)
	_, err = w.hub.AddHook(repository, w.wire.url+"/webhook", secret, "*")
	w.must(err)
	w.settings, err = config.Load(config.Source{
		Serving: true, Flags: map[string][]string{
			"data": {filepath.Join(dir, "lander")}, "listen": {"127.0.0.1:0"}, "forge-url": {w.hubURL + "/api/v3"}, "lane": lanes,
			"workers": {"8"}, // on every machine
		},
		Env: map[string]string{"LANDER_TOKEN": token, "LANDER_WEBHOOK_SECRETS": secret},
	})
	w.must(err)
	w.lanes = w.settings.Lanes
	w.database = storetest.New(tb)
	tb.Cleanup(func() {
		w.kill(w.zombie)
		w.kill(w.life)
	})
	w.start()
	w.must(w.delivered())
	return w
}

func (w *world) people() {
	for _, login := range append(keys(roles), bot) {
		kind := "User"
		if login == bot || login == "robo" {
			kind = "Bot"
		}
		_, err := w.hub.AddUser(hub.User{Login: login, Type: kind})
		w.must(err)
	}
}

// serve answers HTTP on a free port until the world ends.
func (w *world) serve(f http.HandlerFunc) (url string) {
	s := httptest.NewServer(f)
	w.Cleanup(s.Close)
	return s.URL
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// patience bounds every wait in a world; it is long because machines that run tests are busy.
const patience = 60 * time.Second

// until looks again and again until so.
func (w *world) until(what string, so func() bool) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return errors.New("waited in vain until " + what)
		}
	}
	return nil
}

// delivered waits until every push had its consequences and the hub has sent every webhook.
func (w *world) delivered() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return w.hub.WaitDelivered(ctx)
}

func (w *world) tip(branch string) string {
	sha, err := w.hub.Tip(repository, branch)
	w.must(err)
	return sha
}

// git is git on the hub's side.
func (w *world) git() vcs.Git {
	dir, err := w.hub.GitDir(repository)
	w.must(err)
	return vcs.Git{Dir: dir}
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// logbook keeps what was logged.
type logbook struct {
	mu   sync.Mutex
	said bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.Write(p)
}

func (l *logbook) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.String()
}

func (l *logbook) note(format string, args ...any) { fmt.Fprintf(l, "STORY "+format+"\n", args...) }
