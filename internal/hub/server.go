package hub

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// restNames begin the addresses of REST operations; reserved are all names that no account can have, because the hub's
// own addresses begin with them.
var (
	restNames = map[string]bool{
		"repos": true, "user": true, "users": true, "app": true, "apps": true, "installation": true, "rate_limit": true,
	}
	reserved = map[string]bool{
		"repos": true, "user": true, "users": true, "app": true, "apps": true, "installation": true, "rate_limit": true,
		"api": true, "_hub": true, "you": true, "settings": true, "orgs": true, "healthz": true, "favicon.ico": true,
	}
)

// Handler serves everything: REST under /api/v3 and under /, git, and pages.
func (h *Hub) Handler() http.Handler {
	api, pages, own := h.apiRoutes(), h.pageRoutes(), h.ownRoutes()
	cross := http.NewCrossOriginProtection()
	own, pages = cross.Handler(own), cross.Handler(pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		switch {
		case path == "/api/v3" || strings.HasPrefix(path, "/api/v3/"):
			http.StripPrefix("/api/v3", api).ServeHTTP(w, r)
		case first == "_hub" || path == "/healthz":
			own.ServeHTTP(w, r)
		case restNames[first]:
			api.ServeHTTP(w, r)
		case strings.Contains(path, ".git/"):
			h.serveGit(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	})
}

// ownRoutes are what GitHub has not: health and faults.
func (h *Hub) ownRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { h.say(w, 200, "ok\n") })
	mux.HandleFunc("GET /_hub/faults", func(w http.ResponseWriter, _ *http.Request) {
		h.say(w, 200, strings.Join(append(h.Faults(), ""), "\n"))
	})
	mux.HandleFunc("DELETE /_hub/faults", func(w http.ResponseWriter, _ *http.Request) {
		h.Heal()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /_hub/faults", func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
		if err == nil {
			err = h.Fault(string(text))
		}
		if err != nil {
			h.say(w, 400, err.Error()+"\n")
			return
		}
		h.say(w, 201, strings.Join(append(h.Faults(), ""), "\n"))
	})
	mux.HandleFunc("GET /_hub/avatar/{login}", h.serveAvatar)
	mux.HandleFunc("GET /_hub/asset/{name}", h.serveAsset)
	mux.HandleFunc("GET /_hub/version", h.serveVersion)
	return mux
}

// say writes plain text. That the client is gone is nobody's business.
func (h *Hub) say(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	if _, err := io.WriteString(w, text); err != nil {
		h.log.Debug().Err(err).Msg("client gone")
	}
}

// site is the address by which a client reached the hub.
func site(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// misbehave strikes a request with the faults that keep it from being dealt with. It reports whether it was answered.
func (h *Hub) misbehave(w http.ResponseWriter, r *http.Request, s scene) bool {
	f := h.strike(s, "delay", "timeout", "status", "rate", "secondary")
	if f == nil {
		return false
	}
	switch f.kind {
	case "delay":
		wait := time.NewTimer(f.delay)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-r.Context().Done():
		case <-h.life.Done():
		}
		return false
	case "timeout":
		select {
		case <-r.Context().Done():
		case <-h.life.Done():
		}
		panic(http.ErrAbortHandler)
	case "rate":
		w.Header().Set("X-RateLimit-Limit", strconv.Itoa(h.rateLimit))
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", itoa(h.now().Add(2*time.Second).Unix()))
		h.refuse(w, &Refusal{Status: 403, Message: "API rate limit exceeded for user ID 1."})
	case "secondary":
		w.Header().Set("Retry-After", "1")
		h.refuse(w, &Refusal{
			Status: 403, Message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
			Doc: "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
		})
	default:
		h.refuse(w, &Refusal{Status: f.code, Message: fmt.Sprintf("%s (a fault that was asked for)", http.StatusText(f.code))})
	}
	return true
}

// deaf is a ResponseWriter that does the work and keeps the answer to itself.
type deaf struct{ header http.Header }

func (d deaf) Header() http.Header         { return d.header }
func (d deaf) Write(b []byte) (int, error) { return len(b), nil }
func (d deaf) WriteHeader(int)             {}
