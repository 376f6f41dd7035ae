package landertest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
)

// wire is the network between the hub and lander's web server.
type wire struct {
	world *world
	url   string

	mu   sync.Mutex
	hold bool
	lose bool
	kept []parcel // in the order they were sent
}

// parcel is a webhook that is under way.
type parcel struct {
	header http.Header
	body   []byte
}

func newWire(w *world) *wire {
	x := &wire{world: w}
	x.url = w.serve(x.serve)
	return x
}

func (x *wire) serve(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.lose:
		w.WriteHeader(http.StatusBadGateway)
	case x.hold:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		x.kept = append(x.kept, parcel{r.Header.Clone(), body})
		w.WriteHeader(http.StatusAccepted)
	default:
		x.pass(w, r)
	}
}

// pass hands a request to whichever lander is up.
func (x *wire) pass(w http.ResponseWriter, r *http.Request) {
	l := x.world.life
	if l == nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	l.web.ServeHTTP(w, r)
}

func (x *wire) set(hold, lose bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.hold, x.lose = hold, lose
}

// release delivers what was held back, and holds nothing back any more. It gives the answers.
func (x *wire) release(times int, reversed bool) []int {
	x.mu.Lock()
	defer x.mu.Unlock()
	kept := x.kept
	x.kept, x.hold = nil, false
	if reversed {
		slices.Reverse(kept)
	}
	var codes []int
	for _, p := range kept {
		for range times {
			r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/webhook", bytes.NewReader(p.body))
			r.Header = p.header.Clone()
			answer := httptest.NewRecorder()
			x.pass(answer, r)
			codes = append(codes, answer.Code)
		}
	}
	return codes
}
