package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"lander/internal/demo"
	"lander/internal/serve"
)

// demoFlags are what the demo verb was asked for.
type demoFlags struct {
	headless, verbose, resume bool
	data, listen, hubListen   string
	repo, branch, suite       string
	last                      int
	limit                     time.Duration
}

func (p *program) demo() *cobra.Command {
	var f demoFlags
	c := &cobra.Command{
		Use:     "demo",
		Short:   shortDemo,
		Long:    longDemo,
		Example: exampleDemo,
		Args:    arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(c); err != nil {
				return usage(err)
			}
			dir, done, err := f.dir()
			defer done()
			if err != nil {
				return no(errDemoDir(f.data, err))
			}
			log, end := p.demoLog(f, dir)
			defer end()
			o := demo.Options{Data: dir, Listen: f.listen, HubListen: f.hubListen, Log: log, Resume: f.resume, Say: func(line string) { fmt.Fprintln(p.stderr, line) }}
			switch {
			case f.repo != "":
				err = p.replay(c.Context(), o, f)
			case f.headless:
				err = p.play(c.Context(), o, f)
			default:
				err = p.playground(c.Context(), o, f)
			}
			var away *serve.DatabaseError
			var told *failure
			switch {
			case err == nil || errors.As(err, &told):
				return err
			case errors.As(err, &away):
				return unreachable(err)
			}
			return no(err)
		},
	}
	c.Flags().BoolVar(&f.headless, "headless", false, usageHeadless)
	c.Flags().StringVar(&f.data, "data", "", usageData)
	c.Flags().StringVar(&f.listen, "listen", "", usageListen)
	c.Flags().StringVar(&f.hubListen, "hub-listen", "", usageHubListen)
	c.Flags().BoolVar(&f.resume, "resume", false, usageResume)
	c.Flags().StringVar(&f.repo, "repo", "", usageRepo)
	c.Flags().StringVar(&f.branch, "branch", "", usageBranch)
	c.Flags().IntVar(&f.last, "last", 50, usageLast)
	c.Flags().StringVar(&f.suite, "suite", "", usageSuite)
	c.Flags().DurationVar(&f.limit, "limit", time.Hour, usageLimit)
	c.Flags().BoolVar(&f.verbose, "verbose", false, usageVerbose)
	c.Flags().BoolVar(&p.json, "json", false, usageDemoJSON)
	return c
}

func (f demoFlags) check(c *cobra.Command) error {
	switch given := c.Flags().Changed; {
	case f.resume && (!f.headless || f.data == "" || f.repo != ""):
		return errResumeAlone
	case f.repo != "" && !f.headless:
		return errRepoAlone
	case f.repo != "" && f.suite == "":
		return errNoSuite
	case f.repo == "" && (given("repo") || given("suite") || given("branch") || given("last")):
		return errNeedRepo
	case f.last < 1:
		return errLast
	case f.limit <= 0:
		return errLimit
	case given("limit") && !f.headless:
		return errLimitAlone
	case given("json") && !f.headless:
		return errJSONAlone
	}
	return nil
}

// dir is where the demo keeps everything, and what is to be done about it at the end. done is never nil.
func (f *demoFlags) dir() (dir string, done func(), err error) {
	done = func() {}
	if !f.headless {
		f.listen, f.hubListen = usual(f.listen, "127.0.0.1:8080"), usual(f.hubListen, "127.0.0.1:8081")
	}
	if f.data != "" {
		if dir, err = filepath.Abs(f.data); err == nil {
			err = os.MkdirAll(dir, 0o755)
		}
		return dir, done, err
	}
	if dir, err = os.MkdirTemp("", "lander-demo-"); err != nil {
		f.data = os.TempDir()
		return dir, done, err
	}
	// Under root Postgres runs as another user, who must be able to walk here.
	return dir, func() { _ = os.RemoveAll(dir) }, os.Chmod(dir, 0o755)
}

// usual is the address that was given, else the one that is easy to remember, else, when that is taken, any.
func usual(given, address string) string {
	if given != "" {
		return given
	}
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return ""
	}
	if err == nil {
		_ = l.Close()
	}
	return address
}

// demoLog writes the log to a file in the data directory, so that the terminal stays readable.
func (p *program) demoLog(f demoFlags, dir string) (log zerolog.Logger, end func()) {
	out := io.Discard // what was to be seen is still seen where the log cannot be written
	end = func() {}
	if f.verbose {
		out = zerolog.ConsoleWriter{Out: p.stderr, TimeFormat: "15:04:05.000", NoColor: !p.styled(p.stderr)}
	} else if file, err := os.OpenFile(filepath.Join(dir, "lander.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err == nil {
		out, end = file, func() { _ = file.Close() }
	}
	return zerolog.New(out).With().Timestamp().Logger(), end
}

// playground runs until it is interrupted.
func (p *program) playground(ctx context.Context, o demo.Options, f demoFlags) error {
	fmt.Fprintln(p.stdout, sayStarting)
	pg, err := demo.Open(ctx, o)
	if err != nil {
		return err
	}
	fmt.Fprint(p.stdout, p.sayPlayground(pg, o.Data, f.data != ""))
	err = pg.Wait(ctx)
	fmt.Fprintln(p.stdout, sayEnding)
	err = errors.Join(err, pg.Close())
	if err == nil && f.data != "" {
		fmt.Fprintln(p.stdout, sayKept(f.data))
	}
	return err
}
