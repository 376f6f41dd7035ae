package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lander/internal/queue"
	"lander/internal/web"
)

func (p *program) status() *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: shortStatus,
		Args:  arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := p.client(c)
			if err != nil {
				return err
			}
			all, workers, err := cl.glance(c.Context())
			if err != nil {
				return err
			}
			if p.json {
				return p.print(map[string]any{"lanes": all, "workers": workers})
			}
			t := table{head: []string{"LANE", "TRUNK", "QUEUED", "TESTING", "STATE"}, right: []int{2, 3}}
			for _, l := range all {
				t.row(l.Lane, l.Tip.Short(), fmt.Sprint(l.Queued), fmt.Sprint(l.Flight), laneState(l))
			}
			p.showTable(t)
			for _, l := range all {
				if l.Missed > 0 {
					fmt.Fprintln(p.stdout, sayMissed(l))
				}
			}
			p.showWorkers(workers)
			return nil
		},
	}
	p.reach(c)
	return c
}

// showWorkers is silent where lander runs all tests itself.
func (p *program) showWorkers(all []web.WorkerView) {
	if !slices.ContainsFunc(all, func(w web.WorkerView) bool { return !w.Here }) {
		return
	}
	t := table{head: []string{"WORKER", "SLOTS", "LABELS", "STATE", "RUNS"}, right: []int{1}}
	for _, w := range all {
		t.row(sayWorker(w), fmt.Sprint(w.Slots), strings.Join(w.Labels, ","), workerState(w), strings.Join(w.Runs, ", "))
	}
	fmt.Fprintln(p.stdout)
	p.showTable(t)
}

func (p *program) queue() *cobra.Command {
	var watch bool
	c := &cobra.Command{
		Use:   "queue",
		Short: shortQueue,
		Long:  longQueue,
		Args:  arguments(),
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
	c.Flags().BoolVar(&watch, "watch", false, usageWatch)
	p.reach(c)
	return c
}

func (c *client) queue(ctx context.Context, lane web.LaneView) (v web.QueueView, err error) {
	err = c.call(ctx, http.MethodGet, "/api/v1/queue", laneQuery(lane), nil, &v)
	return v, err
}

// drawQueue prints a lane, all of it.
func (p *program) drawQueue(v web.QueueView) {
	columns, _ := p.size(p.stdout)
	for _, line := range p.queueLines(v, columns, 0) {
		fmt.Fprintln(p.stdout, line)
	}
}

// queueLines is a lane as text of at most that many columns and lines; 0: as many as it takes. What is queued goes before what was
// dropped, and that before what has landed.
func (p *program) queueLines(v web.QueueView, columns, most int) []string {
	title := fmt.Sprintf("%s at %s: %s", v.Lane.Lane, tip(v.Lane), laneState(v.Lane))
	if columns > 0 {
		title = cut(title, columns)
	}
	lines := []string{p.bold(title), ""}
	if len(v.Queued) == 0 {
		lines = append(lines, sayNothingQueued)
	} else {
		t := table{head: []string{"", "CHANGE", "TITLE", "BY", "STAGE", "SINCE", "WHY"}, right: []int{0, 5}, paint: p.paintStage(4)}
		for _, s := range v.Queued {
			why := ""
			switch {
			case len(s.Reasons) == 0 || s.Stage == queue.StageLanding:
			case s.State == queue.CandidateRed:
				why = s.Reasons[len(s.Reasons)-1].Text
			case s.Stage != queue.StageTesting:
				why = s.Reasons[0].Text
			case len(s.With) > 0:
				why = sayTogether(s.With)
			}
			t.row(fmt.Sprint(s.Position), s.Number.String(), s.Title, s.Author.Login, sayStage(s), span(time.Since(s.Since)), why)
		}
		lines = append(lines, within(t.lines(columns), most-len(lines), most > 0)...)
	}
	// The two sections below come whole lines at a time, or not at all when nothing but their head would fit.
	add := func(head string, t table) {
		left := most - len(lines) - 2
		if len(t.rows) == 0 || most > 0 && left < min(2, len(t.rows)) {
			return
		}
		lines = append(append(lines, "", head), within(t.lines(columns), left, most > 0)...)
	}
	dropped, landed := table{right: []int{3}}, table{right: []int{3}}
	for _, s := range v.Recent {
		reason := ""
		if s.Drop != nil {
			reason = s.Drop.Reason
		}
		dropped.row(s.Number.String(), s.Title, s.Author.Login, span(time.Since(s.Since)), reason)
	}
	for _, l := range v.Landings[:min(len(v.Landings), 10)] {
		landed.row(l.Number.String(), l.Title, l.Tip.Short(), span(time.Since(l.At)))
	}
	add(headDropped, dropped)
	add(headLanded, landed)
	return lines
}

// within keeps as many lines as fit, and says how many do not.
func within(lines []string, most int, bounded bool) []string {
	if !bounded || len(lines) <= most {
		return lines
	}
	most = max(most, 1)
	return append(lines[:most-1:most-1], sayMore(len(lines)-most+1))
}

// paintStage colours the column that says where a change stands.
func (p *program) paintStage(column int) func(int, string) string {
	if !p.styled(p.stdout) {
		return nil
	}
	return func(i int, cell string) string {
		if i != column {
			return cell
		}
		return p.style(stageColour(cell), cell)
	}
}
