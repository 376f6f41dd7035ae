package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"lander/internal/demo"
)

// replay lands a history again.
func (p *program) replay(ctx context.Context, o demo.Options, f demoFlags) error {
	ctx, cancel := context.WithTimeoutCause(ctx, f.limit, errTooLong(f.limit))
	defer cancel()
	g := &gauge{p: p, began: time.Now(), told: -1}
	end := func() {}
	if p.terminal(p.stderr) && !f.verbose {
		g.screen = p.live(p.stderr, false)
		end = g.screen.animate(g.picture)
	}
	r, err := demo.Replay(ctx, o, demo.ReplayOptions{Repo: f.repo, Branch: f.branch, Last: f.last, Suite: f.suite}, g.hear)
	end()
	if err != nil {
		return err
	}
	if p.json {
		err = p.printLine(r)
	} else {
		for _, line := range sayReplay(r) {
			fmt.Fprintln(p.stdout, line)
		}
	}
	if err == nil && (!r.TreeEqual || r.Landed != r.Of) {
		err = no(nil)
	}
	return err
}

// gauge shows how far a replay is, on standard error: as a bar on a terminal, else a line now and then.
type gauge struct {
	p      *program
	began  time.Time
	screen *live // nil: not on a terminal

	mu   sync.Mutex
	at   demo.Progress
	told int // tenths
}

func (g *gauge) hear(at demo.Progress) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at = at
	switch {
	case g.screen != nil:
	case at.Of == 0:
		fmt.Fprintln(g.p.stderr, at.Now+"…")
	case at.Done*10/at.Of != g.told:
		g.told = at.Done * 10 / at.Of
		fmt.Fprintln(g.p.stderr, sayRate(at))
	}
}

// longestRate is what the words beside the bar take at most, with their gap.
const longestRate = len("1000 of 1000 landed, 1000 a minute, about 59 min left") + len(gap)

func (g *gauge) picture(columns, _ int) []string {
	g.mu.Lock()
	at := g.at
	g.mu.Unlock()
	spent := time.Since(g.began).Round(time.Second)
	if at.Of == 0 {
		return []string{cut(fmt.Sprintf("%s… %s", at.Now, span(spent)), columns)}
	}
	rate := sayRate(at)
	wide := min(40, columns-longestRate) // the same all the time, however long the rate becomes
	first := cut(rate, columns)
	if wide >= 10 {
		first = g.p.style("32", bar(at.Done, at.Of, wide)) + gap + cut(rate, columns-wide-len(gap))
	}
	return []string{first, cut(at.Now, columns)}
}
