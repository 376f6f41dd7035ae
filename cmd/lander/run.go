package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"lander/internal/config"
)

// Exit statuses, the same for every verb.
const (
	exitOK          = 0
	exitNo          = 1 // what was asked did not come true
	exitUsage       = 2
	exitUnreachable = 3 // no server, no database; for verify: nothing that could be proven
	exitBypassed    = 4 // of verify alone: what lander did is proven, but others moved trunk too
)

// program is what every verb works with.
type program struct {
	env    map[string]string
	stdout io.Writer
	stderr io.Writer
	json   bool
	config string
}

// run is lander: it reads args and env, prints, and returns the exit status.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	p := &program{env: config.EnvMap(environ), stdout: stdout, stderr: stderr}
	root := p.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var failed *failure
	if !errors.As(err, &failed) {
		failed = &failure{code: exitNo, err: err} // what was to be printed could not be
	}
	if ctx.Err() != nil && !errors.Is(failed.err, errInterrupted) { // a verb may say itself what that comes to
		failed.code = exitNo
		if failed.err != nil { // whatever it was, it comes from that
			failed.err = errInterrupted
		}
	}
	if failed.err != nil {
		fmt.Fprintln(stderr, sayFailure(failed.err))
	}
	return failed.code
}

// failure is an error with the exit status it leads to. A nil err is a failure that has been told already.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string {
	if f.err == nil {
		return "failed"
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

func no(err error) error          { return &failure{exitNo, err} }
func usage(err error) error       { return &failure{exitUsage, err} }
func unreachable(err error) error { return &failure{exitUnreachable, err} }

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "lander",
		Short:         shortRoot,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          verbs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetVersionTemplate(sayVersion(version) + "\n")
	root.SetFlagErrorFunc(wrongFlag)
	root.CompletionOptions.DisableDefaultCmd = true
	for _, g := range []struct {
		title string
		verbs []*cobra.Command
	}{
		{groupRun, []*cobra.Command{p.demo(), p.serve(), p.worker(), p.migrate(), p.doctor()}},
		{groupLook, []*cobra.Command{p.status(), p.queue(), p.show(), p.why(), p.logVerb(), p.repro(), p.flakes(), p.verify(), p.simulate()}},
		{groupOrder, []*cobra.Command{p.pause(), p.resume()}},
		{groupRepository, []*cobra.Command{p.initVerb(), p.policy()}},
		{groupMore, []*cobra.Command{p.completion(), p.version(), p.health()}},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, c := range g.verbs {
			c.GroupID = g.title
			root.AddCommand(c)
		}
	}
	root.SetHelpCommandGroupID(groupMore)
	return root
}

// The verbs stand in the order in which they are needed. It is a setting of the whole program, and run may run side by side.
func init() { cobra.EnableCommandSorting = false }
