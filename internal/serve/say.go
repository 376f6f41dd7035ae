package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"lander/internal/queue"
)

// Every sentence of this room that a person may read stands in this file.

func errDataDir(dir string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the user that lander runs as may not write to the data directory %s; allow it, or name another one with --data: %w", dir, err)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("the data directory %s cannot be made, because there is a file in the way; name another one with --data: %w", dir, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("the data directory %s is on a file system that can only be read; name another one with --data: %w", dir, err)
	}
	return fmt.Errorf("make the data directory %s: %w", dir, err)
}

func errOwnBranch(branch string) error {
	return fmt.Errorf("%s is a branch that lander lands on, or a ledger", branch)
}

func errSharedBranch(branch, why string) error {
	return fmt.Errorf("%s stays as it is: %s", branch, why)
}

const sayRebuilt = "rebuilt from the ledger: look, then resume"

func errLaneHeld(l queue.Lane) error {
	return fmt.Errorf("another lander, with a data directory of its own, keeps %v on this database; stop every lander that uses the database, then try again", l)
}

func errDataDirInUse(dir string) error {
	return fmt.Errorf("the data directory %s is in use by another lander; stop that one, or give this one its own with --data", dir)
}

// What an operator has to mend, where a lane cannot go on.

func sayFull(dir string, d disk) string {
	if d.all > 0 && d.inodes == 0 {
		return fmt.Sprintf("lander cannot go on here: the file system of %s has no inodes left; delete files that nobody needs, and it goes on by itself", dir)
	}
	return fmt.Sprintf("lander cannot go on here: the disk of %s is full, with %s free of %s; make room there, and it goes on by itself", dir, size(d.free), size(d.size))
}

func sayGitAway(words string) string {
	return "lander cannot go on here: the git server does not answer, or does not let lander in: " + words + "; see that it runs, that this machine reaches it, and that lander's token is good"
}

func sayForgeAway(words string) string {
	return "lander cannot go on here: the forge does not answer: " + words + "; see that it runs, and that this machine reaches it"
}

func sayForgeRefuses(words string) string {
	return "lander cannot go on here: " + words + "; see that its token or its App is still good and has its permissions: \"lander doctor\" lists them"
}

var errDatabaseGone = errors.New("the embedded Postgres has gone; see postgres.log in the data directory, and start lander again")

var errNotReady = errors.New("lander is starting or stopping")

// Runs that are done once more.

func errNotHere(sha queue.SHA, mirror string) error {
	return fmt.Errorf("commit %s is not in the mirror %s: run this where lander runs, as its user and with its --data, or ask for a run that is "+
		"not that old", sha.Short(), mirror)
}

func errNoRecipe(base queue.SHA) error {
	return fmt.Errorf("%s at %s has no steps that could be run here", queue.PolicyFile, base.Short())
}

func sayReproduces(sha, base queue.SHA, boxed bool) string {
	how := "in a sandbox"
	if !boxed {
		how = "without a sandbox"
	}
	return fmt.Sprintf("runs the whole suite that %s at %s names on commit %s, %s", queue.PolicyFile, base.Short(), sha.Short(), how)
}

func sayNotReproduced(c queue.Check) string {
	return fmt.Sprintf("leaves out check %q of %s, which runs elsewhere", c.Name, c.App)
}
