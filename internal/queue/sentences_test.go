package queue

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what the sentences are now to testdata")

// TestSentences shows everything that this room says to people, as they read it.
func TestSentences(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	say := func(name string, v any) {
		if r, ok := v.(Reason); ok {
			held := ""
			if r.Held {
				held = "held, "
			}
			since := "."
			if !r.Since.IsZero() {
				since = ", since " + r.Since.Format(time.DateTime) + "."
			}
			v = fmt.Sprintf("%s (%s%s)%s\n    who:  %s\n    then: %s", r.Text, held, r.Code, since, r.Who, r.Next)
		}
		fmt.Fprintf(&b, "%s\n    %s\n", name, strings.ReplaceAll(fmt.Sprint(v), "\n", "\n    "))
	}
	e := &Entry{
		Change: Change{Number: 12, Head: head(1, 1), Title: "Count the geese", Body: "They were\r\nmiscounted.\n", Author: ann}, State: Queued, HeadSince: at(0), AskedBy: rita, AskedAt: at(60),
		Objections: []Person{raj, ada},
	}
	c := &Candidate{ID: 3, Base: trunk(1), Members: []Member{{Number: 12, Head: head(1, 1)}}, Built: Built{SHA: commit(3)}, Run: 1, Since: at(90)}
	as := func(s CandidateState, notTill time.Time) *Candidate {
		d := c.clone()
		d.State, d.NotTill = s, notTill
		return d
	}
	s := Sight{Number: 12, Head: head(1, 1), Branch: "geese", Base: "main", Author: ann, Open: true}
	lane := Lane{Repo: "acme/app", Trunk: "main"}
	review := Review{Who: rita, Head: head(1, 1)}
	two := 2

	fmt.Fprintln(&b, "# reasons")
	say("draft", sayDraft(e))
	say("fork", sayFork())
	say("unseen", sayUnseen())
	say("approval", sayUnapproved(e, 1))
	say("approvals", sayUnapproved(e, 2))
	say("objections", sayObjections(e))
	say("label", sayLabel("do-not-merge"))
	say("held", sayHeld())
	say("held by", sayHeldBy(7))
	say("stopped", sayStopped(&Stop{Reason: sayRewound(trunk(2), trunk(1)), At: at(5)}))
	say("paused", sayPaused(&Pause{By: "ada", At: at(5)}))
	say("paused for a reason, until", sayPaused(&Pause{By: "ada", Reason: "release day", At: at(5), Until: at(3600)}))
	say("policy", sayPolicy("line 3: unknown key \"sweet\""))
	say("no recipe", sayNoRecipe())
	say("stopped by the ledger", sayStopped(&Stop{Reason: sayLedgerProblem(lane, &LedgerError{Missing: true, Reason: "record c003c003 is not there any more"}), At: at(5), Ledger: true}))
	say("trouble", sayTrouble(&Trouble{Reason: "protected branch", At: at(5), NotTill: at(10)}))
	say("trouble of the host", sayTrouble(&Trouble{Reason: "the disk of /var/lib/lander is full; make room there", At: at(5), Host: true}))
	say("built", sayInFlight(as(CandidateBuilt, time.Time{})))
	say("built, to be run again", sayInFlight(as(CandidateBuilt, at(100))))
	say("testing", sayInFlight(as(CandidateTesting, time.Time{})))
	say("passed", sayInFlight(as(CandidatePassed, time.Time{})))
	say("behind one", sayBehind(e, []Number{3}))
	say("behind many", sayBehind(e, []Number{3, 9, 4, 8, 5, 7, 6}))
	say("next", sayNext(e))
	say("idle", sayIdle(e))
	for _, code := range []DropCode{DropFailed, DropEmpty} {
		say("dropped, "+string(code), sayDropped(&Drop{Code: code, At: at(99), Reason: "step unit failed: exit status 1"}))
	}

	fmt.Fprintln(&b, "\n# why a change left the queue")
	for _, v := range []Verdict{
		{Outcome: Red, Step: "unit", Reason: "exit status 1"},
		{Outcome: Red, Reason: "exit status 1"},
		{Outcome: TimedOut, Step: "unit", Reason: "no output for 15m0s"},
		{Outcome: Infra, Step: "setup", Reason: "no space left on device"},
		{Outcome: Unmeasured, Reason: "nothing is known of it"},
	} {
		code, reason := sayDropReason(v)
		say(string(code), reason)
	}
	say("conflict", SayConflict([]string{"a.go", "b.go", "c.go"}))
	say("empty", SayEmpty())
	say("mismatch", SayMismatch([]string{"a.go"}))

	fmt.Fprintln(&b, "\n# why a candidate was given up")
	say("trunk", sayMootTrunk(trunk(2)))
	say("gone", sayMootGone(12))
	say("head", sayMootHead(12))
	say("condition", sayMootCondition(12, sayHeld()))
	say("undone", sayUndone())
	say("denied", sayDenied("remote: file too large"))
	say("lost", sayLost(5))
	say("aside", sayAside(&Aside{Reason: "the git server does not hand out its head", At: time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC), NotTill: time.Date(2026, 3, 14, 12, 5, 0, 0, time.UTC)}).Text)
	say("late", sayLate(Ask{Verb: VerbPause}))
	say("nothing paused", sayNothingPaused())

	fmt.Fprintln(&b, "\n# trunk")
	say("rewound", sayRewound(trunk(2), trunk(1)))
	say("trunk gone", sayTrunkGone(lane, trunk(2)))
	say("trunk missing", sayTrunkGone(lane, ""))
	say("bypass", sayBypass(trunk(1), trunk(2)))

	fmt.Fprintln(&b, "\n# ledger")
	say("missing", sayLedgerProblem(lane, &LedgerError{Missing: true, Reason: "record c003c003 is not there any more"}))
	say("not lander's", sayLedgerProblem(lane, &LedgerError{Reason: "record c003c003 is no record of lander's"}))
	say("another lane", sayLedgerProblem(lane, &LedgerError{Reason: sayForeignLane(commit(3), "acme/app:dev")}))
	say("out of order", sayLedgerProblem(lane, &LedgerError{Reason: sayBadSeq(commit(3), 7, 2)}))
	say("denied", sayLedgerDenied(lane, "protected branch"))

	fmt.Fprintln(&b, "\n# answers")
	say("voided", sayVoided(head(1, 1), head(1, 2), []string{"rita", "raj"}))
	say("voided before anybody approved", sayVoided(head(1, 1), head(1, 2), nil))
	say("stale review", sayStaleReview(review, head(1, 2)))
	say("not allowed", sayNotAllowed(Ask{Verb: VerbLand, Who: guy}, RoleReview))
	say("wrong head", sayWrongHead(e, "abcdef0"))
	say("unsure head", sayUnsureHead(e))
	say("not queued", sayNotQueued())
	say("nothing to retry, queued", sayNothingToRetry(e))
	say("nothing to retry, idle", sayNothingToRetry(&Entry{State: Idle}))
	say("too late", sayTooLate())
	say("landed already", sayLandedAlready())
	say("ping", sayPong())
	say("help", sayHelp())
	say("why, nothing", sayReasons(nil))
	say("why, two", sayReasons([]Reason{sayHeld(), sayNext(e)}))

	fmt.Fprintln(&b, "\n# journal")
	say("seen", recordSeen(s))
	say("head", recordHead(head(1, 1), head(1, 2)))
	say("merged", recordClosed(Sight{Merged: true}, lane))
	say("closed", recordClosed(Sight{}, lane))
	say("retargeted", recordClosed(Sight{Open: true, Base: "dev"}, lane))
	say("queued", recordQueued(e))
	say("weightless", recordWeightless(review))
	say("ask", recordAsk(Ask{Who: rita, Verb: VerbHold}))
	say("priority", recordPriority(Ask{Who: rita, Priority: &two}))
	say("adopted", recordAdopted(lane, trunk(1)))
	say("built", recordBuilt(c))
	say("run started", recordRunStarted(c, 1))
	say("run lost", recordRunLost(1))
	say("run moved", recordRunMoved(1, "worker b is silent; it begins again elsewhere"))
	for _, v := range []Verdict{{Outcome: Green, Took: 61234567 * time.Microsecond}, {Outcome: Red, Reason: "exit status 1", Took: time.Second}, {}, {Reason: "no report"}} {
		say("verdict "+string(v.Outcome), recordVerdict(2, v))
	}
	say("intent", recordIntent(lane, c))
	say("landed", recordLanded(c.Members[0], &Landing{Tip: commit(3)}))
	say("recalled", recordRecalled(3))
	say("recalled landing", recordRecalledLanding(LedgerEntry{Number: 12, Head: head(1, 1)}, Statement{New: commit(3)}))
	say("put back", recordPutBack(&Entry{Change: Change{Head: head(1, 1), Branch: "geese"}}, HeadPutBack{From: commit(3)}))
	say("not put back", recordPutBack(&Entry{Change: Change{Head: head(1, 1), Branch: "geese"}}, HeadPutBack{From: commit(3), Problem: "the branch is protected"}))
	say("missed", recordMissed())
	say("resumed", recordResumed("ada"))

	fmt.Fprintln(&b, "\n# commit messages")
	for _, style := range []Style{StyleRebase, StyleSquash, StyleMerge} {
		say(string(style), fmt.Sprintf("%q", sayMessage(e, style)))
	}
	say("no body", fmt.Sprintf("%q", sayMessage(&Entry{Change: Change{Number: 1, Title: "Count"}}, StyleSquash)))

	fmt.Fprintln(&b, "\n# errors")
	say("conflict", &ConflictError{Member: 12, Files: []string{"a.go", "b.go"}})
	say("unbuildable", &UnbuildableError{Member: 12, Reason: "it has no commit"})
	say("empty", &EmptyError{Member: 12})
	say("mismatch", &MismatchError{Candidate: commit(3), Paths: []string{"a.go"}})
	say("ledger", &LedgerError{Reason: "record c003c003 is no record of lander's"})
	say("denied", &DeniedError{Output: "protected branch"})
	say("moved", ErrMoved)
	_, err := ParseLane("acme")
	say("lane", err)
	_, err = ParseSHA("main")
	say("object id", err)

	golden := filepath.Join("testdata", "sentences.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, lines := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(lines)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(lines) {
			w = lines[i]
		}
		if g != w {
			t.Fatalf("%s:%d differs (go test -update writes what is said now)\nis:   %s\nwant: %s", golden, i+1, g, w)
		}
	}
}
