package hub

import (
	"slices"
	"strings"
	"testing"
)

// What a hub that saves at once was seen to hold, and what was asked of it, is there when another is opened on its directory
// without the first having been closed, as after a kill.
func TestAKillTakesNothingBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h, err := Open(dir, Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, login := range []string{"ada", "noor"} {
		_, err := h.AddUser(User{Login: login})
		must(err)
	}
	must(h.AddRepo("acme/app", Seed{Files: map[string]string{"a": "1\n"}}))
	must(h.SetRole("acme/app", "ada", RoleAdmin))
	must(h.SetRole("acme/app", "noor", RoleWrite))
	must(h.Fault("lose the next webhook on pull_request_review"))
	must(h.Fault("500 twice on /user"))
	id, err := h.AddHook("acme/app", "http://127.0.0.1:1/before", "one", "*")
	must(err)
	must(h.MoveHook("acme/app", id, "http://127.0.0.1:1/after", "two"))
	_, err = h.Push("acme/app", Push{By: "noor", Branch: "topic", From: "main", Commits: []Commit{{Message: "b", Files: map[string]string{"b": "1\n"}}}})
	must(err)
	n, err := h.OpenPull("acme/app", NewPull{Author: "noor", Title: "b", Head: "topic"})
	must(err)
	_, err = h.Approve("acme/app", n, "ada")
	must(err)
	must(h.WaitDelivered(t.Context()))

	again, err := Open(dir, Options{Sync: true})
	must(err)
	defer again.Close()
	p, err := again.Pull("acme/app", n)
	must(err)
	if !p.Open || len(p.Reviews) != 1 || p.Reviews[0].SHA != p.HeadSHA {
		t.Errorf("pull request %+v", p)
	}
	if have := again.Faults(); !slices.Equal(have, []string{"500 twice on /user (2 left)"}) {
		t.Errorf("faults %q: one was used up, the other was not", have)
	}
	hooks, err := again.Hooks("acme/app")
	must(err)
	if len(hooks) != 1 || hooks[0].URL != "http://127.0.0.1:1/after" || hooks[0].Secret != "two" {
		t.Errorf("hooks %+v", hooks)
	}
	all, err := again.Deliveries("acme/app")
	must(err)
	lost := 0
	for _, d := range all {
		payload, err := again.Payload(d)
		if err != nil || !strings.Contains(string(payload), `"full_name":"acme/app"`) {
			t.Errorf("payload of %s: %q, %v", d.Event, payload, err)
		}
		if d.Status == "lost" {
			lost++
			if d.Event != "pull_request_review" {
				t.Errorf("the fault took a %s", d.Event)
			}
		}
	}
	if lost != 1 {
		t.Errorf("%d deliveries lost", lost)
	}
}
