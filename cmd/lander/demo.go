package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"lander/internal/demo"
)

// demoFlags are what the demo verb was asked for.
type demoFlags struct {
	headless, verbose       bool
	data, listen, hubListen string
	repo, branch, suite     string
	last                    int
	limit                   time.Duration
}

func (p *program) demo() *cobra.Command {
	var f demoFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "Everything on this machine, with no account: a playground to approve and watch in",
		Long: "Everything on this machine, with no account: a private Postgres, a small code host with a sample repository and pull\n" +
			"requests of every fate, and lander's pages. The addresses are printed; the browser is enough from there.\n\n" +
			"--headless plays the whole story by itself. --headless --repo DIR takes the newest commits of a repository of yours as\n" +
			"pull requests, lands them again one by one, and compares the trunk that comes out with the real one.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(c); err != nil {
				return usage(err)
			}
			dir, done, err := f.dir()
			if err != nil {
				return no(err)
			}
			defer done()
			o := demo.Options{Data: dir, Listen: f.listen, HubListen: f.hubListen, Log: p.demoLog(f, dir)}
			switch {
			case f.repo != "":
				return p.replay(c.Context(), o, f)
			case f.headless:
				return p.play(c.Context(), o, f)
			}
			return p.playground(c.Context(), o)
		},
	}
	c.Flags().BoolVar(&f.headless, "headless", false, "play the story without anybody's help; exit 0 only if each met its fate")
	c.Flags().StringVar(&f.data, "data", "", "where everything is kept (default: a directory that is deleted at the end)")
	c.Flags().StringVar(&f.listen, "listen", "", "address of lander's pages (default: 127.0.0.1:8080; headless: any free port)")
	c.Flags().StringVar(&f.hubListen, "hub-listen", "", "address of the playground (default: 127.0.0.1:8081; headless: any free port)")
	c.Flags().StringVar(&f.repo, "repo", "", "with --headless: a local git repository whose history is landed again")
	c.Flags().StringVar(&f.branch, "branch", "", "with --repo: the branch (default: what its HEAD is on)")
	c.Flags().IntVar(&f.last, "last", 50, "with --repo: how many first-parent commits")
	c.Flags().StringVar(&f.suite, "suite", "", "with --repo: the command that tests a commit, as in 'go test ./...'")
	c.Flags().DurationVar(&f.limit, "limit", time.Hour, "with --headless: give up after this long")
	c.Flags().BoolVar(&f.verbose, "verbose", false, "show the log on the terminal too")
	c.Flags().BoolVar(&p.json, "json", false, "with --headless: print one JSON object")
	return c
}

func (f demoFlags) check(c *cobra.Command) error {
	switch {
	case f.repo != "" && !f.headless:
		return errors.New("--repo needs --headless")
	case f.repo != "" && f.suite == "":
		return errors.New("--repo needs --suite COMMAND: nothing lands untested; --suite true tests nothing")
	case f.repo == "" && (f.suite != "" || f.branch != "" || c.Flags().Changed("last")):
		return errors.New("--suite, --branch and --last need --repo DIR")
	case f.last < 1:
		return errors.New("--last must be 1 or more")
	case c.Flags().Changed("json") && !f.headless:
		return errors.New("--json needs --headless")
	}
	return nil
}

