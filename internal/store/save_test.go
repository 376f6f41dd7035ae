package store_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lander/internal/queue"
	"lander/internal/store/storetest"
)

func TestOneChangeFromQueueToTrunk(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := ready(t, s, lane)
	same(t, load(t, s, lane), q)

	q = save(t, s, queue.Save{Old: q, New: begin(q, 1)})
	same(t, load(t, s, lane), q)

	q = save(t, s, queue.Save{Old: q, New: landed(q, 1, noon.Add(time.Hour))})
	same(t, load(t, s, lane), q)
	if len(q.Candidates) != 0 {
		t.Errorf("the landed candidate is still in flight: %+v", q.Candidates[0])
	}

	all, err := s.Landings(t.Context(), lane, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || all[0].Number != 1 || all[0].Head != sha("1") || all[0].Tip != sha("c") || len(all[0].Commits) != 1 ||
		!all[0].At.Equal(noon.Add(time.Hour)) || all[0].Title != "a title" || all[0].Record != record(2) {
		t.Errorf("landings %+v", all)
	}
	log, err := s.TrunkLog(t.Context(), lane, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(log) != 2 || log[0].Kind != queue.MoveLand || log[0].Old != sha("a") || log[0].New != sha("c") || log[0].Candidate != 1 ||
		log[0].Record != record(2) || log[0].Seq != 2 || log[0].Members[0].Head != sha("1") || log[1].Kind != queue.MoveAdopt {
		t.Errorf("trunk log %+v", log)
	}
	runs, err := s.Runs(t.Context(), lane, 1, 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) != 1 || runs[0].Run != 1 || runs[0].Verdict == nil || runs[0].Verdict.Outcome != queue.Green || runs[0].SHA != sha("c") || len(runs[0].Members) != 1 {
		t.Errorf("runs %+v", runs)
	}
}

// Two keepers that loaded the same version: one saves, the other changes nothing at all.
func TestOfTwoWritersOneIsStale(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	a, b := open(t, url), open(t, url)
	q := start(t, a, lane)
	step := func(title string) queue.Save {
		n := edit(q, 1, func(e *queue.Entry) { e.Title = title })
		n.Journal = []queue.Record{{At: noon, Kind: "renamed", Text: title}}
		n.Outbox = []queue.Notice{{Key: "answer/" + title, Kind: queue.NoticeAnswer, Number: 1}}
		return queue.Save{Old: q, New: n}
	}
	var wg sync.WaitGroup
	var errs [2]error
	var after [2]queue.Queue
	wg.Go(func() { after[0], errs[0] = a.Save(t.Context(), step("a")) })
	wg.Go(func() { after[1], errs[1] = b.Save(t.Context(), step("b")) })
	wg.Wait()
	won := 0
	if errs[0] != nil {
		won = 1
	}
	if errs[won] != nil || !errors.Is(errs[1-won], queue.ErrStale) {
		t.Fatalf("want one success and one ErrStale, got %v and %v", errs[0], errs[1])
	}
	same(t, load(t, a, lane), after[won])
	records, err := a.Journal(t.Context(), lane, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 2 || records[0].Text != string("ab"[won]) {
		t.Errorf("journal holds %+v", records)
	}
	out, err := a.Unsent(t.Context(), lane, noon, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != 1 || out[0].Notice.Key != "answer/"+string("ab"[won]) {
		t.Errorf("outbox holds %+v", out)
	}
}

// A connection stays usable after a save that was refused.
func TestAfterAStaleSaveTheNextOneWorks(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := start(t, s, lane)
	old := q
	for range 3 {
		q = save(t, s, queue.Save{Old: q, New: edit(q, 2, func(e *queue.Entry) { e.Held = !e.Held })})
		if _, err := s.Save(t.Context(), queue.Save{Old: old, New: old}); !errors.Is(err, queue.ErrStale) {
			t.Fatalf("want ErrStale, got %v", err)
		}
	}
	same(t, load(t, s, lane), q)
}

func TestHeadMovesAndApprovalsStayBehind(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := start(t, s, lane)
	q = save(t, s, queue.Save{Old: q, New: edit(q, 1, func(e *queue.Entry) { e.Head, e.State, e.Approvals = sha("5"), queue.Idle, nil })})
	same(t, load(t, s, lane), q)
	q = save(t, s, queue.Save{Old: q, New: edit(q, 1, func(e *queue.Entry) {
		e.Approvals = []queue.Approval{{ID: "r2", Who: queue.Person{ID: 9, Login: "eve"}, At: noon, Via: "command"}, {ID: "r3", Who: bob, At: noon, Via: "review"}}
	})})
	same(t, load(t, s, lane), q)
}

func TestAClosedChangeIsRememberedAndComesBack(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := start(t, s, lane)
	left := *q.Entries[0]
	q = save(t, s, queue.Save{Old: q, New: edit(q, 1, func(e *queue.Entry) { e.Gone = true })})
	if q.Entry(1) != nil || load(t, s, lane).Entry(1) != nil {
		t.Fatal("a closed change is still in the queue")
	}
	former, err := s.Former(t.Context(), lane, 1)
	if err != nil {
		t.Fatal(err)
	}
	left.Gone = true
	same(t, queue.Queue{Entries: []*queue.Entry{former}}, queue.Queue{Entries: []*queue.Entry{&left}})
	if unknown, err := s.Former(t.Context(), lane, 77); unknown != nil || err != nil {
		t.Errorf("never seen: %v, %v", unknown, err)
	}

	n := q
	back := with(former, func(e *queue.Entry) { e.Gone, e.Head, e.Approvals = false, sha("6"), nil })
	n.Entries = []*queue.Entry{back, q.Entries[0]}
	q = save(t, s, queue.Save{Old: q, New: n})
	same(t, load(t, s, lane), q)
}

func TestEveryRunKeepsItsVerdict(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := start(t, s, lane)
	q = save(t, s, queue.Save{Old: q, New: put(q, candidate(1, q.Tip, sha("c"), q.Entries[0]))})
	move := func(change func(*queue.Candidate)) {
		q = save(t, s, queue.Save{Old: q, New: put(q, with(q.Candidates[0], change))})
		same(t, load(t, s, lane), q)
	}
	testing := func(run int, at time.Duration) {
		move(func(c *queue.Candidate) {
			c.State, c.Run, c.Verdict, c.Since = queue.CandidateTesting, run, nil, noon.Add(at)
		})
	}
	testing(1, time.Minute)
	move(func(c *queue.Candidate) { // the host failed
		c.State, c.Since, c.NotTill = queue.CandidateBuilt, noon.Add(2*time.Minute), noon.Add(3*time.Minute)
		c.Verdict = &queue.Verdict{Outcome: queue.Infra, Reason: "disk full"}
	})
	testing(2, 3*time.Minute)
	move(func(c *queue.Candidate) { c.State, c.Since = queue.CandidateBuilt, noon.Add(4*time.Minute) }) // lost
	testing(3, 5*time.Minute)
	testing(4, 6*time.Minute) // how run 3 ended was never saved
	runs, err := s.Runs(t.Context(), lane, 0, 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range runs {
		line := r.Started.Format("15:04") + "-"
		if !r.Ended.IsZero() {
			line += r.Ended.Format("15:04")
		}
		if r.Verdict != nil {
			line += " " + string(r.Verdict.Outcome)
		}
		got = append(got, line)
	}
	if want := "12:06-, 12:05-12:06, 12:03-12:04, 12:01-12:02 infra"; strings.Join(got, ", ") != want {
		t.Errorf("runs\n got %s\nwant %s", strings.Join(got, ", "), want)
	}
}

// What Postgres refuses to hold must not stop a lane.
func TestOddTextIsReplacedAndNotRefused(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := start(t, s, lane)
	bad := "NUL \x00, half a rune \xe2\x82, and a \\u0000 in letters"
	n := edit(q, 1, func(e *queue.Entry) {
		e.Title, e.Body, e.Labels, e.AskedBy.Login = bad, bad, []string{bad}, bad
		e.State, e.Drop = queue.Dropped, &queue.Drop{Code: queue.DropConflict, Reason: bad, Files: []string{bad}}
	})
	n.Journal = []queue.Record{{At: noon, Kind: "odd", Text: bad}}
	n.Outbox = []queue.Notice{{Key: "odd", Kind: queue.NoticeAnswer, Text: bad, Verdict: &queue.Verdict{Tail: []string{bad}}}}
	q = save(t, s, queue.Save{Old: q, New: n, Policy: &queue.Policy{Problem: bad}})
	same(t, load(t, s, lane), q)
	want := "NUL \uFFFD, half a rune \uFFFD, and a \\u0000 in letters"
	if e := q.Entry(1); e.Title != want || e.Drop.Files[0] != want {
		t.Errorf("title %q, file %q", e.Title, e.Drop.Files[0])
	}
}

func TestPolicyIsKeptUntilAnotherComes(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q := start(t, s, lane)
	p := queue.Policy{
		ShowMerged: true, Style: queue.StyleSquash, Approvals: 2, NoLabels: []string{"wip"}, Window: 3, Batch: 4, Warning: "w", Problem: "p",
		Recipe: queue.Recipe{Setup: []string{"make deps"}, Steps: []queue.Step{{Name: "unit", Run: "make"}}, Timeout: time.Hour, Quiet: time.Minute},
	}
	q = save(t, s, queue.Save{Old: q, New: q, Policy: &p})
	save(t, s, queue.Save{Old: q, New: q})
	_, got, err := s.View(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	if got.Recipe.Digest() != p.Recipe.Digest() || got.Style != p.Style || got.Approvals != 2 || got.NoLabels[0] != "wip" || got.Window != 3 ||
		got.Batch != 4 || !got.ShowMerged || got.Warning != "w" || got.Problem != "p" {
		t.Errorf("got %+v\nwant %+v", got, p)
	}
}

func TestViewOfAnUnknownLaneWritesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.New(t))
	q, _, err := s.View(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	same(t, q, queue.Queue{Lane: lane})
	lanes, err := s.Lanes(t.Context())
	if err != nil || len(lanes) != 0 {
		t.Errorf("lanes %v, %v", lanes, err)
	}
	start(t, s, lane)
	if lanes, err = s.Lanes(t.Context()); err != nil || len(lanes) != 1 || lanes[0] != lane {
		t.Errorf("lanes %v, %v", lanes, err)
	}
}

// What an audit has found is known to whoever audits next, after a restart and elsewhere.
func TestABreachIsKnownForGood(t *testing.T) {
	t.Parallel()
	url := storetest.New(t)
	s := open(t, url)
	q := start(t, s, lane)
	if known, err := s.Breaches(t.Context(), lane); err != nil || len(known) != 0 {
		t.Fatalf("%q, %v before any was found", known, err)
	}
	const finding = "record 3 has a tree that trunk does not have"
	for range 2 {
		next := q.Apply(queue.Breached{Findings: []string{finding}, At: noon}).Apply(queue.Resumed{By: "ada", At: noon.Add(time.Hour)})
		saved, err := s.Save(t.Context(), queue.Save{Old: q, New: next})
		if err != nil {
			t.Fatal(err)
		}
		q = saved
	}
	known, err := open(t, url).Breaches(t.Context(), lane)
	if err != nil || !slices.Equal(known, []string{finding}) {
		t.Fatalf("%q, %v", known, err)
	}
	if known, err := s.Breaches(t.Context(), queue.Lane{Repo: "acme/other", Trunk: "main"}); err != nil || len(known) != 0 {
		t.Fatalf("%q, %v of a lane that is not there", known, err)
	}
}
