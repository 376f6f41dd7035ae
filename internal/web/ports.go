package web

import (
	"context"
	"time"

	"lander/internal/queue"
	"lander/internal/store"
)

// Inbox is where webhooks and orders go in, or do not.
type Inbox interface {
	// Receive stores a webhook and what it asks the lanes to look at. fresh is false when the same one was stored before.
	Receive(ctx context.Context, d store.Delivery) (fresh bool, err error)
	// Post stores an order for a lane's keeper and gives the id to ask ItemDone for; store.ErrNoLane: the lane was never kept.
	Post(ctx context.Context, l queue.Lane, e queue.Event) (id int64, err error)
	// ItemDone reports whether the lane's keeper has dealt with an item, and saved the outcome.
	ItemDone(ctx context.Context, id int64) (bool, error)
	// Missed counts what, since a time, a webhook should have told a lane and a poll had to find.
	Missed(ctx context.Context, l queue.Lane, since time.Time) (int, error)
}

// Views is what is shown.
type Views interface {
	// View is a lane as it was last saved, with the policy it is kept by.
	View(ctx context.Context, l queue.Lane) (queue.Queue, queue.Policy, error)
	// Former is the last that was known of a change, also of one that has left; nil: it was never seen.
	Former(ctx context.Context, l queue.Lane, n queue.Number) (*queue.Entry, error)
	// Journal lists the newest records of a change, or of the whole lane for number 0, the newest first.
	Journal(ctx context.Context, l queue.Lane, n queue.Number, limit int) ([]queue.Record, error)
	// Landings lists what landed, the newest first.
	Landings(ctx context.Context, l queue.Lane, limit int) ([]store.Landed, error)
	// Runs lists the runs of candidates that have member in them, the newest first; candidate is 0 for any.
	Runs(ctx context.Context, l queue.Lane, candidate queue.CandidateID, member queue.Number, limit int) ([]store.Run, error)
}
