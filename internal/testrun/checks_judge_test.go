package testrun

import (
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
)

var (
	windows = queue.Check{Name: "windows-ci", App: "github-actions"}
	jenkins = queue.Check{Name: "jenkins", App: "@ci-user", Timeout: 2 * time.Hour}
	noon    = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
)

// of is a result of a check; an empty conclusion: it is not over.
func of(c queue.Check, id int64, conclusion string) queue.CheckRun {
	r := queue.CheckRun{CheckRef: queue.CheckRef{ID: id, App: c.App}, Name: c.Name, Commit: candidate, Began: noon, Conclusion: conclusion}
	if conclusion != "" {
		r.Ended = noon.Add(time.Minute)
	}
	return r
}

func status(c queue.Check, id int64, state string) queue.CheckRun {
	r := of(c, id, state)
	r.Status = true
	return r
}

func TestWhatIsGreenElsewhere(t *testing.T) {
	t.Parallel()
	green := of(windows, 5, "success")
	elsewhere, foreign, other := green, green, green
	elsewhere.Commit, foreign.App, other.Name = base, "impostor", "windows-ci-2"
	past := of(windows, 5, "failure")
	anew := past
	anew.Ended = past.Ended.Add(time.Minute)
	const waits = queue.Unmeasured // and not over
	for name, c := range map[string]struct {
		told   []queue.CheckRun
		w      Waiting
		want   queue.Outcome
		reason string
	}{
		"success":                           {[]queue.CheckRun{green}, Waiting{}, queue.Green, ""},
		"success by a status":               {[]queue.CheckRun{status(windows, 5, "success")}, Waiting{}, queue.Green, ""},
		"the app in other letters":          {[]queue.CheckRun{of(queue.Check{Name: windows.Name, App: "GitHub-Actions"}, 5, "success")}, Waiting{}, queue.Green, ""},
		"missing":                           {nil, Waiting{}, waits, `check "windows-ci" of github-actions is missing`},
		"another app's":                     {[]queue.CheckRun{foreign}, Waiting{}, waits, `is missing (one of that name is there, but of impostor)`},
		"another app's red":                 {[]queue.CheckRun{of(queue.Check{Name: windows.Name, App: "impostor"}, 9, "failure"), green}, Waiting{}, queue.Green, ""},
		"another name":                      {[]queue.CheckRun{other}, Waiting{}, waits, "is missing"},
		"another commit's":                  {[]queue.CheckRun{elsewhere}, Waiting{}, waits, "is missing"},
		"under way":                         {[]queue.CheckRun{of(windows, 5, "")}, Waiting{}, waits, "is not over"},
		"waits for a person":                {[]queue.CheckRun{of(windows, 5, "action_required")}, Waiting{}, waits, "is not over"},
		"failure":                           {[]queue.CheckRun{of(windows, 5, "failure")}, Waiting{}, queue.Red, `check "windows-ci" of github-actions failed`},
		"neutral":                           {[]queue.CheckRun{of(windows, 5, "neutral")}, Waiting{}, queue.Red, "it ended as neutral, which shows nothing"},
		"skipped":                           {[]queue.CheckRun{of(windows, 5, "skipped")}, Waiting{}, queue.Red, "it ended as skipped, which shows nothing"},
		"its own limit":                     {[]queue.CheckRun{of(windows, 5, "timed_out")}, Waiting{}, queue.TimedOut, "ran out of its own time there"},
		"cancelled":                         {[]queue.CheckRun{of(windows, 5, "cancelled")}, Waiting{}, queue.Infra, "stopped there without a result (cancelled)"},
		"stale":                             {[]queue.CheckRun{of(windows, 5, "stale")}, Waiting{}, queue.Infra, "(stale)"},
		"never begun":                       {[]queue.CheckRun{of(windows, 5, "startup_failure")}, Waiting{}, queue.Infra, "(startup_failure)"},
		"a status of error":                 {[]queue.CheckRun{status(windows, 5, "error")}, Waiting{}, queue.Infra, "(error)"},
		"a word of tomorrow":                {[]queue.CheckRun{of(windows, 5, "splendid")}, Waiting{}, queue.Infra, "(splendid)"},
		"green, then red":                   {[]queue.CheckRun{green, of(windows, 6, "failure")}, Waiting{}, queue.Red, "failed"},
		"red told after, but older":         {[]queue.CheckRun{green, of(windows, 4, "failure")}, Waiting{}, queue.Green, ""},
		"green, then under way":             {[]queue.CheckRun{of(windows, 6, ""), green}, Waiting{}, waits, "is not over"},
		"a green run and a red status":      {[]queue.CheckRun{green, status(windows, 2, "failure")}, Waiting{}, queue.Red, "failed"},
		"a green run and a waiting status":  {[]queue.CheckRun{green, status(windows, 2, "")}, Waiting{}, waits, "is not over"},
		"a green status and a waiting run":  {[]queue.CheckRun{status(windows, 2, "success"), of(windows, 5, "")}, Waiting{}, waits, "is not over"},
		"missing for too long":              {nil, Waiting{For: time.Hour}, queue.TimedOut, `check "windows-ci" of github-actions is missing, 1h after the push (timeout)`},
		"not over for too long":             {[]queue.CheckRun{of(windows, 5, "")}, Waiting{For: 2 * time.Hour}, queue.TimedOut, "is not over, 2h after the push"},
		"green at the last moment":          {[]queue.CheckRun{green}, Waiting{For: 2 * time.Hour}, queue.Green, ""},
		"what is past does not count":       {[]queue.CheckRun{past}, Waiting{Past: &past.CheckRef}, waits, "is not over"},
		"what is past, for ever":            {[]queue.CheckRun{past}, Waiting{Past: &past.CheckRef, Final: true}, queue.Red, "nobody but its app can run it again"},
		"what is past, and nothing newer":   {[]queue.CheckRun{past}, Waiting{Past: &past.CheckRef, For: time.Hour}, queue.TimedOut, "is not over"},
		"a newer one than what is past":     {[]queue.CheckRun{past, of(windows, 6, "success")}, Waiting{Past: &past.CheckRef}, queue.Green, ""},
		"the same one, told anew":           {[]queue.CheckRun{anew}, Waiting{Past: &past.CheckRef}, queue.Red, "failed"},
		"a newer red than what is for ever": {[]queue.CheckRun{past, of(windows, 6, "failure")}, Waiting{Past: &past.CheckRef, Final: true}, queue.Red, "failed"},
	} {
		v, over := JudgeChecks([]queue.Check{windows}, candidate, c.told, c.w)
		if over != (c.want != waits) || v.Outcome != c.want || !strings.Contains(v.Reason, c.reason) || (v.Reason == "") != (c.want == queue.Green) {
			t.Errorf("%s: over %v, %s, %q; want %s, %q", name, over, v.Outcome, v.Reason, c.want, c.reason)
		}
		if shown := len(v.Steps) == 1 && v.Steps[0].Exit == 0; shown != (c.want == queue.Green) {
			t.Errorf("%s: %+v", name, v.Steps)
		}
		if red := c.want == queue.Red || c.want == queue.TimedOut; red && v.Step != windows.Name {
			t.Errorf("%s: it is of %q", name, v.Step)
		}
	}
}

