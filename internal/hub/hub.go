package hub

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Options are what a hub can be told when it is opened. The zero value is usable.
type Options struct {
	Log       zerolog.Logger
	Now       func() time.Time // nil means time.Now
	URL       string           // where the hub is reached, as "http://127.0.0.1:8080"; may be set later by SetURL
	LanderURL string           // lander's dashboard, linked from the pages; may be set later by SetLanderURL
	RateLimit int              // requests per token and hour; 0 means 5000
	Sync      bool             // write the state to disk before anybody sees a change, not soon after it: it outlives a kill
}

// Hub is an open hub. All its methods may be called at the same time.
type Hub struct {
	dir       string
	log       zerolog.Logger
	now       func() time.Time
	sync      bool
	rateLimit int
	backend   string // path of git-http-backend

	mu        sync.RWMutex // guards everything below
	state     state
	url       string
	landerURL string
	senders   map[int64]*sender // by hook
	version   uint64            // counts changes

	rateMu sync.Mutex // guards rates
	rates  map[string]*rate

	faults  faults
	details details
	saver   saver
	life    context.Context // ends when the hub is closed
	end     context.CancelFunc
	closing sync.Once
	starts  sync.Mutex // keeps work from being started while it is waited for
	work    sync.WaitGroup
}

// Open opens the hub whose data is in dir, and makes an empty one where there is none.
func Open(dir string, o Options) (*Hub, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open hub: %w", err)
	}
	for _, d := range []string{"repos", "payloads", "home"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, fmt.Errorf("open hub: %w", err)
		}
	}
	h := &Hub{
		dir: dir, log: o.Log, now: o.Now, sync: o.Sync, rateLimit: o.RateLimit,
		url: strings.TrimRight(o.URL, "/"), landerURL: o.LanderURL,
		rates: map[string]*rate{}, senders: map[int64]*sender{},
	}
	h.life, h.end = context.WithCancel(context.Background())
	if h.now == nil {
		h.now = time.Now
	}
	if h.rateLimit == 0 {
		h.rateLimit = 5000
	}
	h.details.init(h)
	h.saver.init(h)
	if err := h.findGit(); err != nil {
		return nil, fmt.Errorf("open hub: %w", err)
	}
	if err := h.load(); err != nil {
		return nil, fmt.Errorf("open hub: %w", err)
	}
	h.spawn(h.details.work)
	h.spawn(h.details.tryMerges)
	if !h.sync {
		h.spawn(h.saver.work)
	}
	for _, r := range h.state.Repos {
		for _, k := range r.Hooks {
			h.startSender(r, k)
		}
	}
	for _, r := range h.repos() {
		if err := h.gitAt(r.dir).Unlock(h.life); err != nil {
			return nil, errors.Join(fmt.Errorf("open hub: %w", err), h.Close())
		}
		if err := h.reconcile(r); err != nil {
			return nil, errors.Join(fmt.Errorf("open hub: %w", err), h.Close())
		}
	}
	return h, nil
}

// Close stops the deliveries, where they are, and writes the state to disk.
func (h *Hub) Close() error {
	var err error
	h.closing.Do(func() {
		h.starts.Lock()
		h.end()
		h.starts.Unlock()
		h.work.Wait()
		if err = h.saver.save(); err != nil {
			err = fmt.Errorf("close hub: %w", err)
		}
	})
	return err
}

// spawn starts something that Close waits for; a hub that is closed starts nothing.
func (h *Hub) spawn(f func()) {
	h.starts.Lock()
	defer h.starts.Unlock()
	if h.life.Err() == nil {
		h.work.Go(f)
	}
}

// SetURL says where the hub is reached; links in answers, payloads and pages begin with it.
func (h *Hub) SetURL(url string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.url = strings.TrimRight(url, "/")
}

// SetLanderURL says where lander's dashboard is.
func (h *Hub) SetLanderURL(url string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.landerURL = url
}

// URL is where the hub is reached; empty when nobody has said.
func (h *Hub) URL() string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.url
}

// change runs f with the state locked, and has the state saved when f succeeds. f must not start git.
func (h *Hub) change(f func() error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := f(); err != nil {
		return err
	}
	h.version++
	return h.saver.changed()
}

// read runs f with the state locked for reading.
func (h *Hub) read(f func()) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	f()
}

// repos lists all repositories.
func (h *Hub) repos() []*repo {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var all []*repo
	for _, r := range h.state.Repos {
		all = append(all, r)
	}
	return all
}

// id gives out the next number. The state must be locked.
func (h *Hub) id() int64 {
	h.state.NextID++
	return h.state.NextID
}

// clock is the present moment as the state keeps it.
func (h *Hub) clock() time.Time { return h.now().UTC().Round(0) }
