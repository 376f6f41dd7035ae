package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"lander/internal/queue"
)

// lander plays a workload through the real queue.
type lander struct {
	w       Chain
	changes []change
	rand    *rand.Rand
	clock   clock
	q       queue.Queue
	policy  queue.Policy
	nodes   map[queue.SHA]*node
	commits int
	runs    map[runKey]*attempt
	out     Outcome
	settled []time.Duration
	landed  []bool
	dropped []bool
	left    int
}

type runKey struct {
	id  queue.CandidateID
	run int
}

type attempt struct {
	dead  bool
	began time.Duration
	full  bool
}

// node is a commit: one change on top of another commit.
type node struct {
	parent *node
	change int // -1: trunk's beginning
	landed bool
}

const debug = false

var epoch = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func (l *lander) now() time.Time { return epoch.Add(l.clock.now) }

func (l *lander) sha() queue.SHA {
	l.commits++
	return queue.SHA(fmt.Sprintf("%040x", l.commits))
}

// Lander plays a workload.
func Lander(w Chain, seed uint64) Outcome {
	r := rand.New(rand.NewPCG(seed, 1))
	l := &lander{
		w: w, changes: w.changes(r), rand: rand.New(rand.NewPCG(seed, 2)), nodes: map[queue.SHA]*node{}, runs: map[runKey]*attempt{},
		policy: queue.Policy{Approvals: 1, Window: w.Workers, Recipe: queue.Recipe{Steps: []queue.Step{{Name: "suite", Run: "true"}}}},
		q:      queue.Queue{Lane: queue.Lane{Repo: "acme/app", Trunk: "main"}},
	}
	l.settled = make([]time.Duration, len(l.changes))
	l.landed, l.dropped = make([]bool, len(l.changes)), make([]bool, len(l.changes))
	l.left = len(l.changes)
	tip := l.sha()
	l.nodes[tip] = &node{change: -1, landed: true}
	l.apply(queue.TrunkSeen{Tip: tip, At: l.now()})
	l.settle()
	for i, c := range l.changes {
		l.clock.at(c.at, func() { l.arrive(i) })
	}
	// A queue that grows without end is given up.
	limit := l.changes[len(l.changes)-1].at + patience*w.Length
	for l.left > 0 && l.clock.step() && l.clock.now < limit {
	}
	if l.left > 0 && debug {
		for _, c := range l.q.Candidates {
			fmt.Printf("  candidate %d of %d base %s %s run %d since %v members %d moot %q\n", c.ID, c.Of, c.Base[34:], c.State, c.Run, c.Since, len(c.Members), "")
		}
		for _, k := range l.q.Cases {
			fmt.Printf("  case %d names %v sure %v chain %d results %d\n", k.ID, k.Names, k.Sure, len(k.Chain), len(k.Results))
		}
		fmt.Println("  now", l.now(), "tip", l.q.Tip[34:], "trouble", l.q.Trouble, "stop", l.q.Stop, "left", l.left, "events", len(l.clock.queue))
	}
	state := make([]fate, len(l.changes))
	for i := range state {
		switch {
		case l.landed[i]:
			state[i] = landed
		case l.dropped[i]:
			state[i] = dropped
		}
	}
	l.out.judge(l.changes, state)
	l.out.measure(w, l.changes, l.settled, l.clock.now)
	return l.out
}

func (l *lander) apply(ev queue.Event) { l.q = l.q.Apply(ev) }

func (l *lander) arrive(i int) {
	who := queue.Person{ID: 2, Login: "maya"}
	head := l.sha()
	l.apply(queue.ChangeSeen{Sight: queue.Sight{
		Number: queue.Number(i + 1), At: l.now(), Open: true, Base: "main", Head: head, Branch: "b", HeadRepo: "acme/app", Author: queue.Person{ID: 1, Login: "noor"},
		Reviews: []queue.Review{{ID: "r1", Who: who, Role: queue.RoleReview, Head: head, State: queue.ReviewApproved, At: l.now()}},
	}})
	l.settle()
}

func (l *lander) settle() {
	for range 100000 {
		plan := l.q.Plan(l.now(), l.policy)
		if len(plan) == 0 {
			l.collect()
			if wake := l.q.Wake(l.now()); !wake.IsZero() {
				l.clock.at(wake.Sub(epoch), l.settle)
			}
			return
		}
		for _, a := range plan {
			l.do(a)
		}
	}
	panic("the plan never became empty")
}

// collect notes what was settled, and lets what is settled leave.
func (l *lander) collect() {
	for _, e := range l.q.Entries {
		i := int(e.Number) - 1
		if e.State == queue.Queued || l.settled[i] != 0 {
			continue
		}
		l.settled[i] = l.clock.now
		l.left--
		l.dropped[i] = e.State == queue.Dropped
		if debug && l.dropped[i] && !l.changes[i].bad {
			fmt.Printf("  drop %d with %d by case %d clash %v", i, int(e.Drop.With)-1, e.Drop.Candidate, l.changes[i].clash)
			for _, j := range l.changes[i].clash {
				fmt.Printf(" [%d bad %v landed %v dropped %v]", j, l.changes[j].bad, l.landed[j], l.dropped[j])
			}
			fmt.Println()
		}
		l.apply(queue.ChangeSeen{Sight: queue.Sight{Number: e.Number, At: l.now(), Head: e.Head, Base: "main"}})
	}
	l.q = l.q.Saved(l.q.Version + 1)
}

