package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/queue"
)

// unseen is the version of a lane that was not looked at yet.
const unseen = -1

const (
	mostViewers = 1000             // pages that listen at once
	heartbeat   = 20 * time.Second // keeps proxies from hanging up, and finds viewers that are gone
)

// watcher looks at one lane for all its viewers, while there are any.
type watcher struct {
	lane    queue.Lane
	views   Views
	every   time.Duration
	log     zerolog.Logger
	stirred chan struct{}

	mu      sync.Mutex
	version int64
	viewers map[chan struct{}]bool
	stop    context.CancelFunc
}

// join adds a viewer: ping is told of every new version, with room for one untaken.
func (w *watcher) join(ping chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.viewers) == 0 {
		var ctx context.Context
		ctx, w.stop = context.WithCancel(context.Background()) // it lives as long as it has viewers
		w.viewers, w.version = map[chan struct{}]bool{}, unseen
		go w.watch(ctx)
	}
	w.viewers[ping] = true
}

func (w *watcher) leave(ping chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if delete(w.viewers, ping); len(w.viewers) == 0 {
		w.stop()
	}
}

func (w *watcher) stir() {
	select {
	case w.stirred <- struct{}{}:
	default:
	}
}

func (w *watcher) watch(ctx context.Context) {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for failing := false; ; {
		q, _, err := w.views.View(ctx, w.lane)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			failing = false
			w.saw(q.Version)
		case !failing:
			failing = true
			w.log.Warn().Err(err).Stringer("lane", w.lane).Msg("pages are not kept up to date")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-w.stirred:
		}
	}
}

// saw tells the viewers when the version is a new one.
func (w *watcher) saw(version int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if version == w.version {
		return
	}
	w.version = version
	for ping := range w.viewers {
		select {
		case ping <- struct{}{}:
		default:
		}
	}
}

func (w *watcher) current() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.version
}

// events sends "changed" with the lane's version whenever there is a new one; without ?lane=, for every lane, with the sum of all.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	lanes := s.Lanes
	if r.URL.Query().Get("lane") != "" {
		l, ok := s.askedLane(w, r)
		if !ok {
			return
		}
		lanes = []queue.Lane{l}
	}
	if s.viewing.Add(1) > mostViewers {
		s.viewing.Add(-1)
		w.Header().Set("Retry-After", "30")
		s.refuse(w, r, tooManyViewers())
		return
	}
	defer s.viewing.Add(-1)

	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	ping := make(chan struct{}, 1)
	for _, l := range lanes {
		s.watchers[l].join(ping)
		defer s.watchers[l].leave(ping)
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	_ = out.SetReadDeadline(time.Time{}) // the server's own would end the request; not every writer has one
	told := s.changed(lanes)
	for words := "retry: 2000\n\n" + told; ; {
		_ = out.SetWriteDeadline(time.Now().Add(heartbeat))
		if _, err := io.WriteString(w, words); err != nil {
			return
		}
		if out.Flush() != nil {
			return
		}
		for words = ""; words == ""; {
			select {
			case <-r.Context().Done():
				return
			case <-leaving(r.Context()):
				return
			case <-beat.C:
				words = ": still here\n\n"
			case <-ping:
				if now := s.changed(lanes); now != told {
					words, told = now, now
				}
			}
		}
	}
}

// changed is the event for the lanes' versions as last seen; nothing while one is unseen.
func (s *Server) changed(lanes []queue.Lane) string {
	var sum int64
	for _, l := range lanes {
		v := s.watchers[l].current()
		if v == unseen {
			return ""
		}
		sum += v
	}
	return fmt.Sprintf("event: changed\ndata: %d\n\n", sum)
}
