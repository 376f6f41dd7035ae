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
		Use:               "show N",
		Short:             shortShow,
		Args:              arguments("N"),
		ValidArgsFunction: p.completeNumbers,
		RunE: func(c *cobra.Command, args []string) error {
			v, err := p.change(c, args[0])
			if err != nil {
				return err
			}
			if p.json {
				return p.print(v)
			}
			p.showStanding(v.Standing)
			if len(v.Runs) > 0 {
				fmt.Fprintln(p.stdout, "\n"+p.bold(headRuns))
				p.showTable(runs(v.Runs))
			}
			if len(v.Journal) > 0 {
				fmt.Fprintln(p.stdout, "\n"+p.bold(headJournal))
				p.showTable(journal(v.Journal))
			}
			return nil
		},
	}
	p.reach(c)
	return c
}

func (p *program) why() *cobra.Command {
	c := &cobra.Command{
		Use:               "why N",
		Short:             shortWhy,
		Args:              arguments("N"),
		ValidArgsFunction: p.completeNumbers,
		RunE: func(c *cobra.Command, args []string) error {
			v, err := p.change(c, args[0])
			if err != nil {
				return err
			}
			if p.json {
				return p.print(v.Standing)
			}
			fmt.Fprintf(p.stdout, "%s %s: %s\n", p.bold(v.Standing.Number.String()), clean(v.Standing.Title), sayStage(v.Standing))
			p.reasons(v.Standing)
			return nil
		},
	}
	p.reach(c)
	return c
}

// showTable prints a table.
func (p *program) showTable(t table) {
	columns, _ := p.size(p.stdout)
	for _, line := range t.lines(columns) {
		fmt.Fprintln(p.stdout, line)
	}
}

func (p *program) showStanding(s queue.Standing) {
	fmt.Fprintf(p.stdout, "%s %s\n", p.bold(s.Number.String()), clean(s.Title))
	facts := table{}
	facts.row("", "by", s.Author.Login)
	facts.row("", "head", string(s.Head))
	facts.row("", "stage", fmt.Sprintf("%s since %s", sayStage(s), local(s.Since)))
	if s.Position > 0 {
		facts.row("", "place", fmt.Sprintf("%d in the line", s.Position))
	}
	if len(s.With) > 0 {
		facts.row("", "together", sayTogether(s.With))
	}
	if s.Priority != 0 {
		facts.row("", "priority", fmt.Sprint(s.Priority))
	}
	if len(s.Approvers) > 0 {
		facts.row("", "approved by", strings.Join(s.Approvers, ", "))
	}
	if s.URL != "" {
		facts.row("", "at", s.URL)
	}
	for _, line := range facts.lines(0) { // never cut: these are copied
		fmt.Fprintln(p.stdout, "  "+line)
	}
	p.reasons(s)
}

func runs(rs []web.RunView) table {
	t := table{head: []string{"", "RUN", "CANDIDATE", "TOOK", "OUTCOME"}, right: []int{3}}
	for _, r := range rs {
		outcome, spent := sayUnderWay, time.Since(r.Started)
		if r.Verdict != nil {
			outcome, spent = string(r.Verdict.Outcome), r.Verdict.Took
			if is := r.Verdict.Reused; is != nil {
				outcome += sayReused(is.Candidate, is.Run)
			}
			if r.Verdict.Reason != "" {
				outcome += ": " + r.Verdict.Reason
			}
			for _, s := range r.Verdict.Optional {
				if s.Exit != 0 {
					outcome += sayOptional(s)
				}
			}
			if len(r.Verdict.Failed) > 0 {
				outcome += sayTests(r.Verdict.Failed, r.Verdict.Partial)
			}
		}
		if r.Of != 0 {
			outcome = sayTrial(r) + outcome
		}
		t.row("", fmt.Sprintf("%d.%d", r.Candidate, r.Run), r.SHA.Short(), took(spent), outcome)
	}
	return t
}

// journal lists records, which come with the newest first, in the order they happened.
func journal(rs []queue.Record) table {
	var t table
	for i := len(rs) - 1; i >= 0; i-- {
		t.row(local(rs[i].At), rs[i].Kind, rs[i].Text)
	}
	return t
}

// reasons prints the open conditions.
func (p *program) reasons(s queue.Standing) {
	switch {
	case len(s.Reasons) > 0:
		for _, r := range s.Reasons {
			for _, line := range sayReason(r) {
				fmt.Fprintln(p.stdout, line)
			}
		}
	case s.Landing != nil:
		fmt.Fprintln(p.stdout, "  "+sayLandedAs(s))
	case s.Stage == queue.StageIdle:
		fmt.Fprintln(p.stdout, "  "+sayNobodyAsked)
	default:
		fmt.Fprintln(p.stdout, "  "+sayNothingBars)
	}
}

// change asks for one pull request.
func (p *program) change(c *cobra.Command, arg string) (v web.ChangeView, err error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(arg, "#"), 10, 32)
	if err != nil || n < 1 {
		return v, usage(errNumber(arg))
	}
	cl, err := p.client(c)
	if err != nil {
		return v, err
	}
	lane, err := cl.lane(c.Context(), c, "")
	if err != nil {
		return v, err
	}
	err = cl.call(c.Context(), http.MethodGet, fmt.Sprintf("/api/v1/changes/%d", n), laneQuery(lane), nil, &v)
	return v, err
}
