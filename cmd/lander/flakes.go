package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"lander/internal/web"
)

// flakes lists what fails by chance.
func (p *program) flakes() *cobra.Command {
	c := &cobra.Command{
		Use:   "flakes",
		Short: shortFlakes,
		Long:  longFlakes,
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
			var v struct {
				Lane   string          `json:"lane"`
				Since  string          `json:"since"`
				Flakes []web.FlakeView `json:"flakes"`
			}
			if err := cl.call(c.Context(), http.MethodGet, "/api/v1/flakes", laneQuery(lane), nil, &v); err != nil {
				return err
			}
			if p.json {
				return p.print(v)
			}
			if len(v.Flakes) == 0 {
				fmt.Fprintln(p.stdout, sayNoFlakes)
				return nil
			}
			t := table{head: []string{"TEST", "STEP", "SEEN", "RUNS", "RATE", "COST", "LAST"}, right: []int{2, 3, 4, 5}}
			for _, f := range v.Flakes {
				t.row(sayFlaky(f), clean(f.Step), fmt.Sprint(f.Times), fmt.Sprint(f.Runs), sayChance(f.Rate), took(f.Cost), local(f.Last))
			}
			p.showTable(t)
			return nil
		},
	}
	p.reach(c)
	return c
}
