package queue

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Every sentence of this room that a person may read stands in this file. They are the same in comments, on the pages and in the
// terminal, so they hold no Markdown and no HTML.

func sayDraft(e *Entry) Reason {
	return Reason{Code: "draft", Text: "it is a draft", Who: e.Author.Login, Next: "mark it ready for review and it takes its place in the queue", Held: true}
}

func sayUnseen() Reason {
	return Reason{Code: "unseen", Text: "the forge does not show it to lander any more", Who: "whoever deleted it, or the operator, who gives lander the right to see it", Next: "when it is seen again it goes on", Held: true}
}

func sayFork() Reason {
	return Reason{
		Code: "fork", Text: "it comes from another repository, and this lander has no sandbox to test such code in", Who: "the operator (lander doctor says how)",
		Next: "with a sandbox, or with the setting sandbox: none, it goes on; so does the same work on a branch of this repository", Held: true,
	}
}

func sayUnapproved(e *Entry, missing int) Reason {
	text := "it needs an approval of " + e.Head.Short()
	if missing > 1 {
		text = fmt.Sprintf("it needs %d more approvals of %s", missing, e.Head.Short())
	}
	return Reason{Code: "approvals", Text: text, Who: "people who may review, other than the author", Next: "it takes its place in the queue", Held: true}
}

func sayObjections(e *Entry) Reason {
	var logins []string
	for _, p := range e.Objections {
		logins = append(logins, p.Login)
	}
	return Reason{
		Code: "objections", Text: "changes were requested by " + list(logins),
		Who: list(logins), Next: "approving, or dismissing the review, lets it go on", Held: true,
	}
}

func sayLabel(label string) Reason {
	return Reason{Code: "label", Text: fmt.Sprintf("it has the label %q", label), Who: "whoever may label", Next: "removing the label lets it go on", Held: true}
}

func sayHeld() Reason {
	return Reason{Code: "hold", Text: "a reviewer put it on hold", Who: "people who may review", Next: "the command unhold lets it go on", Held: true}
}

// Why is what it tells every change of the lane.
func (s *Stop) Why() Reason { return sayStopped(s) }

func sayStopped(s *Stop) Reason {
	next := "look at trunk, then resume"
	if s.Ledger {
		next = "landing goes on when it is resumed" // what to look at is part of the reason
	}
	return Reason{Code: "stopped", Text: "lander stopped this lane: " + s.Reason, Since: s.At, Who: "an admin", Next: next, Held: true}
}

func sayPaused(p *Pause) Reason {
	text := "landing is paused by " + p.By
	if p.Reason != "" {
		text += ": " + p.Reason
	}
	next := "landing goes on when it is resumed"
	if !p.Until.IsZero() {
		next = "landing goes on at " + p.Until.UTC().Format("2006-01-02 15:04 MST") + ", or when it is resumed"
	}
	return Reason{Code: "paused", Text: text, Since: p.At, Who: "an admin", Next: next}
}

func sayPolicy(problem string) Reason {
	return Reason{Code: "policy", Text: PolicyFile + " on trunk cannot be used: " + problem, Who: "whoever may push to trunk past lander", Next: "landing goes on once the file on trunk is right", Held: true}
}

func sayNoRecipe() Reason {
	return Reason{
		Code: "no recipe", Text: "nothing lands untested, and " + PolicyFile + " on trunk names no suite",
		Who: "an admin", Next: "put a suite into " + PolicyFile + " on trunk; \"lander init\" proposes one", Held: true,
	}
}

func sayTrouble(t *Trouble) Reason {
	if t.Host {
		return Reason{Code: "trouble", Text: t.Reason, Since: t.At, Who: "the operator", Next: "it is tried all the time, and goes on by itself once that is mended"}
	}
	return Reason{Code: "trouble", Text: "landing failed and will be tried again: " + t.Reason, Since: t.At, Who: "the operator", Next: "tried again at " + t.NotTill.UTC().Format("15:04:05 MST")}
}

