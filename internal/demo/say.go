package demo

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// Every sentence of this room that a person may read stands in this file, but for the pull requests of the story.

func errHubListen(address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("the playground cannot listen on %s: the port is in use; end what uses it, or choose another with --hub-listen", address)
	}
	return fmt.Errorf("the playground cannot listen on %s: %w; choose another address with --hub-listen", address, err)
}

func errPlayedAlready(dir string) error {
	return fmt.Errorf("something was played in %s already; name a new directory, or leave --data out", dir)
}

func errBegunAlready(dir string) error {
	return fmt.Errorf("a story was begun in %s already; go on with it with --resume, or name a new directory", dir)
}

func errNoStory(dir string) error {
	return fmt.Errorf("what was played in %s is no story that --resume could go on with; name the directory of one, or a new one", dir)
}

func errOtherStory(dir string) error {
	return fmt.Errorf("the story in %s was begun by another version of lander; go on with it with that one, or name a new directory", dir)
}

// About a repository whose history is to be landed again.

func errNoSuchDir(dir string) error {
	return fmt.Errorf("there is no directory %s; name a git repository on this machine with --repo", dir)
}

func errNoRepository(dir string) error {
	return fmt.Errorf("%s is no git repository; name one on this machine with --repo", dir)
}

func errUnreadable(dir string) error {
	return fmt.Errorf("this user may not read %s; run lander as its owner, or name a copy that everybody may read, as \"git clone --mirror\" makes one", dir)
}

func errShallow(dir string) error {
	return fmt.Errorf("%s is a shallow clone, so its history is cut off; complete it with: git -C %s fetch --unshallow", dir, dir)
}

func errNoCommit(dir string) error {
	return fmt.Errorf("%s has no commit yet, so there is nothing to land again; name a repository with a history", dir)
}

func errOneCommit(dir string) error {
	return fmt.Errorf("%s has only one commit on that branch: nothing to land on it; name a repository or a --branch with a history", dir)
}

func errNoHead(dir string, branches []string) error {
	return fmt.Errorf("the branch that %s is on has no commit; name one with --branch: %s", dir, few(branches))
}

func errNoBranch(dir, branch string, branches []string) error {
	return fmt.Errorf("%s has no branch %s; there is: %s", dir, branch, few(branches))
}

// few lists the first of many.
func few(names []string) string {
	const most = 8
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

func sayReading(repo string) string { return "reading the history of " + repo }
func sayFilling() string            { return "starting a playground with it" }

func sayLanding(n int, title string) string { return fmt.Sprintf("#%d %s", n, title) }

// What happens in the story.

func sayOpen(n int, url string) string {
	return fmt.Sprintf("%d pull requests are open on %s", n, url)
}

func sayApproves(who string, n int, title string) string {
	return fmt.Sprintf("%s approves #%d %s", who, n, title)
}
func sayPauses() string  { return admin + " pauses landing" }
func sayResumes() string { return admin + " resumes" }
func sayPushesMore(n int) string {
	return fmt.Sprintf("%s pushes more to #%d, which was approved already", contributor, n)
}

// sayResuming says that a story is taken up again, and whether anything of it was over.
func sayResuming(far bool) string {
	if !far {
		return "the story is taken up again, near its beginning"
	}
	return "the story is taken up again where it was cut off"
}
func sayLoses() string      { return "the next approval's webhook is lost" }
func sayTwice() string      { return "the webhook is sent once more" }
func sayPushesPast() string { return admin + " pushes to trunk, past lander" }

// sayFate is what became of a pull request.
func sayFate(n int, title, fate, reason string) string {
	if reason != "" {
		word, _, _ := strings.Cut(fate, ":") // the reason says it better than the code behind it
		fate = word + ": " + reason
	}
	return fmt.Sprintf("#%d %s: %s", n, title, fate)
}

func sayVoided() string    { return "new commits were pushed after it was approved" }
func sayWithdrawn() string { return "taken back before it landed" }

// What must not be.

func wrongMoved(before, after string) string {
	return fmt.Sprintf("trunk moved from %s to %s while landing was paused", before, after)
}

const (
	wrongNotLost   = "the webhook that was to be lost arrived"
	wrongNoWebhook = "the code host has no record of an approval's webhook"
	wrongGone      = "what was pushed past lander is no longer on trunk"
	wrongNotOnTop  = "what was being tested when trunk was moved past lander did not land on top of that"
)

// sayUnsandboxed is told when the demo's test runs are not kept apart.
func sayUnsandboxed(why string) string {
	return "Test runs are not in a sandbox here (" + why + "). What the demo tests is its own, or yours."
}
