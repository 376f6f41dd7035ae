package vcs

import (
	"fmt"
	"strings"

	"lander/internal/queue"
)

// Every sentence of this room that people read: operators first, then authors of pull requests.

const sayNoGit = "git is not installed or not in PATH: install git 2.38 or newer (for example: apt-get install git)"

func sayOldGit(found string) string {
	return fmt.Sprintf("git %s is too old: lander needs git 2.38 or newer, for merge-tree --write-tree", found)
}

// What a known hole of git means for lander.
const (
	sayHoleAttributes = "a .gitattributes of millions of lines, in any pull request, makes git write outside its memory, and with it run code as lander's user"
	sayHoleClone      = "a crafted repository runs code as whoever clones it with its submodules or from this machine's disk; lander does neither, but a suite may"
	sayHoleSubmodule  = "a crafted repository runs code as whoever fetches its submodules, and a git server can make a clone write anywhere; lander does neither, but a suite may"
)

func sayCredentialsInURL(remote string) string {
	return fmt.Sprintf("remote %s holds a user name or a password: give the URL without them and the token by its own setting", remote)
}

func sayShut(status int) string {
	return fmt.Sprintf("(it takes no push from lander at all, HTTP status %d)", status)
}

const sayLockedKey = "the signing key is protected by a passphrase, which lander cannot ask for: give it a key of its own without one (ssh-keygen -t ed25519 -N '')"

func sayBadKey(kind string) string {
	return fmt.Sprintf("signing key of type %s cannot be used: make another one (ssh-keygen -t ed25519 -N '')", kind)
}

func sayOtherHost(remote, own string) string {
	return fmt.Sprintf("remote %s is on another host than %s, whose credentials it must not see", remote, own)
}

func sayEmptyRemote(remote string) string {
	return fmt.Sprintf("remote %s has no branch yet: push a first commit to it", remote)
}

func sayUnrelated() string {
	return "its branch shares no history with trunk; make it anew from trunk"
}

func sayMergeHoldsChanges(merge string) string {
	return fmt.Sprintf("its merge commit %s carries changes of its own, which a rebase would lose; rebase the branch onto trunk, or merge trunk into it without extra changes", merge)
}

func sayMergeNeeded(merge, commit string) string {
	return fmt.Sprintf("commit %s does not apply without what merge commit %s did; rebase the branch onto trunk", commit, merge)
}

func sayUndoes() string {
	return "its commits, put onto trunk one by one, give another result than the pull request as a whole, " +
		"because some of them undo or repeat what is on trunk; rebase the branch onto trunk"
}

func sayMissing(head string) string {
	return fmt.Sprintf("commit %s is not in the repository any more", head)
}

func defaultMergeTitle(number fmt.Stringer) string {
	return fmt.Sprintf("Merge pull request %v\n", number)
}

// What the second check names where the trouble is not in a path.

func sayWrongHistory(commit string) string { return "(history of " + commit + ")" }

func sayWrongTree(commit string) string { return "(tree of " + commit + ")" }

func sayWrongAuthor(commit string) string { return "(author or message of " + commit + ")" }

func sayNothingOf(number fmt.Stringer) string { return fmt.Sprintf("(nothing of %v)", number) }

// sayRecord is the subject of a record's commit.
func sayRecord(s queue.Statement) string {
	_, trunk, _ := strings.Cut(s.Lane, ":")
	if s.Decision == queue.DecisionAdopt {
		return "adopt " + trunk
	}
	numbers := make([]string, len(s.Entries))
	for i, e := range s.Entries {
		numbers[i] = e.Number.String()
	}
	return fmt.Sprintf("%s %s on %s", s.Decision, strings.Join(numbers, ", "), trunk)
}

// What is wrong with a ledger, as its operator reads it.

func sayLedgerGone(known queue.SHA) string {
	return fmt.Sprintf("the ledger branch is gone, which held record %s", known.Short())
}

func sayLedgerRewound(tip, known queue.SHA) string {
	return fmt.Sprintf("the ledger stands at record %s: the records above it up to %s were taken away", tip.Short(), known.Short())
}

func sayLedgerDiverged(tip, known queue.SHA) string {
	return fmt.Sprintf("the ledger stands at record %s, which does not follow record %s: its history was rewritten", tip.Short(), known.Short())
}

func sayLedgerUnknown(tip, known queue.SHA) string {
	return fmt.Sprintf("the ledger stands at record %s without record %s, which is known to have been there, and no copy of that is left", tip.Short(), known.Short())
}

func sayNoCopy(known queue.SHA) string {
	return fmt.Sprintf("record %s cannot be put back: no copy of it is left", known.Short())
}

func sayForeignRecord(sha queue.SHA, why string) string {
	return fmt.Sprintf("commit %s in the ledger is no record of lander's: %s", sha.Short(), why)
}

// What lander doctor finds out about a git server.

func sayProbeCreate(err error) string {
	if err != nil {
		return fmt.Sprintf("lander cannot make branches under %s: %v", queue.LedgerPrefix, err)
	}
	return "lander can make branches under " + queue.LedgerPrefix
}

func sayProbeDelete(left []string) string {
	if len(left) > 0 {
		return fmt.Sprintf("the server does not let go of branches under %s, which is as it should be for a ledger; delete by hand: %s", queue.LedgerPrefix, strings.Join(left, ", "))
	}
	return "lander can delete branches under " + queue.LedgerPrefix
}

func sayProbeLease(ok bool) string {
	if !ok {
		return "a push that expected the branch elsewhere moved it all the same: nothing is safe on this server"
	}
	return "a push that expects the branch elsewhere is refused"
}

const (
	sayProbeAtomic    = "two branches move together or not at all"
	sayProbeNoAtomic  = "the server does not offer atomic pushes: lander moves the ledger first and trunk after it, and a crash between the two is found and mended, not ruled out"
	sayProbeNotAtomic = "the server offers atomic pushes, but moved one branch of two"
	sayProbeHalf      = "the server offers atomic pushes, but refused one that should pass: "
	sayProbeUnproven  = "the server took a branch below another one, so that it cannot be seen what it does when one of two is refused"
)

func sayProbeForward(ok bool) string {
	if !ok {
		return "a plain push went through that is no fast-forward"
	}
	return "a plain push that is no fast-forward is refused"
}

func sayProbeRewind(ok bool) string {
	if !ok {
		return fmt.Sprintf("the server lets a push by force take commits away under %s: forbid it there, and for trunk", queue.LedgerPrefix)
	}
	return "a push by force cannot take commits away under " + queue.LedgerPrefix
}

func sayNoTip(trunk, tip string) string {
	return "the git server's " + trunk + " does not have " + tip + ", which the commit stands on"
}
