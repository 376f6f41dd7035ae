package hub

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// patience is how long a hook's receiver may take.
const patience = 10 * time.Second

// swapPatience is how long a delivery that was to arrive after the next one waits for a next one.
const swapPatience = time.Second

// outgoing is a delivery on its way.
type outgoing struct {
	*Delivery
	payload []byte // nil: to be read from disk
}

// sender sends one hook's deliveries, in order.
type sender struct {
	h      *Hub
	repo   *repo
	hook   *Hook
	client *http.Client
	life   context.Context
	stop   context.CancelFunc

	mu   sync.Mutex
	line []outgoing
	busy bool
	wake chan struct{}
}

// startSender starts a hook's goroutine, with what was left undone when the hub was last closed.
func (h *Hub) startSender(r *repo, k *Hook) {
	s := &sender{
		h: h, repo: r, hook: k, wake: make(chan struct{}, 1),
		client: &http.Client{
			Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 2},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	s.life, s.stop = context.WithCancel(h.life)
	for _, d := range k.Log {
		if !d.Done {
			s.line = append(s.line, outgoing{Delivery: d})
		}
	}
	h.senders[k.ID] = s
	h.spawn(s.work)
}

func (s *sender) add(o outgoing) {
	s.mu.Lock()
	s.line = append(s.line, o)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *sender) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.line) == 0 && !s.busy
}

// forget removes what is kept of a delivery that the hook's log has no room for.
func (s *sender) forget(d *Delivery) {
	for _, other := range s.hook.Log[1:] {
		if other.GUID == d.GUID {
			return
		}
	}
	if err := os.Remove(s.h.payloadFile(d.GUID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.h.log.Warn().Err(err).Msg("payload not removed")
	}
}

func (s *sender) work() {
	defer s.client.CloseIdleConnections()
	var held *outgoing // by the fault that swaps two deliveries
	for {
		s.mu.Lock()
		var next *outgoing
		if len(s.line) > 0 {
			next, s.line = &s.line[0], s.line[1:]
		}
		s.busy = next != nil || held != nil
		s.mu.Unlock()
		if next == nil {
			var late <-chan time.Time
			if held != nil {
				late = time.After(swapPatience)
			}
			select {
			case <-s.life.Done():
				return
			case <-s.wake:
			case <-late:
				s.send(*held)
				held = nil
			}
			continue
		}
		if s.life.Err() != nil {
			return
		}
		if next.payload == nil {
			text, err := s.h.payload(next.Delivery)
			if err != nil {
				s.finish(*next, func(d *Delivery) { d.Status = "not sent: the hub was stopped before" })
				continue
			}
			next.payload = text
		} else if !s.h.sync {
			s.h.keepPayload(next.GUID, next.payload)
		}
		if held == nil && s.h.strike(next.event(s.repo), "swap") != nil {
			held = next
			continue
		}
		s.send(*next)
		if held != nil {
			s.send(*held)
			held = nil
		}
	}
}

func (o outgoing) event(r *repo) scene {
	return scene{event: o.Event, action: o.Action, repo: r.full()}
}

// send delivers once, unless a fault says otherwise.
func (s *sender) send(o outgoing) {
	where := o.event(s.repo)
	if s.lose(o) {
		return
	}
	if f := s.h.strike(where, "late"); f != nil {
		wait := time.NewTimer(f.delay)
		defer wait.Stop()
		select {
		case <-s.life.Done():
			return
		case <-wait.C:
		}
	}
	s.post(o)
	if s.h.strike(where, "twice") != nil {
		s.post(o)
	}
}

var errSpared = errors.New("no fault strikes")

// lose reports whether a fault wants the delivery lost, and then it is. Both are one change: a kill never uses the fault up on
// nothing.
func (s *sender) lose(o outgoing) bool {
	err := s.h.change(func() error {
		if s.h.strike(o.event(s.repo), "lose") == nil {
			return errSpared
		}
		o.Status, o.Done = "lost", true
		return nil
	})
	if err != nil && !errors.Is(err, errSpared) {
		s.h.log.Error().Err(err).Msg("delivery not recorded")
	}
	return !errors.Is(err, errSpared)
}

func (s *sender) post(o outgoing) {
	var address, secret string
	s.h.read(func() { address, secret = s.hook.URL, s.hook.Secret })
	body, kind := o.payload, "application/json"
	if s.hook.ContentType == "form" {
		body, kind = []byte(url.Values{"payload": {string(o.payload)}}.Encode()), "application/x-www-form-urlencoded"
	}
	start, at := time.Now(), s.h.clock()
	req, err := http.NewRequestWithContext(s.life, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		s.finish(o, func(d *Delivery) { d.At, d.Status = at, err.Error() })
		return
	}
	req.Header.Set("Accept", "*/*")
	req.Header.Set("Content-Type", kind)
	req.Header.Set("User-Agent", "GitHub-Hookshot/hub")
	req.Header.Set("X-GitHub-Delivery", o.GUID)
	req.Header.Set("X-GitHub-Event", o.Event)
	req.Header.Set("X-GitHub-Hook-ID", itoa(s.hook.ID))
	req.Header.Set("X-GitHub-Hook-Installation-Target-ID", itoa(s.repo.ID))
	req.Header.Set("X-GitHub-Hook-Installation-Target-Type", "repository")
	if secret != "" {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	resp, err := s.client.Do(req)
	if s.life.Err() != nil {
		return // nobody knows whether it arrived: it is sent again when the hub is opened again
	}
	if err != nil {
		s.finish(o, func(d *Delivery) {
			d.At, d.Took, d.Sent, d.Status = at, time.Since(start), flat(req.Header), "failed to connect to host"
			d.Reply = err.Error()
		})
		return
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	s.finish(o, func(d *Delivery) {
		d.At, d.Took, d.Sent, d.Got = at, time.Since(start), flat(req.Header), flat(resp.Header)
		d.Code, d.Status, d.Reply = resp.StatusCode, http.StatusText(resp.StatusCode), string(reply)
		if err != nil {
			d.Status = "answer cut short"
		}
	})
}

// finish records how a delivery went.
func (s *sender) finish(o outgoing, how func(*Delivery)) {
	err := s.h.change(func() error {
		how(o.Delivery)
		o.Done = true
		return nil
	})
	if err != nil {
		s.h.log.Error().Err(err).Msg("delivery not recorded")
	}
	s.h.log.Debug().Str("repo", s.repo.full()).Str("event", o.Event).Str("action", o.Action).Str("delivery", o.GUID).
		Int("code", o.Code).Str("status", o.Status).Msg("webhook")
}

// WaitDelivered returns when every push has had its consequences and every webhook queued so far has been sent.
func (h *Hub) WaitDelivered(ctx context.Context) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, r := range h.repos() {
			if err := h.settle(r); err != nil {
				return err
			}
		}
		done := true
		h.read(func() {
			for _, s := range h.senders {
				done = done && s.idle()
			}
		})
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for deliveries: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

func flat(header http.Header) map[string]string {
	all := map[string]string{}
	for k, v := range header {
		all[k] = strings.Join(v, ", ")
	}
	return all
}

// guid is a random UUID.
func guid() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
