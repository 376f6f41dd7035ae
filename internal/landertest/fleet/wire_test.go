package fleet

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"
)

// detached is a context that its parent's end does not end.
type detached struct{ context.Context }

func (detached) Done() <-chan struct{}       { return nil }
func (detached) Err() error                  { return nil }
func (detached) Deadline() (time.Time, bool) { return time.Time{}, false }

func soon(seconds int) string {
	return strconv.FormatInt(time.Now().Add(time.Duration(seconds)*time.Second).Unix(), 10)
}

// wire carries webhooks from the hub to one replica or another.
type wire struct {
	url string
	to  func() []string // the replicas that are up

	mu   sync.Mutex
	mode string // "": pass on; "lose", "twice", or "hold"
	turn int
	kept []parcel
}

type parcel struct {
	header http.Header
	body   []byte
}

func newWire(to func() []string) (x *wire, end func()) {
	x = &wire{to: to}
	s := httptest.NewServer(http.HandlerFunc(x.serve))
	x.url = s.URL
	return x, s.Close
}

func (x *wire) set(mode string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mode = mode
}

func (x *wire) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	p := parcel{r.Header.Clone(), body}
	x.mu.Lock()
	mode := x.mode
	if mode == "hold" {
		x.kept = append(x.kept, p)
	}
	x.mu.Unlock()
	code := http.StatusAccepted
	switch mode {
	case "lose":
		code = http.StatusBadGateway
	case "hold":
	case "twice":
		x.pass(p)
		code = x.pass(p)
	default:
		code = x.pass(p)
	}
	w.WriteHeader(code)
}

// pass hands a webhook to a replica, and to another one when that does not answer.
func (x *wire) pass(p parcel) int {
	x.mu.Lock()
	x.turn++
	turn := x.turn
	x.mu.Unlock()
	up := x.to()
	for i := range up {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, up[(turn+i)%len(up)]+"/webhook", bytes.NewReader(p.body))
		if err != nil {
			cancel()
			return http.StatusBadGateway
		}
		r.Header = p.header.Clone()
		answer, err := http.DefaultClient.Do(r)
		if err == nil {
			answer.Body.Close()
		}
		cancel()
		if err == nil {
			return answer.StatusCode
		}
	}
	return http.StatusBadGateway
}

// release hands on what was held, the last first, and then passes on.
func (x *wire) release() {
	x.mu.Lock()
	kept := x.kept
	x.kept, x.mode = nil, ""
	x.mu.Unlock()
	for i := range kept {
		x.pass(kept[len(kept)-1-i])
	}
}
