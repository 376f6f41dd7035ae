// Command lander is the bot that is the only committer to a team's trunk.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/store/embedded"
)

func main() {
	embedded.Supervise()
	os.Exit(start(os.Args[1:]))
}

// start runs lander until it is done, or is told to end: once for a clean end, a second time to end at once.
func start(args []string) int {
	zerolog.TimeFieldFormat = time.RFC3339Nano
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // under nohup it is
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, args, os.Environ(), os.Stdout, os.Stderr)
}
