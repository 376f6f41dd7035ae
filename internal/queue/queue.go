package queue

import (
	"cmp"
	"slices"
	"time"
)

// Queue is a lane's whole state. The zero Queue with a Lane is a lane that has seen nothing yet.
type Queue struct {
	Lane       Lane
	Version    int64 // of the saved state this one grew from
	Tip        SHA   // trunk as last seen; empty: never
	Ledger     Ledger
	Pause      *Pause
	Stop       *Stop
	Trouble    *Trouble
	Red        *RedTrunk    // trunk itself fails its tests; nil: it is not known to
	Next       CandidateID  // the newest candidate id given out
	Entries    []*Entry     // sorted by Number
	Candidates []*Candidate // in flight, oldest first; ended ones stay until they are saved
	Cases      []*Case      // open, oldest first
	Estimates  *Estimates   // from the lane's past; nil: it has none
	Proofs     *Proofs      // green runs that others may be spared by; nil: there are none
	Sound      SHA          // the newest commit of trunk that was tested as it is and found green

	Journal []Record // new since the last save
	Outbox  []Notice // new since the last save
	Moves   []Move   // of trunk, new since the last save
	Flakes  []Flake  // new since the last save
}

// Pause is an admin's stop.
type Pause struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until"` // zero: until resumed
}

// Stop is lander's own: something happened to trunk that a person must look at first.
type Stop struct {
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	Ledger bool      `json:"ledger,omitempty"` // the ledger cannot be trusted: nothing is resolved by it until an admin agrees
}

// Trouble is a fault outside lander that holds up landing; tried again by itself.
type Trouble struct {
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
	Tries   int       `json:"tries"`
	Denied  int       `json:"denied,omitempty"` // of those, how often the git server refused a push
	NotTill time.Time `json:"not_till"`
	Dropped Number    `json:"dropped,omitempty"` // the change that was dropped for it; a second one is not
	Host    bool      `json:"host,omitempty"`    // lander cannot go on at all: by itself it holds nothing up, for everything is tried all the time
	Under   *Trouble  `json:"under,omitempty"`   // of landing, that was there before a Host's
}

// Record is one line of the journal: a transition and its reason.
type Record struct {
	At        time.Time   `json:"at"`
	Number    Number      `json:"number,omitempty"`
	Candidate CandidateID `json:"candidate,omitempty"`
	Kind      string      `json:"kind"`
	Text      string      `json:"text"`
}

// Entry returns what is known of a pull request, or nil.
func (q Queue) Entry(n Number) *Entry {
	if i, ok := q.find(n); ok {
		return q.Entries[i]
	}
	return nil
}

// Candidate returns a candidate in flight, or nil.
func (q Queue) Candidate(id CandidateID) *Candidate {
	for _, c := range q.Candidates {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// CandidateOf returns the candidate in flight that has n as a member, or nil.
func (q Queue) CandidateOf(n Number) *Candidate {
	for _, c := range q.Candidates {
		if !c.ended() && c.Of == 0 && c.Has(n) {
			return c
		}
	}
	return nil
}

// Line lists the queued entries in landing order: members of candidates first, then by priority, then by who asked first.
func (q Queue) Line() []*Entry {
	var line []*Entry
	for _, e := range q.Entries {
		if e.waiting() {
			line = append(line, e)
		}
	}
	flight := map[Number]int{}
	for _, c := range append(q.train(), q.Candidates...) { // first those on their way to trunk
		for _, m := range c.Members {
			if _, known := flight[m.Number]; !known && !c.ended() {
				flight[m.Number] = len(flight) - len(q.Entries) - 1
			}
		}
	}
	slices.SortFunc(line, func(a, b *Entry) int {
		if len(flight) > 0 {
			if c := cmp.Compare(flight[a.Number], flight[b.Number]); c != 0 {
				return c
			}
		}
		return precedes(a, b)
	})
	return line
}

// precedes orders what is not in a candidate yet.
func precedes(a, b *Entry) int {
	if c := cmp.Compare(b.Priority, a.Priority); c != 0 {
		return c
	}
	if c := a.turn().Compare(b.turn()); c != 0 {
		return c
	}
	return cmp.Compare(a.Number, b.Number)
}

// PausedAt reports whether an admin's pause is in force.
func (q Queue) PausedAt(now time.Time) bool {
	return q.Pause != nil && (q.Pause.Until.IsZero() || now.Before(q.Pause.Until))
}

// Saved is the state after it was stored as version: what has ended leaves, journal and outbox are empty.
func (q Queue) Saved(version int64) Queue {
	q.Version = version
	q.Journal, q.Outbox, q.Moves, q.Flakes = nil, nil, nil, nil
	if slices.ContainsFunc(q.Entries, func(e *Entry) bool { return e.Gone }) {
		q.Entries = slices.DeleteFunc(slices.Clone(q.Entries), func(e *Entry) bool { return e.Gone })
	}
	if slices.ContainsFunc(q.Candidates, (*Candidate).ended) {
		q.Candidates = slices.DeleteFunc(slices.Clone(q.Candidates), (*Candidate).ended)
	}
	return q
}

func (q Queue) find(n Number) (int, bool) {
	return slices.BinarySearchFunc(q.Entries, n, func(e *Entry, n Number) int { return cmp.Compare(e.Number, n) })
}

// edit replaces the entry by a changed copy.
func (q *Queue) edit(n Number, change func(*Entry)) {
	i, ok := q.find(n)
	if !ok {
		return
	}
	e := q.Entries[i].clone()
	change(e)
	q.Entries = slices.Clone(q.Entries)
	q.Entries[i] = e
}

// put adds an entry that is not there yet.
func (q *Queue) put(e *Entry) {
	i, _ := q.find(e.Number)
	q.Entries = slices.Insert(slices.Clone(q.Entries), i, e)
}

// move replaces the candidate by a changed copy.
func (q *Queue) move(id CandidateID, change func(*Candidate)) {
	for i, c := range q.Candidates {
		if c.ID == id {
			d := c.clone()
			change(d)
			q.Candidates = slices.Clone(q.Candidates)
			q.Candidates[i] = d
			return
		}
	}
}

func (q *Queue) record(at time.Time, n Number, c CandidateID, kind, text string) {
	q.Journal = append(slices.Clip(q.Journal), Record{At: at, Number: n, Candidate: c, Kind: kind, Text: text})
}

func (q *Queue) tell(n Notice) { q.Outbox = append(slices.Clip(q.Outbox), n) }

func (c *Candidate) ended() bool {
	return c.State == CandidateLanded || c.State == CandidateFailed || c.State == CandidateAbandoned || c.State == CandidateJoined
}
