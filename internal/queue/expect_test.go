package queue

import (
	"fmt"
	"slices"
	"strings"
)

// state says where a pull request stands: "queued", "none" when it is not known.
func (w *world) state(n Number) string {
	e := w.q.Entry(n)
	if e == nil || e.Gone {
		return "none"
	}
	return string(e.State)
}

func (w *world) is(n Number, want State) {
	w.t.Helper()
	if got := w.state(n); got != string(want) {
		w.t.Fatalf("%v is %s, want %s; journal:\n%s", n, got, want, w.journal())
	}
}

func (w *world) plans(want ...string) {
	w.t.Helper()
	if got := w.plan(); !slices.Equal(got, want) {
		w.t.Fatalf("plan is %q, want %q", got, want)
	}
}

// says compares what people were told since it was last asked.
func (w *world) says(want ...string) {
	w.t.Helper()
	w.save()
	told := w.told
	w.told = nil
	if !slices.Equal(told, want) {
		w.t.Fatalf("people were told\n  %s\nwant\n  %s", strings.Join(told, "\n  "), strings.Join(want, "\n  "))
	}
}

// forget drops what people were told so far.
func (w *world) forget() {
	w.save()
	w.told = nil
}

// approved compares who approves the present head.
func (w *world) approved(n Number, want ...string) {
	w.t.Helper()
	if got := w.q.Entry(n).approvers(); !slices.Equal(got, want) {
		w.t.Fatalf("%v is approved by %q, want %q", n, got, want)
	}
}

// waits compares the codes of what stands between a change and trunk.
func (w *world) waits(n Number, want ...string) {
	w.t.Helper()
	var got []string
	for _, r := range w.q.Why(n, w.now, w.p) {
		got = append(got, r.Code)
	}
	if !slices.Equal(got, want) {
		w.t.Fatalf("%v waits for %q, want %q", n, got, want)
	}
}

// ledgerSays compares the decisions that the ledger holds.
func (w *world) ledgerSays(want ...Decision) {
	w.t.Helper()
	var got []Decision
	for _, r := range w.ledger {
		got = append(got, r.Statement.Decision)
	}
	if !slices.Equal(got, want) {
		w.t.Fatalf("the ledger says %q, want %q", got, want)
	}
}

// line compares the order of the queue.
func (w *world) line(want ...Number) {
	w.t.Helper()
	var got []Number
	for _, e := range w.q.Line() {
		got = append(got, e.Number)
	}
	if !slices.Equal(got, want) {
		w.t.Fatalf("the line is %v, want %v", got, want)
	}
}

// noted reports that the journal has a line of that kind.
func (w *world) noted(n Number, kind string) {
	w.t.Helper()
	w.save()
	if !slices.ContainsFunc(w.wrote, func(r Record) bool { return r.Number == n && r.Kind == kind }) {
		w.t.Fatalf("the journal has no %q for %v:\n%s", kind, n, w.journal())
	}
}

func (w *world) journal() string {
	var b strings.Builder
	for _, r := range append(slices.Clone(w.wrote), w.q.Journal...) {
		fmt.Fprintf(&b, "  %s %v c%d %s: %s\n", r.At.Format("15:04:05"), r.Number, r.Candidate, r.Kind, r.Text)
	}
	return b.String()
}

// upto makes a queued change #1 and carries out deeds until its candidate is in the given state.
func (w *world) upto(state CandidateState) *Candidate {
	w.t.Helper()
	w.open(1)
	w.approve(1, rita)
	for range 20 {
		if c := w.q.CandidateOf(1); c != nil && c.State == state {
			w.forget()
			return c
		}
		switch a := w.q.Plan(w.now, w.p)[0].(type) {
		case StartRun:
			w.apply(RunStarted{a.Candidate.ID, a.Run, w.now})
			if state == CandidateTesting {
				continue
			}
			w.apply(RunReported{a.Candidate.ID, a.Run, green(a.Candidate, a.Run), w.now})
		case Land:
			w.begin(a.Candidate.ID)
		default:
			w.do(a)
		}
	}
	w.t.Fatalf("no candidate ever was %s", state)
	return nil
}

func (w *world) plan() []string {
	var lines []string
	for _, a := range w.q.Plan(w.now, w.p) {
		lines = append(lines, deed(a))
	}
	return lines
}

func deed(a Action) string {
	switch a := a.(type) {
	case Build:
		return fmt.Sprintf("build %d of %s on %s", a.ID, numbers((&Candidate{Members: a.Request.Members}).Numbers(), 9), a.Request.Base.Short())
	case StartRun:
		return fmt.Sprintf("run %d/%d", a.Candidate.ID, a.Run)
	case Probe:
		var trials []string
		for _, t := range a.Trials {
			trials = append(trials, named(t))
		}
		return fmt.Sprintf("probe %d: %s", a.Of, strings.Join(trials, ", "))
	case Join:
		return fmt.Sprintf("join %d as %d", a.ID, a.As)
	case Reuses:
		return fmt.Sprintf("reuse %d/%d for %d/%d", a.Proof.Candidate, a.Proof.Run, a.ID, a.Run)
	case Abandon:
		return fmt.Sprintf("abandon %d: %s", a.ID, a.Reason)
	case Confirm:
		return fmt.Sprintf("confirm %d", a.Candidate.ID)
	case Land:
		if a.Candidate.State == CandidateLanding {
			return fmt.Sprintf("resolve %d", a.Candidate.ID)
		}
		return fmt.Sprintf("land %d", a.Candidate.ID)
	case Adopt:
		return "adopt " + a.Statement.New.Short()
	case Mend:
		return "mend up to " + a.Tip.Short()
	case PutBack:
		return fmt.Sprintf("put %v back from %s to %s", a.Move.Number, a.Move.From.Short(), a.Move.To.Short())
	}
	return fmt.Sprintf("%T", a)
}

// named is a trial's commit, and who goes on top of it.
func named(t Trial) string {
	if t.Member.Number == 0 {
		return t.Base.Short()
	}
	return fmt.Sprintf("%s with %v", t.Base.Short(), t.Member.Number)
}

func describe(n Notice) string {
	s := fmt.Sprintf("%v %s", n.Number, n.Kind)
	switch {
	case n.Standing != nil:
		s += " " + string(n.Standing.Stage)
	case n.Drop != nil:
		s += ": " + n.Drop.Reason
	case n.Landing != nil:
		s += " as " + n.Landing.Tip.Short()
	case n.Text != "":
		s += ": " + n.Text
	}
	return s
}
