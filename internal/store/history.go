package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"lander/internal/queue"
	"lander/internal/store/db"
)

// Journal lists the newest records of a lane, or of one pull request and its candidates, the newest first. number 0: of all.
func (s *Store) Journal(ctx context.Context, lane queue.Lane, number queue.Number, limit int) ([]queue.Record, error) {
	id, err := s.lane(ctx, lane)
	if errors.Is(err, ErrNoLane) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var records []queue.Record
	add := func(r db.JournalRow) {
		records = append(records, queue.Record{At: moment(r.At), Number: r.Number, Candidate: r.Candidate, Kind: r.Kind, Text: r.Text})
	}
	if number == 0 {
		rows, err := db.New(s.pool).Journal(ctx, id, bound(limit))
		if err != nil {
			return nil, fmt.Errorf("read journal of %v: %w", lane, err)
		}
		for _, r := range rows {
			add(r)
		}
		return records, nil
	}
	rows, err := db.New(s.pool).JournalOf(ctx, id, number, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read journal of %v of %v: %w", number, lane, err)
	}
	for _, r := range rows {
		add(db.JournalRow(r))
	}
	return records, nil
}

// Breaches lists what audits of a lane found, in no order.
func (s *Store) Breaches(ctx context.Context, lane queue.Lane) ([]string, error) {
	id, err := s.lane(ctx, lane)
	if errors.Is(err, ErrNoLane) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	texts, err := db.New(s.pool).JournalTexts(ctx, id, queue.RecordBreach)
	if err != nil {
		return nil, fmt.Errorf("read breaches of %v: %w", lane, err)
	}
	return texts, nil
}

const (
	kindMissed  = "delivery missed" // of a journal line, as queue writes it
	mostCounted = 10_000            // journal lines, more than most lanes write in a day
)

// Missed counts how often since a time a poll found what a webhook should have told, in the newest 10,000 lines of a lane's journal.
func (s *Store) Missed(ctx context.Context, lane queue.Lane, since time.Time) (int, error) {
	id, err := s.lane(ctx, lane)
	if errors.Is(err, ErrNoLane) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := db.New(s.pool).MissedDeliveries(ctx, db.MissedDeliveriesParams{LaneID: id, Kind: kindMissed, Since: &since, Newest: mostCounted})
	if err != nil {
		return 0, fmt.Errorf("count the missed deliveries of %v: %w", lane, err)
	}
	return int(n), nil
}

// Landed is one pull request that lander landed at one head.
type Landed struct {
	Number queue.Number
	Head   queue.SHA
	Title  string    // as it is now; empty when only the ledger tells of it
	Record queue.SHA // of the ledger; empty: it landed before there was one
	queue.Landing
}

// Landings lists what lander landed on a lane, the newest first, with what was read from the ledger (Candidate 0).
func (s *Store) Landings(ctx context.Context, lane queue.Lane, limit int) ([]Landed, error) {
	id, err := s.lane(ctx, lane)
	if errors.Is(err, ErrNoLane) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := db.New(s.pool).Landings(ctx, id, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read landings on %v: %w", lane, err)
	}
	landed := make([]Landed, len(rows))
	for i, r := range rows {
		landed[i] = fit(Landed{
			Number: r.Number, Head: r.Head, Title: r.Title, Record: r.Record,
			Landing: queue.Landing{Candidate: queue.CandidateID(r.LandedBy), Head: r.Head, Tip: r.Tip, Commits: r.Commits, At: moment(r.At)},
		})
	}
	return landed, nil
}

// TrunkLog lists the places where trunk stood and how it came there, the newest first. Of members it says which they are; what they
// put onto trunk is with Landings.
func (s *Store) TrunkLog(ctx context.Context, lane queue.Lane, limit int) ([]queue.Move, error) {
	id, err := s.lane(ctx, lane)
	if errors.Is(err, ErrNoLane) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := db.New(s.pool).TrunkLog(ctx, id, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read trunk log of %v: %w", lane, err)
	}
	moves := make([]queue.Move, len(rows))
	for i, r := range rows {
		moves[i] = fit(moveOf(r))
	}
	return moves, nil
}

// Run is one test run of one candidate, or of a probe.
type Run struct {
	Candidate queue.CandidateID
	Run       int
	Of        queue.CandidateID // whose case this is a trial of; 0: of none
	Trial     queue.Trial       // with Of
	Members   []queue.Number
	Base      queue.SHA // what the candidate stands on
	SHA       queue.SHA // what was tested
	Started   time.Time
	Ended     time.Time      // zero: under way
	Verdict   *queue.Verdict // nil: under way, or lost
}

// Runs lists test runs of a lane, the newest first: of one candidate, of the candidates with one member and the trials of their cases,
// or all where both are 0.
func (s *Store) Runs(ctx context.Context, lane queue.Lane, candidate queue.CandidateID, member queue.Number, limit int) ([]Run, error) {
	id, err := s.lane(ctx, lane)
	if errors.Is(err, ErrNoLane) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := db.New(s.pool).Runs(ctx, db.RunsParams{LaneID: id, Candidate: int64(candidate), Member: int64(member), Newest: bound(limit)})
	if err != nil {
		return nil, fmt.Errorf("read runs of %v: %w", lane, err)
	}
	runs := make([]Run, len(rows))
	for i, r := range rows {
		run := Run{Candidate: r.Candidate, Run: r.Number, Of: r.Of, Base: r.Base, SHA: r.Sha, Started: moment(r.StartedAt), Ended: moment(r.EndedAt), Verdict: r.Verdict}
		for _, n := range r.Members {
			run.Members = append(run.Members, queue.Number(n))
		}
		if r.Trial != nil {
			run.Trial = *r.Trial
		}
		runs[i] = fit(run)
	}
	return runs, nil
}

// Received is a delivery as it is listed.
type Received struct {
	ID, Event, Repo string
	At              time.Time
	Bytes           int64
	Open            int // inbox items of it that are not dealt with yet
}

// Deliveries lists webhooks, the newest first.
func (s *Store) Deliveries(ctx context.Context, limit int) ([]Received, error) {
	rows, err := db.New(s.pool).Deliveries(ctx, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	all := make([]Received, len(rows))
	for i, r := range rows {
		all[i] = Received{ID: r.ID, Event: r.Event, Repo: r.Repo, At: r.Received.UTC(), Bytes: r.Bytes, Open: int(r.Open)}
	}
	return all, nil
}

// bound is a limit as SQL takes it.
func bound(limit int) int32 { return int32(min(max(limit, 0), math.MaxInt32)) }
