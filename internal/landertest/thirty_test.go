package landertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lander/internal/hub"
	"lander/internal/queue"
)

// The parts of a shop. Each has its own step of the suite, and a test for everything in it.
var parts = []string{"cart", "money", "tax", "stock", "mail"}

// shop is its first commit.
func shop(window int) map[string]string {
	policy := fmt.Sprintf("version: 1\nwindow: %d\nbatch: {max: 8}\nsuite:\n  timeout: 60s\n  quiet: 30s\n  steps:\n", window)
	files := map[string]string{
		"test.sh":        "for test in $1/*_test.sh; do sh $test || { echo FAIL $test; failed=1; }; done\n[ -z \"$failed\" ]\n",
		"cart/sum.sh":    "sum() { all=0; for one; do all=$((all + one)); done; echo $all; }\n",
		"money/euro.sh":  "euro() { printf '%d.%02d\\n' $(($1 / 100)) $(($1 % 100)); }\n",
		"tax/tax.sh":     "tax() { echo $(($1 / 5)); }\n",
		"stock/left.sh":  "left() { echo $(($1 - $2)); }\n",
		"mail/letter.sh": "letter() { echo \"Dear $1,\"; }\n",

		"cart/sum_test.sh":    ". cart/sum.sh\n[ \"$(sum 1 2 3)\" = 6 ]\n",
		"money/euro_test.sh":  ". money/euro.sh\n[ \"$(euro 1205)\" = 12.05 ]\n",
		"tax/tax_test.sh":     ". tax/tax.sh\n[ \"$(tax 1000)\" = 200 ]\n",
		"stock/left_test.sh":  ". stock/left.sh\n[ \"$(left 5 2)\" = 3 ]\n",
		"mail/letter_test.sh": ". mail/letter.sh\n[ \"$(letter Ada)\" = 'Dear Ada,' ]\n",
	}
	for _, p := range parts {
		policy += fmt.Sprintf("    - {name: %s, run: sh test.sh %s, needs: []}\n", p, p)
	}
	files[queue.PolicyFile] = policy
	return files
}

// shopDay is a day in which some pull requests are approved, numbers 1 to n.
type shopDay struct {
	*day
	n    int
	bad  []int         // by themselves
	pair [2]int        // bad together only, in the order of their approval
	last time.Duration // when the last one is approved

	mu          sync.Mutex
	whole, part tally
}

// tally counts runs.
type tally struct {
	runs int
	took time.Duration
}

