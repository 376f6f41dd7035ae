package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"lander/internal/queue"
	"lander/internal/store/db"
)

// Save stores one step in one transaction and returns the state to go on from, exactly as a Load would. queue.ErrStale says that
// the lane was saved since Old was loaded. After ErrStale, and after an error that Postgres answered with, nothing is changed; after
// any other error (a cut connection, an ended context) the step is stored as a whole or not at all, and only a Load tells which.
//
// Entries, candidates and cases are written when their pointers in Old and New differ.
//
// A step that begins a landing is one serializable transaction, at whose end Postgres checks the intent once more against everything
// that is stored. What it refuses comes back as an error that names the check, and nothing is changed.
func (s *Store) Save(ctx context.Context, step queue.Save) (queue.Queue, error) {
	lane := step.New.Lane
	if step.Old.Lane != lane {
		return queue.Queue{}, fmt.Errorf("save lane %v: the step began as lane %v", lane, step.Old.Lane)
	}
	id, err := s.ensure(ctx, lane)
	if err != nil {
		return queue.Queue{}, err
	}
	for try := 1; ; try++ {
		saved, err := s.write(ctx, id, step)
		var pg *pgconn.PgError
		switch {
		case err == nil:
			return saved, nil
		case !errors.As(err, &pg):
		case pg.Code == codeSerialization && try < intentTries:
			// Two intents of different lanes can look to Postgres as if they hung on each other. Nothing was stored, so the very same
			// step is sent again; when somebody did save this lane meanwhile, its version says so then.
			continue
		case pg.Code == codeStale, pg.Code == codeSerialization:
			// Who comes this far without luck loads again and decides anew, which is what ErrStale asks for.
			return queue.Queue{}, fmt.Errorf("save lane %v at version %d: %w", lane, step.Old.Version, queue.ErrStale)
		case pg.Code == codeShutOut:
			return queue.Queue{}, fmt.Errorf("save lane %v: %w", lane, errShutOut(newest()))
		}
		return queue.Queue{}, fmt.Errorf("save lane %v: %w", lane, err)
	}
}

// write sends a step once.
func (s *Store) write(ctx context.Context, lane int64, step queue.Save) (queue.Queue, error) {
	w := &writer{lane: lane, old: step.Old, new: step.New, landed: map[queue.CandidateID]*queue.Candidate{}}
	w.rows = db.New(&w.pipe)
	w.serializable = intends(step)
	if err := w.step(ctx, step.Policy, step.Done); err != nil {
		return queue.Queue{}, err
	}
	if err := w.send(ctx, s.pool); err != nil {
		return queue.Queue{}, err
	}
	saved := w.new.Saved(step.Old.Version + 1)
	saved.Entries, saved.Candidates, saved.Cases = none(saved.Entries), none(saved.Candidates), none(saved.Cases)
	return saved, nil
}

// intentTries is how often a step that begins a landing is sent.
const intentTries = 4

// writer queues the statements of one step. Nothing is sent before send, so the errors of its methods are about the step itself.
type writer struct {
	pipe
	rows *db.Queries
	lane int64
	old  queue.Queue
	new  queue.Queue // made fit as it is written

	landed map[queue.CandidateID]*queue.Candidate // with this step
}

func (w *writer) step(ctx context.Context, policy *queue.Policy, done []int64) error {
	if err := w.top(ctx, policy); err != nil {
		return err
	}
	if err := w.entries(ctx); err != nil {
		return err
	}
	if err := w.candidates(ctx); err != nil {
		return err
	}
	if err := w.cases(ctx); err != nil {
		return err
	}
	if err := w.moves(ctx); err != nil {
		return err
	}
	w.new.Journal = fit(w.new.Journal)
	for _, r := range w.new.Journal {
		w.at("journal")
		if err := w.rows.SaveRecord(ctx, db.SaveRecordParams{
			LaneID: w.lane, At: stamp(r.At), Number: r.Number, Candidate: r.Candidate, Kind: r.Kind, Text: r.Text,
		}); err != nil {
			return err
		}
	}
	if err := w.flakes(ctx); err != nil {
		return err
	}
	if err := w.outbox(ctx); err != nil {
		return err
	}
	if len(done) == 0 {
		return nil
	}
	w.at("inbox")
	return w.rows.FinishItems(ctx, w.lane, done)
}

