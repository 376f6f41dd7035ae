package queue

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// People of the stories. Ann writes, Rita and Raj review, Ada administers, Tom may only try, Guy has no right at all.
var (
	ann   = Person{ID: 1, Login: "ann"}
	rita  = Person{ID: 2, Login: "rita"}
	raj   = Person{ID: 3, Login: "raj"}
	ada   = Person{ID: 4, Login: "ada"}
	tom   = Person{ID: 5, Login: "tom"}
	guy   = Person{ID: 6, Login: "guy"}
	robot = Person{ID: 7, Login: "robot", Bot: true}
)

var roles = map[int64]Role{1: RoleReview, 2: RoleReview, 3: RoleReview, 4: RoleAdmin, 5: RoleTry, 6: RoleNone, 7: RoleAdmin}

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// Object ids that can be read: pull request n's rev-th head, the n-th candidate, the n-th trunk that no candidate made.
func head(n Number, rev int) SHA {
	return SHA(strings.Repeat(fmt.Sprintf("%02x%02x", int(n), rev), 10))
}

func commit(id CandidateID) SHA     { return SHA(strings.Repeat(fmt.Sprintf("c%03x", int(id)), 10)) }
func trunk(n int) SHA               { return SHA(strings.Repeat(fmt.Sprintf("f%03x", n), 10)) }
func suite() Recipe                 { return Recipe{Steps: []Step{{Name: "unit", Run: "make test"}}} }
func at(seconds int) time.Time      { return noon.Add(time.Duration(seconds) * time.Second) }
func green(*Candidate, int) Verdict { return says(Green, "") }
func within(id CandidateID, i int) SHA {
	return SHA(strings.Repeat(fmt.Sprintf("b%02x%x", int(id), i), 10))
}

func made(w *world, b Build) Event {
	built := builtOf(b)
	w.puts(b.Request.Base, built)
	return CandidateMade{b.ID, b.Request, built, w.p.Recipe, w.now, nil}
}

func says(o Outcome, why string) Verdict {
	if o == Green {
		return Verdict{Outcome: Green, Took: time.Minute, Steps: []StepResult{{Name: "unit", Took: time.Minute}}}
	}
	return Verdict{Outcome: o, Step: "unit", Reason: why, Took: time.Second}
}

// builtOf has a commit for each member; the last is the candidate.
func builtOf(b Build) Built {
	built := Built{SHA: commit(b.ID), Tree: commit(b.ID)}
	for i, m := range b.Request.Members {
		sha := built.SHA
		if i+1 < len(b.Request.Members) {
			sha = within(b.ID, i+1)
		}
		built.Commits = append(built.Commits, BuiltCommit{SHA: sha, Member: m.Number, From: m.Head, Title: "change"})
	}
	return built
}

// world is a lane, the forge and the git server as one story sees them. Every fact it applies is applied a second time, to show
// that this changes nothing.
type world struct {
	t testing.TB
	server
	q     Queue
	now   time.Time
	p     Policy
	pulls map[Number]*Sight
	ids   int
	told  []string // by notices that were saved
	wrote []Record

	suite func(c *Candidate, run int) Verdict
	build func(w *world, b Build) Event
	trial func(t Trial) Built // nil: every trial can be built
	holds map[SHA][]Number    // which changes a commit has, lowest first

	quick  bool   // facts are applied once, unchecked
	single bool   // the git server cannot move two branches at once
	denies string // what it says to whoever pushes to trunk; empty: it takes it
	burned string // the same, of records that stand alone
}

func newWorld(t testing.TB) *world {
	w := &world{
		t: t, server: server{trunk: []SHA{trunk(0)}}, q: Queue{Lane: Lane{Repo: "acme/app", Trunk: "main"}}, now: noon, pulls: map[Number]*Sight{},
		p: Policy{Approvals: 1, NoLabels: []string{"wip"}, Recipe: suite()}, suite: green, build: made, holds: map[SHA][]Number{},
	}
	w.q.Estimates = &Estimates{Reds: Tally{Good: fewReds + 1}} // it is no new lane
	w.seeTrunk()
	w.do(Adopt{w.q.Adoption(w.now)})
	w.save()
	return w
}

func (w *world) apply(ev Event) {
	w.t.Helper()
	if w.quick {
		w.q = w.q.Apply(ev)
		return
	}
	w.q = applied(w.t, w.q, ev)
}

