package gate

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/queue"
)

var lane = queue.Lane{Repo: "acme/app", Trunk: "main"}

func sha(s string) queue.SHA {
	sum := sha1.Sum([]byte(s))
	return queue.SHA(hex.EncodeToString(sum[:]))
}

// world is everything around a Keeper, in memory: a database, a git server, a forge and a runner, each of which can fail on demand.
type world struct {
	t   *testing.T
	mu  sync.Mutex
	now time.Time

	// the database
	stored queue.Queue
	policy queue.Policy
	gone   map[queue.Number]*queue.Entry
	inbox  []queue.Item
	outbox []queue.Outgoing

	// the git server
	tip      queue.SHA
	ledger   []queue.Written // what the git server holds
	sealed   map[queue.SHA]queue.Statement
	after    map[queue.SHA]queue.SHA // which record each was sealed to follow
	parents  map[queue.SHA]queue.SHA
	puts     map[queue.SHA]queue.Number // which change a commit brings
	clash    [][2]queue.Number          // changes that conflict with each other; with #0, that is with trunk
	pushes   int
	lost     map[queue.SHA]bool // commits that this machine does not have
	killPush bool               // the next push is cut off before it arrives
	zombie   func() error       // a push whose client was killed: it arrives when this is called
	behind   time.Duration      // how far the clock of the part of the forge that answers is behind
	polls    int
	files    map[queue.SHA]string // the policy file at a commit, where it is not the usual one

	// the forge
	pulls  map[queue.Number]queue.Sight
	told   []queue.Notice
	looked []queue.Number
	// telling is called while something is being told.
	telling func()

	// the runner
	verdicts map[queue.Number]queue.Verdict
	together [][2]queue.Number // changes that are red only together
	tested   []queue.SHA
	again    []queue.Rerun // what each of them was of
	window   int           // of the policy
	batch    int           // of the policy; 0: 1
	block    chan struct{} // when set, runs wait for it or for their cancelling

	fail map[string]error // by verb: fails once before its effect
	cut  map[string]error // by verb: fails once after its effect
}

func newWorld(t *testing.T) *world {
	base := sha("root")
	return &world{
		t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), sealed: map[queue.SHA]queue.Statement{}, after: map[queue.SHA]queue.SHA{}, stored: queue.Queue{Lane: lane}, gone: map[queue.Number]*queue.Entry{},
		tip: base, lost: map[queue.SHA]bool{}, parents: map[queue.SHA]queue.SHA{base: ""}, puts: map[queue.SHA]queue.Number{}, files: map[queue.SHA]string{}, pulls: map[queue.Number]queue.Sight{},
		verdicts: map[queue.Number]queue.Verdict{}, fail: map[string]error{}, cut: map[string]error{},
	}
}

func (w *world) keeper() *Keeper {
	return &Keeper{
		Lane: lane, Store: w, Outbox: w, Mirror: w, Builder: w, Ledger: w, Forge: w, Push: w.push, MoveHead: w.moveHead, AwaitHead: w.awaitHead, Test: w.test, Now: w.clock, Log: zerolog.Nop(),
		ReadPolicy: func(text []byte) (queue.Policy, error) {
			if string(text) == "broken" {
				return queue.Policy{}, errors.New("line 1: broken")
			}
			return queue.Policy{Approvals: 1, ShowMerged: true, Window: w.window, Batch: max(w.batch, 1), Recipe: queue.Recipe{Steps: []queue.Step{{Name: "unit", Run: string(text)}}}}, nil
		},
	}
}

// settle works until the lane is quiet and no run is under way.
func (w *world) settle(k *Keeper) {
	w.t.Helper()
	for range 50 {
		if err := k.Settle(w.t.Context()); err != nil {
			w.t.Fatalf("settle: %v", err)
		}
		k.runs.Wait()
		k.mu.Lock()
		quiet := len(k.reports) == 0 && !k.moved
		k.mu.Unlock()
		if quiet {
			if _, err := k.Flush(w.t.Context()); err != nil {
				w.t.Fatalf("flush: %v", err)
			}
			return
		}
	}
	w.t.Fatal("the lane never became quiet")
}

