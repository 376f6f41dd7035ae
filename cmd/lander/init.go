package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"lander/internal/config"
	"lander/internal/queue"
	"lander/internal/testrun"
)

func (p *program) initVerb() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "init [DIR]",
		Short: shortInit,
		Args:  arguments("[DIR]"),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return p.writePolicy(dir, force)
		},
	}
	c.Flags().BoolVar(&force, "force", false, usageForce)
	c.Flags().BoolVar(&p.json, "json", false, usageJSON)
	return c
}

func (p *program) writePolicy(dir string, force bool) error {
	path := filepath.Join(dir, queue.PolicyFile)
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		return no(errNoRepository(dir))
	}
	if _, err := os.Stat(path); err == nil && !force {
		return no(errPolicyThere(path))
	}
	recipe, why, ok := testrun.Habit(os.DirFS(dir))
	if err := os.WriteFile(path, config.SamplePolicy(recipe), 0o644); err != nil {
		return no(errPolicyUnwritten(path, err))
	}
	run := ""
	if ok {
		run = recipe.Steps[0].Run
	}
	if p.json {
		return p.print(map[string]any{"file": path, "recognised": ok, "run": run, "reason": why})
	}
	for _, line := range sayPolicyWritten(path, run, why, ok) {
		fmt.Fprintln(p.stdout, line)
	}
	return nil
}

func (p *program) policy() *cobra.Command {
	c := &cobra.Command{Use: "policy", Short: shortPolicy, Args: verbs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	check := &cobra.Command{
		Use:   "check [FILE]",
		Short: shortCheck,
		Args:  arguments("[FILE]"),
		RunE: func(_ *cobra.Command, args []string) error {
			path := queue.PolicyFile
			if len(args) > 0 {
				path = args[0]
			}
			return p.checkPolicy(path)
		},
	}
	check.Flags().BoolVar(&p.json, "json", false, usageJSON)
	c.AddCommand(check)
	return c
}

// problem is one thing wrong with a policy file, for programs. Line and column count from 1; 0 means no place.
type problem struct {
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Text   string `json:"text"`
}

func (p *program) checkPolicy(path string) error {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return no(errNoPolicy(path))
	case err != nil:
		return no(err)
	}
	policy, err := config.ParsePolicy(text)
	var wrong *config.PolicyError
	problems := []problem{}
	switch {
	case errors.As(err, &wrong):
		for _, w := range wrong.Problems {
			problems = append(problems, problem(w))
		}
	case err != nil:
		return no(err)
	case policy.Recipe.Empty():
		problems = append(problems, problem{Text: errPolicyEmpty(path).Error()})
	}
	if p.json {
		err := p.print(map[string]any{"file": path, "ok": len(problems) == 0, "problems": problems})
		if err == nil && len(problems) > 0 {
			err = no(nil)
		}
		return err
	}
	if wrong != nil {
		for _, w := range wrong.Problems {
			fmt.Fprintf(p.stderr, "%s: %s\n", path, w)
		}
		return no(nil)
	}
	if len(problems) > 0 {
		return no(errPolicyEmpty(path))
	}
	fmt.Fprintln(p.stdout, sayPolicyRight(path, policy))
	return nil
}
