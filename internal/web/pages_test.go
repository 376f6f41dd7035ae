package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
	"lander/internal/store"
)

// busy is a world with a change of every kind on its first lane.
func busy(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	draft := change(3, "three", "bob")
	draft.Sight.Draft = true
	w.db.apply(app, change(1, "one", "bob"), change(2, "two", "bob"), draft, change(4, "four", ""), change(5, "five", "bob"))
	w.db.apply(app, candidate(1, 1)...)
	w.db.apply(app, queue.CandidateUnmade{
		ID: 2, Base: sha('a'), Member: queue.Member{Number: 5, Head: headOf(5)}, Code: queue.DropConflict, Reason: "it does not apply on trunk: conflicts in go.mod",
		Files: []string{"go.mod"}, At: noon.Add(30 * time.Minute),
	})
	row := w.db.lanes[app]
	row.landings = []store.Landed{{Number: 90, Title: "ninety", Landing: queue.Landing{Tip: sha('9'), At: noon.Add(-time.Hour)}}}
	row.runs = []store.Run{
		{Candidate: 1, Run: 1, SHA: sha('c'), Base: sha('a'), Members: []queue.Number{1}, Started: noon.Add(11 * time.Minute)},
		{
			Candidate: 9, Run: 2, SHA: sha('f'), Base: sha('a'), Members: []queue.Number{5}, Started: noon, Ended: noon.Add(time.Minute),
			Verdict: &queue.Verdict{Outcome: queue.Red, Step: "unit", Reason: "exit status 1", Exit: 1, Took: 61 * time.Second, Tail: []string{"--- FAIL: TestX"}, Failed: []string{"acme/door TestX"}, Steps: []queue.StepResult{{Name: "unit", Exit: 1, Took: time.Minute}}},
		},
	}
	return w
}

var tags = regexp.MustCompile(`<[^>]*>`)

// words is a page as it is read: without tags, and with single spaces.
func (a answer) words() string {
	return strings.Join(strings.Fields(tags.ReplaceAllString(a.body, " ")), " ")
}

func TestTheQueuePageReadsFromTopToBottom(t *testing.T) {
	t.Parallel()
	w := busy(t)
	a := w.get("/lanes/acme/app/main")
	has(t, a, http.StatusOK, `href="https://forge.example/acme/app/pull/1"`, `href="/changes/2/acme/app/main"`, `href="https://forge.example/acme/app/commit/`+string(sha('9')))
	const want = "acme/app main trunk at aaaaaaaa flaky tests Running " +
		"In flight being tested as cccccccc on aaaaaaaa · run&nbsp;1 · 49 min ago one #1 by ann · approved by bob · asked 59 min ago " +
		"Line 1 2 two #2 by ann · approved by bob · asked 59 min ago " +
		"Held 1 3 three #3 by ann · approved by bob · asked 59 min ago It is a draft. Who can lift it: ann. " +
		"Lately five #5 dropped 30 min ago It does not apply on trunk: conflicts in go.mod. ninety #90 landed 2 h ago as 99999999 " +
		"Open, not queued 1 four #4 by ann Nobody has asked to land 00000000. Who can lift it: people who may review. " +
		"It needs an approval of 00000000. Who can lift it: people who may review, other than the author."
	if got := a.words(); !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTheBannerSaysWhatStopsTheLane(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*laneRow)
		class  string
		words  string
	}{
		{func(*laneRow) {}, "running", "Running"},
		{func(r *laneRow) { r.q.Pause = &queue.Pause{By: "eve", Reason: "a release", At: noon} }, "paused", "Paused A release. by eve since 1 h ago"},
		{func(r *laneRow) {
			r.q.Pause = &queue.Pause{By: "eve", Reason: "x", At: noon, Until: noon.Add(3 * time.Hour)}
		}, "paused", "Paused X. by eve since 1 h ago · until 2026-03-04 15:00 UTC"},
		{func(r *laneRow) {
			r.q.Pause = &queue.Pause{By: "eve", Reason: "x", At: noon, Until: noon.Add(time.Minute)}
		}, "running", "Running"},
		{func(r *laneRow) { r.q.Stop = &queue.Stop{Reason: "trunk was rewound", At: noon} }, "stopped", "Stopped Trunk was rewound. Who can lift it: an admin. Then: look at trunk, then resume. since 1 h ago"},
		{func(r *laneRow) {
			r.q.Stop = &queue.Stop{Reason: "the ledger was rewound. Resuming puts it back", At: noon, Ledger: true}
		}, "stopped", "Stopped The ledger was rewound. Resuming puts it back. Who can lift it: an admin. Then: landing goes on when it is resumed. since 1 h ago"},
		{func(r *laneRow) { r.q.Trouble = &queue.Trouble{Reason: "the push was denied.", At: noon} }, "paused", "In trouble The push was denied. It is tried again by itself. since 1 h ago"},
		{func(r *laneRow) { r.policy.Problem = "line 1" }, "stopped", "Nothing can land Line 1."},
		{func(r *laneRow) { r.policy.Recipe = queue.Recipe{} }, "stopped", "Nothing can land Nothing lands untested"},
		{func(r *laneRow) { r.q.Tip = "" }, "paused", "Starting Trunk has not been looked at yet."},
	} {
		w := newWorld(t)
		c.change(w.db.lanes[app])
		for _, path := range []string{"/lanes/acme/app/main", "/"} {
			a := w.get(path)
			has(t, a, http.StatusOK, `<div class="banner `+c.class)
			if !strings.Contains(a.words(), c.words) {
				t.Errorf("%s: %q is not in %s", path, c.words, a.words())
			}
		}
	}
}

