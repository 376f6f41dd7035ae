package queue

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The model searches every state that a lane, its replicas, the git server and the people around them can come to within bounds on
// what goes wrong. The decisions are the real ones: every change of the saved row is an Apply, every deed is the first of a Plan, every
// intent is Pleaded and every open one is Resolved. Only the hands are the model's: who saves, pushes, reads, crashes or sleeps, and
// when. Nothing is fair: whoever could take a step may also not take it while all others go on, so a replica that is slow is a
// zombie without a fault of its own, and a push that left may arrive at any later time or never.
//
// A row or a history of a branch is a number in a table, so that a state is a few dozen bytes; what Apply makes of a row and a fact
// is worked out once.

// situation is one state of the model.
type situation struct {
	row    uint16 // of the database, as saved last
	trunk  uint16 // the commit that it stands on
	ledger uint16 // the record that it stands on
	branch uint16 // the commit that the head branch of #1 stands on
	backup uint16 // a row that may be restored; 0: none
	facts  facts
	landed uint16 // heads that ever landed, as bits
	reps   [3]replica
	fly    [2]flight
	left   bounds
}

// facts are what the forge says of #1 besides its head.
type facts uint8

const (
	factClosed    facts = 1 << iota
	factMerged          // its branch was on trunk when trunk was moved there
	factDismissed       // the approval of its first head was taken back
	factBack            // its author went back to the first one
	factPushed          // its second head exists, and is approved
	factRestored        // an old row was restored: what was begun after it nobody knows any more
)

// replica is one lander. Whatever it knows but has not saved is in what it loaded: all else is in the row.
type replica struct {
	at     place
	flags  uint8
	row    uint16 // as it has it in memory
	ledger uint16 // as it read it
	trunk  uint16
}

// place is what a replica does next.
type place uint8

const (
	atRest place = iota
	atIntent
	atHead
	atPush
	atPushTrunk
	atPushed
	atLedger
	atTrunk
	atBurn
	atLanded
	atAborted
	atBranch
	atBranchBack
)

const (
	flagCurrent uint8 = 1 << iota // nobody has saved since it loaded
	flagPushed                    // it has pushed in vain already
	flagDenied                    // the git server has refused its push for a reason of its own
	flagTried                     // it has read as often as it reads what may be half a push
)

// flight is a request that left its sender and was not answered.
type flight struct {
	req  uint16 // 0: none
	half uint8  // the branch on which it shows already
}

const (
	halfTrunk  = 1
	halfLedger = 2
)

// bounds are how often each thing may still go wrong, or people may still act.
type bounds struct {
	crashes, lost, halves, lapses         uint8
	pushes, rewinds, authors, backs       uint8
	withdraws, dismissals, closes, pauses uint8
	resumes, asks, backups, restores      uint8
	denials, flukes                       uint8
}

// breach is a property that does not hold, in words.
type breach string

// emit takes one thing that may happen next: what, which replica does it or none, what follows, and what is wrong with that.
type emit func(step string, who int, to situation, wrong breach)

// came is how a situation was come to.
type came struct {
	from int32
	step uint16 // in the list of all
	who  int8
}

// search is a run of the model.
type search struct {
	*model
	index  map[situation]int32
	all    []situation
	how    []came
	steps  []string
	step   map[string]uint16
	edges  int
	depth  int
	breach breach // of the shortest way to one; empty: there is none
}

// explore goes breadth first from the beginning, until everything was seen or something is wrong.
func explore(m *model, left bounds) *search {
	m.restores = left.restores > 0
	s := &search{model: m, index: map[situation]int32{}, step: map[string]uint16{}}
	s.visit(m.beginning(left), came{from: -1})
	for next, end := 0, len(s.all); next < len(s.all) && len(s.all) < m.most && s.breach == ""; next++ {
		if next == end {
			s.depth, end = s.depth+1, len(s.all)
		}
		m.steps(s.all[next], func(step string, who int, to situation, wrong breach) {
			if s.breach != "" {
				return
			}
			s.edges++
			to, _ = canonical(to)
			how := came{int32(next), s.called(step), int8(who)}
			if _, seen := s.index[to]; seen && wrong == "" {
				return
			}
			s.visit(to, how)
			var calm []string
			if wrong = cmp.Or(wrong, m.alarm, m.wrong(to)); wrong == "" {
				wrong, calm = m.unsettled(to)
				wrong = cmp.Or(wrong, m.alarm)
			}
			if wrong != "" {
				s.breach = wrong + breach(s.trace(how))
				for _, step := range calm {
					s.breach += breach("\n      then, with nothing going wrong: " + step)
				}
			}
		})
	}
	return s
}

func (s *search) visit(to situation, how came) {
	if _, ok := s.index[to]; !ok {
		s.index[to] = int32(len(s.all))
		s.all, s.how = append(s.all, to), append(s.how, how)
	}
}

