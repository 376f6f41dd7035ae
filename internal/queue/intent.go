package queue

import (
	"slices"
	"time"
)

// Intent is what a landing is about to do, stored before any of it is done: whoever finds it can finish it byte for byte, or make it
// impossible.
type Intent struct {
	Ledger SHA        `json:"ledger"` // the tip that its record stands on
	Seq    int64      `json:"seq"`    // of its record
	Record Sealed     `json:"record"`
	Heads  []HeadMove `json:"heads,omitempty"` // pushes to the members' own branches that come before trunk's
}

// HeadMove moves the head branch of a pull request to the commits that land, before trunk has them: only then does the forge show
// it as merged and not merely as closed.
type HeadMove struct {
	Number Number `json:"number"`
	Repo   string `json:"repo"`   // "owner/name" that has the branch
	Branch string `json:"branch"` // without refs/heads/
	From   SHA    `json:"from"`
	To     SHA    `json:"to"`
}

// Plead puts together what the intent to land a confirmed candidate says, but for its record's seal: the statement, the record that it
// follows, and what is moved beside trunk.
func (q Queue) Plead(c *Candidate, now time.Time, p Policy) (Statement, Intent) {
	return q.landing(c, now), Intent{Ledger: q.Ledger.Tip, Seq: q.Ledger.Seq + 1, Heads: q.headMoves(c, p)}
}

// headMoves are the branches that may be moved to what lands from them.
func (q Queue) headMoves(c *Candidate, p Policy) []HeadMove {
	if !p.ShowMerged || c.style() == StyleMerge {
		return nil // a merge commit holds the head itself
	}
	var moves []HeadMove
	for _, m := range c.Members {
		e := q.Entry(m.Number)
		to := c.last(m.Number)
		if e == nil || !e.Editable || e.HeadRepo == "" || e.Branch == "" || to == "" || to == m.Head {
			continue
		}
		if e.HeadRepo == q.Lane.Repo && (e.Branch == q.Lane.Trunk || e.Branch == q.Lane.LedgerBranch()) {
			continue
		}
		from := m.Head
		if e.Displaced != "" {
			from = e.Displaced
		}
		if from != to {
			moves = append(moves, HeadMove{Number: m.Number, Repo: e.HeadRepo, Branch: e.Branch, From: from, To: to})
		}
	}
	return moves
}

// begun checks at the intent what Plan saw before it, for between the two facts may have come in; and that the intent is one that
// can be resolved.
func (q *Queue) begun(ev LandingBegun) {
	c := q.Candidate(ev.ID)
	if c == nil || c.State != CandidateConfirmed || c.Base != q.Tip || c.Apart != nil && len(c.Apart.Under) > 0 || !fresh(c.Since, ev.At) || q.Stop != nil || q.PausedAt(ev.At) || q.moot(c, ev.At, ev.Policy) != "" ||
		ev.Intent.Ledger == "" || ev.Intent.Ledger != q.Ledger.Tip || ev.Intent.Seq != q.Ledger.Seq+1 || ev.Intent.Record.SHA == "" ||
		slices.ContainsFunc(q.Candidates, func(c *Candidate) bool { return c.State == CandidateLanding }) {
		return
	}
	in := ev.Intent
	q.move(ev.ID, func(c *Candidate) { c.State, c.Since, c.Intent = CandidateLanding, ev.At, &in })
	for _, m := range in.Heads {
		q.edit(m.Number, func(e *Entry) { e.Ours = append(slices.Clone(e.Ours), m.To) })
	}
	q.record(ev.At, 0, ev.ID, "landing begun", recordIntent(q.Lane, c))
}

// displace puts the heads that an intent may have moved on the list of those to be put back.
func (q *Queue) displace(c *Candidate) {
	if c.Intent == nil {
		return
	}
	for _, m := range c.Intent.Heads {
		if e := q.Entry(m.Number); e != nil && !e.Gone && e.Head == headOf(c, m.Number) {
			q.edit(m.Number, func(e *Entry) { e.Displaced = m.To })
		}
	}
}

func headOf(c *Candidate, n Number) SHA {
	for _, m := range c.Members {
		if m.Number == n {
			return m.Head
		}
	}
	return ""
}

// last is the newest of a member's own commits; empty: it has none.
func (c *Candidate) last(n Number) (sha SHA) {
	for _, bc := range c.Built.Commits {
		if bc.Member == n {
			sha = bc.SHA
		}
	}
	return sha
}

func (c *Candidate) style() Style {
	if c.Style == "" {
		return StyleRebase
	}
	return c.Style
}
