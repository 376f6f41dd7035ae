package serve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"lander/internal/config"
	"lander/internal/queue"
	"lander/internal/testrun"
)

// Values of the setting sandbox. Empty: bubblewrap where it can be had.
const (
	bubblewrap = "bubblewrap"
	noSandbox  = "none"
)

// Enclose makes the sandbox that the settings ask for, and tries it. Call it before the first Keeper; without it test runs are as with
// sandbox: none. Where there can be no sandbox and the settings do not say that there need be none, what comes from other repositories is not
// tested; where they ask for one by name, that is an error.
func (r *Rooms) Enclose(ctx context.Context) error {
	if r.Settings.Sandbox == noSandbox {
		r.enclosure = []Finding{judgeNoSandbox()}
		return nil
	}
	s, err := testrun.Prove(ctx, sandboxOptions(r.Settings))
	var missing *testrun.MissingError
	switch {
	case err == nil:
		if err := s.ProveOverlay(ctx, cachesDir(r.Settings)); err != nil {
			return err
		}
		r.sandbox = s
		r.enclosure = judgeSandbox(s)
		r.Log.Info().Msg(sayEnclosed)
		return nil
	case r.Settings.Sandbox == bubblewrap:
		if errors.As(err, &missing) {
			err = fmt.Errorf("%w. %s", err, missing.Mend)
		}
		return err
	}
	r.noForks, r.unsandboxed = !r.Trusted, oneLine(err)
	r.enclosure = []Finding{judgeMissing(err, r.Settings.Sandbox)}
	return nil
}

// sandboxOptions hide what is lander's, should the system that runs see hold it.
func sandboxOptions(s config.Server) testrun.Options {
	l := s.RunLimits
	return testrun.Options{
		Limits:  testrun.Limits{Memory: l.Memory, Pids: l.Pids, Disk: l.Disk, Files: l.Files, Output: l.Output},
		Network: testrun.Network(s.RunNetwork), Read: s.RunRead, Hide: append([]string{s.DataDir, filepath.Dir(s.Socket())}, s.SecretFiles...),
	}
}

// readPolicy reads a repository's policy, and adds what is the operator's and the machine's.
func (r *Rooms) readPolicy(repo *repository) func(text []byte) (queue.Policy, error) {
	return func(text []byte) (queue.Policy, error) {
		p, err := config.ParsePolicy(text)
		p.NoForks = r.noForks && (len(p.Recipe.Steps) > 0 || len(p.Recipe.Checks) == 0) // checks run elsewhere
		p.Environment = repo.runner.Environment()
		return p, err
	}
}

// examineSandbox is for the doctor, who makes one of its own.
func examineSandbox(ctx context.Context, s config.Server) []Finding {
	if s.Sandbox == noSandbox {
		return []Finding{judgeNoSandbox()}
	}
	box, err := testrun.Prove(ctx, sandboxOptions(s))
	if err != nil {
		return []Finding{judgeMissing(err, s.Sandbox)}
	}
	if _, err := os.Stat(s.DataDir); err == nil {
		if err := box.ProveOverlay(ctx, cachesDir(s)); err != nil {
			return append(judgeSandbox(box), warning(aboutMachine, "sandbox-holes", oneLine(err), ""))
		}
	}
	return judgeSandbox(box)
}

// cachesDir is where the tool caches of all lanes are.
func cachesDir(s config.Server) string { return filepath.Join(s.DataDir, "caches") }

const sandboxCheck = "sandbox"

func judgeSandbox(s *testrun.Sandbox) []Finding {
	found := []Finding{good(aboutMachine, sandboxCheck, sayProved)}
	for _, note := range s.Notes() {
		found = append(found, warning(aboutMachine, "sandbox-holes", note, ""))
	}
	return found
}

func judgeNoSandbox() Finding {
	return warning(aboutMachine, sandboxCheck, sayNoSandboxWanted, sayMendNoSandboxWanted)
}

func judgeMissing(err error, setting string) Finding {
	mend := ""
	var missing *testrun.MissingError
	if errors.As(err, &missing) {
		mend = missing.Mend
	}
	if setting == bubblewrap {
		return bad(aboutMachine, sandboxCheck, sayMissing(oneLine(err), false), mend)
	}
	return warning(aboutMachine, sandboxCheck, sayMissing(oneLine(err), true), mend)
}