// called is a step's place in the list of all.
func (s *search) called(step string) uint16 {
	at, ok := s.step[step]
	if !ok {
		at = number(len(s.steps))
		s.step[step], s.steps = at, append(s.steps, step)
	}
	return at
}

// canonical is the same situation whichever replica is called the first. perm says which one each was.
func canonical(s situation) (same situation, perm [3]int) {
	perm = [3]int{0, 1, 2}
	swap := func(i, j int) {
		a, b := &s.reps[i], &s.reps[j]
		if b.number() > a.number() {
			*a, *b = *b, *a
			perm[i], perm[j] = perm[j], perm[i]
		}
	}
	swap(0, 1)
	swap(1, 2)
	swap(0, 1)
	if f := &s.fly; f[1].req > f[0].req {
		f[0], f[1] = f[1], f[0]
	}
	return s, perm
}

func (r replica) number() uint64 {
	return uint64(r.at)<<56 | uint64(r.flags)<<48 | uint64(r.row)<<32 | uint64(r.ledger)<<16 | uint64(r.trunk)
}

// trace tells the shortest way, in words.
func (s *search) trace(last came) string {
	way := []came{last}
	for at := last.from; s.how[at].from >= 0; at = s.how[at].from {
		way = append(way, s.how[at])
	}
	slices.Reverse(way)
	var b strings.Builder
	names := [3]int{0, 1, 2}
	for i, f := range way {
		who := "  "
		if f.who >= 0 {
			who = string(rune('A'+names[f.who])) + ":"
		}
		fmt.Fprintf(&b, "\n  %2d. %s %s", i+1, who, s.steps[f.step])
		if i+1 == len(way) {
			break
		}
		s.model.steps(s.all[f.from], func(step string, who int, to situation, _ breach) {
			same, perm := canonical(to)
			if step == s.steps[f.step] && who == int(f.who) && same == s.all[way[i+1].from] {
				was := names
				for k := range names {
					names[k] = was[perm[k]]
				}
			}
		})
	}
	return b.String()
}

// size is one search.
type size struct {
	name     string
	replicas int
	members  int // of a candidate
	single   bool
	trains   bool
	bad      []SHA // heads that are red together, in trains
	left     bounds
	least    int // situations that there must be, so that a model that stopped seeing does not pass
}

// small is searched by `make test`, large by `make model` beside it.
var small = []size{
	{name: "a kill, an answer lost, a pause", replicas: 2, members: 1, left: bounds{crashes: 1, lost: 1, pauses: 1}, least: 25_000},
	{name: "a push past lander", replicas: 2, members: 1, left: bounds{lost: 1, pushes: 1}, least: 66_000},
	{name: "a rewind", replicas: 2, members: 1, left: bounds{rewinds: 1, resumes: 1}, least: 2_600},
	{name: "the author leaves a head and comes back", replicas: 2, members: 1, left: bounds{authors: 1, backs: 1}, least: 31_000},
	{name: "not wanted any more", replicas: 2, members: 1, left: bounds{withdraws: 1, dismissals: 1, closes: 1}, least: 23_000},
	{name: "asked for again, an hour later", replicas: 2, members: 1, left: bounds{withdraws: 1, asks: 1, lapses: 1}, least: 78_000},
	{name: "two members", replicas: 2, members: 2, left: bounds{lost: 1, authors: 1}, least: 22_000},
	{name: "seen by halves", replicas: 2, members: 1, left: bounds{lost: 1, halves: 1}, least: 6_000},
	{name: "denied", replicas: 2, members: 1, left: bounds{denials: 2, pauses: 1}, least: 8_000},
	{name: "an old backup", replicas: 2, members: 1, left: bounds{backups: 1, restores: 1}, least: 10_000},
	{name: "one branch after the other", replicas: 2, members: 1, single: true, left: bounds{crashes: 1, pushes: 1}, least: 36_000},
	{name: "a train", replicas: 2, members: 1, trains: true, left: bounds{pauses: 1}, least: 5_000},
	{name: "a train, one is bad", replicas: 2, members: 1, trains: true, bad: []SHA{head(2, 1)}, least: 6_000},
	{name: "a train, red only together", replicas: 2, members: 1, trains: true, bad: []SHA{head(1, 1), head(2, 1)}, least: 6_000},
	{name: "a train, red by chance", replicas: 2, members: 1, trains: true, left: bounds{flukes: 1}, least: 8_000},
	{name: "a train, a kill, an answer lost", replicas: 2, members: 1, trains: true, bad: []SHA{head(2, 1)}, left: bounds{crashes: 1, lost: 1}, least: 100_000},
	{name: "a train, a rewind", replicas: 2, members: 1, trains: true, left: bounds{rewinds: 1, resumes: 1}, least: 14_000},
	{name: "a train, red only together, withdrawn", replicas: 2, members: 1, trains: true, bad: []SHA{head(1, 1), head(2, 1)}, left: bounds{withdraws: 1}, least: 20_000},
}

