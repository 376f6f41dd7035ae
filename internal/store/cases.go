package store

import (
	"context"

	"lander/internal/queue"
)

// cases writes the open cases that changed, and closes those that are open no more. It comes after the candidates, one of which each
// case is about.
func (w *writer) cases(ctx context.Context) error {
	known := map[queue.CandidateID]*queue.Case{}
	for _, k := range w.old.Cases {
		known[k.ID] = k
	}
	var all []*queue.Case
	for _, k := range w.new.Cases {
		was := known[k.ID]
		delete(known, k.ID)
		if was != k {
			k = fit(k)
			w.at("case %d", k.ID)
			if err := w.rows.SaveCase(ctx, w.lane, k.ID, k); err != nil {
				return err
			}
		}
		all = append(all, k)
	}
	w.new.Cases = all
	for _, k := range w.old.Cases {
		if known[k.ID] == nil {
			continue
		}
		w.at("case %d", k.ID)
		if err := w.rows.CloseCase(ctx, w.lane, k.ID); err != nil {
			return err
		}
	}
	return nil
}
