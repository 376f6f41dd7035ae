package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"lander/internal/config"
)

// Exit statuses, the same for every verb.
const (
	exitOK          = 0
	exitNo          = 1 // what was asked did not come true
	exitUsage       = 2
	exitUnreachable = 3 // no server, no database
)

// program is what every verb works with.
type program struct {
	environ  []string
	env      map[string]string
	stdout   io.Writer
	stderr   io.Writer
	json     bool
	settings map[string]*[]string // flags of settings, by name
	config   string
}

// run is lander: it reads args and env, prints, and returns the exit status.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	p := &program{environ: environ, env: config.EnvMap(environ), stdout: stdout, stderr: stderr, settings: map[string]*[]string{}}
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
		// Cobra's own: an unknown verb or flag, a missing argument.
		failed = &failure{code: exitUsage, err: fmt.Errorf("%w\nsee: lander --help", err)}
	}
	if failed.err != nil {
		fmt.Fprintf(stderr, "lander: %s\n", strings.TrimSpace(failed.err.Error()))
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
		Short:         "The only committer to your trunk: tests exactly the commit that lands",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddCommand(
		p.serve(), p.demo(), p.initVerb(), p.status(), p.queue(), p.show(), p.why(), p.pause(), p.resume(), p.policy(), p.migrate(),
		p.version(), p.health(),
	)
	return root
}

// terminal reports whether w is a terminal that wants colour.
func (p *program) terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && p.env["NO_COLOR"] == "" && p.env["TERM"] != "dumb"
}
