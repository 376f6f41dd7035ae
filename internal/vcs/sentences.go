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

func sayCredentialsInURL(remote string) string {
	return fmt.Sprintf("remote %s holds a user name or a password: give the URL without them and the token by its own setting", remote)
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

func sayForeignRecord(sha queue.SHA, why string) string {
	return fmt.Sprintf("commit %s in the ledger is no record of lander's: %s", sha.Short(), why)
}
