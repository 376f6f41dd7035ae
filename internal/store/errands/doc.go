// Package errands hands test runs to other machines, over the one Postgres that they share.
//
// # Who does what
//
//	Giver (in serve) ──row in errands, job in River──▶ Taker (in a worker) ──▶ the run
//	   ▲                                                   │
//	   └── beats, output in chunks, the verdict ───────────┘
//
// River (riverqueue/river) carries the word that there is something to do: a job of its names an errand and an attempt, and nothing
// else. What decides is the row. A Taker claims it, under the attempt that its job names, and everything that it writes from then on
// (a beat, output, the verdict) says that attempt and hits no row once the errand has moved on. So a job that River delivers twice, late,
// or to somebody who was taken for dead, costs a look and changes nothing; and what River's own retries and rescues would do is not needed.
//
// # Attempts
//
// An errand begins at attempt 1. Whoever takes it away from a worker raises the attempt in the statement that does it: the Giver when the
// worker has been silent, the worker itself when it is told to stop. A schema trigger keeps the rest: attempts only grow, an attempt is
// taken once, and what has ended stays as it is. Which attempt runs is therefore never a question of clocks. Only how soon a silence counts
// is one, and that is measured by whoever waits, on its own clock, in beats that did not come while the database answered.
//
// # Labels
//
// Each set of labels that a run may ask for has a queue of River's. A worker serves the queues of all subsets of its own labels, of which
// it may have four. Queues are apart for each protocol too, so that nobody is handed what he does not understand.
package errands