var large = []size{
	{name: "three replicas", replicas: 3, members: 1, left: bounds{crashes: 1, lost: 1, pauses: 1}},
	{name: "three replicas and a push past them", replicas: 3, members: 1, left: bounds{pushes: 1, crashes: 1}},
	{name: "two kills, two answers lost, a pause and its end", replicas: 2, members: 1, left: bounds{crashes: 2, lost: 2, pauses: 1, resumes: 1}},
	{name: "a push, a rewind, an answer lost", replicas: 2, members: 1, left: bounds{lost: 1, pushes: 1, rewinds: 1, resumes: 1}},
	{name: "the author and an answer lost", replicas: 2, members: 1, left: bounds{lost: 1, authors: 1, backs: 1}},
	{name: "the author, asked for, a rewind", replicas: 2, members: 1, left: bounds{authors: 1, backs: 1, asks: 1, rewinds: 1}},
	{name: "not wanted, and an answer lost", replicas: 2, members: 1, left: bounds{lost: 1, withdraws: 1, dismissals: 1, closes: 1}},
	{name: "asked for again, later, and an answer lost", replicas: 2, members: 1, left: bounds{lost: 1, withdraws: 1, asks: 1, lapses: 1}},
	{name: "two members, their author and a push", replicas: 2, members: 2, left: bounds{lost: 1, authors: 1, pushes: 1}},
	{name: "two members, a kill, a pause, a withdrawal", replicas: 2, members: 2, left: bounds{lost: 1, crashes: 1, pauses: 1, withdraws: 1, resumes: 1}},
	{name: "three replicas and the author", replicas: 3, members: 1, left: bounds{authors: 1, backs: 1}},
	{name: "seen by halves, a kill, a pause, a push", replicas: 2, members: 1, left: bounds{lost: 1, halves: 1, crashes: 1, pauses: 1, pushes: 1}},
	{name: "an old backup and an answer lost", replicas: 2, members: 1, left: bounds{backups: 1, restores: 1, lost: 1}},
	{name: "denied until it is dropped", replicas: 2, members: 1, left: bounds{denials: 4, crashes: 1, pauses: 1}},
	{name: "an old backup and the author", replicas: 2, members: 1, left: bounds{backups: 1, restores: 1, authors: 1}},
	{name: "one branch after the other, three replicas", replicas: 3, members: 1, single: true, left: bounds{pushes: 1}},
	{name: "one branch after the other, and an answer lost", replicas: 2, members: 1, single: true, left: bounds{lost: 1, pauses: 1, pushes: 1}},
	{name: "a train and a push past lander", replicas: 2, members: 1, trains: true, bad: []SHA{head(1, 1), head(2, 1)}, left: bounds{pushes: 1}},
	{name: "a train, red by chance, and the author", replicas: 2, members: 1, trains: true, bad: []SHA{head(2, 1)}, left: bounds{flukes: 1, authors: 1}},
	{name: "a train, three replicas, a kill, a pause", replicas: 3, members: 1, trains: true, bad: []SHA{head(1, 1)}, left: bounds{crashes: 1, pauses: 1, resumes: 1}},
	{name: "a train, an answer lost, a rewind, red by chance", replicas: 2, members: 1, trains: true, left: bounds{lost: 1, rewinds: 1, resumes: 1, flukes: 1}},
	{name: "a train, asked for again, later, red together", replicas: 2, members: 1, trains: true, bad: []SHA{head(1, 1), head(2, 1)}, left: bounds{withdraws: 1, asks: 1, lapses: 1}},
	{name: "a train, one branch after the other, a kill", replicas: 2, members: 1, trains: true, single: true, bad: []SHA{head(2, 1)}, left: bounds{crashes: 1, lost: 1}},
	{name: "a train, an old backup", replicas: 2, members: 1, trains: true, bad: []SHA{head(2, 1)}, left: bounds{backups: 1, restores: 1}},
}

var full = flag.Bool("model", false, "search the large sizes of the model, too")

// TestModel searches the sizes side by side; the large ones one by one, for the sake of memory.
func TestModel(t *testing.T) {
	sizes := small
	if *full {
		sizes = slices.Concat(small, large)
	}
	var states, edges atomic.Int64
	t.Cleanup(func() { t.Logf("%-48s %8d states %9d transitions", "together", states.Load(), edges.Load()) })
	for _, c := range sizes {
		t.Run(c.name, func(t *testing.T) {
			if !*full {
				t.Parallel()
			}
			began := time.Now()
			m := newModel(c.replicas, c.members)
			m.single = c.single
			if c.trains {
				m.withTrains(c.bad...)
			}
			s := explore(m, c.left)
			if s.breach != "" {
				t.Fatal(s.breach)
			}
			states.Add(int64(len(s.all)))
			edges.Add(int64(s.edges))
			t.Logf("%-48s %8d states %9d transitions, depth %3d, %6.1f s", c.name, len(s.all), s.edges, s.depth, time.Since(began).Seconds())
			if len(s.all) < c.least {
				t.Fatalf("%d states were found, and there were more than %d once", len(s.all), c.least)
			}
		})
	}
}