func TestWebhooksThatDidNotArriveAreCounted(t *testing.T) {
	t.Parallel()
	w := busy(t)
	if a := w.get("/lanes/acme/app/main"); strings.Contains(a.body, "did not arrive") {
		t.Errorf("nothing was missed, and the page says otherwise: %s", a.words())
	}
	w.db.apply(app, queue.DeliveryMissed{Number: 1, At: noon.Add(-24 * time.Hour)}, queue.DeliveryMissed{Number: 2, At: noon})
	if a := w.get("/lanes/acme/app/main"); !strings.Contains(a.words(), "webhooks of the last day that did not arrive: 1") {
		t.Errorf("one was missed, and the page does not say so: %s", a.words())
	}
	if a := w.get("/api/v1/lanes"); strings.Count(a.body, "missed_deliveries") != 1 || !strings.Contains(a.body, `"in_flight":1,"missed_deliveries":1`) {
		t.Errorf("one lane missed one, and the list says %s", a.body)
	}
}

func TestAChangesPage(t *testing.T) {
	t.Parallel()
	w := busy(t)
	w.Logs = func(context.Context, queue.Lane, RunID) (io.ReadCloser, error) { return nil, fs.ErrNotExist }
	a := w.get("/changes/1/acme/app/main")
	has(t, a, http.StatusOK, `<span class="badge testing">testing</span>`, `href="/logs/1/1/acme/app/main"`, "under way")
	for _, want := range []string{
		"It is being tested as cccccccc on top of aaaaaaaa. 49 min ago Who can lift it: nobody need act. Then: green: it lands as exactly that commit.",
		"bob asked to land 00000000",
	} {
		if !strings.Contains(a.words(), want) {
			t.Errorf("%q is not in %s", want, a.words())
		}
	}
	a = w.get("/changes/5/acme/app/main")
	has(t, a, http.StatusOK, `<span class="badge dropped">dropped</span>`, "<code>go.mod</code>", "--- FAIL: TestX")
	if want := "red run 2 of ffffffff on aaaaaaaa · 1 h ago · 1m1s · log Exit status 1. unit exit 1 1m0s Failed: acme/door TestX --- FAIL: TestX"; !strings.Contains(a.words(), want) {
		t.Errorf("%q is not in %s", want, a.words())
	}
	has(t, w.get("/changes/77/acme/app/main"), http.StatusNotFound, "#77 is not known")
	has(t, w.get("/changes/x/acme/app/main"), http.StatusBadRequest, "not the number")
}

func TestAChangeThatHasLandedAndLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.db.lanes[app].former = map[queue.Number]*queue.Entry{
		90: {
			Change: queue.Change{Number: 90, Title: "ninety", Head: headOf(90)}, State: queue.Landed, Gone: true,
			Landing: &queue.Landing{Tip: sha('9'), At: noon, Commits: []queue.BuiltCommit{{SHA: sha('8'), Title: "its first commit"}}},
		},
		92: {
			Change: queue.Change{Number: 92, Title: "apart", Head: headOf(92)}, State: queue.Landed, Gone: true,
			Landing: &queue.Landing{Tip: sha('9'), At: noon, Tested: sha('7'), Areas: queue.Areas{"<api>", "web"}},
		},
		93: {
			Change: queue.Change{Number: 93, Title: "wide", Head: headOf(93)}, State: queue.Landed, Gone: true,
			Landing: &queue.Landing{Tip: sha('9'), At: noon, Tested: sha('7'), Areas: queue.Areas{queue.Everything}},
		},
		91: {Change: queue.Change{Number: 91, Title: "closed", Head: headOf(91)}, State: queue.Idle, Gone: true},
	}
	has(t, w.get("/changes/90/acme/app/main"), http.StatusOK, "It landed", "88888888", "its first commit", "not open any more")
	lacks(t, w.get("/changes/90/acme/app/main"), "tested per area (")
	has(t, w.get("/changes/92/acme/app/main"), http.StatusOK, "tested per area (&lt;api&gt;, web), as 77777777")
	has(t, w.get("/changes/93/acme/app/main"), http.StatusOK, "tested per area (all areas), as 77777777")
	has(t, w.get("/api/v1/changes/92?lane=acme/app:main"), http.StatusOK, `"tested":"7777`, `"areas":["`)
	a := w.get("/api/v1/changes/91?lane=acme/app:main")
	has(t, a, http.StatusOK, `"open":false`, `"stage":"idle"`)
	lacks(t, a, `"reasons"`)
}

// Everything that somebody outside can choose, in every place where it is shown.
func TestWhatPeopleWroteStaysText(t *testing.T) {
	t.Parallel()
	const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>` + "\u202egnp\u2066"
	w := newWorld(t)
	for n, c := range map[queue.Number]func(*queue.Sight){
		1: func(*queue.Sight) {}, 2: func(s *queue.Sight) { s.Labels = []string{evil} }, 3: func(s *queue.Sight) { s.Reviews = nil },
	} {
		seen := change(n, evil, evil)
		seen.Sight.Author.Login, seen.Sight.URL, seen.Sight.Branch = evil, "javascript:alert(1)", evil
		c(&seen.Sight)
		w.db.apply(app, seen)
	}
	row := w.db.lanes[app]
	row.policy.NoLabels = []string{evil}
	w.db.apply(app, candidate(1, 1)...)
	w.db.apply(app, queue.Paused{By: evil, Reason: evil, At: noon})
	row.landings = []store.Landed{{Number: 9, Title: evil, Landing: queue.Landing{Tip: sha('9'), At: noon}}}
	row.runs = []store.Run{{Candidate: 1, Run: 1, SHA: sha('c'), Members: []queue.Number{1}, Verdict: &queue.Verdict{Outcome: queue.Red, Reason: evil, Tail: []string{evil}, Failed: []string{evil}, Steps: []queue.StepResult{{Name: evil}}}}}
	for _, path := range []string{"/", "/lanes/acme/app/main", "/changes/1/acme/app/main", "/changes/2/acme/app/main", "/changes/3/acme/app/main", "/lanes/a/b/" + strings.ReplaceAll(evil[:8], "<", "%3C")} {
		a := w.get(path)
		lacks(t, a, "<script>", "<img", "\u202e", "\u2066", `href="javascript:`)
		if strings.Count(a.body, "<script") > 1 {
			t.Errorf("%s: more scripts than lander's own", path)
		}
		if !strings.Contains(a.body, "&lt;script") {
			t.Errorf("%s shows nothing of it", path)
		}
		csp := a.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "script-src 'self'") || strings.Contains(csp, "unsafe") || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, a.header)
		}
	}
	lacks(t, w.get("/api/v1/queue?lane=acme/app:main"), "<script>")
}