// top writes the lane's own row. It comes first: it is the compare-and-swap.
func (w *writer) top(ctx context.Context, policy *queue.Policy) error {
	w.new.Pause, w.new.Stop, w.new.Trouble, w.new.Red = fit(w.new.Pause), fit(w.new.Stop), fit(w.new.Trouble), fit(w.new.Red)
	row := db.SaveLaneParams{
		LaneID: w.lane, Version: w.old.Version + 1, Tip: w.new.Tip, Pause: w.new.Pause, Stop: w.new.Stop, Trouble: w.new.Trouble, Red: w.new.Red,
		NextCandidate: w.new.Next, LedgerTip: w.new.Ledger.Tip, LedgerSeq: w.new.Ledger.Seq, LedgerSingle: w.new.Ledger.Single, LedgerMend: w.new.Ledger.Mend,
		Sound: w.new.Sound,
	}
	if w.new.Estimates != w.old.Estimates { // they are large, and never forgotten
		w.new.Estimates = fit(w.new.Estimates)
		row.Estimates = w.new.Estimates
	}
	if w.new.Proofs != w.old.Proofs {
		w.new.Proofs = fit(w.new.Proofs)
		row.Proofs = w.new.Proofs
	}
	if policy != nil {
		var err error
		if row.Policy, err = json.Marshal(policyText(fit(*policy))); err != nil {
			return fmt.Errorf("policy: %w", err)
		}
	}
	w.at("lane")
	return w.rows.SaveLane(ctx, row)
}