// applied is q.Apply(ev), checked: neither q nor ev is changed, and a second time adds nothing.
func applied(t interface {
	Helper()
	Fatalf(string, ...any)
}, q Queue, ev Event,
) Queue {
	t.Helper()
	before, event := text(q), text(ev)
	after := q.Apply(ev)
	if twice := after.Apply(ev); !reflect.DeepEqual(twice, after) {
		t.Fatalf("%T %s\nonce:  %s\ntwice: %s", ev, event, text(after), text(twice))
	}
	if was := text(q); was != before {
		t.Fatalf("%T changed the queue that it was applied to\nfrom %s\nto   %s", ev, before, was)
	}
	if was := text(ev); was != event {
		t.Fatalf("%T was changed by being applied: %s to %s", ev, event, was)
	}
	return after
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// save fills and takes the outbox, as the keeper does.
func (w *world) save() {
	q := w.q.Fill(w.now, w.p)
	for _, n := range q.Outbox {
		w.told = append(w.told, describe(n))
	}
	w.wrote = append(w.wrote, q.Journal...)
	w.q = q.Saved(q.Version + 1)
}

func (w *world) wait(d time.Duration) { w.now = w.now.Add(d) }

// seeTrunk reads both branches, the ledger first, as the keeper does.
func (w *world) seeTrunk() {
	w.t.Helper()
	w.seeLedger()
	w.apply(TrunkSeen{Tip: w.tip(), Rewound: w.q.Tip != "" && !w.has(w.q.Tip), At: w.now})
}

func (w *world) seeLedger() {
	w.t.Helper()
	if l := w.q.Ledger; w.ledgerTip() != l.Tip || w.single != l.Single || l.Mend {
		above, problem := w.records(l.Tip)
		w.apply(LedgerSeen{Tip: w.ledgerTip(), Above: above, Single: w.single, Problem: problem, At: w.now})
	}
}

// bypass is a human who pushes to trunk.
func (w *world) bypass(n int) { w.advance(w.tip(), trunk(n)) }

// rewind is a human who takes commits off trunk.
func (w *world) rewind(commits int) { w.trunk = slices.Clone(w.trunk[:len(w.trunk)-commits]) }

// open makes a pull request of Ann's and looks at it; a second passes after everything that people do.
func (w *world) open(n Number) {
	w.t.Helper()
	w.pulls[n] = &Sight{
		Number: n, Open: true, Base: "main", Head: head(n, 1), PushedAt: w.now, Branch: fmt.Sprintf("topic-%d", n),
		Title: fmt.Sprintf("Change %d", n), URL: fmt.Sprintf("http://forge/%d", n), Author: ann,
	}
	w.wait(time.Second)
	w.look(n)
}

func (w *world) look(n Number) {
	w.t.Helper()
	w.apply(ChangeSeen{Sight: w.sight(n)})
}

// sight is what the forge says of a pull request now.
func (w *world) sight(n Number) Sight {
	s := *w.pulls[n]
	s.At = w.now
	s.Reviews, s.Asks, s.Labels = slices.Clone(s.Reviews), slices.Clone(s.Asks), slices.Clone(s.Labels)
	return s
}

func (w *world) pushHead(n Number, rev int) {
	w.wait(time.Second)
	w.pulls[n].Head, w.pulls[n].PushedAt = head(n, rev), w.now
	w.wait(time.Second)
}

// reviewed leaves a review of the present head; nobody has looked yet.
func (w *world) reviewed(n Number, who Person, state ReviewState) {
	w.wait(time.Second)
	w.ids++
	s := w.pulls[n]
	s.Reviews = append(s.Reviews, Review{ID: fmt.Sprintf("r%d", w.ids), Who: who, Role: roles[who.ID], Head: s.Head, State: state, At: w.now})
	w.wait(time.Second)
}

func (w *world) approve(n Number, who Person) {
	w.t.Helper()
	w.reviewed(n, who, ReviewApproved)
	w.look(n)
}

// commented leaves a command; nobody has looked yet. Words are "land", "land SHA", "p=2" and so on.
func (w *world) commented(n Number, who Person, words string) {
	w.wait(time.Second)
	w.pulls[n].Asks = append(w.pulls[n].Asks, w.command(who, words))
	w.wait(time.Second)
}

func (w *world) command(who Person, words string) Ask {
	w.ids++
	a := Ask{ID: fmt.Sprintf("a%d", w.ids), Comment: int64(w.ids), Who: who, Role: roles[who.ID], At: w.now}
	verb, rest, _ := strings.Cut(words, " ")
	a.Verb = Verb(verb)
	if v, p, ok := strings.Cut(verb, "="); ok {
		a.Verb, a.Priority = Verb(v), new(int)
		if _, err := fmt.Sscan(p, a.Priority); err != nil {
			w.t.Fatal(err)
		}
	}
	if a.Verb == VerbLand {
		a.SHA = rest
	}
	a.Text = rest
	return a
}

func (w *world) say(n Number, who Person, words string) {
	w.t.Helper()
	w.commented(n, who, words)
	w.look(n)
}

// settle carries out what the plan asks for until it asks for nothing.
func (w *world) settle() {
	w.t.Helper()
	for range 1000 {
		plan := w.q.Plan(w.now, w.p)
		if len(plan) == 0 {
			w.save()
			return
		}
		w.do(plan[0])
	}
	w.t.Fatalf("no end of deeds: %v", w.plan())
}

// step carries out only the first deed of the plan.
func (w *world) step() {
	w.t.Helper()
	w.do(w.q.Plan(w.now, w.p)[0])
	w.save()
}

func (w *world) do(a Action) {
	w.t.Helper()
	switch a := a.(type) {
	case Build:
		w.apply(w.build(w, a))
	case StartRun:
		w.apply(RunStarted{a.Candidate.ID, a.Run, w.now})
		w.wait(time.Minute)
		w.apply(RunReported{a.Candidate.ID, a.Run, w.suite(a.Candidate, a.Run).of(a.Rerun).whole(a.Recipe), w.now})
	case Reuses:
		w.apply(Reused{a.ID, a.Run, a.Proof, w.now})
	case Abandon:
		w.apply(Abandoned{a.ID, a.Reason, w.now})
	case Probe:
		w.apply(ProbesMade{a.ID, a.Of, w.probed(a.Trials), w.now})
	case Join:
		w.apply(Joined{a.ID, a.As, w.now})
	case Confirm:
		for _, n := range a.Candidate.Numbers() {
			w.look(n)
		}
		w.apply(Confirmed{a.Candidate.ID, w.now})
	case Land:
		w.land(a)
	case Adopt:
		if w.burned != "" {
			w.apply(LedgerDenied{w.burned, w.now})
			return
		}
		w.add("", seal("", a.Statement))
		w.seeTrunk()
	case Mend:
		w.mend(a.Tip)
		w.apply(LedgerMended{w.now})
		w.seeTrunk()
	case PutBack:
		w.moveHead(a.Move)
		w.apply(HeadPutBack{Number: a.Move.Number, From: a.Move.From, At: w.now})
	}
}

// land is what the keeper does: the intent, the members' own branches, the push; or the resolution of what was begun before.
func (w *world) land(a Land) {
	w.t.Helper()
	c := a.Candidate
	if c.State == CandidateLanding {
		w.resolve(c.ID, "")
		return
	}
	if c = w.begin(c.ID); c.State != CandidateLanding {
		w.t.Fatalf("the intent of %d was refused", c.ID)
	}
	w.save()
	for _, m := range c.Intent.Heads {
		w.moveHead(m)
	}
	if w.denies != "" || !w.pushed(c) {
		w.resolve(c.ID, w.denies)
		return
	}
	w.apply(LandingDone{c.ID, w.now})
	w.seeTrunk()
}

// begin saves the intent to land a candidate.
func (w *world) begin(id CandidateID) *Candidate {
	w.t.Helper()
	w.apply(begun(w.q, id, w.now, w.p))
	return w.q.Candidate(id)
}

func begun(q Queue, id CandidateID, now time.Time, p Policy) LandingBegun {
	s, in := q.Plead(q.Candidate(id), now, p)
	in.Record = seal(in.Ledger, s)
	return LandingBegun{id, in, p, now}
}

// pushed carries out the push of an intent; false: the git server did not take it.
func (w *world) pushed(c *Candidate) bool {
	if w.single {
		return w.pushSingly(c.Base, c.Built.SHA, c.Intent)
	}
	return w.push(c.Base, c.Built.SHA, c.Intent)
}

// moveHead moves the branch of a pull request, if it stands where it is thought to.
func (w *world) moveHead(m HeadMove) bool {
	s := w.pulls[m.Number]
	if s.Head != m.From {
		return false
	}
	s.Head = m.To
	return true
}
