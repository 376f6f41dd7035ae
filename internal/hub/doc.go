// Package hub is a small GitHub in one process: lander's demo runs on it, and so do its tests.
//
// It is made so that a GitHub client and git cannot tell. It speaks the REST operations that a merge queue uses (under
// /api/v3/ and under /), git's smart HTTP (through git's own http-backend), signed webhooks, and shows pages on which a
// person can play maintainer, contributor and admin. What it is not: a code host. It has no password, and its pages let
// everybody be everybody. It belongs on a loopback address.
//
// # Where the truth is
//
// Git data is in one bare repository per hub repository. Everything else (people, pull requests, reviews, comments,
// hooks, ...) is the state: plain values behind one mutex, written to one JSON file as a whole, soon after each change
// and at Close; with Options.Sync, before anybody sees the change.
//
// Every change comes in by one of three ways (REST, page, Go method), and all three call the same function, which
// checks the actor's rights, changes the state and queues the webhooks under one lock. A refusal is a *Refusal: the
// status code and the words that GitHub would use.
//
// # Pushes
//
// A ref under refs/heads moves only through git receive-pack, also when a Go method or a page moves it, so that
// the repository's hooks see everything. The update hook refuses what protection refuses: of branches by name or by pattern,
// shown over REST as branch protection or as rulesets. The post-receive hook appends one line per moved ref to
// post-receive.log, and that file is how the hub learns of pushes: it keeps the offset up to which it has read, and catches
// up after each push, before each look at the repository, and when it is opened.
// Catching up does what GitHub does after a push: pull request heads follow their branches, a pull request whose
// head became reachable from its base is merged, one whose branch is gone is closed, and events go out.
//
// Order matters, as it does on GitHub: a head that the base receives is merged; a head that comes to stand on what the base
// has already is left with nothing to merge, and closed. GitHub learns of heads a moment after git does. Here they are
// known at the next look, unless a fault makes them late ("register heads late 2s"), and then trunk can overtake them.
//
// # Webhooks
//
// Each hook has one goroutine that sends its deliveries in order, each once, with ten seconds of patience. A delivery that
// fails stays failed until somebody asks for it again.
//
// # Faults
//
// A fault is behaviour that a test or a person asks for ("500 twice", "lose the next webhook"); see ParseFault.
package hub
