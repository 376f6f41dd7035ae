package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/forge"
	"lander/internal/forge/github"
	"lander/internal/queue"
	"lander/internal/store"
)

var (
	_ Inbox = (*store.Store)(nil)
	_ Views = (*store.Store)(nil)

	app     = queue.Lane{Repo: "acme/app", Trunk: "main"}
	release = queue.Lane{Repo: "acme/app", Trunk: "release/1.x"}
	other   = queue.Lane{Repo: "acme/lib", Trunk: "main"}

	noon  = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	token = strings.Repeat("t0ken", 5)
	hook  = []byte("webhook secret")

	errAway = errors.New("connection refused")
)

// world is a Server over a database that lives in memory.
type world struct {
	*Server
	db  *memory
	log *lines
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db := &memory{lanes: map[queue.Lane]*laneRow{}, seen: map[string]bool{}}
	for _, l := range []queue.Lane{app, release, other} {
		db.lanes[l] = &laneRow{q: queue.Queue{Lane: l, Version: 1}, policy: policy()}
	}
	w := &world{db: db, log: &lines{}}
	w.Server = &Server{
		Inbox: db, Views: db, Healthy: db.healthy, Lanes: []queue.Lane{app, release, other},
		WebhookSecrets: [][]byte{hook}, Verify: forge.Verify, Decode: github.Decode,
		APIToken: token, Public: true, Forge: "https://forge.example", Every: time.Millisecond, Patience: 20 * time.Second,
		Now: func() time.Time { return noon.Add(time.Hour) }, Log: zerolog.New(w.log),
	}
	db.apply(app, queue.TrunkSeen{Tip: sha('a'), At: noon})
	return w
}

func policy() queue.Policy {
	return queue.Policy{Approvals: 1, Recipe: queue.Recipe{Steps: []queue.Step{{Name: "test", Run: "make test"}}}}
}

func sha(c byte) queue.SHA { return queue.SHA(strings.Repeat(string(c), 40)) }

// change is a pull request as seen; approved unless by is empty.
func change(n queue.Number, title, by string) queue.ChangeSeen {
	s := queue.Sight{
		Number: n, At: noon, Open: true, Base: "main", Head: headOf(n), Branch: "topic", Title: title,
		URL: fmt.Sprintf("https://forge.example/acme/app/pull/%d", n), Author: queue.Person{ID: 1, Login: "ann"},
	}
	if by != "" {
		s.Reviews = []queue.Review{{
			ID: fmt.Sprintf("review/%d", n), Who: queue.Person{ID: 2, Login: by}, Role: queue.RoleReview, Head: s.Head,
			State: queue.ReviewApproved, At: noon.Add(time.Duration(n) * time.Second),
		}}
	}
	return queue.ChangeSeen{Sight: s}
}

func headOf(n queue.Number) queue.SHA { return queue.SHA(fmt.Sprintf("%040x", int(n)+0xbeef0000)) }

// candidate is a candidate of one change, made and being tested.
func candidate(id queue.CandidateID, n queue.Number) []queue.Event {
	return []queue.Event{
		queue.CandidateMade{
			ID: id, At: noon.Add(10 * time.Minute), Recipe: policy().Recipe, Built: queue.Built{SHA: sha('c'), Tree: sha('d'), Commits: []queue.BuiltCommit{{SHA: sha('c'), Member: n, Title: "one"}}},
			Request: queue.BuildRequest{Base: sha('a'), Members: []queue.Member{{Number: n, Head: headOf(n)}}, At: noon.Add(10 * time.Minute)},
		},
		queue.RunStarted{ID: id, Run: 1, At: noon.Add(11 * time.Minute)},
	}
}

// passed takes the candidate as far as its intent.
func begun(id queue.CandidateID) []queue.Event {
	at := noon.Add(20 * time.Minute)
	const adopted = "1111111111111111111111111111111111111111"
	return []queue.Event{
		queue.LedgerSeen{Tip: adopted, Above: []queue.Written{{SHA: adopted, Statement: queue.Statement{Seq: 1, Lane: app.String(), Decision: queue.DecisionAdopt}}}, At: at},
		queue.RunReported{ID: id, Run: 1, Verdict: queue.Verdict{Outcome: queue.Green, Took: time.Minute, Steps: []queue.StepResult{{Name: "test", Took: time.Minute}}}, At: at},
		queue.Confirmed{ID: id, At: at},
		queue.LandingBegun{ID: id, Intent: queue.Intent{Ledger: adopted, Seq: 2, Record: queue.Sealed{SHA: "2222222222222222222222222222222222222222"}}, At: at},
	}
}

// memory does for a Server what Postgres and the keepers do: lanes grow by queue's own Apply.
type memory struct {
	mu       sync.Mutex
	away     error
	lanes    map[queue.Lane]*laneRow
	seen     map[string]bool
	received []store.Delivery
	items    []item
	looks    int
}

