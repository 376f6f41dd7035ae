package hub

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFaultsAreRead(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]fault{
		"500 twice":                       {kind: "status", code: 500, left: 2},
		"502":                             {kind: "status", code: 502, left: 1},
		"503 always on git":               {kind: "status", code: 503, left: -1, where: "git"},
		"404 3 times on GET /repos/*/app": {kind: "status", code: 404, left: 3, where: "GET /repos/*/app"},
		"rate limit once":                 {kind: "rate", left: 1},
		"secondary rate limit twice":      {kind: "secondary", left: 2},
		"time out once on push":           {kind: "timeout", left: 1, where: "push"},
		"lose the reply on POST /repos":   {kind: "reply", left: 1, where: "POST /repos"},
		"delay 1.5s 3 times":              {kind: "delay", left: 3, delay: 1500 * time.Millisecond},
		"delay 1s on webhooks":            {kind: "late", left: 1, delay: time.Second, where: "webhooks"},
		"refuse the push in acme/app":     {kind: "refuse", left: 1, repo: app},
		"hang the push 1s":                {kind: "hang", left: 1, delay: time.Second},
		"hang the push 1s always":         {kind: "hang", left: -1, delay: time.Second},
		"read only in acme/app":           {kind: "readonly", left: -1, repo: app},
		"read only twice":                 {kind: "readonly", left: 2},
		"no atomic pushes":                {kind: "noatomic", left: -1},
		"register heads late 2s 3 times":  {kind: "register", left: 3, delay: 2 * time.Second},
		"lose the next webhook":           {kind: "lose", left: 1},
		"lose the next 3 webhooks":        {kind: "lose", left: 3},
		"lose every webhook in acme/app":  {kind: "lose", left: -1, repo: app},
		"lose the next webhook on pull_request.closed in acme/app": {kind: "lose", left: 1, where: "pull_request.closed", repo: app},
		"deliver twice":                       {kind: "twice", left: 1},
		"deliver twice twice on push":         {kind: "twice", left: 2, where: "push"},
		"deliver late 20ms on issue_comment":  {kind: "late", left: 1, delay: 20 * time.Millisecond, where: "issue_comment"},
		"  deliver   out of order  5 times  ": {kind: "swap", left: 5},
	} {
		list, err := parseFaults("# a remark\n\n" + line + "\n")
		if err != nil || len(list) != 1 {
			t.Errorf("%q: %v, %v", line, list, err)
			continue
		}
		got := *list[0]
		got.line = ""
		if got != want {
			t.Errorf("%q: %+v, want %+v", line, got, want)
		}
	}
}

func TestWrongFaultsSaySo(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"explode":                              "not understood",
		"200":                                  "not understood",
		"lose the next 0 webhooks":             "not understood",
		"delay soon":                           `"soon" is no duration`,
		"delay -1s":                            `"-1s" is no duration`,
		"hang the push soon":                   `"soon" is no duration`,
		"hang the push 1s on fetch":            "say no place",
		"register heads late 1s on api":        "say no place",
		"500 in acme":                          `"acme" is no repository`,
		"500 on the moon":                      `"the moon" is no place`,
		"500 on pull_request":                  "cannot happen on pull_request",
		"lose the next webhook on /repos":      "cannot happen on /repos",
		"500 twice\nlose the next webhooks\n ": "not understood",
	} {
		if list, err := parseFaults(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want an error with %q", line, list, err, want)
		}
	}
}

func FuzzFaults(f *testing.F) {
	f.Add("500 twice on GET /repos in acme/app")
	f.Add("lose the next 3 webhooks")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseFaults(text)
		if err != nil {
			return
		}
		for _, x := range list {
			if x.kind == "" || x.left == 0 {
				t.Errorf("%q gives %+v", x.line, x)
			}
			again, err := parseFaults(x.line)
			if err != nil || len(again) != 1 || *again[0] != *x {
				t.Errorf("%q read again gives %v, %v", x.line, again, err)
			}
		}
	})
}

func TestFaultsOfRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	resp, err := http.Post(w.url+"/_hub/faults", "text/plain", strings.NewReader("500 twice\n"))
	w.must(err)
	resp.Body.Close()
	if resp.StatusCode != 201 {
		t.Fatalf("status %d", resp.StatusCode)
	}
	w.ok(500, "wim", "GET", repoPath(""), nil, nil)
	w.ok(500, "wim", "GET", "/user", nil, nil)
	w.ok(200, "wim", "GET", repoPath(""), nil, nil)

	w.must(w.hub.Fault("404 always on POST /repos/acme/app/issues/*/comments"))
	n := w.pull("feature", map[string]string{"f": "1\n"})
	w.ok(404, "wim", "POST", repoPath("/issues/%d/comments", n), map[string]string{"body": "x"}, nil)
	w.ok(200, "wim", "GET", repoPath("/issues/%d/comments", n), nil, nil)
	w.ok(404, "wim", "POST", repoPath("/issues/%d/comments", n), map[string]string{"body": "x"}, nil)
	w.hub.Heal()
	w.ok(201, "wim", "POST", repoPath("/issues/%d/comments", n), map[string]string{"body": "x"}, nil)

	w.must(w.hub.Fault("rate limit once"))
	if r := w.ok(403, "wim", "GET", repoPath(""), nil, nil); r.Header.Get("X-RateLimit-Remaining") != "0" || r.Header.Get("X-RateLimit-Reset") == "" {
		t.Errorf("headers %v", r.Header)
	}
	w.must(w.hub.Fault("secondary rate limit once"))
	if r := w.ok(403, "wim", "GET", repoPath(""), nil, nil); r.Header.Get("Retry-After") == "" || !strings.Contains(string(r.text), "secondary-rate-limits") {
		t.Errorf("headers %v, %s", r.Header, r.text)
	}

	// The reply is lost, the comment is not.
	w.must(w.hub.Fault("lose the reply in acme/app"))
	req, err := http.NewRequest("POST", w.url+repoPath("/issues/%d/comments", n), strings.NewReader(`{"body": "There."}`))
	w.must(err)
	req.Header.Set("Authorization", "Bearer token-of-wim")
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
		t.Errorf("answered with %d", resp.StatusCode)
	}
	if p := w.get(n); p.Comments[len(p.Comments)-1].Body != "There." {
		t.Error("the comment was lost with the reply")
	}

	w.must(w.hub.Fault("time out once"))
	quick := http.Client{Timeout: 50 * time.Millisecond}
	if resp, err := quick.Get(w.url + repoPath("")); err == nil {
		resp.Body.Close()
		t.Error("answered in time")
	}
	w.must(w.hub.Fault("delay 50ms"))
	start := time.Now()
	w.ok(200, "wim", "GET", repoPath(""), nil, nil)
	if time.Since(start) < 50*time.Millisecond {
		t.Error("not late")
	}
	resp, err = http.Post(w.url+"/_hub/faults", "text/plain", strings.NewReader("explode\n"))
	w.must(err)
	resp.Body.Close()
	if resp.StatusCode != 400 {
		t.Errorf("a wrong fault: status %d", resp.StatusCode)
	}
}

func TestFaultsOfWebhooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.pull("feature", map[string]string{"f": "1\n"})
	e := w.listen("pull_request", "issue_comment")
	e.names()
	w.must(w.hub.Fault("lose the next webhook on issue_comment\ndeliver twice on pull_request"))
	w.must2(w.hub.Comment(app, n, "mia", "Lost."))
	w.must(w.hub.ClosePull(app, n, "wim"))
	w.must2(w.hub.Comment(app, n, "mia", "Heard."))
	w.delivered()
	heard := e.take()
	if len(heard) != 3 || heard[0].name != "pull_request" || heard[0].guid != heard[1].guid || heard[2].action != "created" {
		t.Fatalf("heard %d events", len(heard))
	}
	all, err := w.hub.Deliveries(app)
	w.must(err)
	lost := all[slices.IndexFunc(all, func(d Delivery) bool { return d.Status == "lost" })]
	w.must(w.hub.Redeliver(app, lost.ID))
	w.delivered()
	if heard = e.take(); len(heard) != 1 || heard[0].guid != lost.GUID || heard[0].body["comment"].(map[string]any)["body"] != "Lost." {
		t.Errorf("redelivery: %+v", heard)
	}
	w.must(w.hub.Fault("deliver out of order"))
	w.must(w.hub.ReopenPull(app, n, "wim"))
	w.must2(w.hub.Comment(app, n, "mia", "First?"))
	if got := e.names(); !slices.Equal(got, []string{"issue_comment.created", "pull_request.reopened"}) {
		t.Errorf("heard %q", got)
	}
}
