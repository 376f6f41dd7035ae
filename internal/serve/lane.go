package serve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"lander/internal/config"
	"lander/internal/forge"
	"lander/internal/forge/github"
	"lander/internal/gate"
	"lander/internal/queue"
	"lander/internal/testrun"
	"lander/internal/vcs"
)

// repository is what lanes of one repository share.
type repository struct {
	mirror *vcs.Repo
	runner *testrun.Runner
	audits string               // a directory for what audits write
	spare  map[string]time.Time // branches of candidates that no lane needs, and since when that is known
}

// repository gives the mirror and the runner of a repository, making both at the first call.
func (r *Rooms) repository(name string) *repository {
	if known := r.repos[name]; known != nil {
		return known
	}
	in := func(kind string) string { return filepath.Join(r.Settings.DataDir, kind, filepath.FromSlash(name)) }
	m := &vcs.Repo{
		Dir: in("mirrors") + ".git", Remote: r.Settings.Remote(name),
		Name: r.Settings.Committer.Name, Email: r.Settings.Committer.Email,
		Auth: func(ctx context.Context) (string, string, error) { return r.Forge.GitAuth(ctx, name) },
	}
	if r.Signer != nil {
		m.Sign = r.Signer.Sign
	}
	made := &repository{
		mirror: m,
		runner: &testrun.Runner{
			Checkouts: &vcs.Slots{Repo: m, Dir: in("checkouts")}, Logs: in("logs"), Caches: cachesDir(r.Settings),
			Env: r.Settings.RunEnv, Secrets: secrets(r.Settings, os.Getenv), Slots: r.hands().slots, Sandbox: r.sandbox, Version: r.Version, Now: r.Now, Log: r.Log,
			Elsewhere: &elsewhere{m, r.Forge, name}, CheckEvery: r.Settings.Poll,
			Pace: func(every time.Duration) time.Duration { return r.Forge.Pace(name, every) },
		},
	}
	made.audits = in("audits")
	if err := errors.Join(os.RemoveAll(made.audits), os.MkdirAll(made.audits, 0o700)); err != nil {
		r.Log.Warn().Err(err).Str("repository", name).Msg("what killed audits left behind is still there")
	}
	if err := made.runner.Sweep(); err != nil {
		r.Log.Warn().Err(err).Str("repository", name).Msg("what killed test runs left behind is still there")
	}
	if r.repos == nil {
		r.repos = map[string]*repository{}
	}
	r.repos[name] = made
	return made
}

// workers is how many test runs a machine has room for. A suite uses several processors, as a rule.
func workers(s config.Server) int {
	switch {
	case s.Workers == config.NoWorkers:
		return 0
	case s.Workers > 0:
		return s.Workers
	}
	return max(runtime.NumCPU()/4, 1)
}

// hands are who can run tests.
func (r *Rooms) hands() *crew {
	r.hired.Do(func() { r.crew = newCrew(r.Settings, workers(r.Settings), r.Giver, r.Log) })
	return r.crew
}

// Keeper makes the keeper of a lane.
func (r *Rooms) Keeper(l queue.Lane) *gate.Keeper {
	repo := r.repository(l.Repo)
	crew := r.hands()
	var k *gate.Keeper
	k = &gate.Keeper{
		Lane: l, Store: r.Store, Outbox: r.Store, Mirror: &mirror{repo.mirror}, Builder: repo.mirror,
		Ledger: repo.mirror, Atomic: repo.mirror.Atomic, Audit: r.audit(repo, l),
		Pace:  func(every time.Duration) time.Duration { return r.Forge.Pace(l.Repo, every) },
		Forge: &onForge{client: r.Forge, lane: l}, Push: repo.mirror.Land,
		MayMove: r.mayMove(l), MoveHead: r.moveHead(repo, l), MoveHeads: r.moveHeads(repo, l), AwaitHead: r.awaitHead(l),
		Touched: func(ctx context.Context, rules queue.AreaRules, tip, head queue.SHA) (queue.Areas, error) {
			paths, err := repo.mirror.Changed(ctx, tip, head)
			return config.Touched(rules, paths), err
		},
		Unneeded: func(ctx context.Context, recipe queue.Recipe, base, sha queue.SHA) (queue.Unneeded, error) {
			if !slices.ContainsFunc(slices.Concat(recipe.Steps, recipe.Optional), func(s queue.Step) bool { return s.Paths != nil }) {
				return nil, nil
			}
			paths, err := repo.mirror.Differing(ctx, base, sha)
			return config.Unneeded(recipe, paths), err
		},
		ReadPolicy: r.readPolicy(repo), Hopeless: forge.Permanent, Policy: r.Policy,
		Workers: func(p queue.Policy) int { return crew.room(p.Recipe.Labels) }, Starved: func() string { return crew.waits(l) },
		Now: r.Now, Every: r.Settings.Poll, Log: r.Log.With().Stringer("lane", l).Logger(),
		Hold: func(ctx context.Context) (func(), <-chan struct{}, error) { return r.holdAlone(ctx, l) },
		// The mirror is made by whoever keeps the lane, again and again until the git server answers.
		Prepare: func(ctx context.Context) error {
			if err := repo.mirror.Init(ctx); err != nil {
				return fmt.Errorf("make mirror of %s: %w", l.Repo, err)
			}
			return nil
		},
		Diagnose: r.diagnose(repo, l),
		Landed: func(sha queue.SHA) {
			if err := repo.runner.Landed(l, sha); err != nil {
				r.Log.Warn().Err(err).Stringer("lane", l).Msg("tool caches of what landed are lost")
			}
		},
		Test: func(ctx context.Context, c *queue.Candidate, run int, again queue.Rerun) queue.Verdict {
			// c is as this run is to see it: a part of the recipe, perhaps, and all that the commit brings to trunk.
			return r.run(ctx, repo, testrun.Job{
				ID: runID(l, c.ID, run), Lane: l, Candidate: c.Built.SHA, Base: c.Base, Members: c.Numbers(), Recipe: c.Recipe,
				Rerun: again, Branch: l.RunBranch(c.ID, c.Built.SHA),
			}, func(reason string) { k.Moved(c.ID, run, reason) })
		},
	}
	return k
}

// holdAlone waits for a lane, and ends what whoever kept it before has left with workers: nobody waits for that any more.
func (r *Rooms) holdAlone(ctx context.Context, l queue.Lane) (func(), <-chan struct{}, error) {
	release, lost, err := r.Store.Hold(ctx, l)
	if err != nil || r.Giver == nil {
		return release, lost, err
	}
	if err := r.Giver.CancelAll(ctx, l); err != nil {
		release()
		return nil, nil, err
	}
	return release, lost, nil
}

// mirror gives gate a repository in gate's words.
type mirror struct{ *vcs.Repo }

func (m *mirror) Fetch(ctx context.Context, trunk string, heads []queue.Member) (gate.Tips, error) {
	wants := make([]vcs.Want, len(heads))
	for i, h := range heads {
		wants[i] = vcs.Want{Head: h.Head, Number: h.Number}
	}
	seen, err := m.Repo.See(ctx, trunk, wants...)
	var gone *vcs.MissingError
	switch {
	case errors.As(err, &gone):
		err = nil
	case errors.Is(err, vcs.ErrNoBranch):
		err = fmt.Errorf("%w: %w", gate.ErrNoTrunk, err)
	}
	return gate.Tips{Trunk: seen.Trunk, Ledger: seen.Ledger}, err
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