func TestPagesWorkWithoutAScriptAndBringNothingFromOutside(t *testing.T) {
	t.Parallel()
	w := busy(t)
	for _, path := range []string{"/", "/lanes/acme/app/main", "/changes/1/acme/app/main"} {
		a := w.get(path)
		has(t, a, http.StatusOK, `<noscript><meta http-equiv="refresh"`, `<meta name="viewport"`, `data-events="/events`)
		lacks(t, a, "style=", "onclick")
		for _, m := range regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`).FindAllStringSubmatch(a.body, -1) {
			got := w.get(m[1])
			if got.status != http.StatusOK || !strings.Contains(got.header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %d, %v", m[1], got.status, got.header)
			}
		}
		if regexp.MustCompile(`<(?:script|link)[^>]+="https?:`).MatchString(a.body) {
			t.Errorf("%s loads something from outside", path)
		}
	}
	has(t, w.get("/assets/style.css"), http.StatusNotFound)
	has(t, w.get("/nowhere"), http.StatusNotFound, "There is no such page.")
}

func TestTrunksWithSlashesAndOddLettersHavePages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, trunk := range []string{"release/1.x", "a/changes/7/b", "100%", "what?#now", "grün"} {
		l := queue.Lane{Repo: "acme/app", Trunk: trunk}
		w.Server = &Server{Inbox: w.db, Views: w.db, Healthy: w.db.healthy, Lanes: []queue.Lane{l}, Public: true, Now: w.Now, Verify: w.Verify, Decode: w.Decode}
		w.db.lanes[l] = &laneRow{q: queue.Queue{Lane: l, Version: 1}, policy: policy()}
		seen := change(7, "seven", "bob")
		seen.Sight.Base = trunk
		w.db.apply(l, seen)
		has(t, w.get(LanePath(l)), http.StatusOK, "seven", ChangePath(l, 7))
		has(t, w.get(ChangePath(l, 7)), http.StatusOK, "seven")
	}
}

func TestPagesWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.db.away = errAway
	for _, path := range []string{"/", "/lanes/acme/app/main", "/changes/1/acme/app/main", "/api/v1/lanes", "/api/v1/history?lane=acme/app:main"} {
		a := w.get(path)
		if has(t, a, http.StatusServiceUnavailable); !strings.Contains(strings.ToLower(a.body), "the database is away") || strings.Contains(a.body, errAway.Error()) {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	has(t, w.get("/healthz"), http.StatusOK, "ok")
	has(t, w.get("/readyz"), http.StatusServiceUnavailable, "the database is away")
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	has(t, w.get("/readyz"), http.StatusOK, "ok")
	w.Alive = func() error { return errors.New("secret detail") }
	a := w.get("/readyz")
	has(t, a, http.StatusServiceUnavailable, "a lane is not kept")
	lacks(t, a, "secret detail")
	if line := w.log.only(t); line["error"] != "secret detail" {
		t.Errorf("log %v", line)
	}
}

func TestARunsLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	has(t, w.get("/logs/1/2/acme/app/main"), http.StatusNotFound, "There is no log of this run.")
	w.Logs = func(_ context.Context, l queue.Lane, id RunID) (io.ReadCloser, error) {
		switch {
		case l == app && id == RunID{Candidate: 1, Number: 2}:
			return io.NopCloser(strings.NewReader("\x1b[1m<b>bold</b>\x1b[0m\r\n")), nil
		case id.Number == 3:
			return nil, errors.New("disk on fire")
		}
		return nil, fs.ErrNotExist
	}
	a := w.get("/logs/1/2/acme/app/main")
	if a.status != http.StatusOK || a.body != "<b>bold</b>\n" || a.header.Get("Content-Type") != "text/plain; charset=utf-8" || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%+v", a)
	}
	has(t, w.get("/logs/1/1/acme/app/main"), http.StatusNotFound)
	has(t, w.get("/logs/x/1/acme/app/main"), http.StatusNotFound)
	a = w.get("/logs/1/3/acme/app/main")
	has(t, a, http.StatusInternalServerError)
	lacks(t, a, "disk on fire")
}

