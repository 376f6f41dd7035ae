package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Hook is a repository's webhook.
type Hook struct {
	ID          int64       `json:"id"`
	URL         string      `json:"url"`
	Secret      string      `json:"secret"`
	ContentType string      `json:"content_type"` // json or form
	Events      []string    `json:"events"`       // "*" means all
	Active      bool        `json:"active"`
	CreatedAt   time.Time   `json:"created_at"`
	Log         []*Delivery `json:"log"` // the latest deliveries, oldest first
}

// Delivery is one event sent, or to be sent, to one hook.
type Delivery struct {
	ID     int64             `json:"id"`
	GUID   string            `json:"guid"` // the same when it is sent again
	Event  string            `json:"event"`
	Action string            `json:"action,omitempty"`
	Again  bool              `json:"again,omitempty"` // somebody asked for it to be sent again
	Done   bool              `json:"done"`
	At     time.Time         `json:"at"` // when it was sent; before that, when it was queued
	Took   time.Duration     `json:"took"`
	Code   int               `json:"code"`   // HTTP status; 0 when there was no answer
	Status string            `json:"status"` // OK, or what went wrong
	Sent   map[string]string `json:"sent,omitempty"`
	Got    map[string]string `json:"got,omitempty"`
	Reply  string            `json:"reply,omitempty"` // the beginning of the answer's body
}

// logKept is how many deliveries a hook remembers.
const logKept = 400

// allEvents are the events that the hub knows.
var allEvents = []string{
	"check_run", "issue_comment", "ping", "pull_request", "pull_request_review", "push", "status",
}

func (k *Hook) wants(event string) bool {
	return k.Active && (event == "ping" || slices.Contains(k.Events, "*") || slices.Contains(k.Events, event))
}

// AddHook makes a webhook for the events named, or for all, and sends it a ping. It returns the hook's id.
func (h *Hub) AddHook(repo, url, secret string, events ...string) (int64, error) {
	r, err := h.find(repo)
	if err != nil {
		return 0, fmt.Errorf("add hook: %w", err)
	}
	if len(events) == 0 {
		events = []string{"*"}
	}
	var who actor
	h.read(func() { who, err = h.as(r.Owner) })
	if err != nil {
		return 0, fmt.Errorf("add hook: %w", err)
	}
	return h.addHook(who, r, Hook{URL: url, Secret: secret, ContentType: "json", Events: events, Active: true})
}

func (h *Hub) addHook(who actor, r *repo, k Hook) (int64, error) {
	for _, e := range k.Events {
		if e != "*" && !slices.Contains(allEvents, e) {
			return 0, invalid("Hook", "events", "invalid")
		}
	}
	if k.URL == "" {
		return 0, invalid("Hook", "url", "missing_field")
	}
	err := h.change(func() error {
		if who.install == nil || who.token.Rights["repository_hooks"] != "write" {
			if err := h.need(who, r, RoleAdmin); err != nil {
				return err
			}
		}
		k.ID, k.CreatedAt = h.id(), h.clock()
		kept := k
		r.Hooks = append(r.Hooks, &kept)
		h.startSender(r, &kept)
		h.emit(r, who.user, "ping", "", map[string]any{"zen": "Keep it logically awesome.", "hook_id": k.ID}, &kept)
		return nil
	})
	return k.ID, err
}

// Hooks lists a repository's webhooks, without their deliveries.
func (h *Hub) Hooks(repo string) ([]Hook, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	r, err := h.repo(repo)
	if err != nil {
		return nil, err
	}
	var all []Hook
	for _, k := range r.Hooks {
		c := *k
		c.Events, c.Log = slices.Clone(k.Events), nil
		all = append(all, c)
	}
	return all, nil
}

// MoveHook has a webhook sent elsewhere from now on, signed with another secret. Its log stays.
func (h *Hub) MoveHook(repo string, id int64, url, secret string) error {
	return h.change(func() error {
		r, err := h.repo(repo)
		if err != nil {
			return err
		}
		for _, k := range r.Hooks {
			if k.ID == id {
				k.URL, k.Secret = url, secret
				return nil
			}
		}
		return fmt.Errorf("move hook %d: %w", id, notFound())
	})
}

// RemoveHook takes a webhook away; what it was not sent yet, it never will be.
func (h *Hub) RemoveHook(repo string, id int64) error {
	return h.change(func() error {
		r, err := h.repo(repo)
		if err != nil {
			return err
		}
		return h.removeHook(r, id)
	})
}

