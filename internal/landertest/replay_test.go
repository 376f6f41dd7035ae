package landertest

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/sim"
)

var mornings = flag.Int("mornings", 1, "how many simulated mornings are lived through")

// What lander does in a simulation it does with a forge, git and Postgres too: the same runs of the same changes, the same landings in the
// same groups, and the same drops, all in the same order and at the same times. Only the runs' lengths and results are the simulation's.
func TestTheEngineDoesAsTheSimulation(t *testing.T) {
	t.Parallel()
	for i := range *mornings {
		lander := sim.Lander{Window: []int{3, 4, 1, 2, 5}[i%5], Batch: []int{8, 5, 2, 1}[i%4], New: true}
		t.Run(fmt.Sprintf("%d,%d", i+1, lander.Window), func(t *testing.T) {
			t.Parallel()
			tr := morning(uint64(i+1), 15)
			if tr.Workers = lander.Window; i%2 == 1 {
				tr.Flake, tr.Again = .15, .3
			}
			r := replay{log: lander.Log(tr, uint64(i+1)), day: newDay(newWorld(t, map[string]string{
				queue.PolicyFile: fmt.Sprintf("version: 1\nwindow: %d\nbatch: {max: %d}\nsuite:\n  steps:\n    - {name: suite, run: 'true'}\n", lander.Window, lander.Batch),
			}))}
			r.says = r.asSimulated
			r.must(r.play(tr))
			r.compare()
		})
	}
}

// morning is when many changes are approved, of which some are bad, and two only together.
func morning(seed uint64, n int) *sim.Trace {
	tr := &sim.Trace{Runs: sim.Usual(3, 20*time.Minute, .1), To: n}
	chance := rand.New(rand.NewPCG(seed, 1))
	at := 0.0
	for range n {
		at += chance.ExpFloat64() * 200
		tr.Changes = append(tr.Changes, sim.Change{At: time.Duration(at * float64(time.Second)), Good: .9})
	}
	pick := chance.Perm(n)
	for _, i := range pick[:3] {
		tr.Changes[i].Bad = true
	}
	a, b := pick[3], pick[4]
	tr.Changes[a].With, tr.Changes[b].With = []int{b}, []int{a}
	return tr
}

// replay is a day that was simulated before.
type replay struct {
	*day
	log sim.Log
}

// play opens a pull request for each change, and lets the day pass.
func (r *replay) play(tr *sim.Trace) error {
	for i := range tr.Changes {
		branch := fmt.Sprint("topic-", i+1)
		if _, err := r.hub.Push(repository, hub.Push{By: "noor", Branch: branch, From: "main", Commits: []hub.Commit{{
			Message: fmt.Sprint("Change ", i+1), Files: map[string]string{fmt.Sprintf("change-%d", i+1): "done\n"},
		}}}); err != nil {
			return err
		}
		if _, err := r.hub.OpenPull(repository, hub.NewPull{Author: "noor", Title: fmt.Sprint("Change ", i+1), Head: branch, Base: "main"}); err != nil {
			return err
		}
	}
	// Trunk moves on, so that no change is on trunk as it was written: a commit is one candidate's only, as it is in a simulation.
	if _, err := r.hub.Push(repository, hub.Push{By: owner, Branch: "main", Commits: []hub.Commit{{Message: "Go on", Files: map[string]string{"more.txt": "more\n"}}}}); err != nil {
		return err
	}
	if err := r.rest(); err != nil {
		return err
	}
	r.dawn = r.Now().Truncate(time.Hour).Add(time.Hour)
	for i, c := range tr.Changes {
		r.at(c.At, func() error { return r.approve(i + 1) })
	}
	return r.pass()
}