type laneRow struct {
	q        queue.Queue
	policy   queue.Policy
	journal  []queue.Record // the newest first
	landings []store.Landed
	runs     []store.Run
	former   map[queue.Number]*queue.Entry
}

type item struct {
	lane  queue.Lane
	event queue.Event
	done  bool
}

func (m *memory) apply(l queue.Lane, es ...queue.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range es {
		m.step(m.lanes[l], e)
	}
}

func (m *memory) step(row *laneRow, e queue.Event) {
	q := row.q.Apply(e)
	for _, r := range q.Journal {
		row.journal = slices.Insert(row.journal, 0, r)
	}
	row.q = q.Saved(row.q.Version + 1)
}

// keep deals with the orders of a lane, as its keeper would.
func (m *memory) keep(l queue.Lane) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.items {
		if it := &m.items[i]; it.lane == l && !it.done {
			m.step(m.lanes[l], it.event)
			it.done = true
		}
	}
}

func (m *memory) set(change func(*memory)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(m)
}

func (m *memory) count(f func(*memory) int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return f(m)
}

func (m *memory) healthy(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.away
}

func (m *memory) Receive(_ context.Context, d store.Delivery) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away != nil {
		return false, m.away
	}
	if m.seen[d.ID] {
		return false, nil
	}
	m.seen[d.ID] = true
	m.received = append(m.received, d)
	return true, nil
}

func (m *memory) Post(_ context.Context, l queue.Lane, e queue.Event) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away != nil {
		return 0, m.away
	}
	if m.lanes[l] == nil {
		return 0, store.ErrNoLane
	}
	m.items = append(m.items, item{lane: l, event: e})
	return int64(len(m.items)), nil
}

func (m *memory) ItemDone(_ context.Context, id int64) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away != nil {
		return false, m.away
	}
	return m.items[id-1].done, nil
}

func (m *memory) Missed(_ context.Context, l queue.Lane, since time.Time) (n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.lanes[l].journal {
		if r.Kind == "delivery missed" && !r.At.Before(since) {
			n++
		}
	}
	return n, m.away
}

func (m *memory) View(ctx context.Context, l queue.Lane) (queue.Queue, queue.Policy, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looks++
	if err := cmpErr(ctx.Err(), m.away); err != nil {
		return queue.Queue{}, queue.Policy{}, err
	}
	if m.lanes[l] == nil {
		return queue.Queue{Lane: l}, queue.Policy{}, nil
	}
	return m.lanes[l].q, m.lanes[l].policy, nil
}

func (m *memory) Former(_ context.Context, l queue.Lane, n queue.Number) (*queue.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lanes[l].former[n], m.away
}

func (m *memory) Journal(_ context.Context, l queue.Lane, n queue.Number, limit int) ([]queue.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var rs []queue.Record
	for _, r := range m.lanes[l].journal {
		if (n == 0 || r.Number == n) && len(rs) < limit {
			rs = append(rs, r)
		}
	}
	return rs, m.away
}

func (m *memory) Landings(_ context.Context, l queue.Lane, limit int) ([]store.Landed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.lanes[l].landings[:min(limit, len(m.lanes[l].landings))]), m.away
}

func (m *memory) Runs(_ context.Context, l queue.Lane, _ queue.CandidateID, n queue.Number, _ int) ([]store.Run, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var rs []store.Run
	for _, r := range m.lanes[l].runs {
		if slices.Contains(r.Members, n) {
			rs = append(rs, r)
		}
	}
	return rs, m.away
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// lines is a log that can be read while it is written.
type lines struct {
	mu  sync.Mutex
	all [][]byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, bytes.Clone(p))
	return len(p), nil
}

// only is the one line that was logged.
func (l *lines) only(t *testing.T) map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) != 1 {
		t.Fatalf("%d lines of log: %s", len(l.all), bytes.Join(l.all, nil))
	}
	var line map[string]any
	if err := json.Unmarshal(l.all[0], &line); err != nil {
		t.Fatal(err)
	}
	return line
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   string
}

func (w *world) do(method, target, body string, set ...string) answer {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(set); i += 2 {
		r.Header.Set(set[i], set[i+1])
	}
	return w.serve(r)
}

func (w *world) serve(r *http.Request) answer {
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, r)
	return answer{rec.Code, rec.Header(), rec.Body.String()}
}

func (w *world) get(target string) answer { return w.do("GET", target, "") }

// act sends an order as an admin.
func (w *world) act(target, body string) answer {
	return w.do("POST", target, body, "Authorization", "Bearer "+token)
}

func (a answer) json(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
}

// until waits for a condition that other goroutines bring about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

func has(t *testing.T, a answer, status int, parts ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, clip(a.body, 300))
	}
	for _, p := range parts {
		if !strings.Contains(a.body, p) {
			t.Errorf("nothing of %q in %s", p, clip(a.body, 4000))
		}
	}
}

func lacks(t *testing.T, a answer, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(a.body, p) {
			t.Errorf("%q in %s", p, clip(a.body, 4000))
		}
	}
}
