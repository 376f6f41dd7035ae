package web

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
)

// listen opens an event stream. next gives the data of its next "changed".
func listen(t *testing.T, base, path string) (next func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Body.Close() })
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", a.StatusCode, a.Header)
	}
	in := bufio.NewScanner(a.Body)
	return func() string {
		t.Helper()
		for in.Scan() {
			if data, ok := strings.CutPrefix(in.Text(), "data: "); ok {
				return data
			}
		}
		t.Fatalf("the stream ended: %v", in.Err())
		return ""
	}
}

func (w *world) start(t *testing.T, change func(*http.Server)) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(w.Handler())
	if change != nil {
		change(srv.Config)
	}
	srv.Start()
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return srv.URL
}

func TestAViewerHearsOfEveryChangeOfItsLaneAndOfNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	base := w.start(t, nil)
	next, all := listen(t, base, "/events?lane=acme/app:main"), listen(t, base, "/events")
	if v := next(); v != "2" { // as it is now, so that nothing is missed between page and stream
		t.Errorf("begins with %s", v)
	}
	if v := all(); v != "4" {
		t.Errorf("all lanes begin with %s", v)
	}
	w.db.apply(other, queue.TrunkSeen{Tip: sha('b'), At: noon})
	if v := all(); v != "5" {
		t.Errorf("all lanes go on with %s", v)
	}
	w.db.apply(app, change(7, "seven", "bob"))
	if v := next(); v != "3" {
		t.Errorf("goes on with %s", v)
	}
}

func TestAllViewersShareOneLookAndStirMakesItSooner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Every = time.Hour
	base := w.start(t, nil)
	var viewers []func() string
	for range 20 {
		viewers = append(viewers, listen(t, base, "/events?lane=acme/app:main"))
	}
	for _, next := range viewers {
		next()
	}
	if looks := w.db.count(func(m *memory) int { return m.looks }); looks != 1 {
		t.Errorf("%d looks for 20 viewers", looks)
	}
	w.db.apply(app, change(7, "seven", "bob"))
	w.Stir(app)
	for _, next := range viewers {
		if v := next(); v != "3" {
			t.Errorf("heard %s", v)
		}
	}
	if looks := w.db.count(func(m *memory) int { return m.looks }); looks != 2 {
		t.Errorf("%d looks for 20 viewers and one change", looks)
	}
	w.Stir(queue.Lane{Repo: "not/kept", Trunk: "here"})
}

func TestNobodyLooksWhenNobodyWatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, leave := context.WithCancel(context.Background())
	done := make(chan answer, 1)
	go func() { done <- w.serve(httptest.NewRequest("GET", "/events", nil).WithContext(ctx)) }()
	until(t, "a look", func() bool { return w.db.count(func(m *memory) int { return m.looks }) > 5 })
	leave()
	<-done
	last := -1
	until(t, "the looking to end", func() bool {
		now := w.db.count(func(m *memory) int { return m.looks })
		same := now == last
		last = now
		for range 5 { // several times the interval
			<-time.After(w.Every)
		}
		return same && now == w.db.count(func(m *memory) int { return m.looks })
	})
	again, stop := context.WithCancel(context.Background())
	go func() { done <- w.serve(httptest.NewRequest("GET", "/events", nil).WithContext(again)) }()
	until(t, "a look for the next viewer", func() bool { return w.db.count(func(m *memory) int { return m.looks }) > last })
	stop()
	<-done
}

func TestTheStreamOutlivesTheServersTimeLimitsAndAFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	base := w.start(t, func(s *http.Server) { s.ReadTimeout, s.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond })
	next := listen(t, base, "/events?lane=acme/app:main")
	next()
	w.db.set(func(m *memory) { m.away = errAway })
	looks := w.db.count(func(m *memory) int { return m.looks })
	until(t, "looks in vain", func() bool { return w.db.count(func(m *memory) int { return m.looks }) > looks+100 })
	w.db.set(func(m *memory) { m.away = nil })
	w.db.apply(app, change(7, "seven", "bob"))
	if v := next(); v != "3" {
		t.Errorf("heard %s", v)
	}
	if line := w.log.only(t); line["lane"] != "acme/app:main" || line["error"] != errAway.Error() {
		t.Errorf("log %v", line)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.viewing.Store(mostViewers)
	has(t, w.get("/events"), http.StatusServiceUnavailable, "too many pages")
	if n := w.viewing.Load(); n != mostViewers {
		t.Errorf("%d viewers are counted", n)
	}
	has(t, w.get("/events?lane=no/such:lane"), http.StatusNotFound)
}
