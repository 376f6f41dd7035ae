package queue

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestWalk lets people, a forge, a git server and a keeper that crashes do what they like to a lane. What trunk and the forge hold
// is kept beside it, and each push is judged by that, not by what the queue believes.
//
// -rapid.checks says how many lanes; without it there are a few, so that it is over soon.
func TestWalk(t *testing.T) {
	t.Parallel()
	var events atomic.Int64
	defer func() { t.Logf("%d events", events.Load()) }()
	rapid.Check(t, func(t *rapid.T) {
		w := newWalk(t)
		defer func() { events.Add(int64(w.events)) }()
		w.seeTrunk()
		w.rush()
		for range rapid.IntRange(30, 70).Draw(t, "steps") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(1, 8).Draw(t, "seconds")) * time.Second)
			rapid.SampledFrom(w.moves()).Draw(t, "move").do()
			w.check()
		}
		w.calm()
	})
}

// walker is a lane under a random walk.
type walker struct {
	*rapid.T
	server
	q      Queue
	p      Policy
	now    time.Time
	pulls  map[Number]*pull
	roles  map[int64]Role
	looks  []Sight // answers of the forge that may still arrive, or arrive again
	former map[Number]*Entry
	deeds  []Action // plans that may still be carried out, however old
	seen   map[Number]Sight
	ids    int
	log    []happened
	wrote  []Record
	moved  []Move         // the trunk log as it was saved
	landed map[string]int // by change and head
	faults bool

	flying []*Candidate     // pushes that left and may still arrive
	lost   map[SHA]bool     // records of intents that no database knows any more
	ours   map[SHA]SHA      // what lander put onto a branch, and the author's head in whose place
	forgot map[SHA]bool     // of those, what the database does not know to be so
	saves  []walkerSnapshot // backups
	single bool             // the git server cannot move two branches at once
	backup bool             // a backup may be restored; else the ledger may be rewound

	alive   []alive // runs
	honest  bool    // the suite fails where a defect is, and nowhere else
	named   bool    // and it names the tests
	defects []defect
	content map[SHA][]int // which changes a commit has
	below   map[SHA]link
	proved  map[string]bool // by commit and step
	areas   map[int]Areas   // that each change touches, where the lane has any
	events  int
}

// walkerSnapshot is what a backup of the database holds, and what was seen until then.
type walkerSnapshot struct {
	q      Queue
	former map[Number]*Entry
	seen   map[Number]Sight
	moved  []Move
}

// pull is a pull request as it truly is.
type pull struct {
	Sight
	revs  int
	meant map[string]SHA // what each command that lands was meant for
}

// move is one thing that may happen.
type move struct {
	name string
	do   func()
}

// happened is an Event or an Action, for the report of a failure.
type happened struct {
	at   time.Time
	what any
}

func (m move) String() string { return m.name }

func newWalk(t *rapid.T) *walker {
	w := &walker{
		T: t, now: noon, q: Queue{Lane: Lane{Repo: "acme/app", Trunk: "main"}}, pulls: map[Number]*pull{}, former: map[Number]*Entry{},
		p:     Policy{Approvals: rapid.IntRange(1, 2).Draw(t, "approvals"), NoLabels: []string{"wip"}, Recipe: walkRecipe()},
		roles: map[int64]Role{}, server: server{trunk: []SHA{trunk(0)}}, seen: map[Number]Sight{}, landed: map[string]int{}, faults: true,
		lost: map[SHA]bool{}, ours: map[SHA]SHA{}, forgot: map[SHA]bool{}, content: map[SHA][]int{}, below: map[SHA]link{}, proved: map[string]bool{},
		single: rapid.IntRange(0, 3).Draw(t, "single") == 3, backup: rapid.Bool().Draw(t, "backup"),
	}
	w.p.ShowMerged = rapid.Bool().Draw(t, "show merged")
	w.p.Window, w.p.Batch = rapid.IntRange(1, 4).Draw(t, "window"), rapid.IntRange(0, 3).Draw(t, "batch")
	w.p.TestEach = rapid.SampledFrom([]TestEach{"", "", TestBatch, TestChange}).Draw(t, "test each")
	w.drawAreas()
	w.drawDefects()
	for id, r := range roles {
		w.roles[id] = r
	}
	return w
}

func (w *walker) apply(ev Event) {
	before := w.q
	w.events++
	w.log = append(w.log, happened{w.now, ev})
	w.q = applied(w, w.q, ev)
	w.transition(before, ev)
}

func (w *walker) Fatalf(format string, args ...any) {
	w.T.Helper()
	var b strings.Builder
	for _, h := range w.log[max(0, len(w.log)-40):] {
		if a, ok := h.what.(Action); ok {
			fmt.Fprintf(&b, "\n    %s", deed(a))
			continue
		}
		fmt.Fprintf(&b, "\n  %s %T %s", h.at.Format("15:04:05"), h.what, text(h.what))
	}
	w.T.Fatalf(format+"\nwhat happened:%s", append(args, b.String())...)
}

