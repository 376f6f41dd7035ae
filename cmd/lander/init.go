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
		Short: "Write a " + queue.PolicyFile + " that says how this repository is tested",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			path := filepath.Join(dir, queue.PolicyFile)
			if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
				return no(fmt.Errorf("%s is not the top of a git repository; go there, or name it: lander init DIR", dir))
			}
			if _, err := os.Stat(path); err == nil && !force {
				return no(fmt.Errorf("%s is there already; --force writes it anew", path))
			}
			recipe, why, ok := testrun.Habit(os.DirFS(dir))
			if err := os.WriteFile(path, config.SamplePolicy(recipe), 0o644); err != nil {
				return no(err)
			}
			fmt.Fprintf(p.stdout, "Wrote %s.\n", path)
			if !ok {
				fmt.Fprintln(p.stdout, "How this repository is tested could not be told from its files: put the commands under suite. Nothing lands untested.")
				return nil
			}
			fmt.Fprintf(p.stdout, "It is tested by %q, because %s.\nLook at it, then commit it to trunk: it is read from there only.\n", recipe.Steps[0].Run, why)
			return nil
		},
	}
	c.Flags().BoolVar(&force, "force", false, "overwrite the file that is there")
	return c
}

func (p *program) policy() *cobra.Command {
	c := &cobra.Command{Use: "policy", Short: "Work with policy files", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(&cobra.Command{
		Use:   "check [FILE]",
		Short: "Say what is wrong with a policy file",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := queue.PolicyFile
			if len(args) > 0 {
				path = args[0]
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return no(err)
			}
			policy, err := config.ParsePolicy(text)
			if err != nil {
				return no(fmt.Errorf("%s: %w", path, err))
			}
			if policy.Recipe.Empty() {
				return no(errors.New(path + " names no suite, and nothing lands untested: put steps under suite"))
			}
			fmt.Fprintf(p.stdout, "%s is right: %d steps, %d approvals, style %s.\n", path, len(policy.Recipe.Steps), policy.Approvals, policy.Style)
			return nil
		},
	})
	return c
}
