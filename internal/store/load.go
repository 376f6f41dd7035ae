package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"lander/internal/queue"
	"lander/internal/store/db"
)

// Load reads a lane's state: entries that are not gone, candidates that have not ended, open cases. A lane that nobody has seen yet gets its row.
func (s *Store) Load(ctx context.Context, lane queue.Lane) (queue.Queue, error) {
	if _, err := s.ensure(ctx, lane); err != nil {
		return queue.Queue{}, err
	}
	q, _, err := s.View(ctx, lane)
	return q, err
}

// View reads a lane's state and the policy saved with it, and writes nothing. A lane that nobody has seen yet is the zero Queue of
// that lane and the zero Policy.
func (s *Store) View(ctx context.Context, lane queue.Lane) (queue.Queue, queue.Policy, error) {
	q, p := queue.Queue{Lane: lane}, queue.Policy{}
	// One snapshot for all the tables.
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, snapshot, func(tx pgx.Tx) error {
		rows := db.New(tx)
		l, err := rows.Lane(ctx, lane.Repo, lane.Trunk)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		q.Version, q.Tip, q.Pause, q.Stop, q.Trouble, q.Next = l.Version, l.Tip, l.Pause, l.Stop, l.Trouble, l.NextCandidate
		q.Sound, q.Estimates, q.Proofs, q.Red = l.Sound, l.Estimates, l.Proofs, l.Red
		q.Ledger = queue.Ledger{Tip: l.LedgerTip, Seq: l.LedgerSeq, Single: l.LedgerSingle, Mend: l.LedgerMend}
		if l.Policy != nil {
			var text policyText
			if err := json.Unmarshal(l.Policy, &text); err != nil {
				return fmt.Errorf("policy: %w", err)
			}
			p = queue.Policy(text)
		}
		if q.Entries, err = entries(ctx, rows, l.ID); err != nil {
			return fmt.Errorf("entries: %w", err)
		}
		if q.Candidates, err = candidates(ctx, rows, l.ID); err != nil {
			return fmt.Errorf("candidates: %w", err)
		}
		if q.Cases, err = rows.Cases(ctx, l.ID); err != nil {
			return fmt.Errorf("cases: %w", err)
		}
		return nil
	})
	if err != nil {
		return queue.Queue{}, queue.Policy{}, fmt.Errorf("load lane %v: %w", lane, err)
	}
	return fit(q), fit(p), nil
}

// Former returns what was last known of a pull request, whether it is still open or gone; nil: it was never seen. Of one that only
// the ledger tells of it has the number and what landed.
func (s *Store) Former(ctx context.Context, lane queue.Lane, n queue.Number) (*queue.Entry, error) {
	id, err := s.lane(ctx, lane)
	if errors.Is(err, ErrNoLane) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows := db.New(s.pool)
	landings, err := rows.PastOf(ctx, id, n)
	if err != nil {
		return nil, fmt.Errorf("load landings of %v of %v: %w", n, lane, err)
	}
	row, err := rows.Entry(ctx, id, n)
	if errors.Is(err, pgx.ErrNoRows) {
		if len(landings) == 0 {
			return nil, nil
		}
		row, err = db.EntryRow{Number: n, State: queue.Idle}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load entry %v of %v: %w", n, lane, err)
	}
	approvals, err := rows.ApprovalsOf(ctx, id, n)
	if err != nil {
		return nil, fmt.Errorf("load approvals of %v of %v: %w", n, lane, err)
	}
	e := entryOf(db.EntriesRow(row))
	for _, a := range approvals {
		e.Approvals = append(e.Approvals, approvalOf(db.ApprovalsRow(a)))
	}
	for _, l := range landings {
		e.Past = append(e.Past, pastOf(db.PastRow(l)))
	}
	return fit(e), nil
}

func entries(ctx context.Context, rows *db.Queries, lane int64) ([]*queue.Entry, error) {
	all, err := rows.Entries(ctx, lane)
	if err != nil {
		return nil, err
	}
	approvals, err := rows.Approvals(ctx, lane)
	if err != nil {
		return nil, err
	}
	past, err := rows.Past(ctx, lane)
	if err != nil {
		return nil, err
	}
	es := make([]*queue.Entry, len(all))
	for i, r := range all {
		es[i] = entryOf(r)
		for len(approvals) > 0 && approvals[0].Number == r.Number { // all are sorted by number
			es[i].Approvals = append(es[i].Approvals, approvalOf(approvals[0]))
			approvals = approvals[1:]
		}
		for len(past) > 0 && past[0].Number == r.Number {
			es[i].Past = append(es[i].Past, pastOf(past[0]))
			past = past[1:]
		}
	}
	return es, nil
}

func candidates(ctx context.Context, rows *db.Queries, lane int64) ([]*queue.Candidate, error) {
	all, err := rows.Candidates(ctx, lane)
	if err != nil {
		return nil, err
	}
	members, err := rows.Members(ctx, lane)
	if err != nil {
		return nil, err
	}
	cs := make([]*queue.Candidate, len(all))
	for i, r := range all {
		cs[i] = candidateOf(r)
		for len(members) > 0 && members[0].Candidate == r.ID { // both are sorted by candidate
			cs[i].Members = append(cs[i].Members, queue.Member{Number: members[0].Number, Head: members[0].Head, Message: members[0].Message})
			members = members[1:]
		}
	}
	return cs, nil
}
