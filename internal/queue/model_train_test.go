package queue

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// In a lane with trains two runs are under way at a time, each of one change on top of the one before, and a suite takes its time: that a
// run ends is a step of its own. Elsewhere in the model a candidate is green as soon as it is built.

// withTrains makes a lane of trains. The suite is red wherever all of some heads are; none: nowhere.
func (m *model) withTrains(bad ...SHA) {
	m.trains, m.bad = true, bad
	m.policy.Window, m.policy.Batch = 2, 1
}

// broken reports whether the suite is red on a commit.
func (m *model) broken(commit uint16) bool {
	return len(m.bad) > 0 && !slices.ContainsFunc(m.bad, func(h SHA) bool { return !m.has(commit, h) })
}

// inTrain is what follows from a deed in a lane with trains.
func (m *model) inTrain(q Queue, a Action) Queue {
	switch a := a.(type) {
	case Build:
		for _, member := range a.Request.Members {
			if m.has(m.commit[a.Request.Base], member.Head) {
				return q.Apply(CandidateUnmade{ID: a.ID, Base: a.Request.Base, Below: a.Below, Member: member, Code: DropEmpty, Reason: SayEmpty(), At: noon})
			}
		}
		return q.Apply(CandidateMade{a.ID, a.Request, m.build(a.Request), suite(), noon, nil})
	case StartRun:
		return q.Apply(RunStarted{a.Candidate.ID, a.Run, noon})
	case Join:
		return m.mutation.joined(q, Joined{a.ID, a.As, noon})
	case Probe:
		ev := ProbesMade{ID: a.ID, Of: a.Of, At: noon}
		for _, t := range a.Trials {
			p := Probed{Trial: t, Built: Built{SHA: t.Base, Tree: t.Base}}
			if t.Member.Number != 0 {
				p.Built = m.build(BuildRequest{Base: t.Base, Members: []Member{t.Member}})
			}
			ev.Probes = append(ev.Probes, p)
		}
		return q.Apply(ev)
	}
	return q
}

// ends lets a run end, whichever. By chance the first run of a candidate may be red though nothing is wrong with it.
func (m *model) ends(s situation, i int, to emit) {
	for _, c := range m.rows[s.row].Candidates {
		if c.State != CandidateTesting {
			continue
		}
		red := m.broken(m.commit[c.Built.SHA])
		to("hears how a run of "+c.Built.SHA.Short()+" ended", i, saved(s, i, m.reported(s.row, c, red)), "")
		if s.left.flukes > 0 && !red && c.Of == 0 && c.Run == 1 {
			t := saved(s, i, m.reported(s.row, c, true))
			t.left.flukes--
			to("hears that a run of "+c.Built.SHA.Short()+" is red by chance", i, t, "")
		}
	}
}

func (m *model) reported(row uint16, c *Candidate, red bool) uint16 {
	key := factKey{row: row, fact: factReport, a: uint16(c.ID)}
	v := green(c, c.Run)
	if red {
		key.b, v = 1, says(Red, "exit status 1")
	}
	return m.fact(key, func(q Queue) Queue {
		return m.mutation.reported(q, c, RunReported{c.ID, c.Run, v.whole(c.Recipe), noon})
	})
}

// inFlight holds that nobody is in two candidates at once, and that what is green was green as that very commit.
func (m *model) inFlight(row uint16) breach {
	in := map[Number]bool{}
	for _, c := range m.rows[row].Candidates {
		for _, member := range c.Members {
			if in[member.Number] {
				return breach(member.Number.String() + " is in two candidates")
			}
			in[member.Number] = true
		}
		if c.Verdict != nil && c.Verdict.Outcome == Green && m.broken(m.commit[c.Built.SHA]) {
			return "a candidate is called green whose suite is red"
		}
	}
	return ""
}