func TestSeveralChecksAreOneVerdict(t *testing.T) {
	t.Parallel()
	both := []queue.Check{windows, jenkins}
	for name, c := range map[string]struct {
		told         []queue.CheckRun
		waited       time.Duration
		want         queue.Outcome
		step, reason string
		over         bool
	}{
		"all":                          {[]queue.CheckRun{of(windows, 1, "success"), status(jenkins, 2, "success")}, 0, queue.Green, "", "", true},
		"one of two":                   {[]queue.CheckRun{of(windows, 1, "success")}, 0, queue.Unmeasured, "", `check "jenkins" of @ci-user is missing`, false},
		"one of two, its limit longer": {[]queue.CheckRun{of(windows, 1, "success")}, time.Hour, queue.Unmeasured, "", "is missing", false},
		"one of two, too late":         {[]queue.CheckRun{of(windows, 1, "success")}, 2 * time.Hour, queue.TimedOut, "jenkins", `check "jenkins" of @ci-user is missing, 2h after`, true},
		"none, and one is too late": {
			nil, time.Hour, queue.TimedOut, "windows-ci",
			`check "windows-ci" of github-actions is missing; check "jenkins" of @ci-user is missing, 1h after the push (timeout)`, true,
		},
		"red while the other is waited for": {[]queue.CheckRun{status(jenkins, 2, "failure")}, 0, queue.Red, "jenkins", "failed", true},
		"red counts before stopped":         {[]queue.CheckRun{of(windows, 1, "cancelled"), status(jenkins, 2, "failure")}, 0, queue.Red, "jenkins", "failed", true},
		"red counts before its own limit":   {[]queue.CheckRun{of(windows, 1, "timed_out"), status(jenkins, 2, "failure")}, 0, queue.Red, "jenkins", "failed", true},
		"stopped while one is waited for":   {[]queue.CheckRun{of(windows, 1, "cancelled")}, 0, queue.Infra, "windows-ci", "(cancelled)", true},
	} {
		v, over := JudgeChecks(both, candidate, c.told, Waiting{For: c.waited})
		if v.Outcome != c.want || over != c.over || v.Step != c.step || !strings.Contains(v.Reason, c.reason) {
			t.Errorf("%s: over %v, %s of %q, %q", name, over, v.Outcome, v.Step, v.Reason)
		}
	}
	if v, over := JudgeChecks(nil, candidate, nil, Waiting{}); over || v.Outcome == queue.Green {
		t.Error("nothing is green where nothing was asked for")
	}
}
