package vcs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"lander/internal/queue"
)

// Land moves trunk on the remote from Old to New, if it still stands at Old and New is a strict descendant of Old, and
// reads it back. It answers queue.ErrMoved when trunk stands elsewhere and *queue.DeniedError when the server refuses.
// After any other error, a cancelled context among them, trunk may have moved all the same: look before giving up.
func (r *Repo) Land(ctx context.Context, req queue.LandRequest) error {
	err := r.land(ctx, req)
	if err != nil {
		return fmt.Errorf("land %s: %w", req.New.Short(), err)
	}
	return nil
}

func (r *Repo) land(ctx context.Context, req queue.LandRequest) error {
	ref, err := branchRef(req.Trunk)
	if err != nil {
		return err
	}
	if err := full(req.Old, req.New); err != nil {
		return err
	}
	above, err := r.Contains(ctx, req.New, req.Old)
	if err != nil {
		return err
	}
	if !above || req.New == req.Old {
		return fmt.Errorf("not a descendant of %s", req.Old.Short())
	}
	pushErr := r.push(ctx, update{ref: ref, old: req.Old, new: req.New})
	if ctx.Err() != nil {
		return pushErr
	}
	tip, err := r.Tip(ctx, req.Trunk)
	if err != nil {
		return errors.Join(pushErr, err)
	}
	switch {
	case tip == req.New:
		return nil
	case pushErr == nil:
		return r.readBack(ctx, req)
	case tip != req.Old:
		return fmt.Errorf("%w to %s", queue.ErrMoved, tip.Short())
	}
	return pushErr
}

// readBack looks whether a trunk that has moved on since an accepted push still contains what was pushed.
func (r *Repo) readBack(ctx context.Context, req queue.LandRequest) error {
	tip, err := r.Fetch(ctx, req.Trunk)
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	within, err := r.Contains(ctx, tip, req.New)
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	if !within {
		return fmt.Errorf("read back: the push was accepted, but trunk stands at %s without it", tip.Short())
	}
	return nil
}

// update moves one ref of the remote by compare-and-swap.
type update struct {
	ref string // full name
	old queue.SHA
	new queue.SHA
}

// push makes all updates or none.
func (r *Repo) push(ctx context.Context, updates ...update) error {
	args := []string{"push", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", "--no-recurse-submodules"}
	if len(updates) > 1 {
		args = append(args, "--atomic")
	}
	for _, u := range updates {
		args = append(args, "--force-with-lease="+u.ref+":"+string(u.old))
	}
	args = append(args, "--", r.Remote)
	for _, u := range updates {
		args = append(args, string(u.new)+":"+u.ref)
	}
	out, err := r.remote(ctx, r.git(), args...)
	if err == nil {
		return nil
	}
	if reason, ok := refusal(out); ok {
		return &queue.DeniedError{Output: serverWords(err, reason)}
	}
	return err
}

// refusal finds the server's refusal of a ref in git push --porcelain: "!", the refs, and the summary, tab separated.
func refusal(out []byte) (string, bool) {
	for line := range bytes.Lines(out) {
		fields := strings.SplitN(strings.TrimSpace(string(line)), "\t", 3)
		if len(fields) == 3 && fields[0] == "!" && strings.HasPrefix(fields[2], "[remote rejected]") {
			return strings.TrimSpace(strings.TrimPrefix(fields[2], "[remote rejected]")), true
		}
	}
	return "", false
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
