// Package gate is the only room that acts. Its Keeper holds one lane: it gathers facts (looks at the forge and at trunk, orders,
// verdicts), applies them, saves, carries out what queue plans and feeds each outcome back as a fact, until the plan is empty.
//
// Landing (land.go) is the only deed that cannot be taken back. Its intent is saved first; the push moves trunk and the ledger
// together or not at all; and an intent whose push may have left is resolved by what the git server holds, never by a guess: queue
// says how, this room only carries it out.
//
// Safety does not rest on this loop running without interruption. Before a deed whose effect others can see (a test run, the
// push) the state that says so is saved; a Keeper that loads such a state looks at the world before it repeats the deed. A save
// is a compare-and-swap, so a Keeper that was replaced cannot write.
//
// What a run is told of its candidate (ahead.go) is what a green run would land: it stands on trunk and has the members of all that is
// below it, also when only what failed runs again.
//
// Speed rests on doing nothing twice: heads are fetched when a pull request is first seen, so that an approval finds them in the
// mirror; the tip is what the last fetch or push left, and the push's lease proves it; a look at trunk runs beside the test run,
// not before it.
//
// The interfaces below are all that gate knows of the other rooms. One with a single method is a func field of Keeper.
package gate

import (
	"context"
	"time"

	"lander/internal/queue"
)

// Store keeps a lane's state.
type Store interface {
	// View loads the lane and the policy saved with it.
	View(ctx context.Context, lane queue.Lane) (queue.Queue, queue.Policy, error)
	// Save stores one step or nothing; queue.ErrStale when the lane was saved since Old was loaded.
	Save(ctx context.Context, step queue.Save) (queue.Queue, error)
	// Former returns what was known of a pull request that has left, or nil.
	Former(ctx context.Context, lane queue.Lane, n queue.Number) (*queue.Entry, error)
	// Inbox lists what is to be dealt with, oldest first.
	Inbox(ctx context.Context, lane queue.Lane) ([]queue.Item, error)
}

// Outbox keeps what is still to be told.
type Outbox interface {
	Unsent(ctx context.Context, lane queue.Lane, now time.Time, limit int) ([]queue.Outgoing, error)
	Sent(ctx context.Context, seq int64, remote string) error
	SendFailed(ctx context.Context, seq int64, reason string, notTill time.Time) error
}

// Mirror is the read side of the lane's git repository.
type Mirror interface {
	// Fetch brings trunk, its ledger and the given heads here in one round and returns the two tips. A head that the git server
	// has no more is no error; Has tells. A trunk that is not there is ErrNoTrunk.
	Fetch(ctx context.Context, trunk string, heads []queue.Member) (Tips, error)
	// Tip asks the git server where trunk stands.
	Tip(ctx context.Context, trunk string) (queue.SHA, error)
	// Contains reports whether ancestor is reachable from tip; both are here already.
	Contains(ctx context.Context, tip, ancestor queue.SHA) (bool, error)
	// Show reads a file at a commit; fs.ErrNotExist when there is none.
	Show(ctx context.Context, commit queue.SHA, path string) ([]byte, error)
	// Has reports whether all of the commits are here.
	Has(ctx context.Context, commits ...queue.SHA) bool
}

// Tips are where a lane's two branches stand.
type Tips struct {
	Trunk  queue.SHA
	Ledger queue.SHA // empty: there is none
}

// Ledger is the lane's ledger branch, by the name of its trunk.
type Ledger interface {
	// Seal makes a statement the record that follows parent, and keeps it here.
	Seal(ctx context.Context, parent queue.SHA, s queue.Statement) (queue.Sealed, error)
	// Plant keeps a record here that may have been sealed elsewhere.
	Plant(ctx context.Context, record queue.Sealed) error
	// Records reads what stands above a record, oldest first, of what was fetched. A *queue.LedgerError says that it cannot be trusted.
	Records(ctx context.Context, above, tip queue.SHA) ([]queue.Written, error)
	// Append moves the ledger alone from old (empty: it must not exist) to record. Errors are as those of Keeper.Push.
	Append(ctx context.Context, trunk string, old, record queue.SHA) error
	// Restore puts a ledger that was rewound or deleted back to tip. A *queue.LedgerError says that something else stands there.
	Restore(ctx context.Context, trunk string, tip queue.SHA) error
}

// Builder makes candidates and checks what it made by other means.
type Builder interface {
	Build(ctx context.Context, r queue.BuildRequest) (queue.Built, error)
	Check(ctx context.Context, r queue.BuildRequest, b queue.Built) error
}

// Forge is the lane's repository on the code host.
type Forge interface {
	// Look tells how a pull request stands, and takes back what lander has said twice there.
	Look(ctx context.Context, n queue.Number) (queue.Sight, error)
	// Open lists pull requests onto trunk that changed since then, closed ones too; the zero time lists all open ones.
	Open(ctx context.Context, since time.Time) ([]queue.Glimpse, error)
	// Tell posts or edits and returns the forge's id of it.
	Tell(ctx context.Context, n queue.Notice, remote string) (string, error)
}
