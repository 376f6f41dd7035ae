// Package vcs is git as a library over one bare mirror per repository. It is the only room that starts git.
//
// A Repo is one mirror of one remote. See brings trunk, its ledger and the approved heads in and pins them under refs/lander;
// Build makes the candidate; Check proves it by other code; Seal makes the record of a decision, Records reads them back;
// Land moves trunk and ledger; Slots hands out clean work trees to test in. Each verb has a file of its own.
//
// # How a candidate is made
//
// Nothing is ever rebased in a work tree: that would obey the pull request's own .gitattributes (merge=union lets a
// conflict pass) and cost a checkout. To replay commit c onto a tree T, a throw-away commit with T's tree and c's parent
// as its parent is merged with c by git merge-tree: the merge base is then c's parent, which is what a cherry-pick is.
// Commits are handled as raw bytes, so that names and messages in any encoding survive, and written straight into the
// mirror's object store, because starting a git process costs ten times as much. With a fixed committer and date the
// same request gives the same commit id on every machine, so a candidate lost in a crash is simply made again.
//
// The replay must say what the change says as a whole: its tree is compared with that of the ordinary three-way merge of
// the head. They differ when a merge commit inside the pull request carries changes of its own, and when commits that
// undo each other would undo work on trunk that reviewers never saw. Such a change is refused, with the reason.
//
// # The second check
//
// Check shares neither git commands nor merge code with Build. It reads the raw diffs of the member (merge base to head)
// and of the candidate (base to candidate), and asks of every path whether the candidate's transition is explained by
// the member's: the same transition, a change that trunk has already, or a three-way merge of the lines that this package
// works out itself (twice if need be: with its own alignment and with the hunks that git diff prints). Where trunk
// already holds an intermediate state of the change, the single commits are the explanation. What is left over is the
// alarm.
//
// # The ledger
//
// A record is a commit: the empty tree, the record before it as first parent, the statement as JSON in its message. What
// a landing speaks of are further parents, so that whoever has the ledger can check it with nothing else. Seal writes the
// object and returns its text; Plant makes it again from the text, in any mirror.
//
// A push with a lease is a push by force. The lease keeps a ref from being moved from elsewhere; that it moves forward
// only, and that the record says what the push does, Land and Append check themselves. Both refs go in one atomic push
// and are read back in one look: a push that was reported as failed may have been applied, and one that was accepted may
// have been undone. Only what was read back is believed; what the server said decides between a refusal and an unknown
// end. A refusal is told apart by the status that git prints for programs, never by a message's text.
//
// The mirror keeps every ledger tip that it has seen. The ref that follows the branch is fetched without force: where the
// branch went back or aside, that fetch fails, and the tip that was known is pinned on its own before the branch is
// followed. So Records can always say what became of a record that is known, and Restore can put it back.
//
// # What git is allowed to see
//
// Every git process gets an environment built from nothing. No system or user configuration, no attributes outside the
// tree, no hooks, no fsmonitor, no filters, no replace refs; the mirror's HEAD stays unborn, so that a git that reads
// attributes from HEAD in bare repositories finds none. Objects that arrive are checked (transfer.fsckObjects); only
// faults that are common in old honest histories and harmless here are let through, see fsckTolerated. Credentials
// travel through a pipe that the one network process inherits: they are in no argument, no environment, no URL and on no
// disk. A cancelled context kills git and all its children.
package vcs