func (l *lander) do(a queue.Action) {
	now := l.now()
	switch a := a.(type) {
	case queue.Adopt:
		l.apply(queue.LedgerSeen{Tip: "ledger1", Above: []queue.Written{{SHA: "ledger1", Statement: a.Statement}}, At: now})
	case queue.Build:
		at, built := l.nodes[a.Request.Base], queue.Built{}
		for _, m := range a.Request.Members {
			id := l.sha()
			at = &node{parent: at, change: int(m.Number) - 1}
			l.nodes[id] = at
			built.Commits = append(built.Commits, queue.BuiltCommit{SHA: id, Member: m.Number, From: m.Head})
			built.SHA, built.Tree = id, id
		}
		l.apply(queue.CandidateMade{ID: a.ID, Request: a.Request, Built: built, Recipe: l.policy.Recipe, At: now})
	case queue.StartRun:
		l.start(a)
	case queue.Abandon:
		if at := l.runs[runKey{a.ID, a.Run}]; at != nil && a.Testing && !at.dead {
			at.dead = true
			l.spent(at)
			l.out.Cancelled++
		}
		l.apply(queue.Abandoned{ID: a.ID, Reason: a.Reason, At: now})
	case queue.Confirm:
		l.apply(queue.Confirmed{ID: a.Candidate.ID, At: now})
	case queue.Join:
		l.apply(queue.Joined{ID: a.ID, As: a.As, At: now})
	case queue.Probe:
		ev := queue.ProbesMade{ID: a.ID, Of: a.Of, At: now}
		for _, t := range a.Trials {
			sha := t.Base
			if t.Member.Number != 0 {
				sha = l.sha()
				l.nodes[sha] = &node{parent: l.nodes[t.Base], change: int(t.Member.Number) - 1}
			}
			ev.Probes = append(ev.Probes, queue.Probed{Trial: t, Built: queue.Built{SHA: sha, Tree: sha}})
		}
		l.apply(ev)
	case queue.Land:
		l.land(a.Candidate)
	default:
		panic(fmt.Sprintf("%T", a))
	}
	// A run that is not wanted any more ends.
	for key, at := range l.runs {
		if c := l.q.Candidate(key.id); !at.dead && (c == nil || c.State != queue.CandidateTesting || c.Run != key.run) {
			at.dead = true
			l.spent(at)
			l.out.Cancelled++
		}
		if at.dead {
			delete(l.runs, key)
		}
	}
}

func (l *lander) spent(at *attempt) { l.out.Busy += l.clock.now - at.began }

func (l *lander) land(c *queue.Candidate) {
	now := l.now()
	if c.State != queue.CandidateLanding {
		_, intent := l.q.Plead(c, now, l.policy)
		intent.Record = queue.Sealed{SHA: "record" + c.Built.SHA, Text: "record"}
		l.apply(queue.LandingBegun{ID: c.ID, Intent: intent, Policy: l.policy, At: now})
	}
	for at := l.nodes[c.Built.SHA]; !at.landed; at = at.parent {
		at.landed = true
		l.landed[at.change] = true
	}
	l.apply(queue.LandingDone{ID: c.ID, At: now})
}

// names are what truly fails on a commit.
func (l *lander) names(at *node) []string {
	var names []string
	in := map[int]bool{}
	for n := at; n != nil && !n.landed; n = n.parent {
		in[n.change] = true
	}
	for n := at; n != nil && !n.landed; n = n.parent {
		c := l.changes[n.change]
		if c.bad {
			names = append(names, fmt.Sprintf("t%d", n.change))
		}
		for _, j := range c.clash {
			if in[j] && j < n.change || !in[j] && l.landed[j] {
				names = append(names, fmt.Sprintf("t%d-%d", min(j, n.change), max(j, n.change)))
			}
		}
	}
	slices.Reverse(names)
	return names
}

func (l *lander) start(a queue.StartRun) {
	c := a.Candidate
	l.apply(queue.RunStarted{ID: c.ID, Run: a.Run, At: l.now()})
	full := c.Of == 0 && a.Run == 1
	at := &attempt{began: l.clock.now, full: full}
	l.runs[runKey{c.ID, a.Run}] = at
	names := l.names(l.nodes[c.Built.SHA])
	took := l.w.duration(l.rand)
	if full {
		l.out.Runs++
		if l.rand.Float64() < l.w.Flake {
			names = append(names, fmt.Sprintf("flake%d", c.ID))
		}
		if len(names) > 1 {
			seen := names[:1]
			for _, n := range names[1:] {
				if l.rand.Float64() < l.w.Named {
					seen = append(seen, n)
				}
			}
			names = seen
		}
		if len(names) > 0 {
			took = time.Duration(float64(took) * (0.3 + 0.7*l.rand.Float64()))
		}
	} else {
		l.out.Probes++
		took = time.Duration(float64(l.w.Length) * (l.w.Rerun[0] + (l.w.Rerun[1]-l.w.Rerun[0])*l.rand.Float64()))
		of := c.Of
		if of == 0 {
			of = c.ID
		}
		for _, k := range l.q.Cases { // only what failed is run
			if k.ID == of {
				names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(k.Names, n) })
			}
		}
	}
	v := queue.Verdict{Outcome: queue.Green, Took: took}
	if len(names) > 0 {
		v.Outcome, v.Step, v.Failed = queue.Red, "suite", names
	}
	l.clock.at(l.clock.now+took, func() {
		if at.dead {
			return
		}
		at.dead = true
		l.spent(at)
		delete(l.runs, runKey{c.ID, a.Run})
		l.apply(queue.RunReported{ID: c.ID, Run: a.Run, Verdict: v, At: l.now()})
		l.settle()
	})
}
