package testrun

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"syscall"
	"time"

	"lander/internal/queue"
)

// Every sentence of this room that people read.

const (
	sayNoSteps   = "no test step is configured, so nothing says that this is safe to land"
	sayCancelled = "stopped because the result was no longer wanted"
	sayUnknown   = "how the run ended is not known"
	sayUnkilled  = "some processes of the run cannot be killed"
)

// What a run went over.

func sayOver(l label, over Limit, most int64) string {
	what := map[Limit]string{
		OverMemory: "held more memory than the limit of " + size(most) + " (memory)",
		OverPids:   fmt.Sprintf("had more processes and threads than the limit of %d (pids)", most),
		OverDisk:   "wrote more to the disk than the limit of " + size(most) + " (disk)",
		OverFiles:  fmt.Sprintf("made more files than the limit of %d (files)", most),
		OverOutput: "wrote more output than the limit of " + size(most) + " (output)",
	}[over]
	if what == "" {
		what = "went over a limit (" + string(over) + ")"
	}
	return l.text + " " + what
}

// size writes bytes as people do: 64 MiB, 1.5 GiB.
func size(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) + " " + units[i]
}

// Sandboxes: why there is none, and what is to be done about it.

const (
	sayNoBwrap      = "there is no bubblewrap here, whose program bwrap makes sandboxes"
	sayMendBwrap    = "Install the package bubblewrap."
	sayOnlyRoot     = "root has no other user here to run tests as"
	sayMendOnlyRoot = "Run lander as an ordinary user."
	sayNotLinux     = "bubblewrap is there on Linux only"
	sayMendNotLinux = "Run lander on Linux, or say sandbox: none to run tests as lander's own user."
	sayMendUsers    = "Allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 on older Debian, a profile for bwrap where AppArmor " +
		"restricts them, and in a container a seccomp profile that lets it make them, with /proc not masked."
	sayMendRoot = sayMendUsers + " As root it also takes CAP_SYS_ADMIN and a data directory whose file system can map owners (ext4, xfs or btrfs, " +
		"Linux 5.12); an ordinary user needs neither."
	sayNoFilter   = "no seccomp filter for this architecture"
	sayNoLandlock = "this kernel has no Landlock, or one that is too old (Linux 5.19)"
	sayNoTasks    = "this kernel counts processes by user, not by sandbox (Linux 5.14): their limit is watched, not enforced"
	sayNoGroup    = "no cgroup with memory and pids is delegated to lander, so memory is watched (twenty times a second), not enforced; with systemd: " +
		"Delegate=yes and DelegateSubgroup=lander"

	sayOnlyProxy = "this is the way to the network: an HTTP proxy"
)

func sayNoSandbox(said, status string) string {
	if said == "" {
		said = "bwrap ended with " + status
	}
	return "make sandbox: " + said
}

func saySandboxEnded(status string) string {
	return "the sandbox ended before its time, with " + status
}

func sayNoOverlay(reason string) string {
	return "each test run gets a copy of its lane's tool caches, which costs time: the kernel does not lay directories over one another here (" + reason + ")"
}

func sayNotProved(reason string) string { return "the sandbox does not hold here: " + reason }

var (
	errShut        = errors.New("the network is shut: only setup, and steps with network: true, may reach it")
	errNotFromHere = errors.New("this address is not for test runs")
	errProxyKind   = errors.New("the proxy of lander itself is not an HTTP proxy")
)

func sayExit(l label, exit, signal int) string {
	switch {
	case exit == 128+int(syscall.SIGXFSZ):
		return fmt.Sprintf("%s was killed because a file grew beyond the limit (disk), exit %d", l.text, exit)
	case exit == 128+int(syscall.SIGKILL):
		return fmt.Sprintf("%s was killed by SIGKILL (exit %d); most often the machine, or a limit around lander, ran out of memory", l.text, exit)
	case signal != 0:
		return fmt.Sprintf("%s was killed by signal %d, %v (exit %d)", l.text, signal, syscall.Signal(signal), exit)
	case exit == 127:
		return fmt.Sprintf("%s exited with 127: most often a command that is not installed here", l.text)
	case exit == 126:
		return fmt.Sprintf("%s exited with 126: most often a file that may not be executed", l.text)
	}
	return fmt.Sprintf("%s exited with %d", l.text, exit)
}

