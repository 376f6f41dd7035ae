package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
	"lander/internal/vcs"
)

// world is a hub, a database and some replicas.
type world struct {
	dir     string
	log     logbook
	hub     *hub.Hub
	handler http.Handler
	cluster *storetest.Cluster
	binary  string // lander; empty: replicas are this binary
	db      string
	store   *store.Store
	lanes   []queue.Lane
	disks   bool // each replica has a small one of its own
	poll    time.Duration
	wire    *wire
	weather weather
	reach   func(r *replica, steps []string, after bool) bool // nil: nobody asks
	mayRest func(l queue.Lane, n queue.Number) bool           // whether a pull request may be left where it is without having landed
	ends    []func()

	mu       sync.Mutex
	replicas []*replica
	starts   int
	held     []holding
	pauses   []standstill
	handled  map[queue.Lane]int // admins who have it in hand
	cries    []string           // of replicas in a state that they must never be in
}

// holding is a moment at which a replica became a lane's holder.
type holding struct {
	at   time.Time
	lane string
	by   *replica
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
	for _, cry := range w.cries {
		all = errors.Join(all, errors.New(cry))
	}
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

// git is git on the hub's side.
func (w *world) git(repo string) (vcs.Git, error) {
	dir, err := w.hub.GitDir(repo)
	return vcs.Git{Dir: dir}, err
}

func (w *world) note(format string, args ...any) { w.log.said("fleet", fmt.Sprintf(format, args...)) }
