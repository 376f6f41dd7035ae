package queue

import (
	"fmt"
	"time"
)

// What the journal says. One line for each transition, for the operator and the change's page.

// RecordBreach is the kind of a journal line that is one finding of an audit.
const RecordBreach = "breach"

func recordSeen(s Sight) string {
	return fmt.Sprintf("%s by %s, head %s", s.Branch, s.Author.Login, s.Head.Short())
}

func recordHead(from, to SHA) string { return fmt.Sprintf("from %s to %s", from.Short(), to.Short()) }

func recordClosed(s Sight, l Lane) string {
	switch {
	case s.Merged:
		return "the forge shows it as merged"
	case !s.Open:
		return "closed on the forge"
	default:
		return fmt.Sprintf("it now asks to land on %s, not on %s", s.Base, l.Trunk)
	}
}

func recordQueued(e *Entry) string {
	return fmt.Sprintf("%s asked to land %s", e.AskedBy.Login, e.Head.Short())
}

func recordWeightless(r Review) string {
	return fmt.Sprintf("%s approved, but may not approve this change", r.Who.Login)
}

func recordAsk(a Ask) string { return fmt.Sprintf("%s said %s", a.Who.Login, a.Verb) }

func recordAfter(a Ask) string {
	text := a.Who.Login + " wants it"
	if a.After != 0 {
		text += fmt.Sprintf(" after %v", a.After)
	}
	if !a.NotBefore.IsZero() {
		text += " not before " + a.NotBefore.UTC().Format(time.RFC3339)
	}
	return text
}

func recordAlone(a Ask) string {
	if !a.Alone {
		return a.Who.Login + " lets it land together with others"
	}
	return a.Who.Login + " wants it in no batch"
}

func recordPriority(a Ask) string { return fmt.Sprintf("%s set it to %d", a.Who.Login, *a.Priority) }

func recordAdopted(l Lane, tip SHA) string { return fmt.Sprintf("%s stands on %s", l.Trunk, tip) }

func recordBuilt(c *Candidate) string {
	return fmt.Sprintf("%s of %s on %s", c.Built.SHA, numbers(c.Numbers(), len(c.Members)), c.Base.Short())
}

func recordRunStarted(c *Candidate, run int) string {
	return fmt.Sprintf("run %d of %s", run, c.Built.SHA.Short())
}

func recordRunLost(run int) string { return fmt.Sprintf("run %d ended without a verdict", run) }

func recordRunMoved(run int, reason string) string { return fmt.Sprintf("run %d: %s", run, reason) }

func recordVerdict(run int, v Verdict) string {
	text := fmt.Sprintf("run %d is %s after %s", run, v.Outcome, v.Took.Round(time.Millisecond))
	if v.Outcome == Unmeasured {
		text = fmt.Sprintf("run %d measured nothing", run)
	}
	if v.Reason != "" {
		text += ": " + v.Reason
	}
	return text
}

func recordReused(c *Candidate, is Proof) string {
	return fmt.Sprintf("%s is not tested again: its tree %s was green in run %d of candidate %d, as %s at %s",
		c.Built.SHA.Short(), is.Tree.Short(), is.Run, is.Candidate, is.Commit.Short(), is.At.UTC().Format("2006-01-02 15:04 MST"))
}

func recordMended(c *Candidate) string {
	return fmt.Sprintf("%s is green on it", c.Built.SHA.Short())
}

func recordIntent(l Lane, c *Candidate) string {
	return fmt.Sprintf("%s from %s to %s", l.Trunk, c.Base, c.Built.SHA)
}

func recordLanded(m Member, l *Landing) string {
	return fmt.Sprintf("%s landed as %s", m.Head.Short(), l.Tip)
}

func recordRecalled(landings int) string {
	return fmt.Sprintf("%d landings stand in the ledger that the database did not know, as after a backup was restored", landings)
}

func recordRecalledLanding(le LedgerEntry, s Statement) string {
	return fmt.Sprintf("%s landed as %s, as the ledger says", le.Head.Short(), s.New)
}

func recordPutBack(e *Entry, ev HeadPutBack) string {
	if ev.Problem != "" {
		return fmt.Sprintf("%s stays at %s, where lander had put it for a landing that did not come about: %s", e.Branch, ev.From.Short(), ev.Problem)
	}
	return fmt.Sprintf("%s is back at %s", e.Branch, e.Head.Short())
}

func recordMissed() string { return "a poll found what no webhook had told" }

func recordEased() string { return "lander can go on" }

func recordResumed(by string) string { return "by " + by }

func noticeKey(kind string, n Number, head SHA, c CandidateID) string {
	return fmt.Sprintf("%s/%d/%s/%d", kind, n, head, c)
}

func recordCombined(whole, top *Candidate) string {
	return fmt.Sprintf("candidate %d is green, and its %d changes are put onto %s", top.ID, len(whole.Members), whole.Base.Short())
}

func recordJoined(whole, top *Candidate) string {
	return fmt.Sprintf("candidate %d is green, and with it all below: %d changes", top.ID, len(whole.Members))
}
