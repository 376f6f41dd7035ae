package github_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"lander/internal/forge"
	"lander/internal/forge/github"
	"lander/internal/hub"
)

func TestWhereWebhooksSayToLook(t *testing.T) {
	t.Parallel()
	tip := strings.Repeat("a", 40)
	const at = `"repository": {"full_name": "acme/app"}, "installation": {"id": 5}`
	for name, c := range map[string]struct{ event, body, want string }{
		"opened":             {"pull_request", `{"action": "opened", "pull_request": {"number": 7}, ` + at + `}`, "acme/app #7  5"},
		"reviewed":           {"pull_request_review", `{"pull_request": {"number": 7}, ` + at + `}`, "acme/app #7  5"},
		"resolved":           {"pull_request_review_thread", `{"pull_request": {"number": 7}, ` + at + `}`, "acme/app #7  5"},
		"commented":          {"issue_comment", `{"issue": {"number": 7, "pull_request": {"url": "x"}}, ` + at + `}`, "acme/app #7  5"},
		"pushed":             {"push", `{"ref": "refs/heads/feature/x", ` + at + `}`, "acme/app #0 feature/x 5"},
		"pushed to":          {"push", `{"ref": "refs/heads/x", "after": "` + tip + `", ` + at + `}`, "acme/app #0 x 5" + tip},
		"deleted":            {"push", `{"ref": "refs/heads/x", "after": "` + strings.Repeat("0", 40) + `", ` + at + `}`, "acme/app #0 x 5"},
		"pushed to nowhere":  {"push", `{"ref": "refs/heads/x", "after": "--upload-pack=x", ` + at + `}`, "acme/app #0 x 5"},
		"checked":            {"check_run", `{"check_run": {"conclusion": "success", "check_suite": {"head_branch": "lander/run/main.7.abc"}}, ` + at + `}`, "acme/app #0 lander/run/main.7.abc 5 checks"},
		"checked whole":      {"check_suite", `{"check_suite": {"head_branch": "lander/run/main.7.abc"}, ` + at + `}`, "acme/app #0 lander/run/main.7.abc 5 checks"},
		"a status":           {"status", `{"state": "success", "branches": [{"name": "main"}, {"name": "lander/run/main.7.abc"}], ` + at + `}`, "acme/app #0 lander/run/main.7.abc 5 checks"},
		"checked elsewhere":  {"check_run", `{"check_run": {"check_suite": {"head_branch": "topic"}}, ` + at + `}`, ""},
		"checked nowhere":    {"check_run", `{"check_run": {"check_suite": {"head_branch": null}}, ` + at + `}`, ""},
		"lander's own words": {"issue_comment", `{"issue": {"number": 7, "pull_request": {}}, "comment": {"body": "Hi\n\n<!-- lander:living/7:v1 {} -->\n"}, ` + at + `}`, ""},
		"quoted words":       {"issue_comment", `{"issue": {"number": 7, "pull_request": {}}, "comment": {"body": "> <!-- lander:living/7:v1 {} -->"}, ` + at + `}`, "acme/app #7  5"},
		"no installation":    {"push", `{"ref": "refs/heads/main", "repository": {"full_name": "acme/app"}}`, "acme/app #0 main 0"},
		"a tag":              {"push", `{"ref": "refs/tags/v1", ` + at + `}`, ""},
		"an issue's comment": {"issue_comment", `{"issue": {"number": 7}, ` + at + `}`, ""},
		"a ping":             {"ping", `{"zen": "x"}`, ""},
		"something new":      {"merge_group_thing", `{"x": 1}`, ""},
		"not JSON":           {"push", `{`, "error"},
		"not JSON at all":    {"star", `x`, "error"},
		"of another shape":   {"push", `{"ref": 1}`, "error"},
		"empty":              {"push", ``, "error"},
		"no repository":      {"push", `{"ref": "refs/heads/main"}`, "error"},
		"a strange one":      {"push", `{"ref": "refs/heads/main", "repository": {"full_name": "acme/../x"}}`, "error"},
		"no pull request":    {"pull_request", `{` + at + `}`, "error"},
		"no number":          {"pull_request", `{"pull_request": {"number": 0}, ` + at + `}`, "error"},
	} {
		hints, err := github.Decode(c.event, []byte(c.body))
		got := ""
		for _, h := range hints {
			got += fmt.Sprintf("%s %v %s %d%s", h.Repo, h.Number, h.Branch, h.Installation, h.Tip)
			if h.Checks {
				got += " checks"
			}
		}
		if err != nil {
			got = "error"
		}
		if got != c.want {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, c.want)
		}
	}
}

// TestEveryWebhookOfAChangesLifeSaysWhereToLook takes the webhooks from the hub, signed.
func TestEveryWebhookOfAChangesLifeSaysWhereToLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var mu sync.Mutex
	heard := map[string][]forge.Hint{}
	ears := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if err := forge.Verify([][]byte{[]byte("hush")}, r.Header.Get("X-Hub-Signature-256"), body); err != nil {
			t.Error(err)
		}
		hints, err := github.Decode(r.Header.Get("X-GitHub-Event"), body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		heard[r.Header.Get("X-GitHub-Event")] = append(heard[r.Header.Get("X-GitHub-Event")], hints...)
	}))
	defer ears.Close()
	_, err := w.hub.AddHook(repo, ears.URL, "hush", "*")
	w.must(err)
	n, head := w.pull("door")
	w.say(n, "bob", "hello")
	w.review(n, "bob", hub.EventApprove, "")
	w.must(w.hub.ClosePull(repo, int(n), "carol"))
	w.must(w.hub.WaitDelivered(t.Context()))
	mu.Lock()
	defer mu.Unlock()
	for event, want := range map[string]forge.Hint{
		"push":                {Repo: repo, Branch: "door", Tip: head},
		"pull_request":        {Repo: repo, Number: n},
		"pull_request_review": {Repo: repo, Number: n},
		"issue_comment":       {Repo: repo, Number: n},
	} {
		if !slices.Contains(heard[event], want) {
			t.Errorf("%s said %+v", event, heard[event])
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("push", []byte(`{"ref": "refs/heads/main", "repository": {"full_name": "acme/app"}}`))
	f.Add("issue_comment", []byte(`{"issue": {"number": 7, "pull_request": {}}, "repository": {"full_name": "a/b"}}`))
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		hints, err := github.Decode(event, body)
		for _, h := range hints {
			if err != nil || strings.Count(h.Repo, "/") != 1 || h.Number < 0 || h.Number == 0 && h.Branch == "" {
				t.Errorf("%s %q: %+v, %v", event, body, h, err)
			}
		}
	})
}
