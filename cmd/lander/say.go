package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lander/internal/config"
	"lander/internal/gate"
	"lander/internal/queue"
	"lander/internal/web"
)

// Every sentence of this room that a person may read stands in this file and in those of the demo, the doctor and the proof: say_*.go.

const (
	shortRoot = "The only committer to your trunk: tests exactly the commit that lands"

	groupRun        = "Run a lander:"
	groupLook       = "Look:"
	groupOrder      = "Stop and go:"
	groupRepository = "In a repository:"
	groupMore       = "More:"

	shortServe         = "Keep the lanes: webhooks, queue, test runs, landings, pages"
	shortMigrate       = "Bring the database up to date (serve does so by itself)"
	longMigrate        = "Bring the database up to date; serve does so by itself.\n\nWith --rebuild, a database that was lost, or restored from an old backup, gets back what the ledger on the git server and the forge know of every lane. Nothing lands meanwhile, and nothing that landed lands again. No lander may be running on it. Each lane is left paused, because neither knows of a pause: look, then lander resume."
	usageRebuild       = "bring back what ledger and forge know, into a database that was lost or is an old one"
	usageRebuildResume = "with --rebuild: pause no lane; what waits lands as soon as lander starts"
	exampleMigrate     = "  lander migrate\n  lander migrate --rebuild --lane acme/app:main --token-file token"
	shortHealth        = "Exit 0 if the lander on this data directory is ready"
	shortVersion       = "Print which lander this is"
	shortStatus        = "Every lane at a glance"
	shortQueue         = "What lands next, what waits, what was dropped"
	longQueue          = `What lands next, what waits, what was dropped.

With --watch the table is drawn again as things move, until nothing is queued any
more; the exit status is 0 only if all that was queued meanwhile landed. On a terminal
it waits for something to be queued first.`
	shortShow     = "All about pull request N"
	shortWhy      = "What stands between pull request N and trunk, and who can lift it"
	shortPause    = "Stop landing; returns when trunk cannot move any more"
	shortResume   = "Let landing go on, after a pause or after lander stopped the lane itself"
	shortInit     = "Write a " + queue.PolicyFile + " that says how this repository is tested"
	shortPolicy   = "Work with policy files"
	shortCheck    = "Say what is wrong with a policy file (" + queue.PolicyFile + " if none is named)"
	shortComplete = "Print what makes a shell complete lander's verbs and flags"
	longComplete  = `Print what makes a shell complete lander's verbs and flags. For good:

  bash   lander completion bash > ~/.local/share/bash-completion/completions/lander
  zsh    lander completion zsh > "${fpath[1]}/_lander"
  fish   lander completion fish > ~/.config/fish/completions/lander.fish

For this shell only:

  bash   source <(lander completion bash)
  zsh    source <(lander completion zsh)
  fish   lander completion fish | source`

	examplePause = `  lander pause --reason 'incident 4711'
  lander pause acme/app:main --reason 'release' --until 2026-12-01T09:00:00Z
  lander pause --reason lunch --until 45m`
	exampleServe = `  LANDER_TOKEN=… LANDER_WEBHOOK_SECRETS=… lander serve --lane acme/app:main
  lander serve --config /etc/lander.yml`

	usageConfig = "file of settings, YAML [LANDER_CONFIG]"
	usageJSON   = "print JSON"
	usageServer = "address of a lander on another machine, as in https://lander.example.com [LANDER_SERVER]"
	usageLane   = "which lane, as in acme/app:main; may be left out where there is one"
	usageWatch  = "draw again as things move"
	usageReason = "why, for everybody who waits (required)"
	usageUntil  = "when landing goes on by itself: a time as in 2026-12-01T09:00:00Z, or a duration as in 45m"
	usageForce  = "overwrite the file that is there"
)

func saySetting(s config.Setting) string {
	text := s.Usage
	if s.Default != "" {
		text += " (default: " + s.Default + ")"
	}
	return text + " [" + s.Env + "]"
}

// sayFailure is how an error is told at the end of lander: one line, or a list.
func sayFailure(err error) string {
	var many *config.SettingsError
	if errors.As(err, &many) && len(many.Problems) > 1 {
		text := fmt.Sprintf("lander: %s wrong with the settings:", count(len(many.Problems), "thing is", "things are"))
		for _, p := range many.Problems {
			text += "\n  - " + p.String()
		}
		return text
	}
	return "lander: " + strings.Join(strings.FieldsFunc(strings.TrimSpace(err.Error()), func(c rune) bool { return c == '\n' }), "; ")
}

// count is a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// What is wrong with a command line.

func seeHelp(c *cobra.Command) string { return "see: " + c.CommandPath() + " --help" }

func errNoSuchFlag(c *cobra.Command, given, nearest string) error {
	dashes := "--"
	if len(given) == 1 {
		dashes = "-"
	}
	if nearest != "" {
		return fmt.Errorf("%s has no flag %s%s; did you mean --%s?", c.CommandPath(), dashes, given, nearest)
	}
	return fmt.Errorf("%s has no flag %s%s; %s", c.CommandPath(), dashes, given, seeHelp(c))
}

