package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"lander/internal/queue"
	"lander/internal/store"
)

const pullBody = `{"repository":{"full_name":"Acme/App"},"pull_request":{"number":7}}`

func signed(secret []byte, body string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func (w *world) deliver(id, event, body string) answer {
	return w.do("POST", "/webhook", body, "X-GitHub-Delivery", id, "X-GitHub-Event", event, "X-Hub-Signature-256", signed(hook, body))
}

func TestAPullRequestsWebhookReachesEveryLaneOfItsRepository(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var nudged []queue.Lane
	w.Nudge = func(l queue.Lane) { nudged = append(nudged, l) }
	has(t, w.deliver("d1", "pull_request", pullBody), http.StatusAccepted, "stored")
	want := []store.InboxItem{{Lane: app, Number: 7}, {Lane: release, Number: 7}}
	if d := w.db.received[0]; !reflect.DeepEqual(d.Items, want) || d.ID != "d1" || d.Event != "pull_request" || d.Repo != "Acme/App" || string(d.Body) != pullBody || !d.Received.Equal(w.Now()) {
		t.Errorf("stored %+v", d)
	}
	if !reflect.DeepEqual(nudged, []queue.Lane{app, release}) {
		t.Errorf("nudged %v", nudged)
	}
	line := w.log.only(t)
	if line["delivery"] != "d1" || line["event"] != "pull_request" || line["repo"] != "Acme/App" || !reflect.DeepEqual(line["number"], []any{7.0}) || line["status"] != 202.0 {
		t.Errorf("log %v", line)
	}
}

// What is told of checks is only a reason to look again, for this lander and for others.
func TestAWebhookOfChecksWakesTheLanesOfItsRepository(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var nudged []queue.Lane
	w.Nudge = func(l queue.Lane) { nudged = append(nudged, l) }
	const body = `{"check_run":{"check_suite":{"head_branch":"lander/run/main.7.abc"}},"repository":{"full_name":"acme/app"}}`
	has(t, w.deliver("d1", "check_run", body), http.StatusAccepted, "stored")
	if d := w.db.received[0]; len(d.Items) != 0 || !reflect.DeepEqual(d.Wake, []queue.Lane{app, release}) || !reflect.DeepEqual(nudged, d.Wake) {
		t.Errorf("stored %+v, nudged %v", d, nudged)
	}
	has(t, w.deliver("d2", "check_run", strings.Replace(body, "lander/run/", "", 1)), http.StatusAccepted, "ignored")
}

func TestAPushReachesOnlyTheLaneOfItsBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	has(t, w.deliver("d1", "push", `{"ref":"refs/heads/release/1.x","repository":{"full_name":"acme/app"}}`), http.StatusAccepted, "stored")
	if got := w.db.received[0].Items; !reflect.DeepEqual(got, []store.InboxItem{{Lane: release, Trunk: true}}) {
		t.Errorf("items %+v", got)
	}
	has(t, w.deliver("d2", "push", `{"ref":"refs/heads/topic","repository":{"full_name":"acme/app"}}`), http.StatusAccepted, "ignored")
	if len(w.db.received) != 1 {
		t.Error("a push to a branch that is no trunk was stored")
	}
}

