package serve

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"time"

	"lander/internal/forge"
	"lander/internal/queue"
	"lander/internal/vcs"
)

// noRoom is how much a disk has left when every error is taken for its fault, in bytes.
const noRoom = mega

// askLimit bounds how long the git server is asked whether it is there.
const askLimit = 10 * time.Second

// diagnose finds what an operator has to mend where err keeps a lane from going on: the disk, then the forge, then the git server.
func (r *Rooms) diagnose(repo *repository, l queue.Lane) func(context.Context, error) string {
	return func(ctx context.Context, err error) string {
		if at, left := fullest(r.Settings.DataDir); errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || at != "" && left.room() < noRoom {
			return sayFull(at, left)
		}
		var denied *forge.DeniedError
		switch {
		case errors.As(err, &denied):
			return sayForgeRefuses(oneLine(denied))
		case forge.Temporary(err):
			words, _, _ := strings.Cut(err.Error(), "\n") // of errors that were joined, the first
			return sayForgeAway(words)
		}
		var git *vcs.ExitError
		if !errors.As(err, &git) {
			return ""
		}
		ctx, cancel := context.WithTimeout(ctx, askLimit)
		defer cancel()
		if _, err := repo.mirror.Tip(ctx, l.Trunk); errors.As(err, &git) || errors.Is(err, context.DeadlineExceeded) {
			return sayGitAway(lastWords(err))
		}
		return ""
	}
}

// lastWords is the last line of what git said, or else the error.
func lastWords(err error) string {
	var git *vcs.ExitError
	if errors.As(err, &git) && git.Stderr != "" {
		lines := strings.Split(git.Stderr, "\n")
		return strings.TrimPrefix(lines[len(lines)-1], "fatal: ")
	}
	return oneLine(err)
}