// dir is where the demo keeps everything, and what is to be done about it at the end.
func (f *demoFlags) dir() (dir string, done func(), err error) {
	if !f.headless {
		if f.listen == "" {
			f.listen = "127.0.0.1:8080"
		}
		if f.hubListen == "" {
			f.hubListen = "127.0.0.1:8081"
		}
	}
	if f.data != "" {
		dir, err = filepath.Abs(f.data)
		if err == nil {
			err = os.MkdirAll(dir, 0o755)
		}
		return dir, func() {}, err
	}
	dir, err = os.MkdirTemp("", "lander-demo-")
	if err == nil {
		// Under root Postgres runs as another user, who must be able to walk here.
		err = os.Chmod(dir, 0o755)
	}
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// demoLog writes the log to a file in the data directory, so that the terminal stays readable.
func (p *program) demoLog(f demoFlags, dir string) zerolog.Logger {
	var out io.Writer
	file, err := os.OpenFile(filepath.Join(dir, "lander.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	switch {
	case f.verbose:
		out = zerolog.ConsoleWriter{Out: p.stderr, TimeFormat: "15:04:05.000", NoColor: !p.terminal(p.stderr)}
	case err == nil:
		out = file
	default:
		out = io.Discard
	}
	return zerolog.New(out).With().Timestamp().Logger()
}

// playground runs until it is interrupted.
func (p *program) playground(ctx context.Context, o demo.Options) error {
	pg, err := demo.Open(ctx, o)
	if err != nil {
		return no(err)
	}
	fmt.Fprintf(p.stdout, `
%s is up. Nothing here leaves this machine.

  The playground  %s
      a small code host with pull requests: open one, press Approve
  lander          %s
      what lands next, what waits and why

  You are %s, a maintainer; "You are" at the top of each page makes you somebody else.
  Also:  lander queue --watch --data %s
         lander pause --reason 'trying it' --data %s
  The log is %s.

Press Ctrl-C to end it.
`, bold(p, "lander's playground"), pg.HubURL, pg.URL, pg.You, o.Data, o.Data, filepath.Join(o.Data, "lander.log"))
	err = pg.Wait(ctx)
	fmt.Fprintln(p.stdout, "\nEnding…")
	if closeErr := pg.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return no(err)
	}
	return nil
}

// play plays the story.
func (p *program) play(ctx context.Context, o demo.Options, f demoFlags) error {
	ctx, cancel := context.WithTimeoutCause(ctx, f.limit, fmt.Errorf("it took longer than --limit %s", f.limit))
	defer cancel()
	began := time.Now()
	r, err := demo.Play(ctx, o, func(line string) {
		if !p.json {
			fmt.Fprintf(p.stdout, "%6.1f s  %s\n", time.Since(began).Seconds(), line)
		}
	})
	if err != nil {
		return no(err)
	}
	if p.json {
		err = p.printLine(r)
	} else {
		p.tellFates(r)
	}
	if err == nil && !r.OK {
		err = no(nil)
	}
	return err
}

func (p *program) tellFates(r demo.Result) {
	fmt.Fprintln(p.stdout)
	t := p.table()
	t.row("", "CHANGE", "TITLE", "FATE", "COMMIT", "WHY")
	landed := 0
	for _, f := range r.Fates {
		mark := "ok"
		if !f.Met {
			mark = "WRONG"
			f.Reason = "expected: " + f.Expected + "; " + f.Reason
		}
		commit := f.Commit
		if len(commit) > 8 {
			commit = commit[:8]
			landed++
		}
		t.row(mark, fmt.Sprintf("#%d", f.Number), f.Title, f.Actual, commit, f.Reason)
	}
	t.flush()
	fmt.Fprintf(p.stdout, "\n%d pull requests, %d landed, in %.1f s. Trunk stands on %s.\n", len(r.Fates), landed, r.Seconds, r.Trunk)
	for _, w := range r.Wrong {
		fmt.Fprintln(p.stdout, "WRONG: "+w)
	}
	if r.OK {
		fmt.Fprintln(p.stdout, "Each met its fate.")
	}
}

// replay lands a history again.
func (p *program) replay(ctx context.Context, o demo.Options, f demoFlags) error {
	ctx, cancel := context.WithTimeoutCause(ctx, f.limit, fmt.Errorf("it took longer than --limit %s", f.limit))
	defer cancel()
	live := p.terminal(p.stderr)
	said := -1
	r, err := demo.Replay(ctx, o, demo.ReplayOptions{Repo: f.repo, Branch: f.branch, Last: f.last, Suite: f.suite}, func(at demo.Progress) {
		switch {
		case at.Of == 0:
			fmt.Fprintln(p.stderr, at.Now+"…")
		case live:
			const width = 30
			full := width * at.Landed / at.Of
			fmt.Fprintf(p.stderr, "\r\x1b[K%s%s %d of %d landed, %.0f a minute, %s left", strings.Repeat("█", full), strings.Repeat("░", width-full),
				at.Landed, at.Of, at.PerMinute, at.Left.Round(time.Second))
		case at.Landed/10 != said:
			said = at.Landed / 10
			fmt.Fprintf(p.stderr, "%d of %d landed, %.0f a minute, %s left\n", at.Landed, at.Of, at.PerMinute, at.Left.Round(time.Second))
		}
	})
	if live {
		fmt.Fprintln(p.stderr)
	}
	if err != nil {
		return no(err)
	}
	if p.json {
		err = p.printLine(r)
	} else {
		p.tellReplay(r)
	}
	if err == nil && (!r.TreeEqual || r.Landed != r.Of) {
		err = no(nil)
	}
	return err
}

func (p *program) tellReplay(r demo.Replayed) {
	fmt.Fprintf(p.stdout, "%d of %d landed in %.1f s; from one to the next %.0f ms (median), %.0f ms (95 of 100).\n", r.Landed, r.Of, r.Seconds, r.PerLanding.P50, r.PerLanding.P95)
	if r.Merges > 0 {
		fmt.Fprintf(p.stdout, "%d were merges, landed commit by commit; %d of those had been mended by hand and were landed as one commit.\n", r.Merges, r.Remade)
	}
	for _, l := range r.Left {
		fmt.Fprintf(p.stdout, "#%d %s: %s: %s\n", l.Number, l.Title, l.Actual, l.Reason)
	}
	switch {
	case r.SameCommit:
		fmt.Fprintf(p.stdout, "Trunk came out as the very same commit, %s.\n", r.Trunk)
	case r.TreeEqual:
		fmt.Fprintf(p.stdout, "Trunk came out with the very same files, at %s.\n", r.Trunk)
	default:
		fmt.Fprintf(p.stdout, "Trunk came out different. The first difference: %s\n", r.Difference)
	}
}
