package hub

import (
	"slices"
	"strings"
	"time"
)

type behindView struct {
	Hooks  []hookView
	Faults []string
	Forms  []string
	Now    time.Time
	Wrong  string
	Lines  string
}

type hookView struct {
	ID     int64
	URL    string
	Events string
	Log    []Delivery
}

// deliveriesShown is how many deliveries of a hook the page lists.
const deliveriesShown = 40

// faultIdeas are offered on the page.
var faultIdeas = []string{
	"register heads late 5s", "hang the push 10s", "lose the next webhook", "deliver twice", "deliver out of order", "deliver late 5s", "500 twice", "rate limit once", "refuse the push",
	"lose the reply on push", "delay 2s 5 times",
}

func showBehind(v *visit) error { return v.behind(200, "", "") }

func (v *visit) behind(code int, wrong, lines string) error {
	view := behindView{Faults: v.h.Faults(), Forms: faultIdeas, Now: v.h.now(), Wrong: wrong, Lines: lines}
	v.h.read(func() {
		for _, k := range v.repo.Hooks {
			h := hookView{ID: k.ID, URL: k.URL, Events: strings.Join(k.Events, ", ")}
			if h.Events == "*" {
				h.Events = "all events"
			}
			for _, d := range slices.Backward(k.Log) {
				if len(h.Log) < deliveriesShown {
					h.Log = append(h.Log, *d)
				}
			}
			view.Hooks = append(view.Hooks, h)
		}
	})
	v.show(code, "behind", frame{Title: "Behind the scenes", Tab: "behind", Live: true, Main: view})
	return nil
}

func actBehind(v *visit) error {
	switch v.req.FormValue("do") {
	case "fault":
		lines := v.req.FormValue("lines")
		if err := v.h.Fault(lines); err != nil {
			return v.behind(422, err.Error(), lines)
		}
	case "heal":
		v.h.Heal()
	case "again":
		id, err := formNumber(v.req.FormValue("id"))
		if err != nil {
			return err
		}
		if err := v.h.Redeliver(v.repo.full(), id); err != nil {
			return err
		}
	default:
		return notFound()
	}
	return v.leave("/" + v.repo.full() + "/behind")
}
