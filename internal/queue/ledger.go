package queue

import "time"

// LedgerPrefix is what the name of a lane's ledger branch begins with; the rest is the name of its trunk. Each lane has a ledger of
// its own, so that two lanes of one repository never refuse each other's pushes.
const LedgerPrefix = "lander-ledger/"

// LedgerBranch is the branch that holds the lane's ledger.
func (l Lane) LedgerBranch() string { return LedgerPrefix + l.Trunk }

// Ledger is how far lander knows a lane's append-only record of decisions. Its tip is a fencing token that the git server itself
// enforces: whoever wants to land, or to give up for ever, has to move it.
type Ledger struct {
	Tip    SHA   `json:"tip,omitempty"`    // its newest record; empty: there is none yet
	Seq    int64 `json:"seq,omitempty"`    // that record's number
	Single bool  `json:"single,omitempty"` // the git server cannot move two branches at once
	Mend   bool  `json:"mend,omitempty"`   // an admin agreed that what is missing on the server is put back
}

// Decision is what a statement of the ledger says.
type Decision string

const (
	DecisionAdopt Decision = "adopt" // the first record: lander begins here
	DecisionLand  Decision = "land"  // trunk moves from Old to New with this very push
	DecisionAbort Decision = "abort" // the record that Aborts names can never be part of the ledger
)

// Statement is one record of the ledger, as everybody can read it. Its JSON is a format that others rely on: fields are added, never
// changed.
type Statement struct {
	Format   int           `json:"format"` // 1
	Seq      int64         `json:"seq"`    // 1, 2, 3 ...
	Lane     string        `json:"lane"`
	Decision Decision      `json:"decision"`
	Attempt  CandidateID   `json:"attempt,omitempty"` // whose landing it is about; a candidate may be tried more than once
	Aborts   SHA           `json:"aborts,omitempty"`
	Entries  []LedgerEntry `json:"entries,omitempty"`
	Old      SHA           `json:"old,omitempty"`
	New      SHA           `json:"new,omitempty"`
	Tree     SHA           `json:"tree,omitempty"`
	Style    Style         `json:"style,omitempty"`
	Recipe   string        `json:"recipe_digest,omitempty"`
	Verdict  string        `json:"verdict_digest,omitempty"`
	Run      int           `json:"run,omitempty"`
	Unneeded []string      `json:"unneeded,omitempty"` // steps of the recipe that did not run, for what they depend on is as it is on trunk
	RunOf    CandidateID   `json:"run_of,omitempty"`   // whose run that was, where the same commit was tested as another candidate
	// Reused names the run that was green, where another commit of the same tree was tested and the verdict taken over from there.
	Reused *LedgerReuse `json:"reused,omitempty"`
	// Tested and Areas are set where the lane has areas and another commit was tested: the same changes without what landed in other
	// areas meanwhile. What is promised is then that these areas were tested, and not this very commit.
	Tested SHA       `json:"tested,omitempty"`
	Areas  []string  `json:"areas,omitempty"`
	Single bool      `json:"single,omitempty"` // written before trunk was moved, not with it
	At     time.Time `json:"at"`
}

// LedgerReuse is a run of another commit of the same tree.
type LedgerReuse struct {
	Attempt CandidateID `json:"attempt"` // whose run it was
	Run     int         `json:"run"`
	Commit  SHA         `json:"commit"`
	At      time.Time   `json:"at"`
}

// LedgerEntry is one change in a statement.
type LedgerEntry struct {
	Number    Number           `json:"number"`
	Head      SHA              `json:"head"`
	Commits   []SHA            `json:"commits,omitempty"` // its own on trunk, oldest first
	Approvals []LedgerApproval `json:"approvals,omitempty"`
}

// LedgerApproval is who agreed to that head.
type LedgerApproval struct {
	ID    int64     `json:"id"`
	Login string    `json:"login"`
	Via   string    `json:"via"`
	At    time.Time `json:"at"`
}

// Sealed is a statement as the git object that it is pushed as. Any machine can make the object again from its text, byte for byte.
type Sealed struct {
	SHA  SHA    `json:"sha"`
	Text string `json:"text"` // of the commit object
}

// Written is a statement that the ledger holds.
type Written struct {
	SHA       SHA
	Statement Statement
}

// LedgerError says that a ledger is not what lander left there, so that nothing may be built on it. Reason is a sentence for the operator.
type LedgerError struct {
	Missing bool // records that lander knows are not there any more, and nothing else is
	Reason  string
}

func (e *LedgerError) Error() string { return "read ledger: " + e.Reason }

// Adoption is the first statement of a lane's ledger.
func (q Queue) Adoption(now time.Time) Statement {
	return Statement{Format: 1, Seq: 1, Lane: q.Lane.String(), Decision: DecisionAdopt, New: q.Tip, At: second(now)}
}

// landing is the statement that moves trunk to the candidate.
func (q Queue) landing(c *Candidate, now time.Time) Statement {
	s := q.about(c, DecisionLand, now)
	s.Old, s.New, s.Tree, s.Style, s.Recipe, s.Run, s.Single = c.Base, c.Built.SHA, c.Built.Tree, c.style(), c.Recipe.Digest(), c.Run, q.Ledger.Single
	s.RunOf = c.Via
	if c.Apart != nil && c.Apart.Tested != "" {
		s.Tested, s.Areas = c.Apart.Tested, c.Apart.Areas
	}
	if c.Verdict != nil {
		s.Verdict, s.Unneeded = c.Verdict.Digest(), c.Verdict.unneeded()
		if r := c.Verdict.Reused; r != nil {
			s.Reused = &LedgerReuse{Attempt: r.Candidate, Run: r.Run, Commit: r.Commit, At: second(r.At)}
		}
	}
	for i, m := range c.Members {
		for _, bc := range c.Built.Commits {
			if bc.Member == m.Number {
				s.Entries[i].Commits = append(s.Entries[i].Commits, bc.SHA)
			}
		}
		if e := q.Entry(m.Number); e != nil {
			for _, a := range e.Approvals {
				s.Entries[i].Approvals = append(s.Entries[i].Approvals, LedgerApproval{ID: a.Who.ID, Login: a.Who.Login, Via: a.Via, At: second(a.At)})
			}
		}
	}
	return s
}

// Abort is the statement that makes an open intent impossible for ever, on top of what was read.
func (q Queue) Abort(c *Candidate, r Reading, now time.Time) Statement {
	s := q.about(c, DecisionAbort, now)
	s.Seq += int64(len(r.Above))
	s.Aborts = c.Intent.Record.SHA
	return s
}

func (q Queue) about(c *Candidate, d Decision, now time.Time) Statement {
	s := Statement{Format: 1, Seq: q.Ledger.Seq + 1, Lane: q.Lane.String(), Decision: d, Attempt: c.ID, At: second(now)}
	for _, m := range c.Members {
		s.Entries = append(s.Entries, LedgerEntry{Number: m.Number, Head: m.Head})
	}
	return s
}

// second is a time as git keeps it.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
