package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lander/internal/demo"
)

// What is said about the demo.

const (
	shortDemo = "Everything on this machine, with no account: a playground to approve and watch in"
	longDemo  = `Everything on this machine, with no account: a private Postgres, a small code host
with a sample repository and pull requests of every fate, and lander's pages. The
addresses are printed; the browser is enough from there.

--headless plays the whole story by itself. Killed at any moment, even with kill -9,
it is gone on with by --headless --resume on the same --data, and ends the same.

--headless --repo DIR takes the newest commits of a repository of yours as pull
requests, lands them again one by one, and compares the trunk that comes out
with the real one.`
	exampleDemo = `  lander demo
  lander demo --headless
  lander demo --headless --data story --resume
  lander demo --headless --repo ~/src/app --last 20 --suite 'make test'`

	usageHeadless  = "play the story without anybody's help; exit 0 only if each met its fate"
	usageData      = "`directory` where everything is kept (default: one that is deleted at the end)"
	usageListen    = "`address` of lander's pages (default: 127.0.0.1:8080, or any free port if that is taken)"
	usageHubListen = "`address` of the playground (default: 127.0.0.1:8081, or any free port if that is taken)"
	usageResume    = "with --headless and --data: go on with the story that was cut off there; without one, begin it"
	usageRepo      = "with --headless: a local git repository whose history is landed again, as `DIR`"
	usageBranch    = "with --repo: the `branch` (default: what its HEAD is on)"
	usageLast      = "with --repo: how many first-parent commits, at most"
	usageSuite     = "with --repo: the `command` that tests a commit, as in 'go test ./...'"
	usageLimit     = "with --headless: give up after this long"
	usageVerbose   = "show the log on the terminal too"
	usageDemoJSON  = "with --headless: print one JSON object"
)

var (
	errResumeAlone = errors.New("--resume needs --headless and --data DIR, and no --repo")
	errRepoAlone   = errors.New("--repo needs --headless")
	errNoSuite     = errors.New("--repo needs --suite COMMAND, for nothing lands untested; --suite true tests nothing")
	errNeedRepo    = errors.New("--suite, --branch and --last need --repo DIR")
	errLast        = errors.New("--last must be 1 or more")
	errLimit       = errors.New("--limit must be longer than nothing")
	errJSONAlone   = errors.New("--json needs --headless")
	errLimitAlone  = errors.New("--limit needs --headless")
)

func errTooLong(limit time.Duration) error {
	return fmt.Errorf("it took longer than --limit %s", limit)
}

func errDemoDir(dir string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("this user may not write to %s; name another directory with --data, or leave it out", dir)
	}
	return fmt.Errorf("make the demo's directory: %w", err)
}

const (
	sayStarting = "Starting a private Postgres, a small code host and lander…"
	sayEnding   = "\nEnding… (Ctrl-C again does not wait)"
)

func sayKept(dir string) string {
	return fmt.Sprintf("What was played is kept; \"%s demo --data %s\" goes on with it.", os.Args[0], dir)
}

// sayPlayground is what somebody reads who has never seen lander.
func (p *program) sayPlayground(pg *demo.Playground, data string, kept bool) string {
	self := os.Args[0] // perhaps it is not in PATH
	end := "; then all of it is deleted"
	if kept {
		end = ""
	}
	return fmt.Sprintf(`
%s is up. Nothing here leaves this machine.

  The code host   %s
  Lander's pages  %s

Try this:
  1. Open the code host, choose a pull request and press Approve. You are %s
     there, a maintainer; "You are" at the top makes you somebody else.
  2. Watch it land: lander rebases it onto trunk, tests exactly that commit,
     and moves trunk to that very commit if the tests pass. Not all will land:
     what each pull request is for stands in its description.
  3. From another terminal:
       %s queue --watch --data %s
       %s pause --reason 'trying it' --data %s

The log is %s.
Press Ctrl-C to end it%s.
`, p.bold("Lander's playground"), p.bold(pg.HubURL), p.bold(pg.URL), pg.You, self, data, self, data, filepath.Join(data, "lander.log"), end)
}

func sayPlaying(decided, of int, spent time.Duration) string {
	return fmt.Sprintf("Playing the story: %d of %d met their fate, %.0f s", decided, of, spent.Seconds())
}

const (
	sayOpenPull = "open"           // nobody has approved it yet
	sayLeftLine = "left the queue" // taken back, or its approval is void
)

func sayStory(r demo.Result) []string {
	landed := 0
	for _, f := range r.Fates {
		if f.Commit != "" {
			landed++
		}
	}
	lines := []string{
		fmt.Sprintf("%s, %d landed, in %.1f s.", count(len(r.Fates), "pull request", "pull requests"), landed, r.Seconds),
		fmt.Sprintf("Trunk stands on %s.", r.Trunk),
	}
	for _, w := range r.Wrong {
		lines = append(lines, "WRONG: "+w)
	}
	if r.OK {
		lines = append(lines, "Each met its fate.")
	}
	return lines
}

func sayExpected(f demo.Fate) string {
	return strings.TrimSuffix("expected: "+f.Expected+"; "+f.Reason, "; ")
}

func sayRate(at demo.Progress) string {
	text := fmt.Sprintf("%d of %d landed", at.Landed, at.Of)
	if at.Done > 0 {
		text += fmt.Sprintf(", %.0f a minute", at.PerMinute)
	}
	if at.Done > 0 && at.Done < at.Of {
		text += fmt.Sprintf(", about %s left", span(at.Left))
	}
	return text
}

func sayReplay(r demo.Replayed) []string {
	lines := []string{fmt.Sprintf("%d of %d landed in %.1f s; from approval to landing %.0f ms (median), %.0f ms (95 of 100).",
		r.Landed, r.Of, r.Seconds, r.PerLanding.P50, r.PerLanding.P95)}
	if r.Landed == 0 {
		lines = []string{fmt.Sprintf("0 of %d landed in %.1f s.", r.Of, r.Seconds)}
	}
	if r.Merges > 0 {
		text := count(r.Merges, "was a merge", "were merges") + ", landed commit by commit"
		if r.Remade > 0 {
			text += fmt.Sprintf("; %d of those had been mended by hand and landed as one commit", r.Remade)
		}
		lines = append(lines, text+".")
	}
	for _, l := range r.Left {
		lines = append(lines, fmt.Sprintf("#%d %s: %s: %s", l.Number, clean(l.Title), l.Actual, clean(l.Reason)))
	}
	switch {
	case r.SameCommit:
		return append(lines, fmt.Sprintf("Trunk came out as the very same commit, %s.", r.Trunk))
	case r.TreeEqual:
		return append(lines, fmt.Sprintf("Trunk came out with the very same files, at %s.", r.Trunk))
	}
	return append(lines, fmt.Sprintf("Trunk came out different. The first difference: %s", clean(r.Difference)))
}
