package serve

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/rs/zerolog"

	"lander/internal/config"
	"lander/internal/gate"
	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/embedded"
	"lander/internal/store/errands"
	"lander/internal/vcs"
	"lander/internal/web"
)

// Options are what a lander is started with.
type Options struct {
	Settings config.Server // required, as config.Load gives it
	Log      zerolog.Logger
	Policy   []byte // the policy of repositories that have no policy file; nil: nothing lands there
	Version  string // of this lander: what was tested by another one is tested again
	Trusted  bool   // whoever starts this lander knows all that it tests: where there is no sandbox, forks are tested as well
}

// Server is a running lander.
type Server struct {
	settings config.Server
	log      zerolog.Logger
	policy   []byte
	trusted  bool
	version  string
	free     func()           // gives the data directory back
	pg       *embedded.Server // nil: the database is somebody else's
	store    *store.Store
	rooms    *Rooms
	keepers  map[queue.Lane]*gate.Keeper
	web      *web.Server
	url      string
	handing  func() // ends the connections for handing runs out; nil: there are none

	cancel  context.CancelFunc
	group   sync.WaitGroup
	failed  chan error
	stopped sync.Once
	ready   atomic.Bool
}

// DatabaseError says that lander did not get to its database. Its text is a sentence for the operator.
type DatabaseError struct{ Err error }

func (e *DatabaseError) Error() string { return e.Err.Error() }
func (e *DatabaseError) Unwrap() error { return e.Err }

const databaseName = "lander"

