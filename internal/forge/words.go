package forge

import (
	"fmt"
	"strings"
	"time"

	"lander/internal/queue"
)

// Every sentence of this room that a person may read stands in the files words*.go. Those about commands hold no Markdown, because they are
// shown in other places too; those of comments are Markdown, and whatever they take in has been made harmless before.

func sayNoCommand(prefix string) string {
	return fmt.Sprintf("there is no command on this line. %q lists them, for example %q.", prefix+" help", prefix+" land")
}

func sayUnknownCommand(prefix, word, near string) string {
	if near == "" {
		return fmt.Sprintf("%q is not a command. %q lists them.", clip(word, 60), prefix+" help")
	}
	return fmt.Sprintf("%q is not a command. The nearest is %q; %q lists them all.", clip(word, 60), prefix+" "+near, prefix+" help")
}

func sayUnknownArgument(prefix, verb, arg, near string) string {
	if near == "" {
		return fmt.Sprintf("%q is not an argument of %s, which takes a commit, a priority and the word alone, as in %q.", clip(arg, 60), verb, prefix+" land 1a2b3c4 p=5")
	}
	return fmt.Sprintf("%q is not an argument of %s. The nearest is %q.", clip(arg, 60), verb, prefix+" "+verb+" "+near)
}

func sayNoArguments(prefix, verb, arg string) string {
	return fmt.Sprintf("nothing may follow %s, but %q does. Say %q alone on its line.", verb, clip(arg, 60), prefix+" "+verb)
}

func sayTwice(arg, what string) string {
	return fmt.Sprintf("%q gives %s twice. Give one.", clip(arg, 60), what)
}

func sayNotHex(arg string) string {
	return fmt.Sprintf("%q is not a commit: its id has only the digits 0 to 9 and a to f.", clip(arg, 80))
}

func sayShortSHA(arg string) string {
	return fmt.Sprintf("%q is too short to name a commit: give at least 7 digits of its id.", arg)
}

func sayLongSHA(arg string) string {
	return fmt.Sprintf("%q is too long to be a commit's id, which has 40 or 64 digits.", clip(arg, 80))
}

func sayNoNumber(prefix string) string {
	return fmt.Sprintf("a priority needs a number, as in %q; higher lands first, and 0 is usual.", prefix+" p=5")
}

func sayBadNumber(prefix, value string) string {
	return fmt.Sprintf("%q is not a whole number. A priority is one, as in %q.", clip(value, 60), prefix+" p=5")
}

func sayFarNumber(value string) string {
	return fmt.Sprintf("%s is out of reach: a priority is a number from %d to %d.", clip(value, 60), -MaxPriority, MaxPriority)
}

func sayAfterWhat(prefix string) string {
	return fmt.Sprintf("after needs to be told what comes first: a pull request, as in %q, or a time, as in %q.", prefix+" after #12", prefix+" after 2026-12-01T09:00Z")
}

func sayNoSuchNumber(arg string) string {
	return fmt.Sprintf("%q is not the number of a pull request, as #12 is.", clip(arg, 60))
}

func sayNoMoment(prefix, arg string) string {
	return fmt.Sprintf("%q is neither a pull request nor a time with its zone, as in %q and %q.", clip(arg, 60), prefix+" after #12", prefix+" after 2026-12-01T09:00Z")
}

func sayNoReason(prefix string) string {
	return fmt.Sprintf("a pause needs a reason that others can read, as in %q.", prefix+" pause the database is being moved")
}

func sayLater(word string) string {
	return fmt.Sprintf("%q is not available in this version.", word)
}

func sayTooMany() string {
	return fmt.Sprintf("only the first %d commands of a comment are carried out, and this one comes after them.", maxCommands)
}

func sayTooLong() string {
	return "this comment is too long, or too intricate, to look for commands in it. Give them in a comment of their own."
}

// SayEdited is the Problem of a command that lander first saw after its comment had been edited.
func SayEdited(typed string) string {
	return fmt.Sprintf("%q was not carried out, because its comment was edited before lander read it, and somebody else may have done that. Give it again in a new comment.", clip(typed, 80))
}

// SayStale is the Problem of a command in a review that lander first saw long after the review was given.
func SayStale(typed string) string {
	return fmt.Sprintf("%q was not carried out, because its review is too old to be sure that nobody has edited it since. Give it again in a new comment.", clip(typed, 80))
}