// openShop has n changes that are approved as in life: some at once, the others one by one while lander is at work. Four are bad by
// themselves, and one together with another one.
func openShop(t *testing.T, n, window int, seed uint64) *shopDay {
	t.Helper()
	s := &shopDay{day: newDay(newWorld(t, shop(window))), n: n}
	s.says = func(ctx context.Context, c *queue.Candidate, run int, again queue.Rerun, really runner) (queue.Verdict, time.Duration) {
		v := really(ctx, c, run, again)
		took := time.Duration(0)
		length := rand.New(rand.NewPCG(seed, uint64(c.ID)<<8+uint64(run)))
		for range v.Steps {
			took += 3*time.Minute + time.Duration(length.Int64N(int64(time.Minute)))
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		kind := &s.part
		if len(c.Recipe.Steps) == len(parts) {
			kind = &s.whole
		}
		kind.runs++
		kind.took += took
		s.log.note("after %v: run %d of candidate %d, of %v by %d steps: %s %s", s.Now().Sub(s.dawn), run, c.ID, c.Numbers(), len(c.Recipe.Steps), v.Outcome, v.Step)
		return v, took
	}
	chance := rand.New(rand.NewPCG(seed, 0))
	order := chance.Perm(n)
	for i := range order {
		order[i]++
	}
	s.bad = []int{order[n/7], order[n*3/8], order[n*5/8], order[n*6/7]}
	s.pair = [2]int{order[n/2-1], order[n/2]}
	for i := range n {
		s.must(s.propose(i + 1))
	}
	s.must(s.rest())
	s.dawn = s.Now().Truncate(time.Hour).Add(time.Hour)
	at := time.Duration(0)
	for i, n := range order {
		if i >= 6 {
			at += time.Duration(chance.ExpFloat64() * float64(3*time.Minute)).Round(time.Second)
		}
		s.at(at, func() error { return s.approve(n) })
	}
	s.last = at
	return s
}

// propose opens a pull request, which brings something to one of the parts.
func (s *shopDay) propose(n int) error {
	p, answer := parts[n%len(parts)], 2*n
	if slices.Contains(s.bad, n) {
		answer++
	}
	name := fmt.Sprintf("%s/twice%d", p, n)
	c := hub.Commit{Message: fmt.Sprintf("Twice %d for %s", n, p), Files: map[string]string{
		name + ".sh":      fmt.Sprintf("twice%d() { echo %d; }\n", n, answer),
		name + "_test.sh": fmt.Sprintf(". %s.sh\n[ $(twice%d) = %d ]\n", name, n, 2*n),
	}}
	switch n {
	case s.pair[0]:
		c = hub.Commit{Message: "Rename sum to total", Files: map[string]string{
			"cart/sum.sh":      "total() { all=0; for one; do all=$((all + one)); done; echo $all; }\n",
			"cart/sum_test.sh": ". cart/sum.sh\n[ \"$(total 1 2 3)\" = 6 ]\n",
		}}
	case s.pair[1]:
		c = hub.Commit{Message: "Mail receipts", Files: map[string]string{
			"mail/receipt.sh":      ". cart/sum.sh\nreceipt() { echo \"Paid: $(sum \"$@\")\"; }\n",
			"mail/receipt_test.sh": ". mail/receipt.sh\n[ \"$(receipt 1 2)\" = 'Paid: 3' ]\n",
		}}
	}
	branch := fmt.Sprint("topic-", n)
	if _, err := s.hub.Push(repository, hub.Push{By: "noor", Branch: branch, From: "main", Commits: []hub.Commit{c}}); err != nil {
		return err
	}
	_, err := s.hub.OpenPull(repository, hub.NewPull{Author: "noor", Title: c.Message, Head: branch, Base: "main"})
	return err
}

// judge holds what has become of everybody against what it must be, and what was said to them.
func (s *shopDay) judge() {
	s.Helper()
	for n := 1; n <= s.n; n++ {
		fault := ""
		switch {
		case slices.Contains(s.bad, n):
			fault = "At fault: this change. "
		case n == s.pair[1]:
			fault = fmt.Sprintf("It is red only together with #%d,", s.pair[0])
		}
		p, err := s.hub.Pull(repository, n)
		s.must(err)
		if p.Merged != (fault == "") {
			s.Errorf("#%d: merged is %v; %s", n, p.Merged, s.sayStanding(s.lanes[0], n))
		}
		said := s.sayComments(n, true)
		if fault == "" && strings.Contains(said, "Not landed") || !strings.Contains(said, fault) {
			s.Errorf("#%d was told %s", n, said)
		}
	}
	for _, wrong := range newOracle(s.world).judge() {
		s.Error(wrong)
	}
}

// Thirty changes, four of which are bad and one with another one only: the others land, the five are told why they do not, and it takes
// hardly more runs than there are changes.
func TestThirtyInADay(t *testing.T) {
	t.Parallel()
	s := openShop(t, 30, 4, 1)
	s.must(s.pass())
	s.judge()
	if s.spent("") > 1.2 {
		t.Error("these are too many")
	}
}

// spent prints what a day took, and gives the whole runs for each change.
func (s *shopDay) spent(what string) float64 {
	perChange := float64(s.whole.runs) / float64(s.n)
	fmt.Printf("%d changes%s: %d whole runs, %.2f for each, and %d of what failed, in %.0f %% of the time; all settled after %v, the last approval came after %v\n",
		s.n, what, s.whole.runs, perChange, s.part.runs, 100*float64(s.part.took)/float64(s.whole.took), s.Now().Sub(s.dawn).Round(time.Minute), s.last.Round(time.Minute))
	return perChange
}
