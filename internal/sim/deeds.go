package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"lander/internal/queue"
)

// do carries out a deed, and feeds what comes of it back as a fact, as gate does.
func (l *lander) do(a queue.Action) {
	now := l.now()
	switch a := a.(type) {
	case queue.Adopt:
		l.apply(queue.LedgerSeen{Tip: "ledger", Above: []queue.Written{{SHA: "ledger", Statement: a.Statement}}, At: now})
	case queue.Build:
		l.build(a)
	case queue.StartRun:
		l.start(a)
	case queue.Abandon:
		l.apply(queue.Abandoned{ID: a.ID, Reason: a.Reason, At: now})
	case queue.Confirm:
		l.apply(queue.Confirmed{ID: a.Candidate.ID, At: now})
	case queue.Join:
		l.apply(queue.Joined{ID: a.ID, As: a.As, At: now})
	case queue.Map:
		l.apply(queue.ChangeMapped{Number: a.Number, Head: a.Head, Rules: a.Rules.Digest(), Areas: l.areas(index(a.Number))})
	case queue.Combine:
		l.apply(queue.Combined{ID: a.ID, As: a.As, Request: a.Request, Built: l.grow(a.Request), At: now})
	case queue.Probe:
		l.probe(a)
	case queue.Land:
		l.land(a.Candidate)
	default:
		panic(fmt.Sprintf("the simulation does not know the deed %s, a %T", a.Key(), a))
	}
	l.cancelMoot()
}

func (l *lander) build(a queue.Build) {
	l.apply(queue.CandidateMade{ID: a.ID, Request: a.Request, Built: l.grow(a.Request), Recipe: l.policy.Recipe, At: l.now(), Apart: a.Apart})
}

// grow makes the commits of a request.
func (l *lander) grow(r queue.BuildRequest) (built queue.Built) {
	at := l.nodes[r.Base]
	for _, m := range r.All() {
		id := l.sha()
		at = &node{parent: at, change: index(m.Number)}
		l.nodes[id] = at
		built.Commits = append(built.Commits, queue.BuiltCommit{SHA: id, Member: m.Number, From: m.Head})
		built.SHA, built.Tree = id, id
	}
	return built
}

// areas are those that a change is said to touch.
func (l *lander) areas(i int) queue.Areas {
	c := &l.Changes[i]
	if c.All {
		return queue.Areas{queue.Everything}
	}
	areas := queue.Areas{}
	for _, at := range c.Areas {
		areas = append(areas, fmt.Sprintf("%03d", at))
	}
	if len(areas) == 0 { // nobody else touches it
		areas = append(areas, fmt.Sprintf("of change %d alone", i))
	}
	return areas
}

func (l *lander) probe(a queue.Probe) {
	ev := queue.ProbesMade{ID: a.ID, Of: a.Of, At: l.now()}
	for _, t := range a.Trials {
		sha := t.Base
		if t.Member.Number != 0 {
			sha = l.sha()
			l.nodes[sha] = &node{parent: l.nodes[t.Base], change: index(t.Member.Number)}
		}
		ev.Probes = append(ev.Probes, queue.Probed{Trial: t, Built: queue.Built{SHA: sha, Tree: sha}})
	}
	if c := l.q.Candidate(a.Of); c != nil && (c.State == queue.CandidateRed || c.State == queue.CandidateTesting) {
		l.rounds[a.Of]++
	}
	l.apply(ev)
}

func (l *lander) land(c *queue.Candidate) {
	now := l.now()
	if c.State != queue.CandidateLanding {
		_, intent := l.q.Plead(c, now, l.policy)
		intent.Record = queue.Sealed{SHA: "record" + c.Built.SHA, Text: "record"}
		l.apply(queue.LandingBegun{ID: c.ID, Intent: intent, Policy: l.policy, At: now})
	}
	l.bring(l.nodes[c.Built.SHA])
	l.apply(queue.LandingDone{ID: c.ID, At: now})
}

// bring puts a commit and what is below it onto trunk.
func (l *lander) bring(at *node) {
	if at.landed {
		return
	}
	l.bring(at.parent)
	l.landed++
	at.landed, at.after = true, l.landed
	if l.order != nil {
		l.order[at.change] = l.landed
	}
	l.engine.settle(landed, at.change)
}

// start begins a run. The first one of a candidate is whole; later ones, and those of trials, are of what failed only.
func (l *lander) start(a queue.StartRun) {
	c := a.Candidate
	l.apply(queue.RunStarted{ID: c.ID, Run: a.Run, At: l.now()})
	names, members := l.fallen(l.nodes[c.Built.SHA])
	j := &job{probe: c.Of != 0 || a.Run > 1}
	if j.probe {
		names, j.took = l.rerun(c, names)
	} else {
		names, j.took = l.full(c, names, members)
	}
	v := queue.Verdict{Outcome: queue.Green, Took: j.took, Steps: []queue.StepResult{{Name: suite}}}
	if len(names) > 0 {
		v.Outcome, v.Step, v.Failed, v.Steps = queue.Red, suite, names, nil
	}
	l.log.began(c, a.Run, l.nodes[c.Built.SHA], v)
	r := run{c.ID, a.Run}
	j.done = func(*job) {
		delete(l.jobs, r)
		l.apply(queue.RunReported{ID: c.ID, Run: a.Run, Verdict: v, At: l.now()})
		l.settle()
	}
	l.jobs[r] = j
	l.ask(j)
}

// chance begins the names of what failed by chance.
const chance = "chance "

func (l *lander) full(c *queue.Candidate, names []string, members []int) ([]string, time.Duration) {
	if c.Apart != nil { // it is a run for its own members, and proves nothing of those that it stands on
		members = nil
		for _, m := range c.Members {
			members = append(members, index(m.Number))
		}
	}
	took := l.duration(members, l.rand)
	if l.rand.Float64() < l.Flake {
		names = append(names, fmt.Sprintf("%s%d", chance, c.ID))
	}
	if len(names) > 1 {
		names = slices.Concat(names[:1], slices.DeleteFunc(names[1:], func(string) bool { return l.rand.Float64() >= l.Named }))
	}
	if len(names) > 0 {
		took = l.cut(took, l.rand)
	}
	return names, took
}

// rerun runs what a case is about once more.
func (l *lander) rerun(c *queue.Candidate, names []string) ([]string, time.Duration) {
	of := c.ID
	if c.Of != 0 {
		of = c.Of
	}
	var about []string
	for _, k := range l.q.Cases {
		if k.ID == of {
			about = k.Names
		}
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(about, n) })
	for _, n := range about {
		if strings.HasPrefix(n, chance) && l.rand.Float64() < l.Again {
			names = append(names, n)
		}
	}
	return names, time.Duration(within(l.Rerun, l.rand) * float64(l.Length))
}