func errNoValue(f *pflag.Flag) error {
	name, text := pflag.UnquoteUsage(f)
	return fmt.Errorf("--%s wants a %s: %s", f.Name, name, text)
}

func errWrongValue(f *pflag.Flag, given string) error {
	want := map[string]string{
		"int": "a whole number", "duration": "a length of time as in 90s, 30m or 2h", "bool": "true or false",
	}[f.Value.Type()]
	return fmt.Errorf("--%s wants %s, not %q", f.Name, want, given)
}

func errNoSuchVerb(c *cobra.Command, given, nearest string) error {
	if nearest != "" {
		return fmt.Errorf("there is no \"%s %s\"; did you mean \"%s %s\"?", c.CommandPath(), given, c.CommandPath(), nearest)
	}
	return fmt.Errorf("there is no \"%s %s\"; %s", c.CommandPath(), given, seeHelp(c))
}

func errTooMany(c *cobra.Command, given string, names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("%s takes no arguments, and %q is one; %s", c.CommandPath(), given, seeHelp(c))
	}
	return fmt.Errorf("%q is too much; it goes: %s %s", given, c.CommandPath(), strings.Join(names, " "))
}

func errMissing(c *cobra.Command, name string) error {
	return fmt.Errorf("%s is missing; it goes: %s", name, c.UseLine())
}

var errInterrupted = errors.New("ended before it was done")

func errShell(given string) error {
	return fmt.Errorf("there is no completion for %q; name one of: %s", given, strings.Join(shells, ", "))
}

var errResumeNothing = errors.New("--resume needs --rebuild; lander that runs is let go on with: lander resume")

// About the way to a server.

func errServerAddress(given string) error {
	return fmt.Errorf("--server %q: want an address as in https://lander.example.com", given)
}

func errNoServer(socket string) error {
	return fmt.Errorf("no lander runs on this data directory (nothing answers at %s); start \"lander serve\", or name its --data directory or its --server", socket)
}

func errNotYourSocket(socket string) error {
	return fmt.Errorf("%s may only be used by the user that lander runs as; become that user, or use --server with a token", socket)
}

func errNoAnswer(where string, err error) error {
	return fmt.Errorf("no lander answers at %s: %w", where, err)
}

func errSlowAnswer(where string) error {
	return fmt.Errorf("the lander at %s did not answer in time; look at its log", where)
}

func errAsk(where string, err error) error { return fmt.Errorf("ask %s: %w", where, err) }

func errForeignAnswer(where string, err error) error {
	return fmt.Errorf("what answers at %s is no lander, or one of another version: %w", where, err)
}

func errStatus(where, status string) error { return fmt.Errorf("%s answered %s", where, status) }

func errWhichLane(names []string) error {
	return fmt.Errorf("this lander keeps several lanes; name one with --lane: %s", strings.Join(names, ", "))
}

func errNoLane(name string, names []string) error {
	return fmt.Errorf("lane %s is not kept here; there is: %s", name, strings.Join(names, ", "))
}

func errNumber(given string) error {
	return fmt.Errorf("%q is not the number of a pull request; write it as in 12", given)
}

func errNotReady(words string) error { return fmt.Errorf("not ready: %s", words) }

func errPauseReason() error {
	return errors.New("a pause needs a reason, for everybody who waits will read it: lander pause --reason 'why'")
}

func errUntil(given string) error {
	return fmt.Errorf("--until %q: want a time as in 2026-12-01T09:00:00Z, or a duration as in 45m", given)
}

func errUntilPast(given string) error { return fmt.Errorf("--until %s has passed already", given) }

func sayPaused(l web.LaneView) []string {
	until := "until: lander resume"
	if l.Paused != nil && !l.Paused.Until.IsZero() {
		until = "until " + local(l.Paused.Until) + ", or: lander resume"
	}
	lines := []string{fmt.Sprintf("%s is paused. Trunk stands on %s and does not move %s", l.Lane, tip(l), until)}
	if l.Flight > 0 {
		lines = append(lines, "A test run that is under way goes on; what passes lands after the resume.")
	}
	return lines
}

func sayResumed(l web.LaneView) string {
	if !l.Running {
		return fmt.Sprintf("%s is resumed, but does not land yet: %s", l.Lane, laneState(l))
	}
	return fmt.Sprintf("%s goes on, with %s in the queue.", l.Lane, count(l.Queued, "change", "changes"))
}

func sayNotPaused(l web.LaneView) string {
	text := l.Lane + " was not paused, so there was nothing to resume"
	if !l.Running {
		return text + ", but it does not land: " + laneState(l)
	}
	return text + "."
}

// tip is where a lane's trunk stands.
func tip(l web.LaneView) string {
	if l.Tip == "" {
		return "an unknown commit"
	}
	return l.Tip.Short()
}

// What is seen of a lane.

