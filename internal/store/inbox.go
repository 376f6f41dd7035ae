package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"lander/internal/queue"
	"lander/internal/store/db"
)

// Delivery is one webhook as received.
type Delivery struct {
	ID       string // required: the forge's id of it
	Event    string
	Repo     string
	Body     []byte
	Received time.Time // required
	Items    []InboxItem
	Wake     []queue.Lane // whose keepers are to look again, though it is at nothing in the inbox
}

// InboxItem is what a delivery says about where to look: at one pull request of the lane, or at its trunk.
type InboxItem struct {
	Lane   queue.Lane   // required
	Number queue.Number // required unless Trunk
	Trunk  bool
	Tip    queue.SHA // with Trunk: where the delivery says it stands; empty: it does not
}

// Receive stores a delivery and its items, and then nudges the lanes' keepers. A delivery whose id, or whose very body, was received
// before adds nothing and is not fresh.
func (s *Store) Receive(ctx context.Context, d Delivery) (fresh bool, err error) {
	row := db.ReceiveParams{
		ID: text(d.ID), Event: text(d.Event), Repo: text(d.Repo), Body: list(d.Body), Received: d.Received,
		Lanes: []int64{}, Numbers: []int64{}, Trunks: []bool{}, Tips: []string{},
	}
	if len(d.Body) > 0 {
		digest := sha256.Sum256(d.Body)
		row.Digest = digest[:]
	}
	var lanes []queue.Lane
	for _, it := range d.Items {
		id, err := s.ensure(ctx, it.Lane)
		if err != nil {
			return false, fmt.Errorf("receive delivery %s: %w", d.ID, err)
		}
		row.Lanes = append(row.Lanes, id)
		row.Numbers = append(row.Numbers, int64(it.Number))
		row.Trunks = append(row.Trunks, it.Trunk)
		row.Tips = append(row.Tips, string(it.Tip))
		lanes = append(lanes, it.Lane)
	}
	n, err := db.New(s.pool).Receive(ctx, row)
	if err != nil {
		return false, fmt.Errorf("receive delivery %s: %w", d.ID, err)
	}
	if n == 0 {
		return false, nil
	}
	s.nudge(ctx, append(lanes, d.Wake...)...)
	return true, nil
}

// Post puts an order (ChangeAsked, Paused, Resumed) into a lane's inbox and nudges its keeper. ErrNoLane when nothing was ever
// saved of the lane. The order is carried out when ItemDone says so of the id.
func (s *Store) Post(ctx context.Context, lane queue.Lane, ev queue.Event) (id int64, err error) {
	text, err := writeOrder(ev)
	if err != nil {
		return 0, err
	}
	at, err := s.lane(ctx, lane)
	if err != nil {
		return 0, fmt.Errorf("post order: %w", err)
	}
	if id, err = db.New(s.pool).Post(ctx, at, text); err != nil {
		return 0, fmt.Errorf("post order to %v: %w", lane, err)
	}
	s.nudge(ctx, lane)
	return id, nil
}

// Inbox lists what a lane's keeper has not dealt with, oldest first; a Save with the id in Done ends it. An order that this lander
// does not know, as after going back to an older one, stays for one that does.
func (s *Store) Inbox(ctx context.Context, lane queue.Lane) ([]queue.Item, error) {
	id, err := s.lane(ctx, lane)
	if errors.Is(err, ErrNoLane) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := db.New(s.pool).Inbox(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read inbox of %v: %w", lane, err)
	}
	items := make([]queue.Item, 0, len(rows))
	for _, r := range rows {
		it := queue.Item{ID: r.ID, Number: r.Number, Trunk: r.Trunk, Tip: r.Tip}
		if r.Event != nil {
			if it.Order, err = readOrder(r.Event); err != nil {
				s.log.Error().Err(err).Stringer("lane", lane).Int64("item", r.ID).Msg("inbox item left alone")
				continue
			}
		}
		items = append(items, it)
	}
	return items, nil
}

// ItemDone reports whether an inbox item was dealt with.
func (s *Store) ItemDone(ctx context.Context, id int64) (bool, error) {
	done, err := db.New(s.pool).ItemDone(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, fmt.Errorf("read inbox item %d: there is none", id)
	}
	if err != nil {
		return false, fmt.Errorf("read inbox item %d: %w", id, err)
	}
	return done, nil
}
