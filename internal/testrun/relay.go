//go:build unix

package testrun

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"lander/internal/queue"
)

// Relay is the log here of a run that takes place elsewhere. What comes from there is bounded, and rid of secrets, as if it had run here.
type Relay struct {
	runner     *Runner
	id         string
	transcript *transcript
	secrets    *redactor
}

// Relay begins the log of a run that takes place elsewhere, or goes on with it. Nobody else writes it until Close.
func (r *Runner) Relay(id string, goesOn bool) (*Relay, error) {
	if !safeID(id) {
		return nil, fmt.Errorf("make log of run %q: its ID cannot be a file name", id)
	}
	t, err := r.begin(id, goesOn)
	if err != nil {
		return nil, fmt.Errorf("make log of run %q: %w", id, err)
	}
	return &Relay{runner: r, id: id, transcript: t, secrets: newRedactor(r.Secrets)}, nil
}

// Write adds what the log elsewhere has, in any pieces.
func (l *Relay) Write(p []byte) (int, error) {
	if shown := l.secrets.add(p); len(shown) > 0 {
		if err := l.transcript.output(shown); err != nil {
			return 0, fmt.Errorf("write log of run %q: %w", l.id, err)
		}
	}
	return len(p), nil
}

// Line adds a line of lander's own.
func (l *Relay) Line(text string) error {
	var rest error
	if kept := l.secrets.rest(); len(kept) > 0 {
		rest = l.transcript.output(kept)
	}
	if err := errors.Join(rest, l.transcript.line(l.secrets.all(text))); err != nil {
		return fmt.Errorf("write log of run %q: %w", l.id, err)
	}
	return nil
}

// Close ends it.
func (l *Relay) Close() error {
	var rest error
	if kept := l.secrets.rest(); len(kept) > 0 {
		rest = l.transcript.output(kept)
	}
	if err := errors.Join(rest, l.runner.finish(l.id, l.transcript)); err != nil {
		return fmt.Errorf("finish log of run %q: %w", l.id, err)
	}
	return nil
}

// Mirror gives send a run's log as it comes, in pieces of at most size bytes, at most every so often where they are smaller, until
// the run is over or send fails; its error is that of send. It may be called before the run begins; over closes when Run has returned.
func (r *Runner) Mirror(ctx context.Context, id string, over <-chan struct{}, size int, every time.Duration, send func([]byte) error) error {
	file, err := r.await(ctx, id, over)
	if file == nil || err != nil {
		return err
	}
	defer file.Close()
	piece := make([]byte, size)
	for last := false; ; {
		n := 0
		for n < len(piece) {
			got, err := file.Read(piece[n:])
			if n += got; got == 0 || err != nil { // at its end, for now; a file of our own has no other trouble that would pass
				break
			}
		}
		if n > 0 {
			if err := send(piece[:n:n]); err != nil {
				return err
			}
		}
		switch {
		case n == len(piece):
			continue
		case last:
			return nil
		}
		timer := time.NewTimer(every)
		select {
		case <-over:
			last = true
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		timer.Stop()
	}
}

// await opens a log as soon as it is there; nil: the run ended without one.
func (r *Runner) await(ctx context.Context, id string, over <-chan struct{}) (*os.File, error) {
	const often = 20 * time.Millisecond
	for last := false; ; {
		file, err := r.Open(id)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
		if last {
			return nil, nil
		}
		timer := time.NewTimer(often)
		select {
		case <-over:
			last = true
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Forget removes a run's log, which has been told elsewhere.
func (r *Runner) Forget(id string) error {
	if !safeID(id) {
		return nil
	}
	if err := os.Remove(r.logPath(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove log of run %q: %w", id, err)
	}
	return nil
}

// Bounds of what a verdict from elsewhere may say.
const (
	mostSaid  = 4000 // characters of one sentence
	mostNamed = 10_000
)

// Adopt makes a verdict from elsewhere one of our own: its texts are rid of secrets and of what is not text, and bounded. The error says
// that it cannot be one.
func (r *Runner) Adopt(v queue.Verdict) (queue.Verdict, error) {
	known := []queue.Outcome{queue.Unmeasured, queue.Green, queue.Red, queue.TimedOut, queue.Infra}
	switch {
	case !slices.Contains(known, v.Outcome):
		return v, fmt.Errorf("adopt verdict: the outcome %.20q is none that a run can have", v.Outcome)
	case len(v.Steps) > mostNamed || len(v.Optional) > mostNamed || len(v.Failed) > mostNamed || len(v.Asked) > mostNamed || len(v.Tail) > mostNamed:
		return v, errors.New("adopt verdict: it names more than a run can")
	case v.Took < 0 || v.Took > 48*time.Hour:
		return v, fmt.Errorf("adopt verdict: it took %s", v.Took)
	}
	secrets := newRedactor(r.Secrets)
	bounded := func(s string) string {
		if runes := []rune(s); len(runes) > mostSaid {
			s = string(runes[:mostSaid-1]) + "…"
		}
		return s
	}
	line := func(s string) string {
		return bounded(strings.NewReplacer("\n", " ", "\r", " ").Replace(secrets.all(plain([]byte(s)))))
	}
	// What runs again is looked for by these: they stay as they are.
	name := func(s string) string { return bounded(secrets.all(strings.ToValidUTF8(s, "\uFFFD"))) }
	each := func(all []string, made func(string) string) []string {
		all = slices.Clone(all)
		for i := range all {
			all[i] = made(all[i])
		}
		return all
	}
	v.Reason, v.Tail, v.Failed, v.Asked = line(v.Reason), each(v.Tail, line), each(v.Failed, name), each(v.Asked, name)
	v.Environment = line(v.Environment)
	// These are not for whoever runs the commands to say.
	v.Reused, v.Check, v.Unstarted = nil, nil, false
	for _, s := range slices.Concat(v.Steps, v.Optional) {
		if s.Skipped != "" {
			return v, fmt.Errorf("adopt verdict: step %.100q was not its to leave out", s.Name)
		}
		if s.Took < 0 {
			return v, fmt.Errorf("adopt verdict: step %.100q took %s", s.Name, s.Took)
		}
	}
	return v, nil
}
