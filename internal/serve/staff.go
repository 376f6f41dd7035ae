package serve

import (
	"context"
	"slices"

	"lander/internal/config"
	"lander/internal/store/errands"
	"lander/internal/web"
)

// staff lists who runs tests: this machine first, then the workers.
func (r *Rooms) staff(ctx context.Context) ([]web.WorkerView, error) {
	c := r.hands()
	var all []web.WorkerView
	if cap(c.slots) > 0 {
		all = append(all, web.WorkerView{Here: true, Labels: c.labels, Slots: cap(c.slots), Runs: c.busy(), Alive: true})
	}
	if c.giver == nil {
		return all, nil
	}
	workers, err := c.giver.Workers(ctx)
	if err != nil {
		return nil, err
	}
	for _, w := range workers {
		all = append(all, web.WorkerView{
			Name: w.Name, Labels: w.Labels, Slots: w.Slots, Runs: w.Runs, Version: w.Version, Alive: w.Alive, Foreign: !w.Same,
			Since: w.Since, Seen: w.LastBeat,
		})
	}
	return all, nil
}

const workersCheck = "workers"

// workers looks at who else runs tests.
func (d *Doctor) workers(ctx context.Context) {
	if d.store == nil {
		return
	}
	pool, err := d.store.Pool(ctx, 1)
	if err != nil {
		d.tell(unproven(aboutDatabase, workersCheck, oneLine(err), ""))
		return
	}
	defer pool.Close()
	giver, err := errands.NewGiver(pool, protocol(), quiet)
	if err != nil {
		d.tell(unproven(aboutDatabase, workersCheck, oneLine(err), ""))
		return
	}
	all, err := giver.Workers(ctx)
	if err != nil {
		d.tell(unproven(aboutDatabase, workersCheck, oneLine(err), ""))
		return
	}
	for _, f := range judgeWorkers(all, d.Settings.Workers == config.NoWorkers) {
		d.tell(f)
	}
}

// judgeWorkers says nothing where there are none, and none are needed.
func judgeWorkers(all []errands.Worker, needed bool) []Finding {
	var found []Finding
	var alive, foreign, silent []string
	slots := 0
	for _, w := range all {
		switch {
		case !w.Alive:
			silent = append(silent, w.Name)
		case !w.Same:
			foreign = append(foreign, w.Name)
		default:
			alive = append(alive, w.Name)
			slots += w.Slots
		}
	}
	slices.Sort(alive)
	switch {
	case len(alive) > 0:
		found = append(found, good(aboutDatabase, workersCheck, sayWorkers(alive, slots)))
	case needed:
		found = append(found, bad(aboutDatabase, workersCheck, sayNoWorkers, sayMendNoWorkers))
	}
	if len(foreign) > 0 {
		found = append(found, warning(aboutDatabase, "workers-version", sayForeignWorkers(foreign), sayMendForeignWorkers))
	}
	if len(silent) > 0 {
		found = append(found, warning(aboutDatabase, "workers-silent", saySilentWorkers(silent), sayMendSilentWorkers))
	}
	return found
}
