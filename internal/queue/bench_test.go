package queue

import (
	"fmt"
	"testing"
	"time"
)

// crowd is a lane with n queued changes, approved in an order that is not that of their numbers.
func crowd(n int) (Queue, Policy) {
	q := Queue{Lane: Lane{Repo: "acme/app", Trunk: "main"}, Tip: trunk(0)}
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
	for name, q := range map[string]Queue{"idle lane": q, "one in flight": flying, "all held": held} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				q.Plan(noon, p)
			}
		})
	}
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
	best := time.Hour
	for range 5 {
		began := time.Now()
		q.Plan(noon, p)
		best = min(best, time.Since(began))
	}
	if best > 100*time.Millisecond {
		t.Fatalf("a plan for %d changes takes %v", many, best)
	}
	began := time.Now()
	q.Apply(Paused{By: "ada", At: noon}).Fill(noon, p)
	if took := time.Since(began); took > 5*time.Second {
		t.Fatalf("pausing with %d changes takes %v", many, took)
	}
}
