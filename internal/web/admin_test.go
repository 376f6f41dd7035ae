package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
)

// asked sends an order beside the test; its answer comes on the channel.
func (w *world) asked(target, body string) <-chan answer {
	done := make(chan answer, 1)
	go func() { done <- w.act(target, body) }()
	return done
}

func (w *world) posted(t *testing.T) {
	t.Helper()
	until(t, "an order in the inbox", func() bool { return w.db.count(func(m *memory) int { return len(m.items) }) > 0 })
}

// looked waits until the store was looked at again, twice, so that a whole round of waiting lies between.
func (w *world) looked(t *testing.T) {
	t.Helper()
	before := w.db.count(func(m *memory) int { return m.looks })
	until(t, "another look", func() bool { return w.db.count(func(m *memory) int { return m.looks }) > before+1 })
}

func still(t *testing.T, done <-chan answer, why string) {
	t.Helper()
	select {
	case a := <-done:
		t.Fatalf("answered %d %s, though %s", a.status, a.body, why)
	default:
	}
}

func TestPauseReturnsOnlyWhenTrunkCannotMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.db.apply(app, change(7, "one", "bob"))
	w.db.apply(app, candidate(1, 7)...)
	w.db.apply(app, begun(1)...)

	done := w.asked("/api/v1/pause?lane=acme/app:main", `{"reason":"a release\nis cut","by":"eve","until":"2026-03-04T18:00:00+01:00"}`)
	w.posted(t)
	w.looked(t)
	still(t, done, "no keeper has applied the pause")
	w.db.keep(app)
	w.looked(t)
	still(t, done, "a push may be on its way")
	w.db.apply(app, queue.LandingDone{ID: 1, At: noon.Add(21 * time.Minute)})

	a := <-done
	has(t, a, http.StatusOK, `"done":true`)
	var d Done
	a.json(t, &d)
	if p := d.Lane.Paused; p == nil || p.By != "eve" || p.Reason != "a release is cut" || !p.Until.Equal(noon.Add(5*time.Hour)) || d.Lane.Flight != 0 || d.Lane.Tip != sha('c') {
		t.Errorf("lane %+v", d.Lane)
	}
}

func TestPauseSaysWhatIsStillUnderWayWhenItsTimeIsUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.db.apply(app, change(7, "one", "bob"))
	w.db.apply(app, candidate(1, 7)...)
	w.db.apply(app, begun(1)...)
	has(t, w.act("/api/v1/pause?lane=acme/app:main", `{"reason":"x","wait":"60ms"}`), http.StatusGatewayTimeout, "a push that left before it may still move trunk: cccccccc (#7) since 12:20:00 UTC")

	has(t, w.act("/api/v1/pause?lane=acme/lib:main", `{"reason":"x","wait":"60ms"}`), http.StatusGatewayTimeout, "keeper has not taken it up yet", "/readyz")
}

func TestAPauseThatIsResumedMeanwhileIsNotCalledDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	done := w.asked("/api/v1/pause?lane=acme/app:main", `{"reason":"x"}`)
	w.posted(t)
	w.db.set(func(m *memory) {
		m.items = append(m.items, item{lane: app, event: queue.Resumed{By: "mallory", At: noon.Add(24 * time.Hour)}})
	})
	w.db.keep(app)
	has(t, <-done, http.StatusConflict, "has been resumed since")
}

func TestThePauseStandsWhenItsAskerHangsUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, hangUp := context.WithCancel(context.Background())
	r := httptest.NewRequest("POST", "/api/v1/pause?lane=acme/app:main", strings.NewReader(`{"reason":"x"}`)).WithContext(ctx)
	r.Header.Set("Authorization", "Bearer "+token)
	done := make(chan answer, 1)
	go func() { done <- w.serve(r) }()
	w.posted(t)
	hangUp()
	<-done
	w.db.keep(app)
	if q, _, _ := w.db.View(context.Background(), app); q.Pause == nil {
		t.Error("the pause was lost")
	}
}

func TestResumeStartsTheLaneAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.db.apply(app, queue.Paused{By: "eve", Reason: "x", At: noon})
	done := w.asked("/api/v1/resume?lane=acme/app:main", ``)
	w.posted(t)
	w.db.keep(app)
	a := <-done
	has(t, a, http.StatusOK, `"done":true`, `"running":true`)
	lacks(t, a, `"paused":`)
	has(t, w.act("/api/v1/resume?lane=acme/lib:main", `{"wait":"40ms"}`), http.StatusAccepted, `"done":false`, "has not taken it up yet")
}