const (
	signWait = "⏳"
	signRun  = "▶️"
	signStop = "✋"
	signDone = "✅"
	signFail = "❌"
)

func headline(sign, bold, rest string) string {
	bold = strings.TrimRight(bold, ". ") + "."
	if rest != "" {
		rest = " " + rest
	}
	return sign + " **" + bold + "**" + rest
}

func sayPlace(position int, ahead []queue.Number) string {
	if position <= 1 {
		return "Next in the queue"
	}
	return capital(ordinal(position)) + " in the queue, behind " + numbers(ahead, 5)
}

func sayPatience() string { return "Nothing to do: its turn comes by itself." }

func sayTesting(candidate, base string, with []queue.Number, since string, run int) string {
	again := ""
	if run > 1 {
		again = ", run " + fmt.Sprint(run)
	}
	return fmt.Sprintf("Being tested%s as %s on top of %s since %s%s", sayTogether(with), candidate, base, since, again)
}

// sayTogether names the other changes that are in what is tested; empty: there are none.
func sayTogether(with []queue.Number) string {
	if len(with) == 0 {
		return ""
	}
	return " together with " + numbers(with, 8)
}

func sayLanding(candidate string) string {
	return fmt.Sprintf("Green: %s is being put onto trunk", candidate)
}

func sayHeldFor(reason string) string { return "Held: " + reason }

func sayWaitsFor(reason string) string { return "Waiting: " + reason }

func sayIdle(reason string) string {
	if reason == "" {
		return "Not in the queue"
	}
	return "Not in the queue: " + reason
}

func sayNotLanded(reason string) string { return "Not landed: " + reason }

func sayWho(who, next string) string {
	if next == "" {
		return ""
	}
	if who == "" || who == "nobody need act" {
		return capital(next) + "."
	}
	return "Waiting for " + who + ": " + next + "."
}

func sayReason(text, since, who, next string) string {
	if since != "" {
		text += " (since " + since + ")"
	}
	return capital(text) + ". " + sayWho(who, next)
}

func sayAsked(head, by, at string, approvers []string, priority int) string {
	s := "Head " + head
	if by != "" {
		s += ", asked to land by " + by
		if at != "" {
			s += " on " + at
		}
	}
	if len(approvers) > 0 {
		s += ", approved by " + list(approvers)
	}
	if priority != 0 {
		s += fmt.Sprintf(", priority %d", priority)
	}
	return s + "."
}

func sayAuthor(author string, approvers []string) string {
	if len(approvers) == 0 {
		return "Written by " + author + "."
	}
	return "Written by " + author + ", approved by " + list(approvers) + "."
}

// sayNext says who must do what after a drop.
func sayNext(who string, code queue.DropCode, retry string) string {
	const again = "A new approval then puts it back into the queue."
	switch code {
	case queue.DropConflict:
		return who + ": rebase it onto trunk, as shown below, and push. " + again
	case queue.DropUnbuildable:
		return who + ": mend that and push. " + again
	case queue.DropEmpty:
		return who + ": close it, or push what is missing."
	case queue.DropInfra:
		return who + ": nothing here says that the change is at fault. " + retry + " puts the same commits back into the queue."
	default:
		return who + ": push a fix. " + again + " If the change is not at fault, " + retry + " tests the same commits once more."
	}
}

func sayConflictIn(files []string, more int) string {
	if len(files) == 0 {
		return "it conflicts with trunk"
	}
	if more > 0 {
		files = append(files, fmt.Sprintf("%d more files", more))
	}
	return "it conflicts with trunk in " + list(files)
}

func sayFiles() string { return "All files in conflict:" }

func sayMend() string {
	return "To mend it, on the branch of this pull request (from a fork, name the remote of this repository instead of origin):"
}

func sayMendSteps(base queue.SHA) []string {
	return []string{
		"git fetch origin",
		"git rebase " + string(base),
		"# mend the files, then for each of them: git add FILE",
		"git rebase --continue",
		"git push --force-with-lease",
	}
}

func sayTested(candidate, base string, with []queue.Number, verdict string) string {
	this := "this change"
	if len(with) > 0 {
		this += sayTogether(with)
	}
	return fmt.Sprintf("Tested: %s, which is %s on top of trunk at %s. %s", candidate, this, base, verdict)
}