func (w *world) open(n queue.Number) {
	w.pulls[n] = queue.Sight{
		Number: n, Open: true, Base: "main", Head: sha(fmt.Sprint("head", n)), Branch: fmt.Sprint("topic-", n), HeadRepo: lane.Repo, Editable: true,
		Title: fmt.Sprint("change ", n), Author: queue.Person{ID: 100 + int64(n), Login: "author"},
	}
	w.hint(n)
}

func (w *world) approve(n queue.Number) {
	s := w.pulls[n]
	w.now = w.now.Add(time.Second)
	s.Reviews = append(slices.Clone(s.Reviews), queue.Review{
		ID: fmt.Sprintf("r%d", len(s.Reviews)), Who: queue.Person{ID: 1, Login: "maintainer"}, Role: queue.RoleReview, Head: s.Head,
		State: queue.ReviewApproved, At: w.now,
	})
	w.pulls[n] = s
	w.hint(n)
}

func (w *world) hint(n queue.Number) {
	w.inbox = append(w.inbox, queue.Item{ID: int64(len(w.inbox) + 1), Number: n})
}

func (w *world) order(ev queue.Event) {
	w.inbox = append(w.inbox, queue.Item{ID: int64(len(w.inbox) + 1), Order: ev})
}

func (w *world) commit(name string) queue.SHA {
	id := sha(name)
	w.parents[id] = w.tip
	w.tip = id
	return id
}

func (w *world) contains(tip, ancestor queue.SHA) bool {
	for at := tip; at != ""; at = w.parents[at] {
		if at == ancestor {
			return true
		}
	}
	return false
}

// trip fails once with what was set for before or after the effect of verb.
func trip(m map[string]error, verb string) error {
	err := m[verb]
	delete(m, verb)
	return err
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) View(context.Context, queue.Lane) (queue.Queue, queue.Policy, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stored, w.policy, trip(w.fail, "view")
}

func (w *world) Save(_ context.Context, s queue.Save) (queue.Queue, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := trip(w.fail, "save"); err != nil {
		return queue.Queue{}, err
	}
	if s.Old.Version != w.stored.Version {
		return queue.Queue{}, queue.ErrStale
	}
	for _, e := range s.New.Entries {
		if e.Gone {
			w.gone[e.Number] = e
		}
	}
	for _, m := range s.New.Moves {
		for _, c := range m.Members {
			if m.Kind == queue.MoveLand && w.gone[c.Number] == nil {
				w.gone[c.Number] = &queue.Entry{Change: queue.Change{Number: c.Number}, State: queue.Idle, Past: []queue.Landing{{Head: c.Head, Tip: m.New, At: m.At}}}
			}
		}
	}
	for _, n := range s.New.Outbox {
		if !slices.ContainsFunc(w.outbox, func(o queue.Outgoing) bool { return o.Notice.Key == n.Key && n.Kind != queue.NoticeLiving }) {
			w.outbox = append(w.outbox, queue.Outgoing{Seq: int64(len(w.outbox) + 1), Notice: n})
		}
	}
	w.inbox = slices.DeleteFunc(w.inbox, func(it queue.Item) bool { return slices.Contains(s.Done, it.ID) })
	if s.Policy != nil {
		w.policy = *s.Policy
	}
	w.stored = s.New.Saved(s.Old.Version + 1)
	return w.stored, trip(w.cut, "save")
}

func (w *world) Former(_ context.Context, _ queue.Lane, n queue.Number) (*queue.Entry, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gone[n], nil
}

func (w *world) Inbox(context.Context, queue.Lane) ([]queue.Item, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.inbox), trip(w.fail, "inbox")
}

