package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"lander/internal/queue"
	"lander/internal/serve"
	"lander/internal/web"
)

func (p *program) repro() *cobra.Command {
	c := &cobra.Command{
		Use:   "repro RUN",
		Short: shortRepro,
		Args:  arguments("RUN"),
		RunE: func(c *cobra.Command, args []string) error {
			r, lane, err := p.testRun(c, args[0])
			if err != nil {
				return err
			}
			settings, err := p.load(c, false)
			if err != nil {
				return err
			}
			v, err := serve.Repro{
				Settings: settings, Lane: lane, Candidate: r.SHA, Base: r.Base, Members: r.Members, Out: p.stdout, Log: p.logger(settings.Log),
				Say: func(words string) { fmt.Fprintln(p.stderr, words+"…") },
			}.Run(c.Context())
			if err != nil {
				return no(err)
			}
			if v.Outcome != queue.Green {
				return no(errNotGreenHere(v))
			}
			return nil
		},
	}
	p.settingFlags(c)
	c.Flags().String("server", "", usageServer)
	return c
}

// testRun asks for one run, as show names it.
func (p *program) testRun(c *cobra.Command, arg string) (r web.RunView, lane queue.Lane, err error) {
	candidate, run, _ := strings.Cut(arg, ".")
	id, err := strconv.ParseInt(candidate, 10, 64)
	n, err2 := strconv.Atoi(run)
	if err != nil || err2 != nil || id < 1 || n < 1 {
		return r, lane, usage(errRunID(arg))
	}
	cl, err := p.client(c)
	if err != nil {
		return r, lane, err
	}
	named := ""
	if w, ok := c.Flags().Lookup("lane").Value.(*words); ok && len(w.given) == 1 {
		named = w.given[0]
	}
	v, err := cl.lane(c.Context(), c, named)
	if err != nil {
		return r, lane, err
	}
	if lane, err = queue.ParseLane(v.Lane); err != nil {
		return r, lane, err
	}
	err = cl.call(c.Context(), http.MethodGet, fmt.Sprintf("/api/v1/runs/%d/%d", id, n), laneQuery(v), nil, &r)
	return r, lane, err
}
