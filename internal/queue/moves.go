package queue

import "time"

// MoveKind says who moved trunk, and how.
type MoveKind string

const (
	MoveAdopt  MoveKind = "adopt"  // where lander found trunk
	MoveLand   MoveKind = "land"   // lander's own
	MoveBypass MoveKind = "bypass" // somebody pushed past lander
	MoveRewind MoveKind = "rewind" // somebody took commits off trunk
)

// Move is one line of the trunk log: every place where trunk stood, and how it came there.
type Move struct {
	Kind      MoveKind
	Old, New  SHA // Old is empty for the first
	At        time.Time
	Candidate CandidateID   // land: 0 when it was read from the ledger and the database did not know it
	Record    SHA           // land, adopt: the ledger's; empty when none
	Seq       int64         // of that record
	Members   []Member      // land
	Commits   []BuiltCommit // land that was recalled: the members' own; else their candidate tells them
	Recalled  bool          // read from the ledger, not done now
}

// moved writes into the trunk log and lets everything that was set aside for a conflict with what lay below be tried again. Where
// somebody else moved trunk, what was red on the one that is no more says nothing of the one that is: nobody is blamed for it.
func (q *Queue) moved(m Move) {
	m.Old = q.Tip
	q.Moves = append(q.Moves[:len(q.Moves):len(q.Moves)], m)
	q.Tip, q.Red = m.New, nil
	if m.Kind == MoveBypass || m.Kind == MoveRewind {
		q.Cases = nil
	}
	for _, e := range q.Entries {
		if e.HeldBy != 0 && q.CandidateOf(e.HeldBy) == nil {
			q.edit(e.Number, func(e *Entry) { e.HeldBy = 0 })
		}
		if e.Aside != nil && e.Aside.Trunk {
			q.edit(e.Number, func(e *Entry) { e.Aside = nil })
		}
	}
}
