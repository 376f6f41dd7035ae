package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/forge"
	"lander/internal/queue"
	"lander/internal/store"
)

const (
	mostBody    = 26 << 20        // a little more than the 25 MB that GitHub sends at most
	storeWithin = 8 * time.Second // GitHub waits 10 s for an answer
)

// webhook stores a delivery and says so. Exactly one log line for each.
func (s *Server) webhook(w http.ResponseWriter, r *http.Request) {
	d := store.Delivery{ID: r.Header.Get("X-GitHub-Delivery"), Event: r.Header.Get("X-GitHub-Event"), Received: s.Now()}
	lg := s.Log.With().Str("delivery", clip(d.ID, 100)).Str("event", clip(d.Event, 100)).Logger()

	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		s.answer(w, lg.Warn(), http.StatusRequestEntityTooLarge, tooBigABody())
		return
	case err != nil:
		s.answer(w, lg.Warn().Err(err), http.StatusBadRequest, cutBody())
		return
	}
	if err := s.Verify(s.WebhookSecrets, r.Header.Get("X-Hub-Signature-256"), body); err != nil {
		s.answer(w, lg.Warn().Err(err), http.StatusUnauthorized, badSignature(len(s.WebhookSecrets)))
		return
	}
	if d.ID == "" || d.Event == "" || len(d.ID) > 200 || len(d.Event) > 200 {
		s.answer(w, lg.Warn(), http.StatusBadRequest, noHeaders())
		return
	}
	if !json.Valid(body) {
		s.answer(w, lg.Warn(), http.StatusBadRequest, brokenJSON())
		return
	}
	hints, err := s.Decode(d.Event, body)
	if err != nil {
		s.answer(w, lg.Warn().Err(err), http.StatusBadRequest, brokenEvent())
		return
	}
	d.Body, d.Items, d.Wake = body, s.items(hints), s.woken(hints)
	if len(hints) > 0 {
		d.Repo = hints[0].Repo
	}
	lg = lg.With().Str("repo", d.Repo).Ints("number", numbersOf(d.Items)).Logger()
	if len(d.Items) == 0 && len(d.Wake) == 0 {
		s.answer(w, lg.Info(), http.StatusAccepted, ignored())
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeWithin)
	defer cancel()
	fresh, err := s.Inbox.Receive(ctx, d)
	if err != nil {
		s.answer(w, lg.Error().Err(err), http.StatusServiceUnavailable, notStored())
		return
	}
	if !fresh {
		s.answer(w, lg.Info(), http.StatusAccepted, knownAlready())
		return
	}
	for _, l := range append(lanesOf(d.Items), d.Wake...) {
		s.nudge(l)
	}
	s.answer(w, lg.Info(), http.StatusAccepted, stored())
}

// items says which kept lanes a webhook's hints concern: a pull request may ask for any of its repository's, a push for one.
func (s *Server) items(hints []forge.Hint) []store.InboxItem {
	var items []store.InboxItem
	for _, h := range hints {
		for _, l := range s.Lanes {
			if !strings.EqualFold(l.Repo, h.Repo) {
				continue
			}
			if h.Number > 0 {
				items = append(items, store.InboxItem{Lane: l, Number: h.Number})
			}
			if h.Branch == l.Trunk {
				items = append(items, store.InboxItem{Lane: l, Trunk: true, Tip: h.Tip})
			}
		}
	}
	slices.SortStableFunc(items, func(a, b store.InboxItem) int { return strings.Compare(a.Lane.String(), b.Lane.String()) })
	return slices.Compact(items)
}

// woken are the lanes some of whose runs may wait for the checks that a webhook is about.
func (s *Server) woken(hints []forge.Hint) (lanes []queue.Lane) {
	for _, l := range s.Lanes {
		if slices.ContainsFunc(hints, func(h forge.Hint) bool { return h.Checks && strings.EqualFold(l.Repo, h.Repo) }) {
			lanes = append(lanes, l)
		}
	}
	return lanes
}

// answer ends a webhook's request with one line of text and one of log.
func (s *Server) answer(w http.ResponseWriter, line *zerolog.Event, status int, words string) {
	line.Int("status", status).Msg("webhook " + words)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.Copy(w, bytes.NewReader([]byte(words+"\n"))) // whoever asked may be gone
}

func (s *Server) nudge(l queue.Lane) {
	if s.Nudge != nil {
		s.Nudge(l)
	}
	s.Stir(l)
}

func numbersOf(items []store.InboxItem) []int {
	var ns []int
	for _, i := range items {
		if n := int(i.Number); n > 0 && !slices.Contains(ns, n) {
			ns = append(ns, n)
		}
	}
	return ns
}

func lanesOf(items []store.InboxItem) []queue.Lane {
	var ls []queue.Lane
	for _, i := range items {
		if !slices.Contains(ls, i.Lane) {
			ls = append(ls, i.Lane)
		}
	}
	return ls
}