// sayFault names what failed. Whatever failed was run again, with the change and without it.
func sayFault(with queue.Number) string {
	if with != 0 {
		return fmt.Sprintf("At fault: this change together with another one. It is red only together with %v, which is ahead.", with)
	}
	return "At fault: this change. What failed fails with it each time, and passes without it."
}

func sayVerdict(v queue.Verdict) string {
	step := "The run"
	if v.Step != "" {
		step = "Step " + code(clip(v.Step, 100))
	}
	if k := v.Check; k != nil {
		name := code(clip(v.Step, 100))
		if k.URL != "" {
			name = link(name, k.URL)
		}
		step = "Check " + name + " of " + code(clip(k.App, 100))
	}
	took := ""
	if v.Took > 0 {
		took = " after " + duration(v.Took)
	}
	switch v.Outcome {
	case queue.Green:
		return "Every step passed."
	case queue.Red:
		if v.Exit != 0 {
			return fmt.Sprintf("%s failed with exit status %d%s.", step, v.Exit, took)
		}
		return step + " failed" + took + "."
	case queue.TimedOut:
		if v.Check != nil {
			return step + " was not there in time."
		}
		return step + " was stopped" + took + ", because it hit a time limit."
	case queue.Cancelled:
		return "The run was cancelled" + took + "."
	default:
		return "Nothing trustworthy came of it: the machine failed, not the change."
	}
}

func sayTests(names []string, partial bool) string {
	if partial {
		return "Failed, perhaps with others: " + strings.Join(names, ", ") + "."
	}
	return "Failed: " + strings.Join(names, ", ") + "."
}

func sayTail(n int) string {
	if n == 1 {
		return "The last line of output:"
	}
	return fmt.Sprintf("The last %d lines of output:", n)
}

func sayVoidedHead() string { return "Left the queue: new commits were pushed after the approval" }

func sayLanded(commit string, commits int) string {
	if commits > 1 {
		return fmt.Sprintf("Landed on trunk as %s, %d commits", commit, commits)
	}
	return "Landed on trunk as " + commit
}

func sayApproved(approvers []string) string { return "Approved by " + list(approvers) + "." }

func sayTestedTip(commit, base string, with []queue.Number, run int, reused bool, steps string) string {
	if reused {
		return fmt.Sprintf("Green: exactly the tree of %s, on top of %s%s. %s.", commit, base, sayTogether(with), capital(steps))
	}
	return fmt.Sprintf("Tested: exactly %s, on top of %s%s, in run %d. %s.", commit, base, sayTogether(with), max(run, 1), capital(steps))
}

// sayReused says that a run was spared.
func sayReused(commit string, candidate int64, run int, at string) string {
	return fmt.Sprintf("Not tested again: the very same tree was green in run %d.%d, as %s, on %s.", candidate, run, commit, at)
}

func sayTook(waited, tested time.Duration) string {
	s := duration(waited) + " from the request to trunk"
	if tested > 0 && tested <= waited {
		s += ", " + duration(tested) + " of it testing"
	}
	return s + "."
}

func sayClosed() string {
	return "This pull request shows as closed and not as merged: the forge did not find its head among trunk's commits. What it changes is on trunk all the same."
}

func sayCommits() string { return "Commits, as they were and as they landed:" }

func sayCommit(from, to, title string) string {
	switch from {
	case "":
		return to + " " + title
	case to:
		return to + " as it was: " + title
	}
	return from + " → " + to + " " + title
}

func sayMore(n int) string { return fmt.Sprintf("and %d more", n) }

func sayLinks(change, log, all string) string {
	var links []string
	if change != "" {
		links = append(links, link("Details", change))
	}
	if log != "" {
		links = append(links, link("Whole output", log))
	}
	if all != "" {
		links = append(links, link("The queue", all))
	}
	return strings.Join(links, " · ")
}

// SayOtherHead, SayOntoHead and SayProtectedHead say why a branch is not rewritten for one pull request.
func SayOtherHead(n int) string { return fmt.Sprintf("#%d comes from it too", n) }

func SayOntoHead(n int) string { return fmt.Sprintf("#%d asks to land on it", n) }

func SayProtectedHead() string { return "it is protected" }
