package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/config"
	"lander/internal/queue"
	"lander/internal/testrun"
	"lander/internal/vcs"
)

// Repro is a test run that is to be done once more, here.
type Repro struct {
	Settings  config.Server // required: of the lander whose run it was
	Lane      queue.Lane    // required
	Candidate queue.SHA     // required: what was tested
	Base      queue.SHA     // required: what it stands on, whose policy says how
	Members   []queue.Number
	Out       io.Writer    // required: what the run writes, as it comes
	Say       func(string) // required: told what is done, a sentence each
	Log       zerolog.Logger
}

// Run does the whole recipe on the very commit, in the same environment and in a sandbox as the run had, from the mirror in the data
// directory. It touches nothing of a lander that works there. Checks that run elsewhere are left out. The error is a sentence.
func (o Repro) Run(ctx context.Context) (queue.Verdict, error) {
	in := func(kind ...string) string { return filepath.Join(append([]string{o.Settings.DataDir}, kind...)...) }
	repo := filepath.FromSlash(o.Lane.Repo)
	m := &vcs.Repo{Dir: in("mirrors", repo) + ".git", Remote: o.Settings.Remote(o.Lane.Repo), Name: o.Settings.Committer.Name, Email: o.Settings.Committer.Email}
	if _, err := os.Stat(m.Dir); err != nil || !m.Has(ctx, o.Candidate, o.Base) {
		return queue.Verdict{}, errNotHere(o.Candidate, m.Dir)
	}
	text, err := m.Show(ctx, o.Base, queue.PolicyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return queue.Verdict{}, errNoRecipe(o.Base)
	}
	if err != nil {
		return queue.Verdict{}, err
	}
	p, err := config.ParsePolicy(text)
	if err != nil {
		return queue.Verdict{}, fmt.Errorf("read %s at %s: %w", queue.PolicyFile, o.Base.Short(), err)
	}
	if len(p.Recipe.Steps) == 0 {
		return queue.Verdict{}, errNoRecipe(o.Base)
	}
	for _, c := range p.Recipe.Checks {
		o.Say(sayNotReproduced(c))
	}
	p.Recipe.Checks = nil
	rooms := &Rooms{Settings: o.Settings, Log: o.Log}
	if err := rooms.Enclose(ctx); err != nil {
		return queue.Verdict{}, err
	}
	logs, err := os.MkdirTemp("", "lander-repro-*")
	if err != nil {
		return queue.Verdict{}, fmt.Errorf("make directory for the log: %w", err)
	}
	defer os.RemoveAll(logs)
	runner := &testrun.Runner{
		Checkouts: &vcs.Slots{Repo: m, Dir: in("checkouts-repro", repo)}, Logs: logs, Caches: in("caches"), Env: o.Settings.RunEnv,
		Secrets: secrets(o.Settings, os.Getenv), Sandbox: rooms.sandbox, Log: o.Log,
	}
	o.Say(sayReproduces(o.Candidate, o.Base, rooms.sandbox != nil))
	return o.follow(ctx, runner, testrun.Job{
		ID: "repro", Lane: o.Lane, Candidate: o.Candidate, Base: o.Base, Members: o.Members, Recipe: p.Recipe,
	})
}

// follow runs a job and copies its log meanwhile.
func (o Repro) follow(ctx context.Context, runner *testrun.Runner, job testrun.Job) (queue.Verdict, error) {
	done := make(chan queue.Verdict, 1)
	go func() { done <- runner.Run(ctx, job) }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := runner.Follow(context.WithoutCancel(ctx), job.ID, o.Out) // ends with the run, which ctx ends
		if !errors.Is(err, fs.ErrNotExist) {
			return <-done, err
		}
		select {
		case v := <-done: // it did not come to a log
			return v, nil
		case <-tick.C:
		}
	}
}
