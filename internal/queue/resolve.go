package queue

import "time"

// Reading is what the git server held when it was read after an intent: the ledger first, then trunk.
type Reading struct {
	Ledger   SHA          // its tip; empty: there is none
	Above    []Written    // what it holds above the intent's tip, oldest first
	Problem  *LedgerError // nil: it can be trusted
	Trunk    SHA
	Contains bool // trunk holds the candidate
	Tries    int  // readings before this one that could not be told from a push half seen
}

// Resolution is what is to be done about an intent whose push may have left.
type Resolution string

const (
	ResolveNothing Resolution = ""        // it is no open intent any more
	ResolveLanded  Resolution = "landed"  // the ledger says so
	ResolveAborted Resolution = "aborted" // it can never land
	ResolvePush    Resolution = "push"    // push again, byte for byte the same
	ResolveBurn    Resolution = "burn"    // make it impossible, and read again
	ResolveRead    Resolution = "read"    // read again: one branch may have been seen before the other
	ResolveStop    Resolution = "stop"    // a person must look first
)

// halfSeen is how often an atomic push that shows on one branch only is taken for one that is under way.
const halfSeen = 5

// Resolve decides what becomes of an intent, after a restart, a take-over, an error of the push, a reply that was lost. It never
// gives up on what was read alone: giving up is a push of its own, which the git server lets win or lose.
func (q Queue) Resolve(id CandidateID, r Reading, now time.Time, p Policy) Resolution {
	c := q.Candidate(id)
	if c == nil || c.State != CandidateLanding {
		return ResolveNothing
	}
	if r.Problem != nil || q.follows(r.Above) != nil {
		return ResolveStop
	}
	written, aborted := false, false
	for _, w := range r.Above {
		switch {
		case w.SHA == c.Intent.Record.SHA:
			written = true
		case w.Statement.Decision == DecisionAbort && w.Statement.Aborts == c.Intent.Record.SHA:
			aborted = true
		}
	}
	switch {
	case aborted:
		return ResolveAborted
	case written && r.Contains:
		return ResolveLanded
	case written && q.Ledger.Single:
		// Trunk was to follow. Where it still can, it does; where not, the record is taken back by another one.
		if r.Trunk == c.Base {
			return ResolvePush
		}
		return ResolveBurn
	case written && r.Tries < halfSeen:
		return ResolveRead
	case written:
		return ResolveLanded // and then somebody took it off trunk, which stops the lane
	case len(r.Above) > 0:
		return ResolveAborted // another record stands where its own would have to
	case r.Contains && r.Tries < halfSeen:
		return ResolveRead
	case r.Trunk == c.Base && q.moot(c, now, p) == "" && q.moving(now, p) && fresh(c.Since, now):
		return ResolvePush
	}
	return ResolveBurn
}
