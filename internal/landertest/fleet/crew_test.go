package fleet

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"lander/internal/queue"
)

// replica is one lander, from its start until it is gone.
type replica struct {
	name    string
	dir     string
	disk    bool // dir is a file system of its own
	front   *front
	proc    *process
	mu      sync.Mutex
	url     string
	stopped bool
}

// alive are the replicas that run and are not stopped.
func (w *world) alive() (rs []*replica) {
	for _, r := range w.all() {
		r.mu.Lock()
		if r.proc.alive() && !r.stopped {
			rs = append(rs, r)
		}
		r.mu.Unlock()
	}
	return rs
}

// up are the addresses that webhooks go to; a stopped replica has one as well.
func (w *world) up() (urls []string) {
	for _, r := range w.all() {
		r.mu.Lock()
		if r.proc.alive() && r.url != "" {
			urls = append(urls, r.url)
		}
		r.mu.Unlock()
	}
	return urls
}

// start starts a replica on a directory of its own, or, after another one that is gone, on that one's.
func (w *world) start(after *replica) (*replica, error) {
	w.mu.Lock()
	w.starts++
	r := &replica{name: fmt.Sprintf("r%d", w.starts)}
	w.mu.Unlock()
	r.dir = filepath.Join(w.dir, r.name)
	if after != nil {
		r.dir, r.disk = after.dir, after.disk
	} else if w.disks {
		end, err := disk(r.dir)
		if err != nil {
			return nil, err
		}
		if r.disk = end != nil; r.disk {
			w.mu.Lock()
			w.ends = append(w.ends, end)
			w.mu.Unlock()
		}
	}
	r.front = &front{hub: w.handler, weather: &w.weather}
	r.front.heads = func(ref string) string {
		for _, l := range w.lanes {
			switch ref {
			case "refs/heads/" + l.Trunk:
				return trunkPushed
			case "refs/heads/" + ledgerPrefix + l.Trunk:
				return ""
			}
		}
		return headPushed
	}
	r.front.reach = func(steps []string, after bool) bool { return w.at(r, steps, after) }
	end := r.front.open()
	w.mu.Lock()
	w.ends = append(w.ends, end)
	w.mu.Unlock()
	scratch := filepath.Join(w.dir, "tmp")
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return nil, err
	}
	launch := w.launch
	if w.binary != "" {
		launch = w.serve
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var err error
	if r.proc, err = launch(r, scratch); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.replicas = append(w.replicas, r)
	w.mu.Unlock()
	return r, nil
}

// launch starts this very binary as a replica.
func (w *world) launch(r *replica, scratch string) (*process, error) {
	var lanes []string
	for _, l := range w.lanes {
		lanes = append(lanes, l.String())
	}
	text, err := json.Marshal(plan{
		Database: w.cluster.URL(w.db, r.name), Data: r.dir, Forge: r.front.url, Lanes: lanes, Poll: w.poll, Patience: 700 * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	env := append(os.Environ(), orderKey+"="+string(text), "TMPDIR="+scratch, "GORACE=atexit_sleep_ms=0", "GOMAXPROCS=2")
	return spawn("/proc/self/exe", nil, env, func(line string) { w.overheard(r, line) }, func(said report) { w.heard(r, said) })
}

// serve starts lander as an operator does. What it would report is read from its log.
func (w *world) serve(r *replica, scratch string) (*process, error) {
	args := []string{"serve", "--data", r.dir, "--listen", "127.0.0.1:0", "--forge-url", r.front.url + "/api/v3", "--log-format", "json", "--poll", w.poll.String()}
	for _, l := range w.lanes {
		args = append(args, "--lane", l.String())
	}
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + scratch, "TMPDIR=" + scratch, "LANDER_TOKEN=" + token, "LANDER_WEBHOOK_SECRETS=" + secret,
		"LANDER_DATABASE_URL=" + w.cluster.URL(w.db, r.name),
		"LANDER_API_TOKEN=" + apiToken, "LANDER_COMMITTER_NAME=" + committerName, "LANDER_COMMITTER_EMAIL=" + committerEmail,
	}
	return spawn(w.binary, args, env, func(line string) {
		w.overheard(r, line)
		var said struct{ Message, Lane, URL string }
		if json.Unmarshal([]byte(line), &said) != nil {
			return
		}
		switch said.Message {
		case "lander is up":
			w.heard(r, report{Kind: "ready", URL: said.URL})
		case "keeping the lane":
			w.heard(r, report{Kind: "held", Lane: said.Lane})
		}
	}, nil)
}

// overheard keeps what a replica logs. That it dies of itself, that two of its hands are on one thing, or that it raises the alarm, is a
// breach.
func (w *world) overheard(r *replica, line string) {
	w.log.said(r.name, line)
	for _, cry := range []string{"panic: ", "fatal error: ", "WARNING: DATA RACE", "audit found what must not be"} {
		if strings.HasPrefix(line, cry) || strings.Contains(line, `"message":"`+cry) {
			w.mu.Lock()
			w.cries = append(w.cries, r.name+" said: "+line)
			w.mu.Unlock()
		}
	}
}

func (w *world) heard(r *replica, said report) {
	switch said.Kind {
	case "ready":
		r.mu.Lock()
		r.url = said.URL
		r.mu.Unlock()
	case "held":
		w.note("%s holds %s", r.name, said.Lane)
		w.mu.Lock()
		w.held = append(w.held, holding{time.Now(), said.Lane, r})
		w.mu.Unlock()
	case "at":
		go func() {
			fail := w.at(r, said.Steps, said.After)
			r.order(order{ID: said.ID, Fail: fail})
		}()
	}
}

func (w *world) at(r *replica, steps []string, after bool) bool {
	when := "before"
	if after {
		when = "after"
	}
	w.note("%s %s %s", r.name, when, strings.Join(steps, ", "))
	if w.reach == nil {
		return false
	}
	return w.reach(r, steps, after)
}

func (r *replica) order(o order) {
	r.mu.Lock() // it may not have been put there yet
	p := r.proc
	r.mu.Unlock()
	if p.tell != nil {
		p.order(o)
	}
}

func (r *replica) ready() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.url != ""
}

// freeze stops a replica in mid-air, or lets it go on.
func (r *replica) freeze(stop bool) {
	r.mu.Lock()
	r.stopped = stop
	r.mu.Unlock()
	if stop {
		r.proc.signal(syscall.SIGSTOP)
	} else {
		r.proc.signal(syscall.SIGCONT)
	}
}

// heldSince reports whether another replica than r has become a lane's holder since then.
func (w *world) heldSince(then time.Time, r *replica) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.held {
		if h.by != r && h.at.After(then) {
			return true
		}
	}
	return false
}

func (w *world) holds(r *replica) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.held, func(h holding) bool { return h.by == r })
}

// holder is the replica that took a lane last, or nil.
func (w *world) holder(l queue.Lane) *replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range slices.Backward(w.held) {
		if h.lane == l.String() {
			return h.by
		}
	}
	return nil
}
