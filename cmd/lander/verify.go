package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"lander/internal/queue"
	"lander/internal/serve"
	"lander/internal/verify"
)

func (p *program) verify() *cobra.Command {
	var o verify.Options
	c := &cobra.Command{
		Use:     "verify [RANGE]",
		Short:   shortVerify,
		Long:    longVerify,
		Example: exampleVerify,
		Args:    arguments("[RANGE]"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Range = args[0]
			}
			if err := meant(c, &o); err != nil {
				return usage(err)
			}
			return p.prove(c.Context(), o)
		},
	}
	c.Flags().StringVarP(&o.Dir, "dir", "C", "", usageVerifyDir)
	c.Flags().StringVar(&o.Trunk, "trunk", "", usageTrunk)
	c.Flags().StringVar(&o.Lane, "lane", "", usageVerifyLane)
	c.Flags().StringVar(&o.Ledger, "ledger", "", usageLedger)
	c.Flags().StringVar(&o.Signers, "signers", "", usageSigners)
	c.Flags().StringVar(&o.Committer, "committer", "", usageCommitter)
	c.Flags().StringVar(&o.Since, "since", "", usageSince)
	c.Flags().BoolVar(&p.json, "json", false, usageVerifyJSON)
	return c
}

var identityForm = regexp.MustCompile(`^[^<>\n]+ <[^<>\n]*>$`)

// meant checks what was asked for. What is given must mean something: an empty value, as of a variable that is not set, would verify
// less than its writer thinks.
func meant(c *cobra.Command, o *verify.Options) error {
	given := c.Flags().Changed
	for name, value := range map[string]string{
		"dir": o.Dir, "trunk": o.Trunk, "lane": o.Lane, "ledger": o.Ledger, "signers": o.Signers, "committer": o.Committer, "since": o.Since,
	} {
		if given(name) && value == "" {
			return errNoValue(c.Flags().Lookup(name))
		}
	}
	if c.Flags().NArg() > 0 && o.Range == "" {
		return errEmptyRange
	}
	if given("committer") && !identityForm.MatchString(o.Committer) {
		return errCommitter(o.Committer)
	}
	if !given("lane") {
		return nil
	}
	l, err := queue.ParseLane(o.Lane)
	switch {
	case err != nil:
		return err
	case o.Trunk == "":
		o.Trunk = l.Trunk
	case strings.TrimPrefix(o.Trunk, "refs/heads/") != l.Trunk:
		return errLaneTrunk(l, o.Trunk)
	}
	return nil
}

// Verdicts, for --json.
const (
	verdictProven   = "proven"
	verdictBypassed = "bypassed" // others moved trunk, and nothing is wrong with what lander did
	verdictBroken   = "broken"
)

// proof prints a report.
type proof struct {
	*program `json:"-"`
	asked    verify.Options

	Verdict string `json:"verdict"`
	verify.Report
}

func (p *program) prove(ctx context.Context, o verify.Options) error {
	report, err := verify.Run(ctx, o)
	var wrong *verify.RequestError
	switch {
	case ctx.Err() != nil:
		return unreachable(errInterrupted)
	case errors.As(err, &wrong):
		return usage(err)
	case err != nil:
		return unreachable(err)
	}
	r := &proof{program: p, asked: o, Verdict: verdictProven, Report: report}
	switch {
	case report.Breaches > 0:
		r.Verdict = verdictBroken
	case len(report.Findings) > 0:
		r.Verdict = verdictBypassed
	}
	if p.json {
		err = p.print(r)
	} else {
		r.show()
	}
	if code := map[string]int{verdictBroken: exitNo, verdictBypassed: exitBypassed}[r.Verdict]; err == nil && code != exitOK {
		err = &failure{code, nil}
	}
	return err
}

// mostFindings are shown to people of each of the two sorts.
const mostFindings = 20

func (r *proof) show() {
	fmt.Fprintln(r.stdout, r.bold(clean(r.Lane)))
	for _, l := range sayProof(r.Report, r.asked) {
		if r.Breaches > 0 && l.mark == serve.Good {
			l.mark = serve.Unproven // what was counted holds only if no breach is about it
		}
		r.line(l.mark, l.label, l.text, "")
	}
	breaches, others := r.Findings[:r.Breaches], r.Findings[r.Breaches:]
	r.list(headBreaches, serve.Bad, breaches)
	r.list(headOthers, serve.Warning, others)
	fmt.Fprintf(r.stdout, "\n%s\n", r.bold(sayVerdict(r.Report, r.asked)))
}

func (r *proof) list(heading string, mark serve.Mark, findings []verify.Finding) {
	if len(findings) == 0 {
		return
	}
	fmt.Fprintf(r.stdout, "\n%s\n", r.bold(heading))
	for i, f := range findings {
		if i == mostFindings {
			fmt.Fprintln(r.stdout, "  "+sayMoreFindings(len(findings)-i))
			return
		}
		r.line(mark, sayKind(f.Kind), f.Text, sayMendFinding(f, r.Report))
	}
}
