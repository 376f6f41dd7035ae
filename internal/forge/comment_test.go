package forge_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lander/internal/forge"
	"lander/internal/queue"
)

var update = flag.Bool("update", false, "write testdata anew")

var (
	noon  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	alice = queue.Person{ID: 1, Login: "alice"}
	site  = forge.Site{
		URL: "https://lander.example.com", Repo: "acme/app", Web: "https://github.com",
		Change: func(repo string, n queue.Number) string {
			return fmt.Sprintf("https://lander.example.com/%s/%d", repo, n)
		},
		Log: func(repo string, id queue.CandidateID, run int) string {
			return fmt.Sprintf("https://lander.example.com/logs/%d/%d/%s", id, run, repo)
		},
	}
)

const (
	head  queue.SHA = "4ead00000000000000000000000000000000000a"
	base  queue.SHA = "ba5e00000000000000000000000000000000000b"
	made  queue.SHA = "ca4d00000000000000000000000000000000000c"
	other queue.SHA = "0dd000000000000000000000000000000000000d"
)

func waiting(change func(*queue.Standing)) queue.Notice {
	s := queue.Standing{
		Number: 7, Head: head, Title: "Add a door", URL: "https://github.com/acme/app/pull/7", Author: alice, Stage: queue.StageWaiting,
		Since: noon, Position: 3, Ahead: []queue.Number{12, 15}, AskedBy: "bob", AskedAt: noon, Approvers: []string{"bob", "carol"},
		Reasons: []queue.Reason{{Code: "behind", Text: "it is number 3 in the queue, behind #12 and #15", Since: noon, Who: "nobody need act", Next: "its turn comes by itself"}},
	}
	if change != nil {
		change(&s)
	}
	return queue.Notice{Key: "living/7", Kind: queue.NoticeLiving, Number: 7, Head: head, Author: alice, Standing: &s}
}

func drop(code queue.DropCode, reason string, change func(*queue.Notice)) queue.Notice {
	n := queue.Notice{
		Key: "dropped/7/4ead0000", Kind: queue.NoticeDropped, Number: 7, Head: head, At: noon, Author: alice, Base: base, Approvers: []string{"bob"},
		Drop: &queue.Drop{Code: code, At: noon, Reason: reason},
	}
	if change != nil {
		change(&n)
	}
	return n
}

