package serve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/config"
	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/errands"
	"lander/internal/testrun"
	"lander/internal/vcs"
)

// WorkerOptions are what a worker is started with.
type WorkerOptions struct {
	Settings config.Server // required, as config.Load gives it for working
	Version  string        // for people
	Log      zerolog.Logger
}

// Worker takes test runs from the landers of a database. It decides nothing and lands nothing: it has no credential to push with.
type Worker struct {
	settings config.Server
	log      zerolog.Logger
	name     string
	rooms    *Rooms
	taker    *errands.Taker
	ends     []func()

	mu    sync.Mutex
	repos map[string]*repository
	ids   map[string]chan struct{} // runs under way here, by ID; closed when they have ended
}

// StartWorker brings a worker up and returns when it is known under its name. ctx bounds the start only. Its errors are sentences for the
// operator.
func StartWorker(ctx context.Context, o WorkerOptions) (*Worker, error) {
	w := &Worker{settings: o.Settings, log: o.Log, name: o.Settings.WorkerName, repos: map[string]*repository{}, ids: map[string]chan struct{}{}}
	if err := w.start(ctx, o.Version); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func (w *Worker) start(ctx context.Context, version string) error {
	if err := vcs.CheckVersion(ctx); err != nil {
		return err
	}
	if w.name == "" {
		host, err := os.Hostname()
		if err != nil {
			return errNoHostname(err)
		}
		w.name = host
	}
	free, err := LockDir(w.settings.DataDir)
	w.ends = append(w.ends, free)
	if err != nil {
		return err
	}
	if err := w.enclose(ctx); err != nil {
		return err
	}
	db, err := store.Open(ctx, w.settings.DatabaseURL.Reveal(), w.log)
	if err != nil {
		return &DatabaseError{err}
	}
	w.ends = append(w.ends, db.Close)
	if err := db.Healthy(ctx); err != nil {
		return &DatabaseError{err}
	}
	slots := max(workers(w.settings), 1)
	pool, err := db.Pool(ctx, slots+8)
	if err != nil {
		return &DatabaseError{err}
	}
	w.ends = append(w.ends, pool.Close)
	w.taker = &errands.Taker{
		Pool: pool, Name: w.name, Protocol: protocol(), Labels: w.settings.RunLabels, Slots: slots, Version: version, Do: w.do, Log: w.log,
	}
	if w.rooms.sandbox != nil {
		w.taker.Protocol, w.taker.Also = boxed(), []string{protocol()}
	}
	return w.taker.Join(ctx)
}

// enclose makes the sandbox. A worker runs what others send it: without a sandbox it does so only where the settings say that there need
// be none.
func (w *Worker) enclose(ctx context.Context) error {
	w.rooms = &Rooms{Settings: w.settings, Log: w.log}
	if err := w.rooms.Enclose(ctx); err != nil {
		return err
	}
	if w.rooms.unsandboxed != "" {
		return errWorkerBare(w.rooms.unsandboxed)
	}
	return nil
}

// Name is what the worker is known by.
func (w *Worker) Name() string { return w.name }

// Slots is how many runs it takes at a time.
func (w *Worker) Slots() int { return w.taker.Slots }

// Run takes test runs until ctx ends, then gives back those that are under way, and returns when no process of theirs is left. Its error is
// a sentence for the operator.
func (w *Worker) Run(ctx context.Context) error {
	tidy, cancel := context.WithCancel(ctx)
	defer cancel()
	go w.tidy(tidy)
	return w.taker.Run(ctx)
}

// Close lets go of what Start took.
func (w *Worker) Close() {
	for i := len(w.ends) - 1; i >= 0; i-- {
		w.ends[i]()
	}
	w.ends = nil
}

// do carries out one errand. What hinders it is a verdict about this machine.
func (w *Worker) do(ctx context.Context, t *errands.Task) []byte {
	log := w.log.With().Str("run", t.Run).Int("attempt", t.Attempt).Logger()
	began := time.Now()
	v, err := w.carryOut(ctx, t)
	if ctx.Err() != nil {
		log.Info().AnErr("reason", context.Cause(ctx)).Msg("run is given up")
		return nil
	}
	if err != nil {
		log.Error().Err(err).Msg("run could not be carried out")
		v = queue.Verdict{Outcome: queue.Infra, Reason: sayWorkerCannot(w.name, oneLine(err)), Took: time.Since(began)}
	}
	text, err := encode(v)
	if err != nil {
		log.Error().Err(err).Msg("the verdict is too large")
		text, err = encode(infra(sayWorkerCannot(w.name, oneLine(err))))
	}
	if err != nil {
		return nil
	}
	return text
}

func (w *Worker) carryOut(ctx context.Context, t *errands.Task) (queue.Verdict, error) {
	var o order
	if err := decode(t.Job, &o); err != nil {
		return queue.Verdict{}, fmt.Errorf("read order: %w", err)
	}
	repo, err := w.repository(ctx, o.Job.Lane)
	if err != nil {
		return queue.Verdict{}, err
	}
	done, err := w.begin(ctx, o.Job.Lane.Repo+" "+o.Job.ID)
	if err != nil {
		return queue.Verdict{}, err
	}
	defer done()
	name := fmt.Sprintf("%s.%d.%d", o.Job.ID, t.ID, t.Attempt)
	release, err := repo.mirror.Unpack(ctx, name, o.Job.Lane.Trunk, vcs.Parcel{Commit: o.Job.Candidate, Tip: o.Tip, Pack: t.Pack})
	if err != nil {
		return queue.Verdict{}, err
	}
	defer release()
	if err := repo.runner.Forget(o.Job.ID); err != nil {
		return queue.Verdict{}, err
	}
	// What stands at the tip has landed. If it was tested here, its tool caches are the lane's from now on.
	if err := repo.runner.Landed(o.Job.Lane, o.Tip); err != nil {
		w.log.Warn().Err(err).Stringer("lane", o.Job.Lane).Msg("tool caches of what landed are lost")
	}
	over, told := make(chan struct{}), make(chan error, 1)
	go func() {
		told <- repo.runner.Mirror(ctx, o.Job.ID, over, errands.MostChunk, looks, func(p []byte) error { return t.Send(ctx, p) })
	}()
	o.Job.Placed = true // River hands out no more than there is room for
	v := repo.runner.Run(ctx, o.Job)
	close(over)
	if err := <-told; err != nil && ctx.Err() == nil {
		return v, err
	}
	return v, repo.runner.Forget(o.Job.ID)
}

// begin waits until an earlier attempt at the same run, which was given up, has left this machine.
func (w *Worker) begin(ctx context.Context, id string) (done func(), err error) {
	for {
		w.mu.Lock()
		before := w.ids[id]
		if before == nil {
			mine := make(chan struct{})
			w.ids[id] = mine
			w.mu.Unlock()
			return func() {
				w.mu.Lock()
				delete(w.ids, id)
				w.mu.Unlock()
				close(mine)
			}, nil
		}
		w.mu.Unlock()
		select {
		case <-before:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// repository gives the mirror and the runner of a lane's repository, making both at the first call.
func (w *Worker) repository(ctx context.Context, l queue.Lane) (*repository, error) {
	if _, err := queue.ParseLane(l.String()); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if known := w.repos[l.Repo]; known != nil {
		return known, nil
	}
	in := func(kind string) string { return filepath.Join(w.settings.DataDir, kind, filepath.FromSlash(l.Repo)) }
	m := &vcs.Repo{Dir: in("mirrors") + ".git", Remote: w.settings.Remote(l.Repo)}
	if token := w.settings.ReadToken.Reveal(); token != "" {
		m.Auth = func(context.Context) (string, string, error) { return "x-access-token", token, nil }
	}
	if err := m.Init(ctx); err != nil {
		return nil, fmt.Errorf("make mirror of %s: %w", l.Repo, err)
	}
	if err := m.Forget(ctx); err != nil {
		return nil, err
	}
	made := &repository{
		mirror: m,
		runner: &testrun.Runner{
			Checkouts: &vcs.Slots{Repo: m, Dir: in("checkouts")}, Logs: in("logs"), Caches: filepath.Join(w.settings.DataDir, "caches"),
			Env: w.settings.RunEnv, Secrets: secrets(w.settings, os.Getenv), Sandbox: w.rooms.sandbox, Log: w.log,
		},
	}
	if err := made.runner.Sweep(); err != nil {
		w.log.Warn().Err(err).Str("repository", l.Repo).Msg("what killed test runs left behind is still there")
	}
	w.repos[l.Repo] = made
	return made, nil
}

// tidy keeps the mirrors small until ctx ends.
func (w *Worker) tidy(ctx context.Context) {
	for wait := time.Hour; ; wait = tidying {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		w.mu.Lock()
		repos := make(map[string]*repository, len(w.repos))
		for name, repo := range w.repos {
			repos[name] = repo
		}
		w.mu.Unlock()
		for name, repo := range repos {
			if err := repo.mirror.Tidy(ctx); err != nil && !errors.Is(err, context.Canceled) {
				w.log.Warn().Err(err).Str("repository", name).Msg("a mirror is not tidied, trying again tomorrow")
			}
		}
	}
}