func sayAside(a *Aside) Reason {
	if a.Machine {
		return Reason{
			Code: "machine", Text: a.Reason, Since: a.At, Who: "the operator, if it does not pass by itself",
			Next: fmt.Sprintf("it is tried again at %s, the machine's try number %d; it stays in the queue, and others may go ahead of it meanwhile", a.NotTill.UTC().Format("15:04:05 MST"), a.Tries+1),
		}
	}
	return Reason{
		Code: "aside", Text: "lander could not go on with it: " + a.Reason, Since: a.At, Who: "the operator, if it does not pass by itself",
		Next: "it is tried again at " + a.NotTill.UTC().Format("15:04:05 MST") + "; others may go ahead of it meanwhile",
	}
}

func sayInFlight(c *Candidate) Reason {
	r := Reason{Since: c.Since, Who: "nobody need act"}
	commit := c.Built.SHA.Short()
	switch c.State {
	case CandidateTesting:
		r.Code, r.Text, r.Next = "testing", fmt.Sprintf("it is being tested as %s on top of %s", commit, c.Base.Short()), sayIfGreen(c)
	case CandidateBuilt:
		r.Code, r.Text, r.Next = "starting", fmt.Sprintf("its test run on %s is about to start", commit), sayIfGreen(c)
		if !c.NotTill.IsZero() {
			r.Text = fmt.Sprintf("the machine failed its test run on %s", commit)
			if c.Verdict != nil && c.Verdict.Unstarted {
				r.Text = fmt.Sprintf("its test run on %s could not begin: %s", commit, c.Verdict.Reason)
			}
			r.Next = "it is run again at " + c.NotTill.UTC().Format("15:04:05 MST")
		}
	case CandidateRed:
		r.Code, r.Text, r.Next = "red", fmt.Sprintf("the tests of %s failed, and whose fault that is is being found out", commit), "who broke them is dropped, and the others go on"
	default:
		r.Code, r.Text, r.Next = "landing", fmt.Sprintf("%s is green", commit), "it is put onto trunk"
	}
	return r
}

func sayBehind(e *Entry, ahead []Number) Reason {
	return Reason{Code: "behind", Text: fmt.Sprintf("it is number %d in the queue, behind %s", len(ahead)+1, numbers(ahead, 5)), Since: e.AskedAt, Who: "nobody need act", Next: "its turn comes by itself"}
}

func sayNext(e *Entry) Reason {
	return Reason{Code: "next", Text: "it is next", Since: e.AskedAt, Who: "nobody need act", Next: "it is rebased onto trunk and tested"}
}

func sayIdle(e *Entry) Reason {
	return Reason{Code: "not asked", Text: "nobody has asked to land " + e.Head.Short(), Since: e.HeadSince, Who: "people who may review", Next: "an approving review, or the command land, puts it into the queue", Held: true}
}

func sayGone() Reason {
	return Reason{
		Code: "gone", Text: "the pull request was closed, or asks to land elsewhere", Who: "the author",
		Next: "once it is back it has to be asked for again", Held: true,
	}
}

func sayDropped(d *Drop) Reason {
	next := "a new head with a new approval, or the command retry, puts it back into the queue"
	if d.Code == DropEmpty {
		next = "nothing is left to land"
	}
	return Reason{Code: "dropped", Text: d.Reason, Since: d.At, Who: "the author", Next: next, Held: true}
}

func sayDropReason(v Verdict) (DropCode, string) {
	switch v.Outcome {
	case TimedOut:
		return DropTimedOut, "its tests hit a limit: " + v.Reason
	case Red:
		if len(v.Failed) > 0 {
			return DropFailed, "its tests failed: " + v.Reason + ": " + names(v.Failed)
		}
		return DropFailed, "its tests failed: " + v.Reason
	default:
		return DropInfra, sayMachine(v)
	}
}

