package sim

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"lander/internal/queue"
)

// Lander is lander's own planner: the real queue, played through its facts and deeds. The zero Lander uses all workers and puts as many
// changes into a candidate as the planner likes.
type Lander struct {
	Window int  // runs of the lane at a time; 0: as many as there are workers
	Batch  int  // changes in one candidate; 0: as many as the planner likes
	New    bool // its lane has no past, and so does not know what a red run is worth
}

// Name is "lander".
func (Lander) Name() string { return "lander" }

// Who is lander.
func (Lander) Who() string { return "lander" }

// Play lets the queue decide.
func (s Lander) Play(t *Trace, seed uint64) Outcome {
	l := s.lane(t, seed)
	l.begin()
	return l.play(nil)
}

func (s Lander) lane(t *Trace, seed uint64) *lander {
	window := s.Window
	if window == 0 {
		window = t.Workers
	}
	l := &lander{
		engine: newEngine(t, seed), nodes: map[queue.SHA]*node{}, jobs: map[run]*job{}, rounds: map[queue.CandidateID]int{},
		policy: queue.Policy{
			Approvals: 1, Window: window, Batch: s.Batch,
			Recipe: queue.Recipe{Steps: []queue.Step{{Name: suite, Run: "true"}}},
		},
		q: queue.Queue{Lane: queue.Lane{Repo: "acme/app", Trunk: trunk}},
	}
	if !s.New {
		l.q.Estimates = &queue.Estimates{Reds: queue.Tally{Good: 3}}
	}
	l.engine.arrive = l.arrive
	if t.Areas {
		l.policy.Areas = queue.AreaRules{Areas: []queue.Area{{Name: "all", Globs: []string{"**"}}}}
		l.order = make([]int, len(t.Changes))
	}
	return l
}

// begin shows the lane its trunk.
func (l *lander) begin() {
	tip := l.sha()
	l.nodes[tip] = &node{change: -1, landed: true}
	l.apply(queue.TrunkSeen{Tip: tip, At: l.now()})
	l.settle()
}

// Who writes all changes, and who approves them.
var (
	noor = queue.Person{ID: 1, Login: "noor"}
	maya = queue.Person{ID: 2, Login: "maya"}
)

const (
	trunk = "main"
	suite = "suite"
)

// lander is a lane, and the little of gate that time and chance need.
type lander struct {
	*engine
	q       queue.Queue
	policy  queue.Policy
	nodes   map[queue.SHA]*node
	commits int
	jobs    map[run]*job              // that have not ended
	rounds  map[queue.CandidateID]int // of reruns, for each red run whose culprits are not known
	wake    time.Duration
	log     *Log  // nil: nobody wants to know
	order   []int // of each change, the how-manieth it was to land, from 1; only where there are areas
	landed  int   // changes so far
}

// run is one run of one candidate.
type run struct {
	id     queue.CandidateID
	number int
}

// node is a commit: one change on top of another commit.
type node struct {
	parent *node
	change int // -1: trunk's beginning
	landed bool
	after  int // how many changes had landed with it; only where there are areas
}

// Epoch is when every day begins.
var Epoch = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func (l *lander) now() time.Time { return Epoch.Add(l.clock.now) }

func (l *lander) apply(ev queue.Event) { l.q = l.q.Apply(ev) }

// sha makes up a commit id.
func (l *lander) sha() queue.SHA {
	l.commits++
	return queue.SHA(fmt.Sprintf("%040x", l.commits))
}

func number(i int) queue.Number { return queue.Number(i + 1) }
func index(n queue.Number) int  { return int(n) - 1 }

// arrive is the approval of a change.
func (l *lander) arrive(i int) {
	head := l.sha()
	review := queue.Review{ID: "1", Who: maya, Role: queue.RoleReview, Head: head, State: queue.ReviewApproved, At: l.now()}
	l.apply(queue.ChangeSeen{Sight: queue.Sight{
		Number: number(i), At: l.now(), Open: true, Base: trunk, Head: head, Branch: "topic", HeadRepo: l.q.Lane.Repo, Author: noor,
		Reviews: []queue.Review{review},
	}})
	l.settle()
}

// restless is after how many rounds at one moment a plan that is still not empty is a fault of the planner.
const restless = 100_000

// settle does as the plan says until it says nothing more.
func (l *lander) settle() {
	for range restless {
		plan := l.q.Plan(l.now(), l.policy)
		if len(plan) == 0 {
			l.told()
			l.collect()
			if wake := l.q.Wake(l.now()); !wake.IsZero() && wake.Sub(Epoch) != l.wake {
				l.wake = wake.Sub(Epoch)
				l.clock.at(l.wake, l.settle)
			}
			return
		}
		for _, a := range plan {
			l.do(a)
		}
	}
	panic(fmt.Sprintf("the plan never becomes empty: %v", l.q.Plan(l.now(), l.policy)))
}

// told takes down for which red runs the culprits are known: then their candidates leave the train.
func (l *lander) told() {
	for id, rounds := range l.rounds {
		c := l.q.Candidate(id)
		if c != nil && c.State == queue.CandidateRed || c != nil && c.State == queue.CandidateTesting {
			continue
		}
		delete(l.rounds, id)
		if c == nil || c.State != queue.CandidateFailed {
			continue // it was chance, or what it stood on left before
		}
		l.engine.told++
		if rounds == 1 {
			l.engine.once++
		}
	}
}

// collect takes down who was dropped, and lets everybody who is settled leave.
func (l *lander) collect() {
	l.log.saved(l.q)
	var gone []queue.ChangeSeen
	for _, e := range l.q.Entries {
		if e.State == queue.Queued {
			continue
		}
		if i := index(e.Number); l.fate[i] == unsettled {
			l.engine.settle(dropped, i)
		}
		gone = append(gone, queue.ChangeSeen{Sight: queue.Sight{Number: e.Number, At: l.now(), Head: e.Head, Base: trunk}})
	}
	for _, ev := range gone {
		l.apply(ev)
	}
	l.q = l.q.Saved(l.q.Version + 1)
}

// cancelMoot ends the runs that nobody waits for any more, oldest first.
func (l *lander) cancelMoot() {
	var moot []run
	for r := range l.jobs {
		if c := l.q.Candidate(r.id); c == nil || c.State != queue.CandidateTesting || c.Run != r.number {
			moot = append(moot, r)
		}
	}
	slices.SortFunc(moot, func(a, b run) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.number, b.number)) })
	for _, r := range moot {
		l.cancel(l.jobs[r])
		delete(l.jobs, r)
	}
}

// fallen names what truly fails on a commit: a test for each change that is bad, and for each two that are bad together.
func (l *lander) fallen(at *node) (names []string, members []int) {
	n := at
	for ; !n.landed; n = n.parent {
		members = append(members, n.change)
	}
	on := func(j int) bool { return l.fate[j] == landed && (l.order == nil || l.order[j] <= n.after) }
	slices.Reverse(members)
	for _, i := range members {
		c := &l.Changes[i]
		if c.Bad {
			names = append(names, fmt.Sprintf("test of %d", i))
		}
		for _, j := range c.With {
			if on(j) || slices.Contains(members, j) && j < i {
				names = append(names, fmt.Sprintf("test of %d and %d", min(i, j), max(i, j)))
			}
		}
	}
	return names, members
}
