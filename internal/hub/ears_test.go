package hub

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"sync"
)

// ears is a webhook's receiver. It refuses what is not signed well.
type ears struct {
	*world
	mu    sync.Mutex
	heard []event
}

type event struct {
	guid, name, action string
	body               map[string]any
	header             http.Header
}

func (e *ears) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		e.Error(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(text)
	if got, want := r.Header.Get("X-Hub-Signature-256"), "sha256="+hex.EncodeToString(mac.Sum(nil)); got != want {
		e.Errorf("signature %q, want %q", got, want)
	}
	v := event{guid: r.Header.Get("X-GitHub-Delivery"), name: r.Header.Get("X-GitHub-Event"), header: r.Header}
	if err := json.Unmarshal(text, &v.body); err != nil {
		e.Error(err)
	}
	v.action, _ = v.body["action"].(string)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, v)
	w.WriteHeader(http.StatusAccepted)
}

// names waits for what is under way, and lists and forgets the events heard, as "name.action".
func (e *ears) names() []string {
	e.Helper()
	e.delivered()
	var all []string
	for _, v := range e.take() {
		name := v.name
		if v.action != "" {
			name += "." + v.action
		}
		all = append(all, name)
	}
	return all
}

func (e *ears) take() []event {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := e.heard
	e.heard = nil
	return all
}