func stories() map[string]queue.Notice {
	red := queue.Verdict{
		Outcome: queue.Red, Reason: "exit status 1", Step: "unit", Exit: 1, Took: 2*time.Minute + 3*time.Second,
		Tail:  []string{"--- FAIL: TestDoor (0.00s)", "\tdoor_test.go:9: want open, got ```shut```", "\x1b[31mFAIL\x1b[0m <b>@bob</b>"},
		Steps: []queue.StepResult{{Name: "lint", Took: 4 * time.Second}, {Name: "unit", Exit: 1, Took: 119 * time.Second}},
	}
	green := queue.Verdict{
		Outcome: queue.Green, Took: 2*time.Minute + 3*time.Second,
		Steps: []queue.StepResult{{Name: "lint", Took: 4 * time.Second}, {Name: "unit", Took: 119 * time.Second}},
	}
	return map[string]queue.Notice{
		"living-waiting": waiting(nil),
		"living-next": waiting(func(s *queue.Standing) {
			s.Position, s.Ahead, s.Priority = 1, nil, 1000
			s.Reasons = []queue.Reason{{Code: "next", Text: "it is next", Since: noon, Who: "nobody need act", Next: "it is rebased onto trunk and tested"}}
		}),
		"living-paused": waiting(func(s *queue.Standing) {
			s.Reasons = []queue.Reason{{Code: "paused", Text: "landing is paused by dave: the <disk> is full, ask @erin", Since: noon, Who: "an admin", Next: "landing goes on when it is resumed"}}
		}),
		"living-held": waiting(func(s *queue.Standing) {
			s.Stage = queue.StageHeld
			s.Reasons = []queue.Reason{
				{Code: "draft", Text: "it is a draft", Who: "alice", Next: "mark it ready for review and it takes its place in the queue", Held: true},
				{Code: "paused", Text: "landing is paused by dave: the disk is full", Since: noon, Who: "an admin", Next: "landing goes on when it is resumed"},
			}
		}),
		"living-testing": waiting(func(s *queue.Standing) {
			s.Stage, s.Position, s.Ahead, s.Base, s.Candidate, s.ID, s.Run = queue.StageTesting, 1, nil, base, made, 4, 1
			s.Reasons = []queue.Reason{{Code: "testing", Text: "it is being tested", Since: noon, Who: "nobody need act", Next: "green: it lands as exactly that commit"}}
		}),
		"living-testing-together": waiting(func(s *queue.Standing) {
			s.Stage, s.Position, s.Ahead, s.Base, s.Candidate, s.ID, s.Run = queue.StageTesting, 3, []queue.Number{2, 4}, base, made, 4, 1
			s.State, s.With = queue.CandidateTesting, []queue.Number{2, 4, 9}
			s.Reasons = []queue.Reason{{Code: "testing", Text: "it is being tested", Since: noon, Who: "nobody need act", Next: "green: it lands as exactly that commit"}}
		}),
		"living-red": waiting(func(s *queue.Standing) {
			s.Stage, s.Position, s.Ahead, s.Base, s.Candidate, s.ID, s.Run = queue.StageTesting, 1, nil, base, made, 4, 1
			s.State, s.Again, s.With = queue.CandidateRed, true, []queue.Number{9}
			s.Reasons = []queue.Reason{{Code: "red", Text: `"unit" failed on ca4d0000 (together with #9) twice, and whose fault that is is being found out`, Since: noon, Who: "nobody need act", Next: "who broke them is dropped, and the others go on"}}
		}),
		"living-red-again": waiting(func(s *queue.Standing) {
			s.Stage, s.Position, s.Ahead, s.Base, s.Candidate, s.ID, s.Run = queue.StageTesting, 1, nil, base, made, 4, 2
			s.State, s.Again = queue.CandidateTesting, true
			s.Reasons = []queue.Reason{{Code: "testing", Text: `"unit" failed on ca4d0000, and runs again there, for it may have been chance`, Since: noon, Who: "nobody need act", Next: "green: it lands as exactly that commit; red: only whose fault it is leaves the queue"}}
		}),
		"living-infra": waiting(func(s *queue.Standing) {
			s.Stage, s.Position, s.Ahead, s.Base, s.Candidate, s.ID, s.Run = queue.StageTesting, 1, nil, base, made, 4, 1
			s.Reasons = []queue.Reason{{Code: "starting", Text: "the machine failed its test run on ca4d0000", Since: noon, Who: "nobody need act", Next: "it is run again at 12:00:05 UTC"}}
		}),
		"living-landing": waiting(func(s *queue.Standing) {
			s.Stage, s.Position, s.Ahead, s.Base, s.Candidate, s.ID, s.Run = queue.StageLanding, 1, nil, base, made, 4, 1
			s.Reasons = []queue.Reason{{Code: "landing", Text: "ca4d0000 is green", Since: noon, Who: "nobody need act", Next: "it is put onto trunk"}}
		}),
		"living-landed": waiting(func(s *queue.Standing) {
			s.Stage, s.Position, s.Ahead, s.Reasons = queue.StageLanded, 0, nil, nil
			s.Landing = &queue.Landing{Candidate: 4, Tip: made, At: noon, Commits: []queue.BuiltCommit{{SHA: made, From: head, Title: "Add a door"}}}
		}),
		"living-dropped": waiting(func(s *queue.Standing) {
			s.Stage, s.Position, s.Ahead = queue.StageDropped, 0, nil
			s.Drop = &queue.Drop{Code: queue.DropFailed, At: noon, Reason: "step unit failed: exit status 1", Candidate: 4}
			s.Reasons = []queue.Reason{{Code: "dropped", Text: "step unit failed: exit status 1", Since: noon, Who: "the author", Next: "a new head with a new approval, or the command retry, puts it back into the queue", Held: true}}
		}),
		"living-idle": waiting(func(s *queue.Standing) {
			s.Stage, s.Position, s.Ahead, s.AskedBy, s.AskedAt, s.Approvers = queue.StageIdle, 0, nil, "", time.Time{}, nil
			s.Reasons = []queue.Reason{{Code: "not asked", Text: "nobody has asked to land 4ead0000", Since: noon, Who: "people who may review", Next: "an approving review, or the command land, puts it into the queue", Held: true}}
		}),
		"dropped-failed": drop(queue.DropFailed, "step unit failed: exit status 1", func(n *queue.Notice) {
			n.Candidate, n.ID, n.Run, n.Verdict = made, 4, 1, &red
		}),
		"dropped-tests": drop(queue.DropFailed, `its tests failed: step "unit" exited with 1: "acme/door TestDoor" and 30 more`, func(n *queue.Notice) {
			v := red
			v.Failed = slices.Concat([]string{"acme/door TestDoor", "acme/door Test`@bob`/x"}, slices.Repeat([]string{"acme/door TestWindow"}, 29))
			n.Candidate, n.ID, n.Run, n.Verdict = made, 4, 1, &v
		}),
		"dropped-together": drop(queue.DropFailed, "step unit failed: exit status 1", func(n *queue.Notice) {
			n.Candidate, n.ID, n.Run, n.Verdict, n.With = made, 4, 1, &red, []queue.Number{2, 4, 5}
			n.Drop.With = 4
		}),
		"dropped-timeout": drop(queue.DropTimedOut, "step unit hit a limit: no output for 15 minutes", func(n *queue.Notice) {
			n.Candidate, n.ID, n.Run = made, 4, 1
			n.Verdict = &queue.Verdict{Outcome: queue.TimedOut, Reason: "no output for 15 minutes", Step: "unit", Exit: 137, Took: 16 * time.Minute, Tail: []string{"waiting for the lock"}}
		}),
		"dropped-infra": drop(queue.DropInfra, "the machine, not the change, failed its test run 3 times: the disk is full", func(n *queue.Notice) {
			n.Candidate, n.ID, n.Run = made, 4, 3
			n.Verdict = &queue.Verdict{Outcome: queue.Infra, Reason: "the disk is full"}
		}),
		"dropped-conflict": drop(queue.DropConflict, "it does not apply on trunk: conflicts in a.go and b.go", func(n *queue.Notice) {
			n.Drop.Files = []string{"a.go", "b.go"}
		}),
		"dropped-conflict-many": drop(queue.DropConflict, "it does not apply on trunk", func(n *queue.Notice) {
			n.Drop.Files = []string{"a.go", "b`.go", "c.go", "d @bob.go", "e.go"}
			n.Author = queue.Person{ID: 9, Login: "renovate[bot]", Bot: true}
		}),
		"dropped-unbuildable": drop(queue.DropUnbuildable, "it holds a merge commit that brings in changes of its own", nil),
		"dropped-empty":       drop(queue.DropEmpty, "trunk has all that it changes already", nil),
		"voided": {
			Key: "voided/7/1", Kind: queue.NoticeVoided, Number: 7, Head: head, At: noon, Author: alice,
			Text: "new commits were pushed: 0dd00000 was approved by bob, and 4ead0000 is not. It left the queue; an approval of the new head puts it back.",
		},
		"answer": {
			Key: "answer/c9.0", Kind: queue.NoticeAnswer, Number: 7, Head: head, At: noon, Author: queue.Person{ID: 2, Login: "bob"}, Comment: 9,
			Text: forge.Commands("@lander", "@lander ladn @carol")[0].Problem,
		},
		"answer-why": {
			Key: "answer/c9.1", Kind: queue.NoticeAnswer, Number: 7, Head: head, At: noon, Author: queue.Person{ID: 2, Login: "bob"}, Comment: 9,
			Text: "it is a draft. Who can lift it: alice. Then: mark it ready.\nlanding is paused by dave: *now* (since 2026-11-23 12:00:00 UTC). Who can lift it: an admin. Then: landing goes on.",
		},
		"landed": {
			Key: "landed/7", Kind: queue.NoticeLanded, Number: 7, Head: head, At: noon, Author: alice, Base: base, Candidate: made, ID: 4, Run: 1,
			Verdict: &green, Approvers: []string{"bob", "carol"}, Waited: 5*time.Minute + 9*time.Second,
			Landing: &queue.Landing{Candidate: 4, Tip: made, At: noon, Commits: []queue.BuiltCommit{
				{SHA: other, From: "0ddba11000000000000000000000000000000000", Member: 7, Title: "Add a door (#3), thanks @erin"},
				{SHA: made, From: head, Member: 7, Title: "Paint `it` <b>red</b>"},
			}},
		},
		"landed-together": {
			Key: "landed/7", Kind: queue.NoticeLanded, Number: 7, Head: head, At: noon, Author: alice, Base: base, Candidate: made, ID: 4, Run: 2,
			Verdict:   &queue.Verdict{Outcome: queue.Green, Took: time.Minute, Steps: []queue.StepResult{{Name: "lint", Took: 4 * time.Second, Run: 1}, {Name: "unit", Took: time.Minute}}},
			Approvers: []string{"bob"}, Waited: 3 * time.Minute, With: []queue.Number{2, 4},
			Landing: &queue.Landing{Candidate: 5, Tip: made, At: noon, Commits: []queue.BuiltCommit{{SHA: made, From: head, Member: 7, Title: "Add a door"}}},
		},
		"living-testing-per-area": waiting(func(s *queue.Standing) {
			s.Stage, s.Base, s.Candidate, s.ID, s.Run, s.Areas = queue.StageTesting, base, made, 4, 1, queue.Areas{"api"}
			s.Reasons = []queue.Reason{{Code: "testing", Text: "it is being tested", Since: noon, Who: "nobody need act", Next: "green: it lands, on top of what lands in other areas meanwhile"}}
		}),
		"living-green-and-waits": waiting(func(s *queue.Standing) {
			s.Stage, s.Base, s.Candidate, s.ID, s.Run, s.Areas = queue.StageTesting, base, made, 4, 1, queue.Areas{"api"}
			s.Reasons = []queue.Reason{
				{Code: "awaits", Text: "it is green together with #2, and lands after that", Since: noon, Who: "nobody need act", Next: "it lands once that has; it is tested anew without what does not"},
				{Code: "landing", Text: "ca4d0000 is green", Since: noon, Who: "nobody need act", Next: "it is put onto trunk"},
			}
		}),
		"landed-per-area": {
			Key: "landed/7", Kind: queue.NoticeLanded, Number: 7, Head: head, At: noon, Author: alice, Base: base, Candidate: made, ID: 4, Run: 2,
			Verdict: &green, Approvers: []string{"bob"}, Waited: 3 * time.Minute,
			Landing: &queue.Landing{
				Candidate: 5, Tip: made, At: noon, Tested: other, Areas: queue.Areas{"api", "`@carol` *web*"},
				Commits: []queue.BuiltCommit{{SHA: made, From: head, Member: 7, Title: "Add a door"}},
			},
		},
		"landed-everywhere": {
			Key: "landed/7", Kind: queue.NoticeLanded, Number: 7, Head: head, At: noon, Author: alice, Base: base, Candidate: made, ID: 4, Run: 1,
			Verdict: &green, Approvers: []string{"bob"}, Waited: 3 * time.Minute,
			Landing: &queue.Landing{Candidate: 5, Tip: made, At: noon, Tested: other, Areas: queue.Areas{queue.Everything}},
		},
		"landed-as-it-was": {
			Key: "landed/7", Kind: queue.NoticeLanded, Number: 7, Head: head, At: noon, Author: alice, Base: base, Candidate: head, ID: 4, Run: 1,
			Verdict: &green, Approvers: []string{"bob"}, Waited: 3 * time.Second,
			Landing: &queue.Landing{Candidate: 4, Tip: head, At: noon, Commits: []queue.BuiltCommit{{SHA: head, From: head, Member: 7, Title: "Add a door"}}},
		},
	}
}

