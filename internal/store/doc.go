// Package store keeps lander's state in Postgres: rows in, queue types out. No other room speaks SQL.
//
// A lane is saved whole, as one step from one version to the next ([Store.Save]). The step is one pipelined batch without BEGIN or
// COMMIT: Postgres runs everything up to the Sync message as one transaction, so a save costs one round trip, and a connection
// cut anywhere in it leaves all of the step or nothing. Its first statement compares and swaps the version, and fails for whoever
// comes second; because it fails, nothing that was sent along behind it happens.
//
// A step that begins a landing is begun and committed by word within that same batch, as one serializable transaction, and Postgres
// checks the intent once more at its end: the ledger's place, trunk's tip, pause and stop, the policy, every member's head, approvals
// and whatever holds it back, that none of these heads has landed before, and the proof: a green run of this very commit by the recipe
// that trunk has now, in which every step of it passed. A step that the run left out must stand in an earlier run of the same candidate;
// a candidate that has the run of another one must be the same commit. Such a step is sent again when Postgres cannot put it in
// order with another lane's; when the lane itself was saved meanwhile it is stale like any other.
//
// What the state machine promises is promised again by the schema (see lander/sql), so a mistake in it becomes an error here and
// not a wrong row. Such an error names the constraint.
//
// What Postgres cannot hold is made fit on the way in and not refused, for a pull request with an odd byte in its title must not
// stop a lane: times are UTC in microseconds, text is UTF-8 without NUL, and an empty list is nil, but for what a step needs. Save gives back exactly what a
// Load would give.
//
// Webhooks and orders become inbox rows. NOTIFY says that there are some; it is sent after the transaction, because Postgres
// serialises the commits that carry one. A lost nudge costs time only: whoever keeps a lane also polls.
//
// Landers of two neighbouring versions run side by side while replicas are replaced. Every migration says in schema_floor which is the
// oldest schema whose landers may still write; every connection says in the setting lander.schema which one it was made for, and the
// trigger that compares and swaps compares these too. So a lander that runs already when a newer one shuts it out is stopped at its
// next save, and lets its lanes go.
//
// A holder beats. Postgres ends its session when it hears nothing for four beats, whatever swallowed them, and the holder takes two
// for the end, so that it knows before another one holds.
//
// Waiting for a lane ([Store.Hold]) and for nudges ([Store.Nudges]) each take a connection of their own, outside the pool, since both
// belong to a session. They do not work through a pooler that shares sessions between clients.
package store
