package hub

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
)

func TestManyPushAndLookAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.listen("pull_request")
	e.names()
	const people = 6
	heads := make([]string, people)
	var pushers sync.WaitGroup
	stop := make(chan struct{})
	var lookers sync.WaitGroup
	for i := range people {
		branch := fmt.Sprintf("b%d", i)
		w.pull(branch, map[string]string{branch: "1\n"})
		dir := filepath.Join(t.TempDir(), branch)
		w.mustGit(w.dir, "clone", "--quiet", "--branch", branch, w.remote("wim", app), dir)
		pushers.Go(func() {
			for n := range 3 {
				heads[i] = w.commit(dir, branch, fmt.Sprintf("%d\n", n+2))
				w.mustGit(dir, "push", "--quiet", "origin", branch)
				// What was pushed is seen at once, by whoever asks.
				var p struct{ Head struct{ SHA string } }
				w.ok(200, "mia", "GET", repoPath("/pulls/%d", i+1), nil, &p)
				if p.Head.SHA != heads[i] {
					t.Errorf("after a push the head of #%d is %s, want %s", i+1, p.Head.SHA, heads[i])
				}
			}
		})
	}
	lookers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				w.api("rita", "GET", repoPath("/pulls?state=all"), nil)
				if _, err := w.hub.Comment(app, 1, "mia", "Still looking."); err != nil {
					t.Error(err)
				}
			}
		}
	})
	pushers.Wait()
	close(stop)
	lookers.Wait()
	for i, head := range heads {
		if p := w.get(i + 1); p.HeadSHA != head || p.CommitCount != 4 {
			t.Errorf("#%d at %s with %d commits, want %s with 4", i+1, p.HeadSHA, p.CommitCount, head)
		}
	}
	w.delivered()
	last := map[float64]string{}
	for _, v := range e.take() {
		if v.action == "synchronize" {
			last[v.body["number"].(float64)] = v.body["after"].(string)
		}
	}
	for i, head := range heads {
		if last[float64(i+1)] != head {
			t.Errorf("the last event of #%d tells of %s, want %s", i+1, last[float64(i+1)], head)
		}
	}
	if got, want := len(w.log()), 1+people*4; got != want {
		t.Errorf("the log has %d lines, want %d", got, want)
	}
}