func (w *walker) moves() []move {
	// What comes first is drawn most.
	return []move{
		{"act now", w.actNow},
		{"act now", w.actNow},
		{"report", w.report},
		{"act now", w.actNow},
		{"approve", w.approve},
		{"look", w.look},
		{"act now", w.actNow},
		{"look", w.look},
		{"comment", w.comment},
		{"act now", w.actNow},
		{"approve", w.approve},
		{"act", w.act},
		{"review", w.review},
		{"old look", w.oldLook},
		{"see trunk", w.seeTrunk},
		{"push", w.pushHead},
		{"save", w.save},
		{"resume", w.resume},
		{"order", w.order},
		{"act now", w.actNow},
		{"bypass", w.bypass},
		{"change", w.change},
		{"open", w.open},
		{"think", w.think},
		{"act", w.act},
		{"pause", w.pause},
		{"lose run", w.loseRun},
		{"wait", func() { w.now = w.now.Add(time.Minute) }},
		{"hide", w.hide},
		{"arrive", w.arriveLate},
		{"see trunk", w.seeTrunk},
		{"disaster", w.disaster},
		{"rush", w.rush},
		{"report", w.report},
		{"act now", w.actNow},
	}
}

func (w *walker) look() {
	if p := w.somePull(); p != nil {
		w.lookAt(p)
	}
}

func (w *walker) lookAt(p *pull) {
	s := w.sight(p)
	w.looks = append(w.looks, s)
	w.arrive(s)
}

// oldLook lets an answer arrive late, or once more.
func (w *walker) oldLook() {
	if len(w.looks) > 0 {
		w.arrive(rapid.SampledFrom(w.looks).Draw(w.T, "old"))
	}
}

// arrive applies a look as the keeper does: what had left is remembered first.
func (w *walker) arrive(s Sight) {
	if e := w.q.Entry(s.Number); e == nil && s.Open && s.Base == "main" {
		if e := w.remembered(s.Number); e != nil {
			w.apply(ChangeRemembered{e})
		}
	}
	if e := w.q.Entry(s.Number); e == nil || !e.Gone && !s.At.Before(e.SeenAt) {
		seen := s
		seen.Head = w.authored(s.Head)
		w.seen[s.Number] = seen
	}
	w.apply(ChangeSeen{Sight: s})
}

// remembered is what the archive knows of a pull request: what it was when it left, and every landing in the trunk log.
func (w *walker) remembered(n Number) *Entry {
	e := w.former[n]
	if e == nil {
		e = &Entry{Change: Change{Number: n}, State: Idle}
	}
	e = e.clone()
	for _, m := range w.moved {
		for _, member := range m.Members {
			if member.Number == n && e.past(member.Head) == nil {
				e.Past = append(e.Past, Landing{Head: member.Head, Tip: m.New, At: m.At})
			}
		}
	}
	if w.former[n] == nil && len(e.Past) == 0 {
		return nil
	}
	return e
}

// seeTrunk reads both branches, the ledger first.
func (w *walker) seeTrunk() {
	if l := w.q.Ledger; w.ledgerTip() != l.Tip || w.single != l.Single || l.Mend {
		above, problem := w.records(l.Tip)
		w.apply(LedgerSeen{Tip: w.ledgerTip(), Above: above, Single: w.single, Problem: problem, At: w.now})
	}
	w.apply(TrunkSeen{w.tip(), w.q.Tip != "" && !w.has(w.q.Tip), false, w.now})
}

// save hands notices and journal over; what had left goes to the archive.
func (w *walker) save() {
	w.q = w.q.Fill(w.now, w.p)
	for _, n := range w.q.Outbox {
		if n.Kind == NoticeLiving && n.Standing == nil || n.Kind == NoticeAnswer && n.Text == "" || n.Key == "" {
			w.Fatalf("an empty notice: %+v", n)
		}
	}
	for _, e := range w.q.Entries {
		if e.Gone {
			w.former[e.Number] = e
		}
	}
	w.wrote = append(w.wrote, w.q.Journal...)
	for _, m := range w.q.Moves {
		if n := len(w.moved); n > 0 && m.Old != w.moved[n-1].New {
			w.Fatalf("the trunk log goes from %+v to %+v", w.moved[n-1], m)
		}
		w.moved = append(slices.Clip(w.moved), m)
	}
	w.q = w.q.Saved(w.q.Version + 1)
	w.saves = append(w.saves, walkerSnapshot{w.q, maps.Clone(w.former), maps.Clone(w.seen), w.moved})
}

// disaster is an old backup that is restored, or somebody who takes records off the ledger.
func (w *walker) disaster() {
	if w.backup && len(w.saves) > 0 {
		for _, c := range w.q.Candidates {
			if c.Intent != nil {
				w.lost[c.Intent.Record.SHA] = true
			}
		}
		for _, c := range w.flying {
			w.lost[c.Intent.Record.SHA] = true
		}
		old := rapid.SampledFrom(w.saves).Draw(w.T, "backup")
		w.q, w.former, w.seen, w.moved, w.deeds = old.q, maps.Clone(old.former), maps.Clone(old.seen), old.moved, nil
		w.alive = nil
		for n, p := range w.pulls {
			e := w.q.Entry(n)
			w.forgot[p.Head] = e == nil || !slices.Contains(e.Ours, p.Head) // nobody knows any more that it was lander
		}
		w.log = append(w.log, happened{w.now, "a backup is restored"})
		w.seeTrunk()
		return
	}
	if !w.backup && len(w.ledger) > 0 && w.q.Ledger.Tip == w.ledgerTip() && !w.landing() {
		w.flying = nil // a push that left before it could be taken once more, which nothing but the ledger could prevent
		w.ledger = w.ledger[:rapid.IntRange(0, len(w.ledger)-1).Draw(w.T, "records")]
		w.log = append(w.log, happened{w.now, "the ledger is rewound"})
	}
}