// A log that is followed comes as it is written, and ends with the run.
func TestARunsLogAsItComes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	from, to := io.Pipe()
	w.Logs = func(context.Context, queue.Lane, RunID) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("begin")), nil
	}
	w.Follow = func(_ context.Context, l queue.Lane, id RunID, out io.Writer) error {
		if l != app || id != (RunID{Candidate: 1, Number: 2}) {
			t.Errorf("follows %v of %v", id, l)
		}
		_, err := io.Copy(out, from)
		return err
	}
	server := httptest.NewServer(w.Handler())
	defer server.Close()
	res, err := http.Get(server.URL + LogPath(app, RunID{Candidate: 1, Number: 2}) + "?follow")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for _, line := range []string{"one\n", "\x1b[1mtwo\x1b[0m\n"} {
		if _, err := io.WriteString(to, line); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 4)
		if _, err := io.ReadFull(res.Body, got); err != nil || !strings.Contains(line, string(got[:3])) {
			t.Fatalf("after %q: %q, %v", line, got, err)
		}
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
		t.Errorf("at the end: %q, %v", rest, err)
	}
}

// Not parallel, for it counts what the process allocates: five times the rows may not cost much more than five times the work.
func TestAThousandWaitingChangesAreShownAtOnce(t *testing.T) {
	w := newWorld(t)
	cost := map[queue.Number]uint64{}
	for n := range queue.Number(1000) {
		w.db.apply(app, change(n+1, fmt.Sprintf("change number %d", n+1), "bob"))
		if n+1 == 200 || n+1 == 1000 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			a := w.get("/lanes/acme/app/main")
			runtime.ReadMemStats(&after)
			cost[n+1] = after.TotalAlloc - before.TotalAlloc
			has(t, a, http.StatusOK, fmt.Sprintf("change number %d", n+1), fmt.Sprintf(`<span class="place">%d</span>`, n+1))
		}
	}
	if cost[1000] > 8*cost[200] {
		t.Errorf("200 rows cost %d bytes, 1000 cost %d", cost[200], cost[1000])
	}
	var v QueueView
	w.get("/api/v1/queue?lane=acme/app:main").json(t, &v)
	if len(v.Queued) != 1000 || v.Queued[999].Position != 1000 || v.Queued[0].Reasons[0].Code != "next" || len(v.Queued[1].Reasons) != 0 {
		t.Errorf("%d queued, the last is %+v", len(v.Queued), v.Queued[999])
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	w := busy(t)
	a := w.get("/api/v1/history?lane=acme/app:main&limit=2")
	var h struct {
		Landings []LandingView
		Journal  []queue.Record
	}
	if a.json(t, &h); len(h.Landings) != 1 || h.Landings[0].Title != "ninety" || h.Landings[0].Tip != sha('9') || len(h.Journal) != 2 {
		t.Errorf("%s", a.body)
	}
	for _, limit := range []string{"0", "-1", "x", "501"} {
		has(t, w.get("/api/v1/history?lane=acme/app:main&limit="+limit), http.StatusBadRequest, "from 1 to 500")
	}
}

func BenchmarkQueuePageOfAThousand(b *testing.B) {
	w := &world{db: &memory{lanes: map[queue.Lane]*laneRow{app: {q: queue.Queue{Lane: app, Version: 1}, policy: policy()}}}}
	w.Server = &Server{Inbox: w.db, Views: w.db, Healthy: w.db.healthy, Lanes: []queue.Lane{app}, Public: true}
	for n := range queue.Number(1000) {
		w.db.apply(app, change(n+1, "title", "bob"))
	}
	for b.Loop() {
		w.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/lanes/acme/app/main", nil))
	}
}
