package main

import (
	"fmt"
	"net/http"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"lander/internal/web"
)

func (p *program) pause() *cobra.Command {
	var reason, until string
	c := &cobra.Command{
		Use:   "pause [LANE]",
		Short: "Stop landing; returns when trunk cannot move any more",
		Example: `  lander pause --reason 'incident 4711'
  lander pause acme/app:main --reason 'release' --until 2026-12-01T09:00:00Z
  lander pause --reason lunch --until 45m`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			order := map[string]any{"reason": reason, "by": who()}
			if until != "" {
				t, err := moment(until, time.Now())
				if err != nil {
					return usage(err)
				}
				order["until"] = t
			}
			done, err := p.orderLane(c, args, "pause", order)
			if err != nil {
				return err
			}
			if p.json {
				return p.print(done)
			}
			fmt.Fprintf(p.stdout, "%s is paused. Trunk stands on %s and does not move until: lander resume\n", done.Lane.Lane, done.Lane.Tip.Short())
			if done.Lane.Flight > 0 {
				fmt.Fprintln(p.stdout, "A test run that is under way goes on; what passes lands after the resume.")
			}
			return nil
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for everybody who waits (required)")
	c.Flags().StringVar(&until, "until", "", "when landing goes on by itself: a time as in 2026-12-01T09:00:00Z, or a duration as in 45m")
	_ = c.MarkFlagRequired("reason")
	p.reach(c)
	return c
}

func (p *program) resume() *cobra.Command {
	c := &cobra.Command{
		Use:   "resume [LANE]",
		Short: "Let landing go on, after a pause or after lander stopped the lane itself",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			done, err := p.orderLane(c, args, "resume", map[string]any{"by": who()})
			if err != nil {
				return err
			}
			if p.json {
				return p.print(done)
			}
			fmt.Fprintf(p.stdout, "%s goes on; %d in the queue.\n", done.Lane.Lane, done.Lane.Queued)
			return nil
		},
	}
	p.reach(c)
	return c
}

// orderLane gives an order about a whole lane.
func (p *program) orderLane(c *cobra.Command, args []string, verb string, order map[string]any) (done web.Done, err error) {
	cl, err := p.client(c)
	if err != nil {
		return done, err
	}
	var arg string
	if len(args) > 0 {
		arg = args[0]
	}
	lane, err := cl.lane(c.Context(), c, arg)
	if err != nil {
		return done, err
	}
	return done, cl.call(c.Context(), http.MethodPost, "/api/v1/"+verb, laneQuery(lane), order, &done)
}

// moment reads a time or a duration from now.
func moment(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(d), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("--until %q: want a time as in 2026-12-01T09:00:00Z, or a duration as in 45m", s)
	}
	if !t.After(now) {
		return time.Time{}, fmt.Errorf("--until %s has passed already", s)
	}
	return t, nil
}

// who is the person at this terminal, for the journal.
func who() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "admin"
}
