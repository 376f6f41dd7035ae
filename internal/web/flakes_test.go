package web

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
	"lander/internal/store"
)

// chances is what was seen of chance; away: the database does not answer.
type chances struct {
	all   []store.Flaky
	since time.Time
	away  error
}

func (c *chances) Flakes(_ context.Context, _ queue.Lane, since time.Time, _ int) ([]store.Flaky, error) {
	c.since = since
	return c.all, c.away
}

func TestWhatFailsByChanceIsListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := &chances{all: []store.Flaky{
		{Step: "unit", Test: "app <b>TestNow</b>", Times: 3, Runs: 60, Cost: 4 * time.Minute, First: noon, Last: noon.Add(time.Minute)},
		{Step: "e2e", Times: 1, Runs: 0, Cost: time.Second, First: noon, Last: noon},
	}}
	w.Server.Flakes = seen
	a := w.get("/api/v1/flakes?lane=" + app.String())
	if a.status != 200 || !strings.Contains(a.body, `"times":3,"runs":60,"rate":0.05,"cost":240000000000`) || !strings.Contains(a.body, `"rate":1,`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if want := noon.Add(time.Hour).AddDate(0, 0, -30); !seen.since.Equal(want) {
		t.Errorf("since %v, want %v", seen.since, want)
	}
	p := w.get(FlakesPath(app))
	for _, want := range []string{"app &lt;b&gt;TestNow&lt;/b&gt;", "seen 3 times in 60 runs (5.0 %)", "(the step as a whole)", `href="` + LanePath(app) + `"`} {
		if p.status != 200 || !strings.Contains(p.body, want) {
			t.Errorf("%d, the page lacks %s", p.status, want)
		}
	}
	if q := w.get(LanePath(app)); !strings.Contains(q.body, `href="`+FlakesPath(app)+`"`) {
		t.Error("the lane's page does not lead there")
	}
	seen.all = nil
	if p := w.get(FlakesPath(app)); !strings.Contains(p.body, "Nothing was seen to fail by chance") {
		t.Error("nothing is not called nothing")
	}
	seen.away = errors.New("connection refused")
	for _, target := range []string{FlakesPath(app), "/api/v1/flakes?lane=" + app.String()} {
		if a := w.get(target); a.status != 503 {
			t.Errorf("%s without a database: %d", target, a.status)
		}
	}
	if a := w.get("/flakes/acme/nowhere/main"); a.status != 404 {
		t.Errorf("an unknown lane: %d", a.status)
	}
}

// A red trunk is told where the lane is shown.
func TestARedTrunkIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.db.mu.Lock()
	row := w.db.lanes[app]
	row.q.Red = &queue.RedTrunk{Tip: row.q.Tip, Names: []string{"TestA"}, At: noon, Tries: 1, NotTill: noon.Add(time.Minute)}
	w.db.mu.Unlock()
	if p := w.get(LanePath(app)); !strings.Contains(p.body, "Trunk is red") || !strings.Contains(p.body, "land hotfix") {
		t.Error("the page does not tell it")
	}
	if a := w.get("/api/v1/lanes"); !strings.Contains(a.body, `"trunk_red":{`) {
		t.Errorf("the API does not tell it: %s", a.body)
	}
}