func (w *world) Unsent(_ context.Context, _ queue.Lane, _ time.Time, limit int) ([]queue.Outgoing, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var unsent []queue.Outgoing
	for _, o := range w.outbox {
		if o.Remote == "" && len(unsent) < limit {
			unsent = append(unsent, o)
		}
	}
	return unsent, nil
}

func (w *world) Sent(_ context.Context, seq int64, remote string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outbox[seq-1].Remote = remote
	return nil
}

func (w *world) SendFailed(_ context.Context, seq int64, _ string, _ time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outbox[seq-1].Tries++
	return nil
}

func (w *world) Fetch(context.Context, string, []queue.Member) (Tips, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Tips{Trunk: w.tip, Ledger: w.ledgerTip()}, trip(w.fail, "fetch")
}

func (w *world) ledgerTip() queue.SHA {
	if len(w.ledger) == 0 {
		return ""
	}
	return w.ledger[len(w.ledger)-1].SHA
}

func (w *world) Seal(_ context.Context, parent queue.SHA, s queue.Statement) (queue.Sealed, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text, err := json.Marshal(s)
	id := sha(string(parent) + string(text))
	w.sealed[id], w.after[id] = s, parent
	return queue.Sealed{SHA: id, Text: string(text)}, err
}

func (w *world) Plant(context.Context, queue.Sealed) error { return nil }

func (w *world) Records(_ context.Context, above, tip queue.SHA) ([]queue.Written, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []queue.Written
	for at := tip; at != above; at = w.after[at] {
		s, ok := w.sealed[at]
		if !ok {
			return nil, &queue.LedgerError{Missing: tip == "" || slices.ContainsFunc(w.ledger, func(r queue.Written) bool { return r.SHA == tip }), Reason: "it is not there"}
		}
		found = append(found, queue.Written{SHA: at, Statement: s})
	}
	slices.Reverse(found)
	return found, nil
}

func (w *world) Append(_ context.Context, _ string, old, record queue.SHA) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := trip(w.fail, "append"); err != nil {
		return err
	}
	if w.ledgerTip() != old || w.after[record] != old {
		return queue.ErrMoved
	}
	w.ledger = append(w.ledger, queue.Written{SHA: record, Statement: w.sealed[record]})
	return trip(w.cut, "append")
}

func (w *world) Restore(_ context.Context, _ string, tip queue.SHA) error {
	all, err := w.Records(context.Background(), "", tip)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ledger = all
	return err
}

func (w *world) Tip(context.Context, string) (queue.SHA, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tip, trip(w.fail, "tip")
}

func (w *world) Contains(_ context.Context, tip, ancestor queue.SHA) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.contains(tip, ancestor), nil
}

func (w *world) Show(_ context.Context, commit queue.SHA, _ string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text, ok := w.files[commit]
	if !ok {
		text = "go test ./..."
	}
	if text == "" {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

func (w *world) Has(_ context.Context, commits ...queue.SHA) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !slices.ContainsFunc(commits, func(c queue.SHA) bool { return w.lost[c] })
}

func (w *world) Build(_ context.Context, r queue.BuildRequest) (queue.Built, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := trip(w.fail, "build"); err != nil {
		return queue.Built{}, err
	}
	var built queue.Built
	on := r.Base
	for i, m := range r.Members {
		if w.clashes(on, m.Number) {
			return queue.Built{}, &queue.ConflictError{Member: m.Number, Files: []string{"a.go"}}
		}
		r.Members = r.Members[:i+1]
		id := sha(fmt.Sprint(r))
		w.parents[id], w.puts[id] = on, m.Number
		built.Commits = append(built.Commits, queue.BuiltCommit{SHA: id, Member: m.Number, From: m.Head})
		built.SHA, built.Tree, on = id, sha("tree"+string(id)), id
	}
	return built, nil
}

// clashes reports whether a change conflicts with something that a commit has.
func (w *world) clashes(on queue.SHA, n queue.Number) bool {
	for at := on; at != ""; at = w.parents[at] {
		for _, c := range w.clash {
			if c[0] == w.puts[at] && c[1] == n {
				return true
			}
		}
	}
	return false
}

func (w *world) Check(context.Context, queue.BuildRequest, queue.Built) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return trip(w.fail, "check")
}

