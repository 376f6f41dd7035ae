package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lander/internal/queue"
	"lander/internal/web"
)

func (p *program) status() *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "Every lane at a glance",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := p.client(c)
			if err != nil {
				return err
			}
			var all struct {
				Lanes []web.LaneView `json:"lanes"`
			}
			if err := cl.call(c.Context(), http.MethodGet, "/api/v1/lanes", nil, nil, &all); err != nil {
				return err
			}
			if p.json {
				return p.print(all)
			}
			t := p.table()
			t.row("LANE", "TRUNK", "QUEUED", "TESTING", "STATE")
			for _, l := range all.Lanes {
				t.row(l.Lane, l.Tip.Short(), fmt.Sprint(l.Queued), fmt.Sprint(l.Flight), laneState(l))
			}
			t.flush()
			return nil
		},
	}
	p.reach(c)
	return c
}

func (p *program) queue() *cobra.Command {
	var watch bool
	c := &cobra.Command{
		Use:   "queue",
		Short: "What lands next, what waits, what was dropped",
		Long: "What lands next, what waits, what was dropped.\n\n" +
			"With --watch the table is drawn again as things move, until nothing is queued any more; the exit status is 0 only if all\n" +
			"that was queued meanwhile landed.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := p.client(c)
			if err != nil {
				return err
			}
			lane, err := cl.lane(c.Context(), c, "")
			if err != nil {
				return err
			}
			if watch {
				return p.watch(c.Context(), cl, lane)
			}
			v, err := cl.queue(c.Context(), lane)
			if err != nil {
				return err
			}
			if p.json {
				return p.print(v)
			}
			p.drawQueue(v)
			return nil
		},
	}
	c.Flags().BoolVar(&watch, "watch", false, "draw again as things move")
	p.reach(c)
	return c
}

func (c *client) queue(ctx context.Context, lane web.LaneView) (v web.QueueView, err error) {
	return v, c.call(ctx, http.MethodGet, "/api/v1/queue", laneQuery(lane), nil, &v)
}

// watch draws the queue until nothing is queued any more.
func (p *program) watch(ctx context.Context, cl *client, lane web.LaneView) error {
	watched, landed := map[queue.Number]bool{}, map[queue.Number]bool{}
	last := int64(-1)
	for {
		v, err := cl.queue(ctx, lane)
		if err != nil {
			return err
		}
		for _, s := range v.Queued {
			watched[s.Number] = true
		}
		for _, l := range v.Landings {
			landed[l.Number] = true
		}
		if v.Lane.Version != last {
			last = v.Lane.Version
			switch {
			case p.json:
				if err := p.printLine(v); err != nil {
					return err
				}
			case p.terminal(p.stdout):
				fmt.Fprint(p.stdout, "\x1b[H\x1b[2J")
				p.drawQueue(v)
			default:
				p.drawQueue(v)
				fmt.Fprintln(p.stdout)
			}
		}
		if len(v.Queued) == 0 {
			var missing []string
			for n := range watched {
				if !landed[n] {
					missing = append(missing, n.String())
				}
			}
			if len(missing) > 0 {
				return no(fmt.Errorf("did not land: %s", strings.Join(missing, ", ")))
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return no(nil)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (p *program) drawQueue(v web.QueueView) {
	fmt.Fprintf(p.stdout, "%s at %s: %s\n", bold(p, v.Lane.Lane), v.Lane.Tip.Short(), laneState(v.Lane))
	if len(v.Queued) == 0 {
		fmt.Fprintln(p.stdout, "\nNothing is queued.")
	} else {
		fmt.Fprintln(p.stdout)
		t := p.table()
		t.row("", "CHANGE", "TITLE", "BY", "STAGE", "SINCE", "")
		for _, s := range v.Queued {
			why := ""
			if len(s.Reasons) > 0 {
				why = s.Reasons[0].Text
			}
			t.row(fmt.Sprint(s.Position), s.Number.String(), s.Title, s.Author.Login, string(s.Stage), ago(s.Since), why)
		}
		t.flush()
	}
	if len(v.Recent) > 0 {
		fmt.Fprintln(p.stdout, "\nDropped")
		t := p.table()
		for _, s := range v.Recent {
			t.row("", s.Number.String(), s.Title, s.Author.Login, ago(s.Since), s.Drop.Reason)
		}
		t.flush()
	}
	if len(v.Landings) > 0 {
		fmt.Fprintln(p.stdout, "\nLanded")
		t := p.table()
		for i, l := range v.Landings {
			if i == 10 {
				break
			}
			t.row("", l.Number.String(), l.Title, l.Tip.Short(), ago(l.At))
		}
		t.flush()
	}
}

func laneState(l web.LaneView) string {
	switch {
	case l.Stopped != nil:
		return "stopped: " + l.Stopped.Reason
	case l.Paused != nil:
		return "paused by " + l.Paused.By + ": " + l.Paused.Reason
	case l.Policy != "":
		return "cannot land: " + l.Policy
	case l.Trouble != nil:
		return "in trouble: " + l.Trouble.Reason
	}
	return "running"
}
