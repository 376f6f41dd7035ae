package vcs

import "fmt"

// Every sentence of this room that people read: operators first, then authors of pull requests.

const sayNoGit = "git is not installed or not in PATH: install git 2.38 or newer (for example: apt-get install git)"

func sayOldGit(found string) string {
	return fmt.Sprintf("git %s is too old: lander needs git 2.38 or newer, for merge-tree --write-tree", found)
}

func sayCredentialsInURL(remote string) string {
	return fmt.Sprintf("remote %s holds a user name or a password: give the URL without them and the token by its own setting", remote)
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
