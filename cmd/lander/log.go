package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lander/internal/queue"
	"lander/internal/web"
)

const (
	followEvery = 500 * time.Millisecond // between two looks at a change that has no run yet, or whose verdict is not there yet
	mostUnsaid  = 30 * time.Second       // how long a run that has ended may be without a verdict
)

func (p *program) logVerb() *cobra.Command {
	follow := false
	c := &cobra.Command{
		Use:               "log N",
		Short:             shortLog,
		Args:              arguments("N"),
		ValidArgsFunction: p.completeNumbers,
		RunE: func(c *cobra.Command, args []string) error {
			v, err := p.change(c, args[0])
			if err != nil {
				return err
			}
			cl, err := p.client(c)
			if err != nil {
				return err
			}
			lane, err := queue.ParseLane(v.Lane.Lane)
			if err != nil {
				return err
			}
			r, ok := newestRun(v)
			if !follow {
				if !ok {
					return no(errNoRun(v.Standing.Number))
				}
				found, err := cl.log(c.Context(), lane, r, false, p.stdout)
				if err == nil && !found {
					err = no(errNoLog(r))
				}
				return err
			}
			return p.followLog(c, cl, lane, v)
		},
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, usageFollow)
	p.settingFlags(c, "data_dir", "api_token")
	c.Flags().String("server", "", usageServer)
	c.Flags().String("lane", "", usageLane)
	_ = c.RegisterFlagCompletionFunc("lane", p.completeLanes) // fails only for a flag that is not there
	return c
}

// followLog streams the newest run of a change until it ends. One that was lost, as when lander is started anew, is followed by the next.
func (p *program) followLog(c *cobra.Command, cl *client, lane queue.Lane, v web.ChangeView) error {
	shown, since := "", time.Time{}
	for {
		r, ok := newestRun(v)
		id := fmt.Sprint(r.Candidate, ".", r.Run)
		switch {
		case !ok && v.Standing.Stage == queue.StageIdle:
			return no(errNoRun(v.Standing.Number))
		case !ok:
		case id != shown:
			found, err := cl.log(c.Context(), lane, r, true, p.stdout)
			switch {
			case err != nil:
				return err
			case found:
				shown, since = id, time.Now()
			case r.Verdict != nil: // else it waits for its turn
				return no(errNoLog(r))
			}
		case r.Verdict != nil && r.Verdict.Outcome == queue.Green:
			return nil
		case r.Verdict != nil || time.Since(since) > mostUnsaid:
			return no(errNotGreen(r))
		}
		timer := time.NewTimer(followEvery)
		select {
		case <-c.Context().Done():
			timer.Stop()
			return no(errInterrupted)
		case <-timer.C:
		}
		var err error
		if v, err = p.change(c, fmt.Sprint(int(v.Standing.Number))); err != nil {
			return err
		}
	}
}

// newestRun is that of a candidate with the change, or else one that looks for what broke something.
func newestRun(v web.ChangeView) (r web.RunView, ok bool) {
	for _, r := range v.Runs {
		if r.Of == 0 {
			return r, true
		}
	}
	if len(v.Runs) > 0 {
		return v.Runs[0], true
	}
	return r, false
}

// log copies a run's output, without a limit of time; found is false where there is none.
func (c *client) log(ctx context.Context, l queue.Lane, run web.RunView, follow bool, to io.Writer) (found bool, err error) {
	path := web.LogPath(l, web.RunID{Candidate: run.Candidate, Number: run.Run})
	if follow {
		path += "?follow"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return false, err
	}
	r.Header.Set("Accept", "application/json") // of a refusal
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	patient := *c.http
	patient.Timeout = 0
	res, err := patient.Do(r)
	if err != nil {
		return false, unreachable(c.explain(err))
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return false, nil
	}
	if res.StatusCode != http.StatusOK {
		return false, unreachable(errStatus(c.where, res.Status))
	}
	if _, err := io.Copy(to, res.Body); err != nil && ctx.Err() == nil && !strings.Contains(path, "?follow") {
		return true, unreachable(errAsk(c.where, err))
	}
	return true, nil
}
