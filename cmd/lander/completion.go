package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lander/internal/web"
)

var shells = []string{"bash", "zsh", "fish"}

func (p *program) completion() *cobra.Command {
	return &cobra.Command{
		Use:                   "completion bash|zsh|fish",
		Short:                 shortComplete,
		Long:                  longComplete,
		Args:                  arguments("bash|zsh|fish"),
		ValidArgs:             shells,
		DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return c.Root().GenBashCompletionV2(p.stdout, true)
			case "zsh":
				return c.Root().GenZshCompletion(p.stdout)
			case "fish":
				return c.Root().GenFishCompletion(p.stdout, true)
			}
			return usage(errShell(args[0]))
		},
	}
}

// completing bounds how long a shell waits for names from a running lander.
const completing = 2 * time.Second

// completeLanes offers the lanes of the lander that the flags so far mean. One that does not answer offers nothing.
func (p *program) completeLanes(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return p.names(c, func(ctx context.Context, cl *client) (names []string) {
		all, err := cl.lanes(ctx)
		for _, l := range all {
			names = append(names, l.Lane)
		}
		if err != nil {
			return nil
		}
		return names
	})
}

// completeNumbers offers the pull requests of the lane.
func (p *program) completeNumbers(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return p.names(c, func(ctx context.Context, cl *client) (names []string) {
		lane, err := cl.lane(ctx, c, "")
		if err != nil {
			return nil
		}
		var v web.QueueView
		if cl.call(ctx, http.MethodGet, "/api/v1/queue", laneQuery(lane), nil, &v) != nil {
			return nil
		}
		for _, s := range append(append(v.Queued, v.Recent...), v.Idle...) {
			names = append(names, strings.TrimPrefix(s.Number.String(), "#")+"\t"+clean(s.Title))
		}
		return names
	})
}

func (p *program) names(c *cobra.Command, ask func(context.Context, *client) []string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(c.Context(), completing)
	defer cancel()
	cl, err := p.client(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return ask(ctx, cl), cobra.ShellCompDirectiveNoFileComp
}
