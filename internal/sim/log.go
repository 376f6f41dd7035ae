package sim

import (
	"slices"

	"lander/internal/queue"
)

// Log is what lander did with a trace, so that it can be done again where more is real: change i of the trace is pull request i+1, and
// times are those of a lane that begins at Epoch.
type Log struct {
	Runs    []Run                       // in the order in which they were begun
	Journal []queue.Record              // all that the lane wrote down, in order
	Drops   map[queue.Number]queue.Drop // why those left that did not land
}

// Run is a test run as the simulation made it up.
type Run struct {
	Candidate queue.CandidateID
	Number    int            // of those of the candidate, from 1
	Changes   []queue.Number // all that its commit has, oldest first, also those that landed before
	Verdict   queue.Verdict  // at the end of its time, Took, unless it is cancelled before
}

// Log plays a trace as Play does, and tells what was done.
func (s Lander) Log(t *Trace, seed uint64) Log {
	l := s.lane(t, seed)
	l.log = &Log{Drops: map[queue.Number]queue.Drop{}}
	l.begin()
	l.play(nil)
	return *l.log
}

// began notes a run.
func (g *Log) began(c *queue.Candidate, run int, at *node, v queue.Verdict) {
	if g == nil {
		return
	}
	r := Run{Candidate: c.ID, Number: run, Verdict: v}
	for ; at.parent != nil; at = at.parent {
		r.Changes = append(r.Changes, number(at.change))
	}
	slices.Reverse(r.Changes)
	g.Runs = append(g.Runs, r)
}

// saved notes what a lane is about to forget.
func (g *Log) saved(q queue.Queue) {
	if g == nil {
		return
	}
	g.Journal = append(g.Journal, q.Journal...)
	for _, e := range q.Entries {
		if e.Drop != nil {
			g.Drops[e.Number] = *e.Drop
		}
	}
}