func (w *world) Look(_ context.Context, n queue.Number) (queue.Sight, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := trip(w.fail, "look"); err != nil {
		return queue.Sight{}, err
	}
	w.looked = append(w.looked, n)
	s, ok := w.pulls[n]
	if !ok {
		return queue.Sight{}, ErrNoSuchChange
	}
	s.At = w.now.Add(-w.behind)
	return s, nil
}

func (w *world) Open(context.Context, time.Time) ([]queue.Glimpse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.polls++
	var gs []queue.Glimpse
	for n, s := range w.pulls {
		gs = append(gs, queue.Glimpse{Number: n, Head: s.Head, Open: s.Open, Updated: w.now})
	}
	slices.SortFunc(gs, func(a, b queue.Glimpse) int { return int(a.Number - b.Number) })
	return gs, trip(w.fail, "open")
}

func (w *world) Tell(_ context.Context, n queue.Notice, _ string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.telling != nil {
		w.telling()
	}
	if err := trip(w.fail, "tell"); err != nil {
		return "", err
	}
	w.told = append(w.told, n)
	return "remote", nil
}

func (w *world) push(_ context.Context, r queue.LandRequest) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := trip(w.fail, "push"); err != nil {
		return err
	}
	if w.killPush {
		w.killPush = false
		w.zombie = func() error { return w.apply(r) }
		return errCut
	}
	return w.apply(r)
}

// moveHead is the push to a pull request's branch, which the forge knows of at once.
func (w *world) moveHead(_ context.Context, m queue.HeadMove) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := trip(w.fail, "move head"); err != nil {
		return err
	}
	s := w.pulls[m.Number]
	if s.Head != m.From && s.Head != m.To {
		return queue.ErrMoved
	}
	s.Head = m.To
	w.pulls[m.Number] = s
	return trip(w.cut, "move head")
}

func (w *world) awaitHead(_ context.Context, n queue.Number, head queue.SHA) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pulls[n].Head != head {
		return errCut
	}
	return nil
}

// apply moves both branches or none.
func (w *world) apply(r queue.LandRequest) error {
	if w.tip != r.Old || w.ledgerTip() != r.Ledger {
		return queue.ErrMoved
	}
	w.tip = r.New
	w.ledger = append(w.ledger, queue.Written{SHA: r.Record, Statement: w.sealed[r.Record]})
	w.pushes++
	return trip(w.cut, "push")
}

func (w *world) test(ctx context.Context, c *queue.Candidate, _ int, again queue.Rerun) queue.Verdict {
	w.mu.Lock()
	w.again = append(w.again, again)
	w.tested = append(w.tested, c.Built.SHA)
	v := queue.Verdict{Outcome: queue.Green}
	for _, s := range c.Recipe.Steps {
		v.Steps = append(v.Steps, queue.StepResult{Name: s.Name})
	}
	for i, m := range c.Members {
		if slices.Contains(c.Numbers()[:i], m.Number) {
			w.t.Errorf("a run is told of %v", c.Numbers())
		}
	}
	for _, m := range c.Members {
		if said, ok := w.verdicts[m.Number]; ok {
			v = said
			break
		}
	}
	for _, pair := range w.together {
		if c.Has(pair[0]) && c.Has(pair[1]) {
			v = red
		}
	}
	block := w.block
	w.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return queue.Verdict{Outcome: queue.Cancelled}
		}
	}
	return v
}

func (w *world) kinds(n queue.Number) []queue.NoticeKind {
	var kinds []queue.NoticeKind
	for _, t := range w.told {
		if t.Number == n && t.Kind != queue.NoticeLiving {
			kinds = append(kinds, t.Kind)
		}
	}
	return kinds
}
