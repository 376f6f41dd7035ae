package queue

import (
	"fmt"
	"testing"
	"time"
)

// crowd is a lane with n queued changes, approved in an order that is not that of their numbers.
func crowd(n int) (Queue, Policy) {
	q := Queue{Lane: Lane{Repo: "acme/app", Trunk: "main"}, Tip: trunk(0), Ledger: Ledger{Tip: trunk(1), Seq: 1}}
	for i := range n {
		num := Number(i + 1)
		asked := at((i * 7919) % n)
		q.Entries = append(q.Entries, &Entry{
			Change: Change{Number: num, Head: SHA(fmt.Sprintf("%040x", i+1)), Branch: "topic", Title: "Change", Author: ann, Labels: []string{"ui"}},
			State:  Queued, SeenAt: at(0), HeadSince: at(0), AskedBy: rita, AskedAt: asked, Priority: i % 3,
			Approvals: []Approval{{ID: "r1", Who: rita, At: asked, Via: viaReview}}, Handled: []string{"r1"},
		})
	}
	return q, Policy{Approvals: 1, NoLabels: []string{"wip"}, Recipe: suite()}
}

const many = 10_000

// convoy is a crowd with a long train in flight, all under test but some that are red and whose fault that is being found out.
func convoy(n, candidates, members, cases int) (Queue, Policy) {
	q, p := crowd(n)
	p.Window = candidates + 8
	base := q.Tip
	for i := range candidates {
		b := Build{ID: CandidateID(i + 1), Request: BuildRequest{Base: base, At: noon}}
		for j := range members {
			e := q.Entry(Number(i*members + j + 1))
			b.Request.Members = append(b.Request.Members, Member{Number: e.Number, Head: e.Head})
		}
		built := builtOf(b)
		for j := range built.Commits { // more than there are short names for
			built.Commits[j].SHA = SHA(fmt.Sprintf("%08x%032x", i+1, j+1))
		}
		built.SHA = built.Commits[members-1].SHA
		q = q.Apply(CandidateMade{b.ID, b.Request, built, suite(), noon, nil})
		q = q.Apply(RunStarted{b.ID, 1, noon})
		base = built.SHA
	}
	for k := range cases {
		id := CandidateID((k + 1) * candidates / cases)
		v := says(Red, "exit status 1")
		v.Failed = []string{fmt.Sprintf("Test%d", k), fmt.Sprintf("TestMore%d", k)}
		for run := 1; run <= 2; run++ {
			q = q.Apply(RunReported{id, run, v.whole(suite()), noon})
			if run == 1 {
				q = q.Apply(RunStarted{id, 2, noon})
			}
		}
	}
	return q.Saved(1), p
}

func BenchmarkPlan(b *testing.B) {
	q, p := crowd(many)
	flying := q.Apply(CandidateMade{ID: 1, Request: BuildRequest{Base: q.Tip, Members: []Member{{Number: 5, Head: q.Entry(5).Head}}}, Built: Built{SHA: commit(1)}, At: noon})
	held := q
	held.Entries = nil
	for _, e := range q.Entries {
		h := e.clone()
		h.Held = true
		held.Entries = append(held.Entries, h)
	}
	train, busy := convoy(many, 64, 4, 5)
	for _, c := range []struct {
		name string
		q    Queue
		p    Policy
	}{
		{"idle lane", q, p},
		{"one in flight", flying, p},
		{"all held", held, p},
		{"64 in flight and 5 cases", train, busy},
		{"64 in flight and 5 cases, with a past", aged(train), busy},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.q.Plan(noon, c.p)
			}
		})
	}
}

// aged is a lane in which every change has landed and been asked for many times before.
func aged(q Queue) Queue {
	old := q
	old.Entries = nil
	for _, e := range q.Entries {
		e = e.clone()
		for i := range 50 {
			e.Past = append(e.Past, Landing{Head: head(9, i), Tip: trunk(i)})
			e.Handled = append(e.Handled, fmt.Sprintf("old%d", i))
		}
		old.Entries = append(old.Entries, e)
	}
	return old
}

func BenchmarkApply(b *testing.B) {
	q, _ := crowd(many)
	look := Sight{Number: 5000, At: at(20_000), Open: true, Base: "main", Head: q.Entry(5000).Head, Author: ann, Labels: []string{"ui"}}
	look.Reviews = []Review{{ID: "r1", Who: rita, Role: RoleReview, Head: look.Head, State: ReviewApproved, At: at(1)}, {ID: "r2", Who: raj, Role: RoleReview, Head: look.Head, State: ReviewApproved, At: at(2)}}
	moved := look
	moved.Head = head(9, 9)
	for name, ev := range map[string]Event{
		"look": ChangeSeen{Sight: look}, "head moved": ChangeSeen{Sight: moved}, "trunk": TrunkSeen{Tip: trunk(1), At: noon}, "pause": Paused{By: "ada", At: noon},
		"withdraw": ChangeAsked{5000, Ask{ID: "w", Who: ann, At: at(20_001), Verb: VerbWithdraw}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				q.Apply(ev)
			}
		})
	}
}

func BenchmarkFill(b *testing.B) {
	q, p := crowd(many)
	for name, ev := range map[string]Event{"one": ChangeAsked{5000, Ask{ID: "w", Who: ann, At: at(20_001), Verb: VerbWithdraw}}, "all": Paused{By: "ada", At: noon}} {
		q := q.Apply(ev)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				q.Fill(noon, p)
			}
		})
	}
}

// TestAFullQueueIsPlannedAtOnce bounds what the keeper waits for, wide enough for a busy machine.
func TestAFullQueueIsPlannedAtOnce(t *testing.T) {
	q, p := crowd(many)
	train, busy := convoy(many, 64, 4, 5)
	for name, plan := range map[string]func(){"waiting": func() { q.Plan(noon, p) }, "waiting behind a long train": func() { train.Plan(noon, busy) }} {
		best := time.Hour
		for range 5 {
			began := time.Now()
			plan()
			best = min(best, time.Since(began))
		}
		if best > 100*time.Millisecond {
			t.Fatalf("a plan for %d changes %s takes %v", many, name, best)
		}
	}
	// What is remembered costs nothing when it is planned.
	old := aged(train)
	if was, is := testing.AllocsPerRun(3, func() { train.Plan(noon, busy) }), testing.AllocsPerRun(3, func() { old.Plan(noon, busy) }); is > was*1.1 {
		t.Fatalf("a plan takes %.0f allocations, and with a long past %.0f", was, is)
	}
	began := time.Now()
	q.Apply(Paused{By: "ada", At: noon}).Fill(noon, p)
	if took := time.Since(began); took > 5*time.Second {
		t.Fatalf("pausing with %d changes takes %v", many, took)
	}
}
