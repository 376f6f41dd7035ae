package queue

import (
	"fmt"
	"strconv"
	"time"
)

// What people are told of trains, of cases, and of what comes before what.

func sayRound(n, after Number) string {
	if n == after {
		return fmt.Sprintf("%v cannot come after itself", n)
	}
	return fmt.Sprintf("%v is itself to come after %v, so that neither would ever land", after, n)
}

func sayHeldBy(n Number) Reason {
	return Reason{Code: "conflict ahead", Text: fmt.Sprintf("it conflicts with %v, which is ahead of it", n), Who: "nobody need act", Next: fmt.Sprintf("when %v lands or leaves it is tried again", n)}
}

func sayNotBefore(t time.Time) Reason {
	return Reason{Code: "not before", Text: "a reviewer wants it to land no earlier than " + t.UTC().Format("2006-01-02 15:04:05 MST"), Who: "nobody need act", Next: "it goes on then; the command unhold lets it go on now"}
}

func sayAfter(n Number) Reason {
	return Reason{Code: "after", Text: fmt.Sprintf("a reviewer wants %v to come first", n), Who: "nobody need act", Next: fmt.Sprintf("when %v is on its way, has landed or has left it goes on; the command unhold lets it go on now", n)}
}

func sayMootBelow(id CandidateID) string {
	return fmt.Sprintf("candidate %d, on which it stands, is given up", id)
}

func sayUnproven(step string) string {
	return fmt.Sprintf("no run of this commit has shown that step %q passes", step)
}

func sayUnasked() string { return "only some tests ran, and others failed on this commit before" }

func sayMootUnder() string { return "something that it stands on has left the queue" }

func sayMootAreas() string { return "trunk has other areas by now" }

func sayMootRecipe() string { return "trunk is tested in another way by now" }

func sayForgotten() string {
	return "whose fault a red run is cannot be found out any more, so its changes are tested anew"
}

// WhyTrunkRed is the code of the reason that every change of a lane has whose trunk is red.
const WhyTrunkRed = "trunk red"

// Why is what it tells every change of the lane.
func (r *RedTrunk) Why() Reason { return sayRedTrunk(r) }

func sayRedTrunk(r *RedTrunk) Reason {
	return Reason{
		Code: WhyTrunkRed, Text: "trunk itself is red: " + names(r.Names) + " fails on " + r.Tip.Short() + " without any change that waits", Since: r.At,
		Who:  "whoever can mend trunk: as a hotfix (the command land hotfix), which is tested at once, or past lander",
		Next: fmt.Sprintf("nothing below a hotfix is tested on it; when trunk has moved, or at %s, the first in line is tried", r.NotTill.UTC().Format("15:04:05 MST")),
	}
}

func sayTrunkRed(own []string) string { return names(own) + " fails on trunk without it, too" }

func sayMootCase() string { return "whose fault it is is known" }

func sayJoined(as CandidateID) string { return fmt.Sprintf("it lands with candidate %d", as) }

func sayRed(c *Candidate) string { return "its run failed" }

func sayMootSuspect(n Number) string { return fmt.Sprintf("%v broke something", n) }

// sayMember tells a member of its candidate; k is the candidate's case, nil: it has none.
func sayMember(c *Candidate, n Number, k *Case) Reason {
	r, commit, with := sayInFlight(c), c.Built.SHA.Short(), ""
	if others := c.besides(n); len(others) > 0 {
		with = "together with " + numbers(others, 8)
	}
	if k == nil || c.State != CandidateRed && c.State != CandidateTesting {
		if with != "" {
			r.Text += ", " + with
		}
		return r
	}
	if with != "" {
		commit += " (" + with + ")"
	}
	if c.State == CandidateRed {
		r.Text = sayRunRed(commit, k)
	} else {
		r.Text, r.Next = sayAgain(commit, k), sayIfGreen(c)+"; red: only whose fault it is leaves the queue"
	}
	return r
}

func sayIfGreen(c *Candidate) string {
	if c.Apart != nil {
		return "green: it lands, on top of what lands in other areas meanwhile"
	}
	return "green: it lands as exactly that commit"
}

// sayAwaits says why one that is green does not land yet.
func sayAwaits(c *Candidate) Reason {
	var first []Number
	for _, m := range c.Awaits {
		first = append(first, m.Number)
	}
	return Reason{
		Code: "awaits", Text: fmt.Sprintf("it is green together with %s, and lands after that", numbers(first, 8)), Since: c.Since, Who: "nobody need act",
		Next: "it lands once that has; it is tested anew without what does not",
	}
}

func sayAgain(commit string, k *Case) string {
	return fmt.Sprintf("%s failed on %s, and runs again there, for it may have been chance", names(k.Names), commit)
}

func sayRunRed(commit string, k *Case) string {
	if !k.Sure {
		return fmt.Sprintf("%s failed on %s, and is about to run again there, for it may have been chance", names(k.Names), commit)
	}
	return fmt.Sprintf("%s failed on %s twice, and whose fault that is is being found out", names(k.Names), commit)
}

// names are steps or tests.
func names(failed []string) string {
	const most = 3
	var words []string
	for i, name := range failed {
		if i == most {
			words = append(words, fmt.Sprintf("%d more", len(failed)-most))
			break
		}
		words = append(words, strconv.Quote(name))
	}
	return list(words)
}

func sayMootHotfix(n Number) string { return fmt.Sprintf("%v is a hotfix and needs its run", n) }
