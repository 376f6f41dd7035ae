// Package schema holds lander's database schema as SQL: migrations, which only go forward, and the queries that package store
// asks. Constraints and triggers repeat what the state machine promises, so that a mistake in it is refused instead of stored:
//
//   - one landing intent per lane, and only for a candidate with a green verdict on trunk's tip whose members are still wanted and
//     approved; it is begun in a serializable transaction, stands on the ledger's tip, and no two stand on one;
//   - neither trunk nor the ledger moves under an open intent;
//   - trunk stands where its log ends, and each line of the log begins where the one before it ended;
//   - a candidate lands by its intent, with a line of the log and every member's head, or not at all;
//   - a candidate never changes what it is, and never comes back once it has ended;
//   - a verdict and a journal line are written once;
//   - an approval belongs to one head, and is never the author's own or a bot's;
//   - a pull request lands at most once at one head, whichever database knew of it;
//   - a lane's version goes up by exactly one: that is how two writers find out about each other.
package schema

import "embed"

// Migrations holds migrations/*.sql, numbered from 0001. A migration that was released is never edited. From 0002 on each sets
// schema_floor.oldest: which landers may still write when it is done.
//
//go:embed migrations/*.sql
var Migrations embed.FS