func laneState(l web.LaneView) string {
	switch {
	case l.Stopped != nil:
		return "stopped: " + clean(l.Stopped.Reason)
	case l.Paused != nil:
		until := ""
		if !l.Paused.Until.IsZero() {
			until = " until " + local(l.Paused.Until)
		}
		return "paused" + until + " by " + clean(l.Paused.By) + ": " + clean(l.Paused.Reason)
	case l.Policy != "":
		return "cannot land: " + clean(l.Policy)
	case l.Trouble != nil:
		return "in trouble: " + clean(l.Trouble.Reason)
	case l.Red != nil:
		return clean(l.Red.Why().Text)
	case l.Tip == "":
		return "not looked at yet"
	}
	return "running"
}

func sayMissed(l web.LaneView) string {
	return fmt.Sprintf("%s: %s of the last day did not arrive; lander found what it had to know by asking. Look at the deliveries of the webhook on the forge.", l.Lane, count(l.Missed, "webhook", "webhooks"))
}

const (
	sayNothingQueued = "Nothing is queued."
	sayWaiting       = "Waiting for something to be queued. Ctrl-C ends it."
	headDropped      = "Dropped"
	headLanded       = "Landed"
	headRuns         = "Runs"
	headJournal      = "What happened"
	sayUnderWay      = "under way"
	sayNothingBars   = "nothing stands between it and trunk"
	sayNobodyAsked   = "nobody asked to land it"
)

func sayMore(n int) string { return fmt.Sprintf("… and %d more", n) }

func sayWatching(last time.Time) string {
	return "Ctrl-C ends it. Last change at " + last.Local().Format("15:04:05") + "."
}

func sayLost(since time.Time) string {
	return "No answer from lander since " + since.Local().Format("15:04:05") + "; still trying."
}

func sayAllLanded(n int) string {
	if n == 0 {
		return sayNothingQueued
	}
	return count(n, "change that was watched has", "changes that were watched have all") + " landed."
}

func errNotLanded(numbers []string) error {
	return fmt.Errorf("did not land: %s", strings.Join(numbers, ", "))
}

func sayLandedAs(s queue.Standing) string {
	return fmt.Sprintf("landed at %s as %s%s", local(s.Landing.At), s.Landing.Tip, sayPerArea(s.Landing))
}

// sayReason is one open condition, with who can lift it.
func sayReason(r queue.Reason) []string {
	since := ""
	if !r.Since.IsZero() {
		since = ", since " + local(r.Since)
	}
	lines := []string{"  - " + clean(r.Text) + since}
	if r.Who != "" {
		lines = append(lines, "    who can lift it: "+clean(r.Who))
	}
	if r.Next != "" {
		lines = append(lines, "    then: "+clean(r.Next))
	}
	return lines
}

// About a repository and its policy file.

func errNoRepository(dir string) error {
	return fmt.Errorf("%s is not the top of a git repository; go there, or name it: lander init DIR", dir)
}

func errPolicyThere(path string) error {
	return fmt.Errorf("%s is there already; --force writes it anew", path)
}

func errPolicyUnwritten(path string, err error) error {
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("this user may not write %s; run it as the repository's owner", path)
	}
	return fmt.Errorf("write policy file: %w", err)
}

func errNoPolicy(path string) error {
	return fmt.Errorf("there is no %s here; name the file, or let \"lander init\" write one", path)
}

func errPolicyEmpty(path string) error {
	return fmt.Errorf("%s names no suite, and nothing lands untested: put steps under suite", path)
}

func sayPolicyWritten(path, run, why string, known bool) []string {
	lines := []string{fmt.Sprintf("Wrote %s.", path)}
	if !known {
		return append(lines, "How this repository is tested could not be told from its files: put the commands under suite. Nothing lands untested.")
	}
	return append(lines,
		fmt.Sprintf("It is tested by %q, because %s.", run, why),
		"Look at it, then commit it to trunk: it is read from there only.")
}

func sayPolicyRight(path string, p queue.Policy) string {
	return fmt.Sprintf("%s is right: %s, %s, style %s.", path,
		count(len(p.Recipe.Steps), "step", "steps"), count(p.Approvals, "approval", "approvals"), p.Style)
}

// About a lander itself.

func sayVersion(v string) string { return "lander " + v }

func sayRebuilt(l queue.Lane, r gate.Rebuilt) string {
	return fmt.Sprintf("%v: %s from the ledger, %s of them described by the forge, %s open.", l, count(r.Landings, "landing", "landings"), count(r.Changes, "pull request", "pull requests"), count(r.Open, "pull request", "pull requests"))
}

func sayRebuiltPaused(l queue.Lane, p *queue.Pause) string {
	return fmt.Sprintf("%v is paused by %s: %s. Start lander, look at what waits (lander queue --lane %v), then: lander resume %v", l, clean(p.By), clean(p.Reason), l, l)
}

func saySchema(n int64) string { return fmt.Sprintf("The database is up to date, at schema %d.", n) }

func sayMisspelt(name, meant string) string {
	return fmt.Sprintf("%s is no setting and has no effect; did you mean %s?", name, meant)
}