func TestWhatPeopleRead(t *testing.T) {
	t.Parallel()
	all := stories()
	all["landed-closed"] = all["landed"]
	for name, n := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			write := forge.Comment
			if strings.HasSuffix(name, "-closed") {
				write = forge.CommentOnClosed
			}
			got := write(n, site)
			file := filepath.Join("testdata", name+".md")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if again := write(n, site); again != got {
				t.Errorf("the same notice gives other words: %s", again)
			}
			if key, ok := forge.HiddenKey(got); !ok || key != n.Key {
				t.Errorf("its key reads as %q, %v", key, ok)
			}
		})
	}
}

func TestAThumbHasNoWords(t *testing.T) {
	t.Parallel()
	if got := forge.Comment(queue.Notice{Key: "thumb/c1.0", Kind: queue.NoticeThumb, Number: 7, Comment: 1}, site); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestTheStatusOnTheHead(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"living-waiting": "pending: Third in the queue, behind #12 and #15",
		"living-next":    "pending: Next in the queue",
		"living-paused":  "pending: Waiting: landing is paused by dave: the <disk> is full, ask @erin",
		"living-held":    "pending: Held: it is a draft",
		"living-testing": "pending: Being tested as ca4d0000 on top of ba5e0000 since 2026-11-23 12:00 UTC",
		"living-infra":   "pending: The machine failed its test run on ca4d0000",
		"living-landing": "pending: Green: ca4d0000 is being put onto trunk",
		"living-landed":  "success: Landed on trunk as ca4d0000",
		"living-dropped": "failure: Not landed: step unit failed: exit status 1",
		"living-idle":    "pending: Not in the queue: nobody has asked to land 4ead0000",
	}
	all := stories()
	for name, w := range want {
		state, description := forge.Status(*all[name].Standing)
		if got := state + ": " + description; got != w {
			t.Errorf("%s:\n got %s\nwant %s", name, got, w)
		}
	}
	long := *all["living-dropped"].Standing
	long.Drop = &queue.Drop{Code: queue.DropInfra, Reason: strings.Repeat("é\n", 300)}
	state, description := forge.Status(long)
	if n := len([]rune(description)); state != "error" || n != 140 || strings.Contains(description, "\n") {
		t.Errorf("%s, %d characters: %q", state, n, description)
	}
}

func TestHiddenKeysAreReadOnlyAtTheEnd(t *testing.T) {
	t.Parallel()
	body := forge.Comment(waiting(nil), site)
	for text, want := range map[string]string{
		body:                                   "living/7",
		strings.ReplaceAll(body, "\n", "\r\n"): "living/7",
		body + "\n\n":                          "living/7",
		body + "more":                          "",
		"> " + strings.ReplaceAll(body, "\n", "\n> "): "",
		"":                          "",
		"<!-- lander:x:v1 -->":      "",
		"<!-- lander:x:v1 {} -->":   "x",
		"<!-- lander:%zz:v1 {} -->": "",
	} {
		if got, ok := forge.HiddenKey(text); got != want && ok || ok != (want != "") {
			t.Errorf("%q: got %q, %v", text, got, ok)
		}
	}
}
