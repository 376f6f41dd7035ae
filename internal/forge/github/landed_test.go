package github_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"lander/internal/forge/github"
	"lander/internal/hub"
	"lander/internal/queue"
)

// later reads when an error asks to come back.
func later(err error) time.Time {
	var l interface{ Until() time.Time }
	if errors.As(err, &l) {
		return l.Until()
	}
	return time.Time{}
}

func (w *world) hubPull(n queue.Number) hub.Pull {
	w.Helper()
	p, err := w.hub.Pull(repo, int(n))
	w.must(err)
	return p
}

// trunk moves main to a commit, as lander does.
func (w *world) trunk(sha queue.SHA) {
	w.Helper()
	_, err := w.hub.Push(repo, hub.Push{By: "lander-bot", Branch: "main", SHA: string(sha)})
	w.must(err)
}

// TestTheForgeSaysMergedItself: a pull request whose head landed is not closed while the forge may still find that out.
func TestTheForgeSaysMergedItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	n, head := w.pull("door")
	notice := landed(n, queue.SHA(strings.Repeat("1", 40)), head) // approved under another id; the branch was moved to what landed

	remote, err := c.Tell(t.Context(), repo, notice, "")
	if until := later(err); until.Before(notice.At) || until.After(notice.At.Add(10*time.Second)) {
		t.Fatalf("come back at %v, which is %v after the landing: %v", until, until.Sub(notice.At), err)
	}
	first := w.comments(n)
	if len(first) != 1 || remote == "" || strings.Contains(first[0].Body, "shows as closed") || !strings.Contains(first[0].Body, "Landed on trunk") {
		t.Errorf("it says %+v", first)
	}
	if !w.hubPull(n).Open {
		t.Fatal("closed before the forge could say that it is merged")
	}

	w.advance(11 * time.Second)
	again, err := c.Tell(t.Context(), repo, notice, remote)
	if until := later(err); !until.Equal(notice.At.Add(30*time.Second)) || again != remote {
		t.Errorf("come back at %v for %s: %v", until, again, err)
	}

	w.trunk(head) // the forge notices
	w.sent()
	if again, err = c.Tell(t.Context(), repo, notice, remote); err != nil || again != remote {
		t.Errorf("told again: %s, %v", again, err)
	}
	if wire := w.sent("/pulls/"); len(wire) != 1 || !strings.HasPrefix(wire[0], "GET ") {
		t.Errorf("it is merged, and yet it sent %q", wire)
	}
	if p := w.hubPull(n); !p.Merged || len(p.Comments) != 1 || p.Comments[0].Body != first[0].Body {
		t.Errorf("it is %+v", p)
	}
}

func TestTheForgeNeverSaysMerged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	n, head := w.pull("door")
	notice := landed(n, head, head)
	remote, err := c.Tell(t.Context(), repo, notice, "")
	if later(err).IsZero() {
		t.Fatalf("want to come back: %v", err)
	}
	w.advance(31 * time.Second)
	for range 2 { // the second time as after a lost reply
		if remote, err = w.client().Tell(t.Context(), repo, notice, remote); err != nil {
			t.Fatal(err)
		}
		p := w.hubPull(n)
		if p.Open || p.Merged || len(p.Comments) != 1 || !strings.Contains(p.Comments[0].Body, "shows as closed and not as merged") {
			t.Errorf("it is %+v", p)
		}
	}
}

func TestMorePushedOnTopOfWhatLandedStaysOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, head := w.pull("door")
	_, err := w.hub.Push(repo, hub.Push{By: "carol", Branch: "door", Commits: []hub.Commit{{Files: map[string]string{"more": "x"}, Message: "More"}}})
	w.must(err)
	w.advance(time.Hour)
	w.tell(w.client(), landed(n, head, head), "")
	if p := w.hubPull(n); !p.Open || len(p.Comments) != 1 {
		t.Errorf("it is %+v", p)
	}
}