func (h *Hub) removeHook(r *repo, id int64) error {
	i := slices.IndexFunc(r.Hooks, func(k *Hook) bool { return k.ID == id })
	if i < 0 {
		return notFound()
	}
	r.Hooks = slices.Delete(r.Hooks, i, i+1)
	h.senders[id].stop()
	delete(h.senders, id)
	return nil
}

// Deliveries lists what a repository's hooks were sent, or will be, oldest first.
func (h *Hub) Deliveries(repo string) ([]Delivery, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	r, err := h.repo(repo)
	if err != nil {
		return nil, err
	}
	var all []Delivery
	for _, k := range r.Hooks {
		for _, d := range k.Log {
			all = append(all, *d)
		}
	}
	slices.SortFunc(all, func(x, y Delivery) int { return int(x.ID - y.ID) })
	return all, nil
}

// Payload is what a delivery carries.
func (h *Hub) Payload(d Delivery) ([]byte, error) { return h.payload(&d) }

// Redeliver sends a delivery once more, with the same GUID and payload.
func (h *Hub) Redeliver(repo string, delivery int64) error {
	return h.change(func() error {
		r, err := h.repo(repo)
		if err != nil {
			return err
		}
		for _, k := range r.Hooks {
			for _, d := range k.Log {
				if d.ID == delivery {
					return h.redeliver(k, d)
				}
			}
		}
		return fmt.Errorf("redeliver %d: %w", delivery, notFound())
	})
}

func (h *Hub) redeliver(k *Hook, d *Delivery) error {
	payload, err := h.payload(d)
	if err != nil {
		return err
	}
	again := &Delivery{ID: h.id(), GUID: d.GUID, Event: d.Event, Action: d.Action, Again: true, At: h.clock()}
	h.queue(k, again, payload)
	return nil
}

// emit queues an event for every hook of r that wants it, or only for one hook. The state must be locked.
func (h *Hub) emit(r *repo, sender *User, event, action string, payload map[string]any, only *Hook) {
	var text []byte
	for _, k := range r.Hooks {
		if !k.wants(event) || only != nil && k != only {
			continue
		}
		if text == nil {
			s := h.shape("")
			if action != "" {
				payload["action"] = action
			}
			if payload["repository"] == nil {
				payload["repository"] = s.repo(r)
			}
			payload["sender"] = s.user(sender.Login)
			if i := h.installedOn(r); i != nil {
				payload["installation"] = map[string]any{"id": i.ID, "node_id": node("Integration", i.ID)}
			}
			var err error
			if text, err = json.Marshal(payload); err != nil {
				panic(err) // every payload is made of plain values
			}
		}
		h.queue(k, &Delivery{ID: h.id(), GUID: guid(), Event: event, Action: action, At: h.clock()}, text)
	}
}

// installedOn is the first installation that covers r, or nil.
func (h *Hub) installedOn(r *repo) *Installation {
	for _, i := range h.state.Installs {
		if i.covers(r) {
			return i
		}
	}
	return nil
}

// queue hands a delivery to its hook's sender.
func (h *Hub) queue(k *Hook, d *Delivery, payload []byte) {
	k.Log = append(k.Log, d)
	for len(k.Log) > logKept {
		h.senders[k.ID].forget(k.Log[0])
		k.Log = slices.Delete(k.Log, 0, 1)
	}
	if h.sync {
		h.keepPayload(d.GUID, payload)
	}
	h.senders[k.ID].add(outgoing{Delivery: d, payload: payload})
}

func (h *Hub) keepPayload(guid string, payload []byte) {
	if err := os.WriteFile(h.payloadFile(guid), payload, 0o600); err != nil {
		h.log.Warn().Err(err).Msg("payload not kept")
	}
}

func (h *Hub) payloadFile(guid string) string { return filepath.Join(h.dir, "payloads", guid+".json") }

// payload finds what a delivery carries.
func (h *Hub) payload(d *Delivery) ([]byte, error) {
	text, err := os.ReadFile(h.payloadFile(d.GUID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("payload of delivery %d: %w", d.ID, &Refusal{Status: 422, Message: "The payload is gone."})
	}
	if err != nil {
		return nil, fmt.Errorf("payload of delivery %d: %w", d.ID, err)
	}
	return text, nil
}
