package hub

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const ledger = "refs/heads/lander-ledger/main"

// landing is a push as lander makes it: trunk and ledger, each under a lease, both or none.
type landing struct {
	*world
	dir        string // a clone of lander-bot's
	trunk, log string // where both refs stood; log is empty when there was no ledger
	next, note string // where they are to go
}

// landing makes the commits of a landing; the ledger is there already when begun says so.
func (w *world) landing(begun bool) *landing {
	w.Helper()
	l := &landing{world: w, dir: w.clone("lander-bot")}
	l.trunk = w.mustGit(l.dir, "rev-parse", "origin/main")
	empty := w.mustGit(l.dir, "hash-object", "-t", "tree", "-w", "/dev/null")
	parent := []string{}
	if begun {
		l.log = w.mustGit(l.dir, "commit-tree", empty, "-m", "adopt main")
		w.mustGit(l.dir, "push", "--quiet", "origin", l.log+":"+ledger)
		parent = []string{"-p", l.log}
	}
	l.next = w.commit(l.dir, "landed", time.Now().String())
	l.note = w.mustGit(l.dir, append([]string{"commit-tree", empty, "-m", "land #1 on main"}, parent...)...)
	return l
}

func (l *landing) args() []string {
	return []string{
		"push", "--porcelain", "--atomic", "--force-with-lease=refs/heads/main:" + l.trunk, "--force-with-lease=" + ledger + ":" + l.log,
		"origin", l.next + ":refs/heads/main", l.note + ":" + ledger,
	}
}

func (l *landing) push() (string, error) { return l.git(l.dir, l.args()...) }

// stands wants both refs on commits, as git itself has them; "" is a ref that is not there.
func (l *landing) stands(trunk, log string) {
	l.Helper()
	dir, err := l.hub.GitDir(app)
	l.must(err)
	for ref, want := range map[string]string{"refs/heads/main": trunk, ledger: log} {
		if got, err := l.git(dir, "-c", "safe.bareRepository=all", "rev-parse", "--verify", "--quiet", ref); got != want || (err == nil) != (want != "") {
			l.Errorf("%s is on %q (%v), want %q", ref, got, err, want)
		}
	}
}

func TestTrunkAndLedgerMoveTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	for _, begun := range []bool{false, true} {
		w := newWorld(t)
		l := w.landing(begun)
		if out, err := l.push(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		l.stands(l.next, l.note)
		if tip, err := w.hub.Tip(app, "lander-ledger/main"); err != nil || tip != l.note {
			t.Errorf("the hub has the ledger on %q (%v), want %s", tip, err, l.note)
		}
	}
	for _, c := range []struct {
		name, want string
		spoil      func(*landing) // moves something
	}{
		{"somebody moved trunk", "stale info", func(l *landing) {
			sha, err := l.hub.Push(app, Push{By: "wim", Branch: "main", Commits: []Commit{{Files: map[string]string{"x": "x"}, Message: "Past"}}})
			l.must(err)
			l.trunk = sha
		}},
		{"somebody moved the ledger", "stale info", func(l *landing) {
			sha, err := l.hub.Push(app, Push{By: "wim", Branch: "lander-ledger/main", Commits: []Commit{{Files: map[string]string{"x": "x"}, Message: "Forged"}}})
			l.must(err)
			l.log = sha
		}},
		{"the ledger is protected from lander", "protected branch hook declined", func(l *landing) {
			l.must(l.hub.Protect(app, "lander-ledger/**", Protection{Push: []string{"ada"}}))
		}},
		{"trunk is protected from lander", "protected branch hook declined", func(l *landing) {
			l.must(l.hub.Protect(app, "main", Protection{Push: []string{"ada"}}))
		}},
		{"the server says no", "hook declined", func(l *landing) { l.must(l.hub.Fault("refuse the push")) }},
		{"the repository is read-only", "This repository was archived so it is read-only.", func(l *landing) { l.must(l.hub.Fault("read only")) }},
		{"the server knows no atomic pushes", "does not support --atomic push", func(l *landing) { l.must(l.hub.Fault("no atomic pushes in acme/app")) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			l := w.landing(true)
			args := l.args() // with the leases on what stood before
			c.spoil(l)
			out, err := w.git(l.dir, args...)
			if err == nil || !strings.Contains(out, c.want) {
				t.Errorf("%v, want %q in\n%s", err, c.want, out)
			}
			l.stands(l.trunk, l.log)
		})
	}
}