func TestOrdersForAChange(t *testing.T) {
	t.Parallel()
	for verb, want := range map[string]queue.Verb{"land": queue.VerbLand, "withdraw": queue.VerbWithdraw, "retry": queue.VerbRetry, "priority": queue.VerbPriority, "hold": queue.VerbHold, "unhold": queue.VerbUnhold} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.db.apply(app, change(7, "one", "bob"))
			done := w.asked("/api/v1/changes/7/"+verb+"?lane=acme/app:main", `{"by":"eve","priority":3}`)
			w.posted(t)
			w.db.keep(app)
			a := <-done
			has(t, a, http.StatusOK, `"done":true`, `"number":7`)
			got := w.db.items[0].event.(queue.ChangeAsked)
			if got.Number != 7 || got.Ask.Verb != want || got.Ask.Role != queue.RoleAdmin || got.Ask.Who.Login != "eve" || got.Ask.ID == "" || *got.Ask.Priority != 3 {
				t.Errorf("asked %+v", got)
			}
			if want == queue.VerbLand && got.Ask.SHA != string(headOf(7)) {
				t.Errorf("not pinned to a head: %q", got.Ask.SHA)
			}
		})
	}
}

// Nobody knows who holds the token; it may be the author.
func TestAnOrderToLandIsNoApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.db.apply(app, change(7, "one", ""))
	done := w.asked("/api/v1/changes/7/land?lane=acme/app:main", `{"by":"ann"}`)
	w.posted(t)
	w.db.keep(app)
	a := <-done
	has(t, a, http.StatusOK, `"stage":"held"`, "it needs an approval")
	lacks(t, a, `"approvers"`)
}

func TestOrdersThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		target, body string
		status       int
		words        string
	}{
		{"/api/v1/pause", `{"reason":"x"}`, 400, "name one: acme/app:main, acme/app:release/1.x and acme/lib:main"},
		{"/api/v1/pause?lane=acme", `{"reason":"x"}`, 400, "OWNER/NAME:BRANCH"},
		{"/api/v1/pause?lane=acme/app:dev", `{"reason":"x"}`, 404, "does not keep the lane acme/app:dev"},
		{"/api/v1/pause?lane=acme/app:main", `{}`, 400, "a pause needs a reason"},
		{"/api/v1/pause?lane=acme/app:main", `{"reason":" \n\t "}`, 400, "a pause needs a reason"},
		{"/api/v1/pause?lane=acme/app:main", `{"reason":"x","until":"2020-01-01T00:00:00Z"}`, 400, "is past"},
		{"/api/v1/pause?lane=acme/app:main", `{"reason":"x","until":"y"}`, 400, "until"},
		{"/api/v1/pause?lane=acme/app:main", `{"reason":`, 400, "cannot be read"},
		{"/api/v1/pause?lane=acme/app:main", `{"reason":"x","wait":"-1s"}`, 400, "cannot be read"},
		{"/api/v1/pause?lane=acme/app:main", `{"reason":"` + strings.Repeat("x", 70<<10) + `"}`, 413, "64 KiB"},
		{"/api/v1/changes/7/land?lane=acme/app:main", `{"head":"` + string(sha('e')) + `"}`, 409, "is not the head of #7"},
		{"/api/v1/changes/7/land?lane=acme/app:main", `{"head":"000"}`, 409, "is not the head of #7"},
		{"/api/v1/changes/8/land?lane=acme/app:main", ``, 404, "#8 is not known on acme/app:main"},
		{"/api/v1/changes/x/land?lane=acme/app:main", ``, 400, "not the number of a pull request"},
		{"/api/v1/changes/99999999999/land?lane=acme/app:main", ``, 400, "not the number of a pull request"},
		{"/api/v1/changes/7/merge?lane=acme/app:main", ``, 404, "use land, withdraw"},
		{"/api/v1/changes/7/priority?lane=acme/app:main", ``, 400, "no priority is given"},
		{"/api/v1/nothing", ``, 404, "there is no POST /api/v1/nothing"},
	} {
		w := newWorld(t)
		w.db.apply(app, change(7, "one", "bob"))
		a := w.act(c.target, c.body)
		has(t, a, c.status, c.words)
		var why refusal
		if a.json(t, &why); why.Error == "" || why.Advice == "" {
			t.Errorf("%s %s: %s", c.target, c.body, a.body)
		}
		if len(w.db.items) != 0 {
			t.Errorf("%s %s was posted", c.target, c.body)
		}
	}
}

func TestOrdersWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.db.away = errAway
	a := w.act("/api/v1/pause?lane=acme/app:main", `{"reason":"x"}`)
	has(t, a, http.StatusServiceUnavailable, "nothing was asked for")
	lacks(t, a, errAway.Error())
	if line := w.log.only(t); line["error"] != errAway.Error() {
		t.Errorf("log %v", line)
	}

	w = newWorld(t)
	done := w.asked("/api/v1/pause?lane=acme/app:main", `{"reason":"x"}`)
	w.posted(t)
	w.db.set(func(m *memory) { m.away = errAway })
	has(t, <-done, http.StatusServiceUnavailable, "is stored, but the database went away")
}

func TestALaneThatWasNeverKeptTakesNoOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	delete(w.db.lanes, other)
	has(t, w.act("/api/v1/pause?lane=acme/lib:main", `{"reason":"x"}`), http.StatusConflict, "has not been looked at yet")
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	const order = "/api/v1/pause?lane=acme/lib:main"
	reads := []string{"/", "/lanes/acme/app/main", "/changes/7/acme/app/main", "/api/v1/lanes", "/api/v1/queue?lane=acme/app:main", "/api/v1/changes/7?lane=acme/app:main", "/api/v1/history?lane=acme/app:main"}
	basic := func(r *http.Request) { r.SetBasicAuth("x", token) }
	with := func(v string) func(*http.Request) { return func(r *http.Request) { r.Header.Set("Authorization", v) } }
	socket := func(r *http.Request) { *r = *r.WithContext(FromSocket(r.Context())) }
	for _, c := range []struct {
		name        string
		public      bool
		token       string
		who         func(*http.Request)
		read, order int
	}{
		{"anybody, public", true, token, func(*http.Request) {}, 200, 401},
		{"anybody, private", false, token, func(*http.Request) {}, 401, 401},
		{"token", false, token, with("Bearer " + token), 200, 202},
		{"token, other case of the scheme", false, token, with("bearer " + token), 200, 202},
		{"half a token", false, token, with("Bearer " + token[:10]), 401, 403},
		{"token as a browser's password", false, token, basic, 200, 401},
		{"socket", false, token, socket, 200, 202},
		{"socket without a token", false, "", socket, 200, 202},
		{"no token set, none given", true, "", func(*http.Request) {}, 200, 401},
		{"no token set, an empty one given", false, "", with("Bearer "), 401, 401},
		{"another site's form with the socket's right", true, token, func(r *http.Request) { socket(r); r.Header.Set("Sec-Fetch-Site", "cross-site") }, 200, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Public, w.APIToken = c.public, c.token
			w.db.apply(app, change(7, "one", "bob"))
			for _, path := range reads {
				r := httptest.NewRequest("GET", path, nil)
				c.who(r)
				if a := w.serve(r); a.status != c.read {
					t.Errorf("GET %s: %d, want %d", path, a.status, c.read)
				}
			}
			r := httptest.NewRequest("POST", order, strings.NewReader(`{"wait":"1ms"}`))
			r.URL.Path = "/api/v1/resume"
			c.who(r)
			if a := w.serve(r); a.status != c.order {
				t.Errorf("order: %d, want %d: %s", a.status, c.order, a.body)
			}
			if posted := len(w.db.items); (posted == 1) != (c.order == 202) {
				t.Errorf("%d posted", posted)
			}
		})
	}
}

func TestTheOnlyLaneNeedNotBeNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Lanes = []queue.Lane{release}
	has(t, w.get("/api/v1/queue"), http.StatusOK, `"lane":"acme/app:release/1.x"`)
	has(t, w.get("/api/v1/queue?lane="+url.QueryEscape("ACME/app:release/1.x")), http.StatusOK, `"lane":"acme/app:release/1.x"`)
}

// In its first moment a lander has not looked at trunk: it must not say that the repository has no suite.
func TestALaneThatWasNeverLookedAtIsStarting(t *testing.T) {
	t.Parallel()
	v := laneView(queue.Queue{Lane: app}, queue.Policy{}, noon)
	if b := bannerOf(v); v.Policy != "" || b.Title != "Starting" {
		t.Errorf("%+v, policy %q", b, v.Policy)
	}
}