// An earlier landing was begun and given up, and the branch could not be put back.
func TestABranchThatLanderLeftElsewhereIsNoNewWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, head := w.pull("door")
	ours, err := w.hub.Push(repo, hub.Push{By: "lander-bot", Branch: "door", Commits: []hub.Commit{{Files: map[string]string{"more": "x"}, Message: "Rebased"}}})
	w.must(err)
	w.advance(time.Hour)
	notice := landed(n, head, head)
	notice.Ours = []queue.SHA{queue.SHA(ours)}
	w.tell(w.client(), notice, "")
	if p := w.hubPull(n); p.Open || p.Merged {
		t.Errorf("it is %+v", p)
	}
}

// TestOnlyHistoryTellsASquashFromAMerge: neither commit is the author's own, but a merge brings the head along, and then the forge
// says "merged".
func TestOnlyHistoryTellsASquashFromAMerge(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"merge", "squash"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			n, head := w.pull("door")
			// The same commits land by way of another pull request, so that the forge says nothing of this one.
			_, err := w.hub.Push(repo, hub.Push{By: "bob", Branch: "same", SHA: string(head)})
			w.must(err)
			other, err := w.hub.OpenPull(repo, hub.NewPull{Author: "bob", Title: "Same", Head: "same"})
			w.must(err)
			tip, err := w.hub.MergePull(repo, other, "mia", hub.Merge{Method: method})
			w.must(err)
			// A forge that has not noticed yet.
			w.spoiled(func(rw http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, fmt.Sprintf("/pulls/%d", n)) {
					return false
				}
				rw.Header().Set("Content-Type", "application/json")
				_, err := fmt.Fprintf(rw, `{"number": %d, "state": "open", "head": {"sha": "%s"}}`, n, head)
				w.must(err)
				return true
			})
			notice := landed(n, head, queue.SHA(tip))
			notice.Landing.Commits[0].From = ""
			_, err = w.client().Tell(t.Context(), repo, notice, "")
			closing := len(w.sent("PATCH ", "/pulls/"))
			if waits := !later(err).IsZero(); waits != (method == "merge") || closing != map[string]int{"merge": 0, "squash": 1}[method] {
				t.Errorf("it waits: %v, closes: %d (%v)", waits, closing, err)
			}
			if all := w.comments(n); len(all) != 1 || strings.Contains(all[0].Body, "shows as closed") != (method == "squash") {
				t.Errorf("it says %+v", all)
			}
		})
	}
}

func TestTheHeadAsItStandsNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	n, head := w.pull("door")
	want := func(sha queue.SHA, open, merged bool) {
		t.Helper()
		got, o, m, err := c.Head(t.Context(), repo, n)
		if err != nil || got != sha || o != open || m != merged {
			t.Errorf("head %s, open %v, merged %v, %v; want %s, %v, %v", got, o, m, err, sha, open, merged)
		}
	}
	w.look(c, n)
	w.sent()
	want(head, true, false)
	want(head, true, false)
	wire := w.sent()
	if len(wire) != 2 || !strings.HasSuffix(wire[0], "/pulls/1 200") || !strings.HasSuffix(wire[1], "/pulls/1 200") {
		t.Errorf("two looks at the head sent %q", wire)
	}

	w.must(w.hub.Fault("register heads late 1s"))
	sha, err := w.hub.Push(repo, hub.Push{By: "lander-bot", Branch: "door", Commits: []hub.Commit{{Files: map[string]string{"more": "x"}, Message: "More"}}})
	w.must(err)
	want(head, true, false)
	moved := queue.SHA(sha)
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for got := head; got != moved; {
		select {
		case <-deadline:
			t.Fatal("the head was never registered")
		case <-tick.C:
		}
		got, _, _, err = c.Head(t.Context(), repo, n)
		w.must(err)
	}
	w.trunk(moved)
	want(moved, false, true)
	if _, _, _, err := c.Head(t.Context(), repo, 99); err == nil {
		t.Error("a pull request that is not there has a head")
	}
}

func TestPollingAgainCostsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	n, _ := w.pull("door")
	since := w.look(c, n).At.Add(-time.Minute)
	poll := func(since time.Time) int {
		t.Helper()
		all, err := c.Open(t.Context(), repo, "main", since)
		w.must(err)
		return len(all)
	}
	poll(since)
	poll(time.Time{})
	left, _ := c.Budget()
	w.sent()
	for range 10 {
		if poll(since) != 1 || poll(time.Time{}) != 1 {
			t.Error("it is not listed")
		}
	}
	for _, line := range w.sent() {
		if !strings.HasSuffix(line, " 304") {
			t.Errorf("this was paid for: %s", line)
		}
	}
	if now, _ := c.Budget(); now != left {
		t.Errorf("the budget was %d and is %d", left, now)
	}
	w.pull("window")
	if poll(since) != 2 || poll(time.Time{}) != 2 {
		t.Error("what is new is not listed")
	}
}

// TestPollsSlowDownAsTheBudgetShrinks: the pace is for all lanes on the same budget together.
func TestPollsSlowDownAsTheBudgetShrinks(t *testing.T) {
	t.Parallel()
	const want = time.Second
	for name, open := range map[string]func(*world) *github.Client{
		"token": (*world).client, "app": func(w *world) *github.Client { return w.app() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := open(w)
			if got := c.Pace(repo, want); got != want {
				t.Errorf("before the first answer: every %v", got)
			}
			poll := func(trunk string) {
				t.Helper()
				_, err := c.Open(t.Context(), repo, trunk, time.Time{})
				w.must(err)
			}
			poll("main")
			one := c.Pace(repo, want)
			if one < time.Hour*2/5000 || one > 2*time.Second {
				t.Errorf("one lane on a full budget: every %v", one)
			}
			for _, trunk := range []string{"release/1", "release/2", "release/3"} {
				poll(trunk)
			}
			if got := c.Pace(repo, want); got < 3*one || got > 5*one {
				t.Errorf("four lanes: every %v, one of them alone every %v", got, one)
			}
			if got := c.Pace(repo, time.Hour); got != time.Hour {
				t.Errorf("who wants to poll every hour may: every %v", got)
			}
			w.spoiled(func(rw http.ResponseWriter, r *http.Request) bool {
				rw.Header().Set("X-RateLimit-Limit", "5000")
				rw.Header().Set("X-RateLimit-Remaining", "0")
				rw.Header().Set("X-RateLimit-Reset", "99999999999")
				rw.WriteHeader(http.StatusForbidden)
				return true
			})
			if _, err := c.Open(t.Context(), repo, "main", time.Time{}); err == nil {
				t.Error("the limit is used up")
			}
			if got := c.Pace(repo, want); got != time.Hour {
				t.Errorf("nothing is left: every %v", got)
			}
		})
	}
}

func TestWhoElseUsesABranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	n, _ := w.pull("door")
	want := func(branch, words string) {
		t.Helper()
		got, err := c.Shared(t.Context(), repo, repo, branch, n)
		if err != nil || !strings.Contains(got, words) || (got == "") != (words == "") {
			t.Errorf("%s: %q, %v; want %q", branch, got, err, words)
		}
	}
	want("door", "")
	onto, err := w.hub.Push(repo, hub.Push{By: "carol", Branch: "window", From: "door", Commits: []hub.Commit{{Files: map[string]string{"w": "x"}, Message: "Window"}}})
	w.must(err)
	_, err = w.hub.OpenPull(repo, hub.NewPull{Author: "carol", Title: "Onto it", Head: "window", Base: "door"})
	w.must(err)
	want("door", "#2 asks to land on it")
	_, err = w.hub.Push(repo, hub.Push{By: "carol", Branch: "old", From: "main", Commits: []hub.Commit{{Files: map[string]string{"o": "x"}, Message: "Old " + onto}}})
	w.must(err)
	_, err = w.hub.OpenPull(repo, hub.NewPull{Author: "carol", Title: "Elsewhere", Head: "window", Base: "old"})
	w.must(err)
	want("window", "comes from it too")
	w.must(w.hub.Protect(repo, "old", hub.Protection{Push: []string{"carol"}}))
	w.must(w.hub.ClosePull(repo, 3, "carol"))
	want("old", "it is protected")
}