// sayUnsaid is of a command that says of itself that it passed.
func sayUnsaid(l label) string { return l.text + " exited with 0, though its results tell of failures" }

// sayFailed names a few of what failed.
func sayFailed(r Record) string {
	const most = 3
	var words []string
	for i, name := range r.Failed {
		if i == most {
			words = append(words, fmt.Sprintf("%d more", len(r.Failed)-most))
			break
		}
		words = append(words, strconv.Quote(name))
	}
	if r.Partial && len(words) > 0 {
		words = append(words, "perhaps others")
	}
	switch len(words) {
	case 0:
		return ""
	case 1:
		return ": " + words[0]
	}
	return ": " + strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

func sayNotBegun(limit time.Duration, slots int64) string {
	places := fmt.Sprintf("all %d places for test runs were taken", slots)
	if slots == 1 {
		places = "the one place for test runs was taken"
	}
	return fmt.Sprintf("it never started: %s for %s, the limit for that (start)", places, span(limit))
}

func sayTimeout(l label, limit time.Duration, own bool) string {
	if own {
		return fmt.Sprintf("%s ran longer than its limit of %s (timeout of the step)", l.text, span(limit))
	}
	return fmt.Sprintf("the run's limit of %s (timeout) passed in %s", span(limit), l.text)
}

func sayQuiet(l label, limit time.Duration, own bool) string {
	if own {
		return fmt.Sprintf("%s wrote nothing for %s, its limit for that (quiet of the step)", l.text, span(limit))
	}
	return fmt.Sprintf("%s wrote nothing for %s, the limit for that (quiet)", l.text, span(limit))
}

func sayUnreported(what string) string {
	return "the process that supervises the run ended without a report: " + what
}

func sayGap(l label) string { return "the report on " + l.text + " is missing" }

func sayNotReached(l label) string { return l.text + " was not come to" }

func sayNotStarted(l label, fault string) string { return l.text + " could not be started: " + fault }

func sayCheckoutLost(l label) string {
	return l.text + " could not be started because a command before it removed the checkout"
}

func sayFault(doing string, err error) string { return doing + ": " + err.Error() }

// Why lander init proposes what it proposes.

const sayNoHabit = "nothing here says how this repository is tested: no test target in a Makefile, no go.mod, package.json " +
	"with a test script, Cargo.toml, pytest, or the like"

func sayHabitTarget(file string) string {
	return file + " has a target named test, which goes before what a language's own tool would do"
}

func sayHabitFile(file string) string { return "there is " + file + " in its root" }

func sayHabitScript(manager string) string {
	return "package.json has a script named test, and its packages come by " + manager
}

func sayHabitPytest(file string) string { return file + " says that it is tested with pytest" }

// Lines of the log that are lander's own.

const logStamp = "2006-01-02T15:04:05.000Z07:00"

func logLine(at time.Time, text string) string {
	return "=== " + at.Format(logStamp) + " " + text + "\n"
}

func logHead(job Job) string {
	numbers := make([]string, len(job.Members))
	for i, n := range job.Members {
		numbers[i] = n.String()
	}
	with := ""
	if len(numbers) > 0 {
		with = ", with " + strings.Join(numbers, " ")
	}
	return fmt.Sprintf("run %s of %s: candidate %s on %s%s, recipe %s", job.ID, job.Lane, job.Candidate, job.Base, with, job.Recipe.Digest()[:12])
}

func logBegun(l label, command string, of stage) string {
	if of != allTests {
		l.text += ", " + string(of) + ","
	}
	if !strings.Contains(command, "\n") {
		return l.text + " begins: " + command
	}
	return l.text + " begins:\n" + strings.TrimRight(command, "\n")
}

func logEnded(l label, r Record) string {
	if r.Fault != "" {
		return fmt.Sprintf("%s did not start: %s", l.text, r.Fault)
	}
	text := fmt.Sprintf("%s exited with %d after %s", l.text, r.Exit, span(r.Took))
	if r.Tests > 0 || r.fails() {
		text += fmt.Sprintf("; of %d tests %d failed and %d were skipped", r.Tests, len(r.Failed), r.Skips) + sayFailed(r)
	}
	if r.Where != "" {
		text += ", at " + r.Where
	}
	return text
}

func logResults(l label, err error) string {
	return "not all results of " + l.text + " could be read: " + err.Error()
}

func logVerdict(v queue.Verdict) string {
	outcome := string(v.Outcome)
	if v.Outcome == queue.Unmeasured {
		outcome = "unmeasured"
	}
	text := outcome + " after " + span(v.Took)
	if v.Reason != "" {
		text += ": " + v.Reason
	}
	return text
}

func logCut(most int64) string {
	return fmt.Sprintf("the log is cut here at %d bytes; the run goes on, what it writes is not kept", most)
}

func logDropped(bytes int64) string {
	return fmt.Sprintf("%d bytes of output were not kept", bytes)
}

// span writes a duration as a person would: 30m, 1m30s, 2.5s, 40ms.
func span(d time.Duration) string {
	switch {
	case d >= time.Minute:
		d = d.Round(time.Second)
	case d >= time.Second:
		d = d.Round(100 * time.Millisecond)
	case d >= time.Millisecond:
		d = d.Round(time.Millisecond)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// firstLine is a command as far as a sentence can bear it.
func firstLine(command string) string {
	line, more, _ := strings.Cut(strings.TrimSpace(command), "\n")
	if runes := []rune(line); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	if more != "" {
		return line + " …"
	}
	return line
}

// Checks that are run elsewhere.

func nameCheck(c queue.Check) string { return fmt.Sprintf("check %q of %s", c.Name, c.App) }

func sayLacking(c queue.Check, begun bool, foreign []string) string {
	switch {
	case begun:
		return nameCheck(c) + " is not over"
	case len(foreign) > 0:
		return fmt.Sprintf("%s is missing (one of that name is there, but of %s)", nameCheck(c), strings.Join(foreign, " and "))
	}
	return nameCheck(c) + " is missing"
}

func sayChecksLate(lacking []string, after time.Duration) string {
	return fmt.Sprintf("%s, %s after the push (timeout)", strings.Join(lacking, "; "), span(after.Truncate(time.Second)))
}

func sayChecked(c queue.Check, conclusion string, final bool) string {
	said := nameCheck(c) + " "
	switch concluded(conclusion) {
	case checkTimedOut:
		said += "ran out of its own time there"
	case checkStopped:
		said += fmt.Sprintf("was stopped there without a result (%s)", conclusion)
	default:
		said += "failed"
		if conclusion != "failure" {
			said += fmt.Sprintf(": it ended as %s, which shows nothing", conclusion)
		}
	}
	if final {
		said += "; nobody but its app can run it again on the same commit"
	}
	return said
}

const sayNowhere = "lander has no way here to push candidates and to read checks"

func sayUnreadable(err error) string {
	return "the forge does not show lander the checks: " + err.Error()
}

func sayNotOffered(err error) string {
	return "the candidate cannot be pushed for its checks: " + err.Error()
}

func logOffered(branch string) string {
	return "pushed to " + branch + ", for the checks that run elsewhere"
}
func logChecks(standing string) string { return "waiting: " + standing }
func logUnread(what string, e error) string {
	return what + " does not succeed, trying again: " + e.Error()
}

func logAskedAgain(r queue.CheckRef) string {
	return fmt.Sprintf("asked %s to run check run %d again", r.App, r.ID)
}

func logNotAgain(e error) string { return "not run again: " + e.Error() }
