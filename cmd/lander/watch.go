package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"lander/internal/queue"
	"lander/internal/web"
)

const (
	watchEvery = 200 * time.Millisecond // between two looks at the queue
	redrawn    = time.Second            // a table on a terminal is drawn again that often, for the ages in it
	mostLost   = 30 * time.Second       // a lander that is being restarted is waited for
)

// watcher follows a lane until nothing is queued on it any more.
type watcher struct {
	p       *program
	cl      *client
	lane    web.LaneView
	screen  *live // nil: not on a terminal
	watched map[queue.Number]bool
	landed  map[queue.Number]bool
	last    web.QueueView
	changed time.Time // when last did
	drawn   time.Time
	lost    time.Time // zero: the server answers
}

// watch draws the queue until nothing is queued any more. On a terminal it waits for something to be queued first.
func (p *program) watch(ctx context.Context, cl *client, lane web.LaneView) error {
	w := &watcher{p: p, cl: cl, lane: lane, watched: map[queue.Number]bool{}, landed: map[queue.Number]bool{}}
	w.last.Lane.Version = -1
	if p.terminal(p.stdout) && !p.json {
		w.screen = p.live(p.stdout, true)
	}
	err := w.follow(ctx)
	if ctx.Err() != nil {
		err = nil // somebody ended it; whether that was too early, the rest says
	}
	if w.screen != nil {
		w.screen.end()
		if w.last.Lane.Version >= 0 {
			p.drawQueue(w.last)
		}
	}
	if err != nil {
		return err
	}
	var missing []string
	for _, n := range numbers(w.watched) {
		if !w.landed[n] {
			missing = append(missing, n.String())
		}
	}
	if len(missing) > 0 {
		fmt.Fprintln(p.stderr, sayFailure(errNotLanded(missing))) // also when somebody ended it, who then should know
		return no(nil)
	}
	if w.screen != nil && len(w.watched) > 0 {
		fmt.Fprintln(p.stdout, "\n"+sayAllLanded(len(w.watched)))
	}
	return nil
}

func (w *watcher) follow(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		done, err := w.look(ctx)
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// look asks once and draws. done reports that nothing is queued.
func (w *watcher) look(ctx context.Context) (done bool, err error) {
	v, err := w.cl.queue(ctx, w.lane)
	var failed *failure
	if errors.As(err, &failed) && failed.code == exitUnreachable && w.last.Lane.Version >= 0 {
		if w.lost.IsZero() {
			w.lost = time.Now()
		}
		if time.Since(w.lost) < mostLost {
			return false, w.draw(false)
		}
	}
	if err != nil {
		return false, err
	}
	w.lost = time.Time{}
	for _, s := range v.Queued {
		w.watched[s.Number] = true
	}
	for _, l := range v.Landings {
		w.landed[l.Number] = true
	}
	moved := v.Lane.Version != w.last.Lane.Version
	if moved {
		w.changed = time.Now()
	}
	w.last = v
	if w.screen != nil && len(w.watched) == 0 {
		return false, w.draw(moved) // nothing to follow yet, and somebody is there to end it
	}
	return len(v.Queued) == 0, w.draw(moved)
}

func (w *watcher) draw(moved bool) error {
	p := w.p
	switch {
	case w.screen != nil:
		if !moved && time.Since(w.drawn) < redrawn && !w.screen.resized() {
			return nil
		}
		w.drawn = time.Now()
		w.screen.draw(func(columns, lines int) []string {
			foot := sayWatching(w.changed)
			switch {
			case !w.lost.IsZero():
				foot = sayLost(w.lost)
			case len(w.watched) == 0:
				foot = sayWaiting
			}
			text := p.queueLines(w.last, columns, lines-2)
			return append(text, "", p.style("2", cut(foot, columns)))
		})
	case !moved:
	case p.json:
		return p.printLine(w.last)
	default:
		p.drawQueue(w.last)
		fmt.Fprintln(p.stdout)
	}
	return nil
}

func numbers(set map[queue.Number]bool) []queue.Number {
	var all []queue.Number
	for n := range set {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// stageColour is the colour of a stage, or of a word that begins as one, as a terminal numbers it.
func stageColour(stage string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(stage), ":")
	switch queue.Stage(word) {
	case queue.StageLanded:
		return "32"
	case queue.StageDropped:
		return "31"
	case queue.StageHeld:
		return "33"
	case queue.StageTesting, queue.StageLanding:
		return "36"
	}
	return "0"
}
