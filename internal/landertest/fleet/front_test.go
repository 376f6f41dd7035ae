package fleet

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
)

// front stands between one replica and the hub.
type front struct {
	url     string
	hub     http.Handler
	weather *weather
	reach   func(steps []string, after bool) (fail bool) // nil: nobody asks
	heads   func(ref string) string                      // the step of a push to a branch; empty: none

	pushed atomic.Bool // trunk, and nobody has looked since
}

// weather is what is wrong with the way to the hub, for all.
type weather struct {
	mu     sync.Mutex
	git    string // "", "503" or "closed"
	forge  string // "", "500", "403", "429" or "silent"
	struck int    // requests since it changed
	calm   chan struct{}
}

func (w *weather) set(git, forge string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calm != nil {
		close(w.calm)
	}
	w.git, w.forge, w.struck, w.calm = git, forge, 0, make(chan struct{})
}

func (w *weather) strikes() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.struck
}

// spoil answers a request in bad weather.
func (w *weather) spoil(rw http.ResponseWriter, r *http.Request) bool {
	w.mu.Lock()
	mode, calm := w.forge, w.calm
	if isGit(r) {
		mode = w.git
	}
	if mode != "" {
		w.struck++
	}
	w.mu.Unlock()
	say := func(code int, message string) {
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(code)
		_, _ = io.WriteString(rw, `{"message":"`+message+`"}`)
	}
	switch mode {
	case "":
		return false
	case "closed":
		panic(http.ErrAbortHandler)
	case "silent":
		select {
		case <-calm:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler)
	case "403":
		rw.Header().Set("X-RateLimit-Limit", "5000")
		rw.Header().Set("X-RateLimit-Remaining", "0")
		rw.Header().Set("X-RateLimit-Reset", soon(2))
		say(403, "API rate limit exceeded for user ID 1.")
	case "429":
		rw.Header().Set("Retry-After", "1")
		say(429, "You have exceeded a secondary rate limit.")
	case "503":
		say(503, "Service Unavailable")
	default:
		say(500, "Server Error")
	}
	return true
}

func isGit(r *http.Request) bool { return strings.Contains(r.URL.Path, ".git/") }

// open lets requests in; what the front needs is set before.
func (f *front) open() (end func()) {
	s := httptest.NewServer(f)
	f.url = s.URL
	return s.Close
}

var saysSomething = regexp.MustCompile(`/issues/(\d+/comments|comments/\d+)$`)

// ServeHTTP asks at the steps that can be seen from here whether to go on, before the hub knows and before the replica knows.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return // the client is gone
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	steps := f.steps(r, body)
	if len(steps) == 0 || f.reach == nil {
		if !f.weather.spoil(w, r) {
			f.hub.ServeHTTP(w, r)
		}
		return
	}
	if f.reach(steps, false) {
		panic(http.ErrAbortHandler)
	}
	if f.weather.spoil(w, r) {
		return
	}
	// A client that is gone does not take back what it asked for.
	kept := httptest.NewRecorder()
	f.hub.ServeHTTP(kept, r.Clone(detached{r.Context()}))
	if f.reach(steps, true) {
		panic(http.ErrAbortHandler)
	}
	for name, values := range kept.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(kept.Code)
	_, _ = w.Write(kept.Body.Bytes())
}

// steps are those that a request is.
func (f *front) steps(r *http.Request, body []byte) (all []string) {
	switch {
	case f.heads == nil || r.Method != http.MethodPost && r.Method != http.MethodPatch:
	case strings.HasSuffix(r.URL.Path, "/git-receive-pack"):
		for _, ref := range refsOf(body) {
			step := f.heads(ref)
			if step == "" {
				continue
			}
			if step == trunkPushed {
				f.pushed.Store(true)
			}
			all = append(all, step)
		}
	case strings.HasSuffix(r.URL.Path, "/git-upload-pack") && bytes.Contains(body, []byte("command=ls-refs")):
		if f.pushed.CompareAndSwap(true, false) {
			all = []string{readBack}
		}
	case saysSomething.MatchString(r.URL.Path):
		all = []string{commentSent}
	}
	return all
}

// refsOf are the refs that a push asks to move.
func refsOf(body []byte) (refs []string) {
	for len(body) > 4 {
		var n int
		for _, c := range body[:4] {
			d := strings.IndexByte("0123456789abcdef", c)
			if d < 0 {
				return refs
			}
			n = n<<4 | d
		}
		if n < 4 || n > len(body) {
			return refs
		}
		line, _, _ := strings.Cut(string(body[4:n]), "\x00")
		if f := strings.Fields(line); len(f) == 3 {
			refs = append(refs, f[2])
		}
		body = body[n:]
	}
	return refs
}
