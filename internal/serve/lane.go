package serve

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"lander/internal/config"
	"lander/internal/forge"
	"lander/internal/forge/github"
	"lander/internal/gate"
	"lander/internal/queue"
	"lander/internal/testrun"
	"lander/internal/vcs"
)

// forgeTimeout bounds one request to the forge.
const forgeTimeout = 30 * time.Second

// repository is what lanes of one repository share.
type repository struct {
	mirror *vcs.Repo
	runner *testrun.Runner
}

// lane is one lane and what only it has.
type lane struct {
	keeper *gate.Keeper
	runner *testrun.Runner
}

// repository gives the mirror and the runner of a repository, making both at the first call.
func (s *Server) repository(name string, client *github.Client) *repository {
	if r := s.repos[name]; r != nil {
		return r
	}
	in := func(kind string) string { return filepath.Join(s.settings.DataDir, kind, filepath.FromSlash(name)) }
	mirror := &vcs.Repo{
		Dir: in("mirrors") + ".git", Remote: s.settings.Remote(name), Email: s.settings.Committer.Email,
		Auth: func(ctx context.Context) (string, string, error) { return client.GitAuth(ctx, name) },
	}
	r := &repository{
		mirror: mirror,
		runner: &testrun.Runner{
			Checkouts: &vcs.Slots{Repo: mirror, Dir: in("checkouts")}, Logs: in("logs"), Caches: filepath.Join(s.settings.DataDir, "caches"),
			Env: s.settings.RunEnv, Log: s.log,
		},
	}
	if err := r.runner.Sweep(); err != nil {
		s.log.Warn().Err(err).Str("repository", name).Msg("what killed test runs left behind is still there")
	}
	s.repos[name] = r
	return r
}

func (s *Server) lane(l queue.Lane, client *github.Client) (*lane, error) {
	repo := s.repository(l.Repo, client)
	log := s.log.With().Stringer("lane", l).Logger()
	k := &gate.Keeper{
		Lane: l, Store: s.store, Outbox: s.store, Mirror: &mirror{repo.mirror}, Builder: repo.mirror,
		Forge: &onForge{client: client, lane: l}, Push: repo.mirror.Land, ReadPolicy: config.ParsePolicy, Policy: s.policy, Every: s.settings.Poll, Log: log,
		Hold: func(ctx context.Context) (func(), <-chan struct{}, error) {
			// The mirror is made by whoever keeps the lane, again and again until the git server answers.
			if err := repo.mirror.Init(ctx); err != nil {
				return nil, nil, fmt.Errorf("make mirror of %s: %w", l.Repo, err)
			}
			return s.store.Hold(ctx, l)
		},
		Test: func(ctx context.Context, c *queue.Candidate, run int) queue.Verdict {
			return repo.runner.Run(ctx, testrun.Job{
				ID: runID(l, c.ID, run), Lane: l, Candidate: c.Built.SHA, Base: c.Base, Members: c.Numbers(), Recipe: c.Recipe,
			})
		},
	}
	return &lane{keeper: k, runner: repo.runner}, nil
}

// mirror gives gate a repository in gate's words.
type mirror struct{ *vcs.Repo }

func (m *mirror) Fetch(ctx context.Context, trunk string, heads []queue.Member) (queue.SHA, error) {
	wants := make([]vcs.Want, len(heads))
	for i, h := range heads {
		wants[i] = vcs.Want{Head: h.Head, Number: h.Number}
	}
	tip, err := m.Repo.Fetch(ctx, trunk, wants...)
	var gone *vcs.MissingError
	if errors.As(err, &gone) {
		return tip, nil
	}
	return tip, err
}

// onForge gives gate one lane of a forge.
type onForge struct {
	client *github.Client
	lane   queue.Lane
}

func (f *onForge) Look(ctx context.Context, n queue.Number) (queue.Sight, error) {
	s, err := f.client.Look(ctx, f.lane.Repo, n)
	if errors.Is(err, forge.ErrNotFound) {
		err = fmt.Errorf("%w: %w", gate.ErrNoSuchChange, err)
	}
	return s, err
}

func (f *onForge) Open(ctx context.Context, since time.Time) ([]queue.Glimpse, error) {
	found, err := f.client.Open(ctx, f.lane.Repo, f.lane.Trunk, since)
	all := make([]queue.Glimpse, len(found))
	for i, g := range found {
		all[i] = queue.Glimpse{Number: g.Number, Head: g.Head, Open: g.Open, Updated: g.Updated}
	}
	return all, err
}

func (f *onForge) Tell(ctx context.Context, n queue.Notice, remote string) (string, error) {
	return f.client.Tell(ctx, f.lane.Repo, n, remote)
}

var _ gate.Forge = (*onForge)(nil)