// Start brings a lander up and returns when it answers. ctx bounds the start only. Its errors are sentences for the operator.
func Start(ctx context.Context, o Options) (*Server, error) {
	s := &Server{
		settings: o.Settings, log: o.Log, policy: o.Policy, trusted: o.Trusted, version: o.Version, keepers: map[queue.Lane]*gate.Keeper{},
		failed: make(chan error, 1), free: func() {},
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	if err := s.start(ctx, run); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx, run context.Context) (err error) {
	if err := vcs.CheckVersion(ctx); err != nil {
		return err
	}
	if s.free, err = LockDir(s.settings.DataDir); err != nil {
		return err
	}
	// The port before anything slow or lasting: one in use is the commonest mistake.
	listener, err := web.Listen(s.settings.Listen)
	if err != nil {
		return err
	}
	if s.url = s.settings.URL; s.url == "" {
		s.url = "http://" + listener.Addr().String()
	}
	if err := s.build(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	local, err := web.ListenSocket(s.settings.Socket())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s.group.Go(func() {
		if err := web.Serve(run, s.web.Handler(), s.log, listener, local); err != nil {
			s.failed <- err
		}
	})
	nudges, err := s.store.Nudges(run)
	if err != nil {
		return err
	}
	s.group.Go(func() {
		for l := range nudges {
			s.nudge(l)
		}
	})
	for _, k := range s.keepers {
		s.group.Go(func() { _ = k.Run(run) }) // ends only with its context
	}
	s.group.Go(func() { s.rooms.crew.watch(run) })
	s.group.Go(func() { s.tidy(run) })
	s.group.Go(func() { s.sweep(run) })
	s.group.Go(func() { s.checkUp(run) })
	s.ready.Store(true)
	return nil
}

// checkUp tells the operator what could be better. It holds nothing up, and nothing is refused for it.
func (s *Server) checkUp(ctx context.Context) {
	for _, f := range s.rooms.CheckUp(ctx) {
		if ctx.Err() != nil {
			return
		}
		said := s.log.Warn()
		if f.Mark == Unproven {
			said = s.log.Info()
		}
		said = said.Str("about", f.About).Str("check", f.Check)
		if f.Mend != "" {
			said = said.Str("mend", f.Mend)
		}
		said.Msg(f.Found)
	}
}

// build makes everything that Start then sets going.
func (s *Server) build(ctx context.Context) error {
	if err := s.database(ctx); err != nil {
		return &DatabaseError{err}
	}
	client, err := NewForge(s.settings, ForgeOptions{URL: s.url, Log: s.log})
	if err != nil {
		return err
	}
	s.rooms = &Rooms{Settings: s.settings, Store: s.store, Forge: client, Policy: s.policy, Trusted: s.trusted, Version: s.version, Log: s.log}
	if key := s.settings.SigningKey.Reveal(); key != "" {
		if s.rooms.Signer, err = vcs.NewSigner([]byte(key)); err != nil {
			return err
		}
	}
	if err := s.rooms.Enclose(ctx); err != nil {
		return err
	}
	if err := s.handOut(ctx); err != nil {
		return err
	}
	for _, l := range s.settings.Lanes {
		s.keepers[l] = s.rooms.Keeper(l)
	}
	s.web = s.rooms.Web(s.nudge)
	s.web.Alive = s.alive
	return nil
}

// handOut makes what hands runs out to workers.
func (s *Server) handOut(ctx context.Context) error {
	pool, err := s.store.Pool(ctx, handers)
	if err != nil {
		return err
	}
	s.handing = pool.Close
	speaks := protocol()
	if s.rooms.sandbox != nil { // what is kept apart here is kept apart elsewhere
		speaks = boxed()
	}
	if s.rooms.Giver, err = errands.NewGiver(pool, speaks, s.log); err != nil {
		return err
	}
	s.rooms.hands().stir = func() { s.nudge(queue.Lane{}) }
	return nil
}

// handers is how many connections handing out may take: none until there are workers, but for a look now and then.
const handers = 4

// URL is where people reach the pages.
func (s *Server) URL() string { return s.url }

// Unsandboxed says why test runs are not kept in a sandbox although they should be, as a sentence; empty: they are, or need not be.
func (s *Server) Unsandboxed() string { return s.rooms.unsandboxed }

// Store is the database.
func (s *Server) Store() *store.Store { return s.store }

// Wait returns when ctx ends, with nil, or when something that lander cannot live without has gone, with a sentence about it.
func (s *Server) Wait(ctx context.Context) error {
	var gone <-chan struct{}
	if s.pg != nil {
		gone = s.pg.Done()
	}
	select {
	case <-ctx.Done():
		return nil
	case <-gone:
		return errDatabaseGone
	case err := <-s.failed:
		return fmt.Errorf("answer HTTP: %w", err)
	}
}

// Stop lets go of every lane, ends the test runs, and frees the data directory. What was under way is taken up again by the next
// start. A second Stop does nothing.
func (s *Server) Stop() {
	s.stopped.Do(func() {
		s.ready.Store(false)
		s.cancel()
		s.group.Wait()
		if s.handing != nil {
			s.handing()
		}
		if s.store != nil {
			s.store.Close()
		}
		if s.pg != nil {
			if err := s.pg.Stop(); err != nil {
				s.log.Warn().Err(err).Msg("stop the embedded Postgres")
			}
		}
		s.free()
	})
}

// nudge makes a lane's keeper look again now; the zero lane is every lane.
func (s *Server) nudge(which queue.Lane) {
	s.rooms.Nudge(which)
	for l, k := range s.keepers {
		if which == (queue.Lane{}) || which == l {
			k.Nudge()
			s.web.Stir(l)
		}
	}
}

// database opens the database, after starting the embedded one where none is named, and brings its schema up to date.
func (s *Server) database(ctx context.Context) error {
	url := s.settings.DatabaseURL.Reveal()
	if url == "" {
		pg, err := embedded.Start(ctx, embedded.Options{Dir: filepath.Join(s.settings.DataDir, "postgres"), Durable: true, Log: s.log})
		if err != nil {
			return err
		}
		s.pg = pg
		if err := pg.Ensure(ctx, databaseName); err != nil {
			return err
		}
		url = pg.URL(databaseName)
	}
	if err := store.Migrate(ctx, url); err != nil {
		return err
	}
	var err error
	s.store, err = store.Open(ctx, url, s.log)
	return err
}