func sayMachine(v Verdict) string {
	return "the machine, not the change, failed its test run again and again: " + v.Reason
}

// SayConflict is the reason of a drop for a conflict with trunk.
func SayConflict(files []string) string {
	return "it does not apply on trunk: conflicts in " + list(files)
}

// SayEmpty is the reason of a drop because nothing is left to land.
func SayEmpty() string { return "trunk has all that it changes already" }

// SayMismatch is the reason of a drop by the second check.
func SayMismatch(paths []string) string {
	return "lander's second check found that rebasing it changed what it does, in " + list(paths) + "; this is a fault of lander, not of the change"
}

// SayUnneeded is why a step need not run: nothing that it depends on is touched.
func SayUnneeded(paths []string) string {
	const most = 4
	words := slices.Clone(paths[:min(len(paths), most)])
	if more := len(paths) - len(words); more > 0 {
		words = append(words, fmt.Sprintf("%d more", more))
	}
	return "not needed: nothing differs from trunk in " + list(words)
}

func sayUnneeded() string {
	return "no step was needed: nothing that any of them depends on differs from trunk"
}

func sayMootTrunk(tip SHA) string { return "trunk moved to " + tip.Short() }

func sayMootGone(n Number) string { return fmt.Sprintf("%v left the queue", n) }

func sayMootHead(n Number) string { return fmt.Sprintf("%v has a new head", n) }

func sayMootCondition(n Number, r Reason) string { return fmt.Sprintf("%v: %s", n, r.Text) }

func sayRewound(from, to SHA) string {
	return fmt.Sprintf("trunk was rewound from %s to %s, which does not contain it", from.Short(), to.Short())
}

func sayTrunkGone(l Lane, stood SHA) string {
	if stood == "" {
		return fmt.Sprintf("the git server has no branch %s", l.Trunk)
	}
	return fmt.Sprintf("the git server has no branch %s any more, which stood at %s; \"git push origin %s:refs/heads/%s\" in a clone puts it back", l.Trunk, stood, stood, l.Trunk)
}

func sayBypass(from, to SHA) string {
	return fmt.Sprintf("trunk was moved past lander from %s to %s", from.Short(), to.Short())
}

func sayLedgerDenied(l Lane, words string) string {
	return fmt.Sprintf("the git server does not take records on %s, and nothing lands without one: %s", l.LedgerBranch(), words)
}

func sayLedgerProblem(l Lane, p *LedgerError) string {
	if p.Missing {
		return fmt.Sprintf("%s was rewound or deleted: %s. Resuming puts lander's records back", l.LedgerBranch(), p.Reason)
	}
	return fmt.Sprintf("%s is not as lander left it: %s. Find out who pushed there, put the branch back, then resume", l.LedgerBranch(), p.Reason)
}

func sayForeignLane(record SHA, lane string) string {
	return fmt.Sprintf("record %s is about %s", record.Short(), lane)
}

func sayBadSeq(record SHA, is, want int64) string {
	return fmt.Sprintf("record %s has number %d where %d is due", record.Short(), is, want)
}

// sayBreach tells of the first finding; a clone tells of all.
func sayBreach(l Lane, findings []string) string {
	more := ""
	if n := len(findings) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	return fmt.Sprintf("an audit of %v found what must not be: %s%s. Run \"lander verify\" in a clone of it to see all; resume when it is understood", l, findings[0], more)
}

// mostSaid bounds the reasons that are told at once, in bytes.
const mostSaid = 2000

// saySecond joins what stopped a lane with what came on top of it.
func saySecond(first, second string) string {
	if len(first)+len(second) > mostSaid {
		return second + " (this came on top of more that the history tells)"
	}
	return first + "; and then: " + second
}

func sayUndone() string { return "it was not pushed, and trunk does not have it" }

func sayDenied(output string) string {
	return "the git server refuses to take it: " + output
}