func (w *writer) entries(ctx context.Context) error {
	known := map[queue.Number]*queue.Entry{}
	for _, e := range w.old.Entries {
		known[e.Number] = e
	}
	w.new.Entries = slices.Clone(w.new.Entries)
	for i, e := range w.new.Entries {
		old := known[e.Number]
		if old == e {
			continue
		}
		e = fit(e)
		w.new.Entries[i] = e
		w.at("entry %v", e.Number)
		// One that comes back after it was gone is not in old, and may have left approvals behind.
		same := old != nil && old.Head == e.Head && old.Author.ID == e.Author.ID && reflect.DeepEqual(fit(old.Approvals), e.Approvals)
		if !same && (old == nil || len(old.Approvals) > 0) {
			if err := w.rows.ClearApprovals(ctx, w.lane, e.Number); err != nil {
				return err
			}
		}
		if err := w.rows.SaveEntry(ctx, entryRow(w.lane, e)); err != nil {
			return err
		}
		if same {
			continue
		}
		for j := range e.Approvals {
			if err := w.rows.SaveApproval(ctx, approvalRow(w.lane, e, j)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) candidates(ctx context.Context) error {
	known := map[queue.CandidateID]*queue.Candidate{}
	for _, c := range w.old.Candidates {
		known[c.ID] = c
	}
	w.new.Candidates = slices.Clone(w.new.Candidates)
	var changed []*queue.Candidate
	for i, c := range w.new.Candidates {
		if known[c.ID] != c {
			if in := c.Intent; in != nil && text(in.Record.Text) != in.Record.Text {
				return fmt.Errorf("candidate %d: its ledger record cannot be stored byte for byte", c.ID)
			}
			c = fit(c)
			w.new.Candidates[i] = c
			changed = append(changed, c)
		}
	}
	// An intent takes its place in a unique index only after the one before it has left.
	slices.SortStableFunc(changed, func(a, b *queue.Candidate) int { return intents(a) - intents(b) })
	for _, c := range changed {
		w.at("candidate %d", c.ID)
		if err := w.candidate(ctx, known[c.ID], c); err != nil {
			return fmt.Errorf("candidate %d: %w", c.ID, err)
		}
	}
	return nil
}

// candidate writes one candidate that was old before; nil: it is new.
func (w *writer) candidate(ctx context.Context, old, c *queue.Candidate) error {
	if c.Verdict != nil && c.Run == 0 {
		return errors.New("it has a verdict and no run")
	}
	if old == nil {
		old = &queue.Candidate{}
		if err := w.add(ctx, c); err != nil {
			return err
		}
	} else {
		// What it is stays as it was written, also when this lander would write it in another way than the one before did.
		if !reflect.DeepEqual(built(fit(old)), built(c)) {
			return errors.New("it is not what was built")
		}
		if !begins(old, c) && !reflect.DeepEqual(fit(old.Intent), c.Intent) {
			return errors.New("its intent is not what was begun")
		}
		if err := w.rows.MoveCandidate(ctx, candidateMove(w.lane, old, c)); err != nil {
			return err
		}
	}
	testing := func(c *queue.Candidate) bool { return c.State == queue.CandidateTesting }
	// One with Via has the verdict of a run that is another candidate's, and that is written there.
	if c.Via == 0 && c.Run > 0 && (old.Run != c.Run || testing(old) != testing(c) || !reflect.DeepEqual(fit(old.Verdict), c.Verdict)) {
		if err := w.rows.SaveRun(ctx, runRow(w.lane, c)); err != nil {
			return err
		}
	}
	if c.Via == 0 && c.Run > 1 && old.Run != c.Run {
		if err := w.rows.EndRuns(ctx, db.EndRunsParams{LaneID: w.lane, Candidate: c.ID, Number: c.Run, EndedAt: stamp(c.Since)}); err != nil {
			return err
		}
	}
	if c.State == queue.CandidateLanded && old.State != queue.CandidateLanded {
		if c.Intent == nil {
			return errors.New("it has landed without an intent")
		}
		w.landed[c.ID] = c
	}
	return nil
}

// moves writes the trunk log, and which heads have come to trunk with it. It comes after the candidates: a landing's line names one
// that has landed.
func (w *writer) moves(ctx context.Context) error {
	w.new.Moves = fit(w.new.Moves)
	for _, m := range w.new.Moves {
		w.at("trunk to %s", m.New.Short())
		if err := w.rows.SaveMove(ctx, moveRow(w.lane, m)); err != nil {
			return err
		}
		if m.Kind != queue.MoveLand {
			continue
		}
		if c := w.landed[m.Candidate]; c != nil {
			for _, member := range c.Members {
				if err := w.rows.SaveLanding(ctx, landingRow(w.lane, c, member)); err != nil {
					return err
				}
			}
			continue
		}
		for _, member := range m.Members {
			if err := w.rows.RecallLanding(ctx, recallRow(w.lane, m, member)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) add(ctx context.Context, c *queue.Candidate) error {
	if err := w.rows.AddCandidate(ctx, candidateRow(w.lane, c)); err != nil {
		return err
	}
	for i, m := range c.Members {
		if err := w.rows.SaveMember(ctx, db.SaveMemberParams{
			LaneID: w.lane, Candidate: c.ID, Position: int64(i + 1), Number: m.Number, Head: m.Head, Message: m.Message,
		}); err != nil {
			return err
		}
	}
	return nil
}

// outbox adds what is to be told. Of a living notice only the newest counts, here and among what is not sent yet.
func (w *writer) outbox(ctx context.Context) error {
	w.new.Outbox = fit(w.new.Outbox)
	newest := map[string]int{}
	for i, n := range w.new.Outbox {
		newest[n.Key] = i
	}
	var keys []string
	for i, n := range w.new.Outbox {
		if n.Kind == queue.NoticeLiving && newest[n.Key] == i {
			keys = append(keys, n.Key)
		}
	}
	if len(keys) > 0 {
		w.at("living notices")
		if err := w.rows.SupersedeNotices(ctx, w.lane, keys); err != nil {
			return err
		}
	}
	for i, n := range w.new.Outbox {
		living := n.Kind == queue.NoticeLiving
		if living && newest[n.Key] != i {
			continue
		}
		w.at("notice %s", n.Key)
		if err := w.rows.SaveNotice(ctx, db.SaveNoticeParams{LaneID: w.lane, Key: n.Key, Living: living, Notice: n}); err != nil {
			return err
		}
	}
	return nil
}

// built is what a candidate is, without how far it has come.
func built(c *queue.Candidate) queue.Candidate {
	return queue.Candidate{
		ID: c.ID, Base: c.Base, Below: c.Below, Of: c.Of, Trial: c.Trial, Via: c.Via, Members: c.Members, Style: c.Style, At: c.At, Built: c.Built, Recipe: c.Recipe, Apart: c.Apart,
	}
}

// begins reports whether c takes up an intent that old, which may be nil, did not have.
func begins(old, c *queue.Candidate) bool {
	return c.State == queue.CandidateLanding && (old == nil || old.State != queue.CandidateLanding || !reflect.DeepEqual(fit(old.Intent), fit(c.Intent)))
}

// intends reports whether a step begins a landing.
func intends(step queue.Save) bool {
	return slices.ContainsFunc(step.New.Candidates, func(c *queue.Candidate) bool { return begins(step.Old.Candidate(c.ID), c) })
}

func intents(c *queue.Candidate) int {
	if c.State == queue.CandidateLanding {
		return 1
	}
	return 0
}
