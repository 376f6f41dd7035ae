package vcs

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"lander/internal/queue"
)

// shut tells a push that failed without a word about its branches from one that the server would not even listen to, as that of an
// archived repository does, or one for credentials that may only read. It asks for what every push begins with; only the status of the
// answer counts. Nothing must have moved.
func (r *Repo) shut(ctx context.Context, pushErr error) error {
	var stale *staleError
	var denied *queue.DeniedError
	if pushErr == nil || errors.As(pushErr, &stale) || errors.As(pushErr, &denied) || authority(r.Remote) == "" {
		return pushErr
	}
	trace, err := r.greet(ctx, "GIT_TRACE_CURL", "GIT_TRACE_CURL_NO_DATA=1", "GIT_TRACE_REDACT=1")
	if err == nil {
		return pushErr // it listens by now
	}
	if status := lastStatus(trace); status == http.StatusForbidden || status == http.StatusUnauthorized {
		return &queue.DeniedError{Output: serverWords(pushErr, sayShut(status))}
	}
	return pushErr
}

// lastStatus is what the last answer in a trace of git's HTTP requests begins with; 0: there is none.
func lastStatus(trace string) (status int) {
	for line := range strings.Lines(trace) {
		_, header, ok := strings.Cut(line, "<= Recv header: HTTP/")
		if words := strings.Fields(header); ok && len(words) > 1 {
			if n, err := strconv.Atoi(words[1]); err == nil {
				status = n
			}
		}
	}
	return status
}
