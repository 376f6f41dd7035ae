package store

import (
	"encoding/json"
	"fmt"
	"time"

	"lander/internal/queue"
)

// order is how an event waits in the inbox.
type order struct {
	Kind   string       `json:"kind"` // one of the order kinds
	Number queue.Number `json:"number,omitempty"`
	Ask    *askText     `json:"ask,omitempty"`
	By     string       `json:"by,omitempty"`
	Reason string       `json:"reason,omitempty"`
	Until  time.Time    `json:"until,omitzero"`
	At     time.Time    `json:"at,omitzero"`
}

const (
	orderAsked   = "asked"
	orderPaused  = "paused"
	orderResumed = "resumed"
)

// askText is queue.Ask with names for JSON. The conversion stops compiling when a field comes, goes or moves.
type askText struct {
	ID       string       `json:"id"`
	Comment  int64        `json:"comment,omitempty"`
	Who      queue.Person `json:"who"`
	Role     queue.Role   `json:"role"`
	At       time.Time    `json:"at"`
	Verb     queue.Verb   `json:"verb,omitempty"`
	SHA      string       `json:"sha,omitempty"`
	Priority *int         `json:"priority,omitempty"`
	Alone    bool         `json:"alone,omitempty"`
	After    queue.Number `json:"after,omitempty"`

	NotBefore time.Time `json:"not_before,omitzero"`

	Text    string `json:"text,omitempty"`
	Problem string `json:"problem,omitempty"`
}

func writeOrder(ev queue.Event) ([]byte, error) {
	var o order
	switch ev := ev.(type) {
	case queue.ChangeAsked:
		ask := askText(ev.Ask)
		o = order{Kind: orderAsked, Number: ev.Number, Ask: &ask}
	case queue.Paused:
		o = order{Kind: orderPaused, By: ev.By, Reason: ev.Reason, Until: ev.Until, At: ev.At}
	case queue.Resumed:
		o = order{Kind: orderResumed, By: ev.By, At: ev.At}
	default:
		return nil, fmt.Errorf("write order: %T is not one", ev)
	}
	text, err := json.Marshal(fit(o))
	if err != nil {
		return nil, fmt.Errorf("write order: %w", err)
	}
	return text, nil
}

func readOrder(text []byte) (queue.Event, error) {
	var o order
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, fmt.Errorf("read order: %w", err)
	}
	o = fit(o)
	switch {
	case o.Kind == orderAsked && o.Ask != nil:
		return queue.ChangeAsked{Number: o.Number, Ask: queue.Ask(*o.Ask)}, nil
	case o.Kind == orderPaused:
		return queue.Paused{By: o.By, Reason: o.Reason, Until: o.Until, At: o.At}, nil
	case o.Kind == orderResumed:
		return queue.Resumed{By: o.By, At: o.At}, nil
	}
	return nil, fmt.Errorf("read order: this lander does not know the kind %q", o.Kind)
}
