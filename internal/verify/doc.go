// Package verify proves from git alone which commits of a lane's trunk lander landed. It needs a clone or a mirror, and no network,
// no database and no word of lander's: what it believes, it has worked out itself.
//
// # Why it stands apart
//
// Whoever lands must not be the one who says that it was right. So this room imports no other room. It reads the ledger with its
// own reader, walks history with its own graph, finds merge bases by its own marks, and judges signatures by its own parser.
// Only two questions go to git: which raw bytes two trees differ in, and, where trunk changed the same files, what git's own
// three-way merge gives. Commits are hashed here, so that a name stands for what was read under it.
//
// # What git is allowed to see
//
// The repository itself is asked three things: where its objects are, what its branches are, and what a range means. All else is
// asked of a lens: an empty bare repository in a temporary directory that borrows those objects. In a lens there are no settings,
// hooks, attributes, grafts, replacements, shallow edges or remotes to be misled by, and what git writes while it merges goes
// there, so that a mirror that may only be read can be verified.
//
// # The chain
//
// The ledger is a chain of commits by first parents, from an "adopt" record to its tip, one record each (statement.go says what one
// holds). Every record must follow the one before it, be of the lane, be shaped as the format says, and be signed if an earlier one
// was, or by one of the allowed signers where these are given.
//
// # The moves of trunk
//
// Trunk begins where lander adopted it. Every "land" record takes it from old to new by exactly the commits that it names. Where
// the next record's old is another commit, somebody else moved trunk: past lander if what was landed is still in it (a bypass), or
// back (a rewind). These are named and are no breach: lander did not do them, and says so. But a commit that was committed as
// lander and stands in no record is one.
//
// # The change
//
// What landed must be the members' own changes. The raw difference between where a head left trunk and the head (path, mode and
// blob, before and after) must be the raw difference that landed, byte for byte. That settles nearly all landings with two tree
// comparisons. Where trunk changed the same files, the tree must be the one that git's three-way merge gives without any
// attributes; for a rebase so must the tree of every single commit, which also keeps its author and its message. Commits that were
// left out must change nothing there, or be on trunk already.
//
// # What it cannot know
//
// Who holds an unsigned ledger's branch can write one that is sound in itself: then only the approvals' and verdicts' words are
// not proven. With allowed signers it cannot be. That the suite was green is the ledger's word too. And between two looks at trunk
// by lander a commit may have come and gone unseen.
package verify
