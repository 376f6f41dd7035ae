// Package store keeps lander's state in Postgres: rows in, queue types out. No other room speaks SQL.
//
// A lane is saved whole, as one step from one version to the next ([Store.Save]). The step is one pipelined batch without BEGIN or
// COMMIT: Postgres runs everything up to the Sync message as one transaction, so a save costs one round trip, and a connection
// cut anywhere in it leaves all of the step or nothing. Its first statement compares and swaps the version, and fails for whoever
// comes second; because it fails, nothing that was sent along behind it happens.
//
// What the state machine promises is promised again by the schema (see lander/sql), so a mistake in it becomes an error here and
// not a wrong row. Such an error names the constraint.
//
// What Postgres cannot hold is made fit on the way in and not refused, for a pull request with an odd byte in its title must not
// stop a lane: times are UTC in microseconds, text is UTF-8 without NUL, and an empty list is nil. Save gives back exactly what a
// Load would give.
//
// Webhooks and orders become inbox rows. NOTIFY says that there are some; it is sent after the transaction, because Postgres
// serialises the commits that carry one. A lost nudge costs time only: whoever keeps a lane also polls.
//
// Waiting for a lane ([Store.Hold]) and for nudges ([Store.Nudges]) each take a connection of their own, outside the pool, since both
// belong to a session. They do not work through a pooler that shares sessions between clients.
package store