// fair holds that who was dropped by the suite broke something, by itself or with what is on trunk.
func (m *model) fair(s situation) breach {
	for _, e := range m.rows[s.row].Entries {
		if e.State != Dropped || e.Drop.Code != DropFailed {
			continue
		}
		if len(m.bad) == 0 {
			return breach(e.Number.String() + " was dropped and broke nothing")
		}
		for _, h := range m.bad {
			if h != e.Head && !m.has(s.trunk, h) || !slices.Contains(m.bad, e.Head) {
				return breach(e.Number.String() + " was dropped and broke nothing")
			}
		}
	}
	return ""
}

// What is taken out of trains.
const (
	joinedAlone    mutation = "a green candidate is to land without those that it stands on"
	trialsVerdict  mutation = "the verdict of a trial is taken for its candidate's"
	believedAtOnce mutation = "a red run drops who is in it"
	lastIsToBlame  mutation = "who comes last in a red train is dropped"
	verdictOfBelow mutation = "the verdict of a candidate is taken for the one above it"
)

// joined makes one candidate of more.
func (mu mutation) joined(q Queue, ev Joined) Queue {
	top := q.Candidate(ev.ID)
	q = q.Apply(ev)
	if mu == joinedAlone {
		q.move(ev.As, func(c *Candidate) { c.Members, c.Built = top.Members, top.Built })
	}
	return q
}

// reported takes in the verdict of a run.
func (mu mutation) reported(q Queue, c *Candidate, ev RunReported) Queue {
	pass := func(c *Candidate) { c.State, c.Since, c.Verdict = CandidatePassed, ev.At, &ev.Verdict }
	red := ev.Verdict.Outcome != Green
	switch {
	case mu == trialsVerdict && c.Of != 0 && !red && q.Candidate(c.Of) != nil:
		q.closeCase(c.Of)
		q.move(c.Of, pass)
	case mu == believedAtOnce && red && c.Of == 0:
		q.fail(c, ev.Verdict, ev.At)
		return q
	case mu == lastIsToBlame && red && c.Of == 0 && c.Run == 2:
		q.fail(c, ev.Verdict, ev.At)
		return q
	case mu == verdictOfBelow && !red && c.Of == 0:
		for _, above := range q.Candidates {
			if above.Base == c.Built.SHA && above.Of == 0 {
				q.move(above.ID, pass)
			}
		}
	}
	return q.Apply(ev)
}

func TestTheModelSeesTrains(t *testing.T) {
	t.Parallel()
	one, pair := []SHA{head(1, 1)}, []SHA{head(1, 1), head(2, 1)}
	for mu, c := range map[mutation]struct {
		bad  []SHA
		left bounds
		want string
	}{
		joinedAlone:    {nil, bounds{}, "trunk moves to a commit that was tested on another one"},
		trialsVerdict:  {one, bounds{}, "trunk moves to a commit whose suite is red"},
		believedAtOnce: {nil, bounds{flukes: 1}, "#1 was dropped and broke nothing"},
		lastIsToBlame:  {one, bounds{}, "#2 was dropped and broke nothing"},
		verdictOfBelow: {pair, bounds{}, "trunk moves to a commit whose suite is red"},
	} {
		t.Run(string(mu), func(t *testing.T) {
			t.Parallel()
			m := newModel(2, 1)
			m.mutation, m.most = mu, 200_000
			m.withTrains(c.bad...)
			s := explore(m, c.left)
			if got, _, _ := strings.Cut(string(s.breach), "\n"); got != c.want {
				t.Fatalf("after %d states: %s\nwant: %s", len(s.all), s.breach, c.want)
			}
		})
	}
}

// fail ends a candidate by its verdict and drops its members, as nothing in the product does.
func (q *Queue) fail(c *Candidate, v Verdict, at time.Time) {
	q.move(c.ID, func(c *Candidate) { c.Verdict = &v })
	code, reason := sayDropReason(v)
	c = q.Candidate(c.ID)
	q.end(c, CandidateFailed, reason, at)
	if len(c.Members) > 1 {
		q.separate(c, reason, at)
		return
	}
	for _, m := range c.Members {
		if e := q.Entry(m.Number); e != nil && e.State == Queued && e.Head == m.Head {
			q.drop(m.Number, Drop{Code: code, At: at, Reason: reason, Candidate: c.ID}, c)
		}
	}
}