// TestTheServersOwnLeaseHolds moves a ref while a push hangs between the client's look and the server's deed.
func TestTheServersOwnLeaseHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.landing(true)
	w.must(w.hub.Fault("hang the push 3s"))
	pushed := make(chan error)
	go func() {
		_, err := gitAs(w.Context(), w.dir, l.dir, l.args()...)
		pushed <- err
	}()
	w.eventually("the push hangs", func() bool { return len(w.hub.Faults()) == 0 })
	burnt, err := w.hub.Push(app, Push{By: "lander-bot", Branch: "lander-ledger/main", Commits: []Commit{{Message: "abort #1 on main"}}})
	w.must(err)
	if err := <-pushed; err == nil {
		t.Error("the landing was pushed after it was burnt")
	}
	l.stands(l.trunk, burnt)
}

// TestAPushOutlivesItsSender kills the client while the server holds its push: the push is applied all the same, later.
func TestAPushOutlivesItsSender(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.landing(true)
	w.must(w.hub.Fault("hang the push 3s"))
	ctx, kill := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := gitAs(ctx, w.dir, l.dir, l.args()...)
		done <- err
	}()
	w.eventually("the push hangs", func() bool { return len(w.hub.Faults()) == 0 })
	kill()
	var exit *exec.ExitError
	if err := <-done; !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Errorf("the client was not killed: %v", err)
	}
	l.stands(l.trunk, l.log)
	w.eventually("the push is applied", func() bool {
		tip, err := w.hub.Tip(app, "main")
		return err == nil && tip == l.next
	})
	l.stands(l.next, l.note)
}

func TestTheReplyToALandingIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.landing(true)
	w.must(w.hub.Fault("lose the reply on push"))
	if out, err := l.push(); err == nil {
		t.Errorf("a push without a reply succeeded:\n%s", out)
	}
	l.stands(l.next, l.note)
	lines := len(w.log())
	if out, err := l.push(); err != nil || !strings.Contains(out, "[up to date]") {
		t.Errorf("pushed again: %v\n%s", err, out)
	}
	l.stands(l.next, l.note)
	if now := len(w.log()); now != lines {
		t.Errorf("pushing again moved %d refs", now-lines)
	}
}

func TestAReadOnlyRepositoryIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.hub.Fault("read only in acme/app"))
	dir := w.clone("wim")
	w.commit(dir, "x", "x\n")
	for range 2 {
		out, err := w.git(dir, "push", "origin", "HEAD:refs/heads/x")
		if err == nil || !strings.Contains(out, "This repository was archived so it is read-only.") || !strings.Contains(out, "403") {
			t.Errorf("push: %v\n%s", err, out)
		}
	}
	if _, err := w.hub.Push(app, Push{By: "wim", Branch: "main", Commits: []Commit{{Files: map[string]string{"x": "x"}, Message: "x"}}}); err == nil {
		t.Error("a push without HTTP went through")
	}
	w.hub.Heal()
	w.mustGit(dir, "push", "--quiet", "origin", "HEAD:refs/heads/x")
}

// TestABigPushMeetsItsFault: a client that has much to send asks first with an empty push, which no fault must take for the push.
func TestABigPushMeetsItsFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := w.clone("wim")
	sha := w.commit(dir, "x", "x\n")
	w.must(w.hub.Fault("lose the reply on push"))
	if out, err := w.git(dir, "-c", "http.postBuffer=10", "push", "origin", "HEAD:refs/heads/x"); err == nil {
		t.Errorf("the reply was not lost:\n%s", out)
	}
	if tip, err := w.hub.Tip(app, "x"); err != nil || tip != sha {
		t.Errorf("x is on %q (%v), want %s", tip, err, sha)
	}
}