func TestWebhooksThatAreNotTaken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		id, event   string
		body        string
		signature   string // empty: the right one
		change      func(*world)
		status      int
		words       string
		loggedEvent string
	}{
		{name: "wrong signature", id: "d", event: "push", body: "not even JSON", signature: signed([]byte("other"), "not even JSON"), status: 401, words: "the signature is wrong"},
		{name: "no signature", id: "d", event: "pull_request", body: pullBody, signature: "-", status: 401, words: "the signature is wrong"},
		{name: "no secret configured", id: "d", event: "pull_request", body: pullBody, change: func(w *world) { w.WebhookSecrets = nil }, status: 401, words: "LANDER_WEBHOOK_SECRETS"},
		{name: "no delivery id", event: "pull_request", body: pullBody, status: 400, words: "X-GitHub-Delivery"},
		{name: "no event", id: "d", body: pullBody, status: 400, words: "X-GitHub-Event"},
		{name: "broken JSON", id: "d", event: "pull_request", body: `{"repository":`, status: 400, words: "not JSON"},
		{name: "a form", id: "d", event: "pull_request", body: "payload=%7B%7D", status: 400, words: "application/json"},
		{name: "JSON of another shape", id: "d", event: "pull_request", body: `{"repository":[]}`, status: 400, words: "not what this event should hold"},
		{name: "broken JSON of an unknown event", id: "d", event: "star", body: `{`, status: 400, words: "not JSON"},
		{name: "unknown event", id: "d", event: "star", body: `{}`, status: 202, words: "ignored"},
		{name: "ping", id: "d", event: "ping", body: `{"zen":"x"}`, status: 202, words: "ignored"},
		{name: "repository that is not kept", id: "d", event: "pull_request", body: `{"repository":{"full_name":"a/b"},"pull_request":{"number":7}}`, status: 202, words: "ignored"},
		{name: "database away", id: "d", event: "pull_request", body: pullBody, change: func(w *world) { w.db.away = errAway }, status: 503, words: "the poll will find"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Nudge = func(l queue.Lane) { t.Errorf("%v was nudged", l) }
			if c.change != nil {
				c.change(w)
			}
			sig := c.signature
			if sig == "" {
				sig = signed(hook, c.body)
			}
			set := []string{"X-Hub-Signature-256", sig}
			if c.id != "" {
				set = append(set, "X-GitHub-Delivery", c.id)
			}
			if c.event != "" {
				set = append(set, "X-GitHub-Event", c.event)
			}
			a := w.do("POST", "/webhook", c.body, set...)
			has(t, a, c.status, c.words)
			line := w.log.only(t)
			if line["status"] != float64(c.status) || line["delivery"] != c.id || line["event"] != c.event || !strings.Contains(line["message"].(string), strings.TrimSpace(a.body)) {
				t.Errorf("log %v", line)
			}
			if len(w.db.received) != 0 {
				t.Error("it was stored")
			}
			if strings.Contains(a.body, errAway.Error()) {
				t.Error("the sender is told of lander's inside")
			}
		})
	}
}

// The signature is checked before anything is parsed, and nothing is read beyond the limit.
func TestABodyThatIsTooLargeIsNeitherVerifiedNorParsed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		size, status int
	}{{mostBody, http.StatusUnauthorized}, {mostBody + 1, http.StatusRequestEntityTooLarge}} {
		w := newWorld(t)
		verified := 0
		verify := w.Verify
		w.Verify = func(s [][]byte, sig string, b []byte) error { verified++; return verify(s, sig, b) }
		w.Decode = nil
		r := httptest.NewRequest("POST", "/webhook", strings.NewReader(strings.Repeat("x", c.size)))
		r.ContentLength = -1 // it does not say beforehand
		a := w.serve(r)
		if a.status != c.status || verified != map[bool]int{true: 0, false: 1}[c.size > mostBody] {
			t.Errorf("%d bytes: status %d, verified %d times", c.size, a.status, verified)
		}
		if line := w.log.only(t); line["status"] != float64(c.status) {
			t.Errorf("log %v", line)
		}
	}
}

func TestABodyThatEndsEarly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := httptest.NewRequest("POST", "/webhook", iotest.ErrReader(errors.New("unexpected EOF")))
	has(t, w.serve(r), http.StatusBadRequest, "ended early")
	if line := w.log.only(t); line["error"] != "unexpected EOF" {
		t.Errorf("log %v", line)
	}
}

func TestADeliveryThatComesTwiceIsStoredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	nudges := 0
	w.Nudge = func(queue.Lane) { nudges++ }
	has(t, w.deliver("d1", "pull_request", pullBody), http.StatusAccepted, "stored\n")
	has(t, w.deliver("d1", "pull_request", pullBody), http.StatusAccepted, "stored before")
	if len(w.db.received) != 1 || nudges != 2 { // one for each of its two lanes
		t.Errorf("%d stored, %d nudges", len(w.db.received), nudges)
	}
}

func TestASecondSecretWorksWhileTheFirstIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.WebhookSecrets = [][]byte{[]byte("the new one"), hook}
	has(t, w.deliver("d1", "pull_request", pullBody), http.StatusAccepted, "stored")
}

func TestHeadersOfAWebhookCannotForgeALogLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("POST", "/webhook", "{}", "X-GitHub-Delivery", "d\n{\"level\":\"info\"}"+strings.Repeat("x", 500), "X-Hub-Signature-256", signed(hook, "{}"))
	if line := w.log.only(t); len([]rune(line["delivery"].(string))) > 100 {
		t.Errorf("log %v", line)
	}
}
