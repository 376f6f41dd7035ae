package vcs

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"strings"

	"lander/internal/queue"
)

// update moves one ref of the remote by compare-and-swap.
type update struct {
	ref string // full name
	old queue.SHA
	new queue.SHA
}

// staleError says that git itself refused a push, because a ref is not where it should be.
type staleError struct{ reason string }

func (e *staleError) Error() string { return "push refused: " + e.reason }

// push makes all updates of the remote or none. Refused by its server it answers *queue.DeniedError, by a lease *staleError.
func (r *Repo) push(ctx context.Context, updates ...update) error {
	return r.pushTo(ctx, r.Remote, updates...)
}

func (r *Repo) pushTo(ctx context.Context, remote string, updates ...update) error {
	var how []string
	if len(updates) > 1 {
		how = append(how, "--atomic")
	}
	return r.pushHow(ctx, how, remote, updates)
}

// pushEach makes each update by itself, or not.
func (r *Repo) pushEach(ctx context.Context, remote string, updates []update) error {
	return r.pushHow(ctx, nil, remote, updates)
}

func (r *Repo) pushHow(ctx context.Context, how []string, remote string, updates []update) error {
	args := append([]string{"push", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", "--no-recurse-submodules"}, how...)
	for _, u := range updates {
		args = append(args, "--force-with-lease="+u.ref+":"+string(u.old))
	}
	args = append(args, "--", remote)
	for _, u := range updates {
		args = append(args, string(u.new)+":"+u.ref)
	}
	out, err := r.remote(ctx, r.git(), args...)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return refusal(out, err)
}

// refusal finds in git push --porcelain what became of the refs: "!", the refs, and the summary, tab separated. A ref whose fate the
// server did not tell leaves the error as it is.
func refusal(out []byte, err error) error {
	var denied, stale error
	for line := range bytes.Lines(out) {
		fields := strings.SplitN(strings.TrimSpace(string(line)), "\t", 3)
		if len(fields) != 3 || fields[0] != "!" {
			continue
		}
		kind, reason, _ := strings.Cut(fields[2], "]")
		reason = strings.TrimSpace(reason)
		switch kind {
		case "[remote rejected":
			if denied == nil {
				denied = &queue.DeniedError{Output: serverWords(err, reason)}
			}
		case "[rejected":
			stale = &staleError{reason: fields[1] + " " + reason}
		default:
			return err
		}
	}
	return cmp.Or(denied, stale, err)
}

// serverWords are the lines that the server sent along, or else the reason in git's own words.
func serverWords(err error, reason string) string {
	var exit *ExitError
	var words []string
	if errors.As(err, &exit) {
		for line := range strings.Lines(exit.Stderr) {
			if text, ok := strings.CutPrefix(line, "remote: "); ok {
				words = append(words, strings.TrimSpace(text))
			}
		}
	}
	return printable(strings.TrimSpace(strings.Join(append(words, reason), "\n")))
}
