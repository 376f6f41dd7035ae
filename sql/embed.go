// Package schema holds lander's database schema as SQL: migrations, which only go forward, and the queries that package store
// asks. Constraints and triggers repeat what the state machine promises, so that a mistake in it is refused instead of stored:
//
//   - one landing intent per lane, and only for a candidate with a green verdict on trunk's tip whose members are still wanted;
//   - a candidate never changes what it is, and never comes back once it has ended;
//   - a verdict and a journal line are written once;
//   - an approval belongs to one head, and is never the author's own or a bot's;
//   - a pull request lands at most once at one head;
//   - a lane's version goes up by exactly one: that is how two writers find out about each other.
package schema

import "embed"

// Migrations holds migrations/*.sql, numbered from 0001. A migration that was released is never edited.
//
//go:embed migrations/*.sql
var Migrations embed.FS