func sayPushFailed(output string) string {
	return "the push to the git server does not come to an end: " + output
}

func sayLost(runs int) string {
	return fmt.Sprintf("%d test runs of it ended without a verdict, as when lander or its machine goes down with them", runs)
}

func sayLate(a Ask) string {
	return fmt.Sprintf("this %s was given too long ago to be carried out now; say it again if it is still wanted", a.Verb)
}

func sayNothingPaused() string { return "landing is not paused, so there is nothing to resume" }

func sayVoided(was, is SHA, approvers []string) string {
	if len(approvers) == 0 {
		return fmt.Sprintf("new commits were pushed: it was %s that was asked to land, and %s is another head. It left the queue; an approval of the new head puts it back.", was.Short(), is.Short())
	}
	return fmt.Sprintf("new commits were pushed: %s was approved by %s, and %s is not. It left the queue; an approval of the new head puts it back.", was.Short(), list(approvers), is.Short())
}

func sayStaleReview(r Review, head SHA) string {
	return fmt.Sprintf("the approval by %s is for %s, but the head is now %s. lander does not land unreviewed commits: approve the new head.", r.Who.Login, r.Head.Short(), head.Short())
}

func sayNotAllowed(a Ask, need Role) string {
	return fmt.Sprintf("%q needs the right to %s, which %s does not have here", string(a.Verb), need, a.Who.Login)
}

func sayWrongHead(e *Entry, sha string) string {
	return fmt.Sprintf("%s is not the head of this pull request, which is %s. Nothing was queued.", sha, e.Head)
}

func sayUnsureHead(e *Entry) string {
	return fmt.Sprintf("commits were pushed around the time of this command, so it is not certain which head was meant. Say \"land %s\" to mean the head as it is now, or approve it with a review.", e.Head.Short())
}

func sayNotQueued() string { return "it is not in the queue" }

func sayNothingToRetry(e *Entry) string {
	if e.State == Queued {
		return "it is in the queue already"
	}
	return "this head was not dropped from the queue, so there is nothing to retry"
}

func sayTooLate() string {
	return "too late: it passed, and its push to trunk has begun"
}

func sayLandedAlready() string { return "it has landed already" }

func sayPong() string { return "pong" }

func sayHelp() string {
	return "commands, one to a line: land [SHA] [p=N | hotfix] [alone], withdraw, retry, p=N, hold, unhold, after #N, after TIME, why, help, ping; for admins: pause REASON, resume"
}

func sayReasons(rs []Reason) string {
	if len(rs) == 0 {
		return "nothing stands between it and trunk"
	}
	var b strings.Builder
	for _, r := range rs {
		fmt.Fprintf(&b, "%s", r.Text)
		if !r.Since.IsZero() {
			fmt.Fprintf(&b, " (since %s)", r.Since.UTC().Format(time.DateTime+" MST"))
		}
		fmt.Fprintf(&b, ". Who can lift it: %s. Then: %s.\n", r.Who, r.Next)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// sayMessage is the commit message of a squash or merge commit; a rebase keeps the author's own.
func sayMessage(e *Entry, s Style) string {
	var subject string
	switch s {
	case StyleSquash:
		subject = fmt.Sprintf("%s (%v)", e.Title, e.Number)
	case StyleMerge:
		subject = fmt.Sprintf("Merge %v: %s", e.Number, e.Title)
	default:
		return ""
	}
	if body := strings.TrimSpace(strings.ReplaceAll(e.Body, "\r\n", "\n")); body != "" {
		return subject + "\n\n" + body + "\n"
	}
	return subject + "\n"
}

func list(words []string) string {
	switch len(words) {
	case 0:
		return "nobody"
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

func numbers(ns []Number, most int) string {
	var words []string
	for i, n := range ns {
		if i == most {
			words = append(words, fmt.Sprintf("%d more", len(ns)-most))
			break
		}
		words = append(words, n.String())
	}
	return list(words)
}