// asSimulated is what a run said in the simulation, if it is of the same changes.
func (r *replay) asSimulated(ctx context.Context, c *queue.Candidate, run int, _ queue.Rerun, _ runner) (queue.Verdict, time.Duration) {
	i := slices.IndexFunc(r.log.Runs, func(s sim.Run) bool { return s.Candidate == c.ID && s.Number == run })
	if i < 0 {
		r.Errorf("run %d of candidate %d, of %v, was not simulated", run, c.ID, c.Numbers())
		return queue.Verdict{Outcome: queue.Infra, Reason: "it was not simulated"}, time.Minute
	}
	s := r.log.Runs[i]
	was, is := r.changes(ctx, c.Base), r.changes(ctx, c.Built.SHA)
	if want := slices.Sorted(slices.Values(s.Changes)); !slices.Equal(is, want) {
		r.Errorf("run %d of candidate %d is of %v, and was simulated with %v", run, c.ID, is, want)
	}
	if told := slices.Sorted(slices.Values(append(was, c.Numbers()...))); !slices.Equal(told, is) {
		r.Errorf("run %d of candidate %d is of %v, on %v, and is told that it is of %v", run, c.ID, is, was, c.Numbers())
	}
	v := s.Verdict
	if v.Outcome == queue.Red {
		v.Exit, v.Steps = 1, []queue.StepResult{{Name: v.Step, Exit: 1, Took: v.Took}}
	}
	return v, v.Took
}

// changes are those that a commit has.
func (r *replay) changes(ctx context.Context, commit queue.SHA) (all []queue.Number) {
	mirror := r.git()
	mirror.Dir = r.mirror()
	listed, err := mirror.Text(ctx, "ls-tree", "--name-only", string(commit))
	if err != nil {
		r.Error(err)
	}
	for _, name := range strings.Fields(listed) {
		var n queue.Number
		if _, err := fmt.Sscanf(name, "change-%d", &n); err == nil {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// compare holds what lander did against what it did in the simulation.
func (r *replay) compare() {
	ctx, lane := context.Background(), r.lanes[0]
	journal, err := r.life.store.Journal(ctx, lane, 0, 10_000)
	r.must(err)
	slices.Reverse(journal)
	got, want := deeds(journal, r.dawn), deeds(r.log.Journal, sim.Epoch)
	for i := range max(len(got), len(want)) {
		if i == len(got) || i == len(want) || got[i] != want[i] {
			from := max(i-10, 0)
			r.Errorf("from deed %d on lander does\n%s\nand in the simulation\n%s", i,
				strings.Join(got[from:min(i+5, len(got))], "\n"), strings.Join(want[from:min(i+5, len(want))], "\n"))
			break
		}
	}
	var groups []string // of those that landed together
	last := queue.CandidateID(0)
	for _, d := range r.log.Journal {
		switch {
		case d.Kind != "landed":
		case d.Candidate == last:
			groups[len(groups)-1] += fmt.Sprint(" ", int(d.Number))
		default:
			groups = append(groups, fmt.Sprint(int(d.Number)))
			last = d.Candidate
		}
	}
	o := newOracle(r.world)
	var pushes []string
	for _, m := range o.moves {
		if m.ref == "refs/heads/main" && m.who == bot {
			titles := o.text("log", "--reverse", "--format=%s", m.old+".."+m.new)
			pushes = append(pushes, strings.ReplaceAll(strings.ReplaceAll(titles, "Change ", ""), "\n", " "))
		}
	}
	if !slices.Equal(pushes, groups) {
		r.Errorf("pushed were %q, and in the simulation %q landed", pushes, groups)
	}
	for _, e := range r.life.keepers[0].State().Entries {
		sd := r.log.Drops[e.Number]
		if d := e.Drop; d == nil && sd.Code != "" || d != nil && (d.Code != sd.Code || d.With != sd.With || d.Candidate != sd.Candidate) {
			r.Errorf("%v was dropped as %+v, and in the simulation as %+v", e.Number, d, sd)
		}
	}
	for _, wrong := range o.judge() {
		r.Error(wrong)
	}
	r.Logf("%d runs, %d pushes: %q, %d dropped", len(r.log.Runs), len(pushes), pushes, len(r.log.Drops))
}

// deeds are what a journal says of candidates and of what became of changes, a line each.
func deeds(journal []queue.Record, dawn time.Time) (lines []string) {
	kinds := []string{
		"candidate built", "candidate abandoned", "run started", "run ended", "run lost", "joined", "landing begun", "landed", "dropped", "put aside", "held",
		"case given up", "landing undone",
	}
	for _, d := range journal {
		if slices.Contains(kinds, d.Kind) {
			lines = append(lines, fmt.Sprintf("%v %s %v of candidate %d", d.At.Sub(dawn).Truncate(time.Millisecond), d.Kind, d.Number, d.Candidate))
		}
	}
	return lines
}
