package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lander/internal/queue"
	"lander/internal/web"
)

func (p *program) show() *cobra.Command {
	c := &cobra.Command{
		Use:   "show N",
		Short: "All about pull request N",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			v, err := p.change(c, args[0])
			if err != nil {
				return err
			}
			if p.json {
				return p.print(v)
			}
			s := v.Standing
			fmt.Fprintf(p.stdout, "%s %s\n", bold(p, s.Number.String()), s.Title)
			fmt.Fprintf(p.stdout, "  by %s, head %s, %s since %s\n", s.Author.Login, s.Head.Short(), s.Stage, local(s.Since))
			if len(s.Approvers) > 0 {
				fmt.Fprintf(p.stdout, "  approved by %s\n", strings.Join(s.Approvers, ", "))
			}
			if s.Landing != nil {
				fmt.Fprintf(p.stdout, "  landed as %s\n", s.Landing.Tip)
			}
			p.reasons(s)
			if len(v.Runs) > 0 {
				fmt.Fprintln(p.stdout, "\nRuns")
				t := p.table()
				for _, r := range v.Runs {
					outcome, took := "under way", time.Since(r.Started)
					if r.Verdict != nil {
						outcome, took = string(r.Verdict.Outcome), r.Verdict.Took
						if r.Verdict.Reason != "" {
							outcome += ": " + r.Verdict.Reason
						}
					}
					t.row("  ", fmt.Sprintf("%d.%d", r.Candidate, r.Run), r.SHA.Short(), took.Round(time.Millisecond).String(), outcome)
				}
				t.flush()
			}
			fmt.Fprintln(p.stdout, "\nWhat happened")
			t := p.table()
			for i := len(v.Journal) - 1; i >= 0; i-- {
				r := v.Journal[i]
				t.row("  ", local(r.At), r.Kind, r.Text)
			}
			t.flush()
			return nil
		},
	}
	p.reach(c)
	return c
}

func (p *program) why() *cobra.Command {
	c := &cobra.Command{
		Use:   "why N",
		Short: "What stands between pull request N and trunk, and who can lift it",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			v, err := p.change(c, args[0])
			if err != nil {
				return err
			}
			if p.json {
				return p.print(v.Standing)
			}
			fmt.Fprintf(p.stdout, "%s %s: %s\n", bold(p, v.Standing.Number.String()), v.Standing.Title, v.Standing.Stage)
			p.reasons(v.Standing)
			return nil
		},
	}
	p.reach(c)
	return c
}

// reasons prints the open conditions.
func (p *program) reasons(s queue.Standing) {
	if len(s.Reasons) == 0 && s.Landing == nil {
		fmt.Fprintln(p.stdout, "  nothing stands between it and trunk")
	}
	for _, r := range s.Reasons {
		since := ""
		if !r.Since.IsZero() {
			since = ", since " + local(r.Since)
		}
		fmt.Fprintf(p.stdout, "  - %s%s\n    who can lift it: %s\n    then: %s\n", r.Text, since, r.Who, r.Next)
	}
}

// change asks for one pull request.
func (p *program) change(c *cobra.Command, arg string) (v web.ChangeView, err error) {
	n, err := strconv.Atoi(strings.TrimPrefix(arg, "#"))
	if err != nil || n < 1 {
		return v, usage(fmt.Errorf("%q is not the number of a pull request", arg))
	}
	cl, err := p.client(c)
	if err != nil {
		return v, err
	}
	lane, err := cl.lane(c.Context(), c, "")
	if err != nil {
		return v, err
	}
	return v, cl.call(c.Context(), http.MethodGet, fmt.Sprintf("/api/v1/changes/%d", n), laneQuery(lane), nil, &v)
}
