package main

import (
	"fmt"
	"net/http"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lander/internal/web"
)

func (p *program) pause() *cobra.Command {
	var reason, until string
	c := &cobra.Command{
		Use:               "pause [LANE]",
		Short:             shortPause,
		Example:           examplePause,
		Args:              arguments("[LANE]"),
		ValidArgsFunction: p.completeLanes,
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usage(errPauseReason())
			}
			order := map[string]any{"reason": reason, "by": p.who()}
			if until != "" {
				t, err := moment(until, time.Now())
				if err != nil {
					return usage(err)
				}
				order["until"] = t
			}
			_, done, err := p.orderLane(c, args, "pause", order)
			if err != nil {
				return err
			}
			if p.json {
				return p.print(done)
			}
			for _, line := range sayPaused(done.Lane) {
				fmt.Fprintln(p.stdout, line)
			}
			return nil
		},
	}
	c.Flags().StringVar(&reason, "reason", "", usageReason)
	c.Flags().StringVar(&until, "until", "", usageUntil)
	p.reach(c)
	return c
}

func (p *program) resume() *cobra.Command {
	c := &cobra.Command{
		Use:               "resume [LANE]",
		Short:             shortResume,
		Args:              arguments("[LANE]"),
		ValidArgsFunction: p.completeLanes,
		RunE: func(c *cobra.Command, args []string) error {
			before, done, err := p.orderLane(c, args, "resume", map[string]any{"by": p.who()})
			if err != nil {
				return err
			}
			said := sayResumed(done.Lane)
			if before.Paused == nil && before.Stopped == nil && before.Trouble == nil {
				// Not a failure: landing goes on, as was asked.
				said = sayNotPaused(done.Lane)
				done.Note = said
			}
			if p.json {
				return p.print(done)
			}
			fmt.Fprintln(p.stdout, said)
			return nil
		},
	}
	p.reach(c)
	return c
}

// orderLane gives an order about a whole lane. before is how the lane was.
func (p *program) orderLane(c *cobra.Command, args []string, verb string, order map[string]any) (before web.LaneView, done web.Done, err error) {
	cl, err := p.client(c)
	if err != nil {
		return before, done, err
	}
	var arg string
	if len(args) > 0 {
		arg = args[0]
	}
	if before, err = cl.lane(c.Context(), c, arg); err != nil {
		return before, done, err
	}
	err = cl.call(c.Context(), http.MethodPost, "/api/v1/"+verb, laneQuery(before), order, &done)
	return before, done, err
}

// moment reads a time or a duration from now.
func moment(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(d), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, errUntil(s)
	}
	if !t.After(now) {
		return time.Time{}, errUntilPast(s)
	}
	return t, nil
}

// who is the person at this terminal, for the journal: also one who has become root for it.
func (p *program) who() string {
	if name := p.env["SUDO_USER"]; name != "" && os.Getuid() == 0 {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "admin"
}
