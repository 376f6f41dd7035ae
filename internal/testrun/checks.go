//go:build unix

package testrun

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/queue"
)

// Elsewhere is where checks are run: the repository on its forge.
type Elsewhere interface {
	// Offer makes a branch stand at a commit, and pushes nothing where it does. queue.ErrMoved and *queue.DeniedError say that it never will.
	Offer(ctx context.Context, branch string, sha queue.SHA) error
	// Retract deletes the branch where it stands at that commit.
	Retract(ctx context.Context, branch string, sha queue.SHA) error
	// CheckRuns lists all that was told of a commit's checks. queue.ErrHidden says that lander may not know.
	CheckRuns(ctx context.Context, sha queue.SHA) ([]queue.CheckRun, error)
	// RunAgain asks for a check to be run again on the same commit; queue.ErrNoRerun: that is not to be had.
	RunAgain(ctx context.Context, r queue.CheckRef) error
}

const (
	usualCheckEvery = 30 * time.Second
	retractLimit    = 30 * time.Second
	refusedLimit    = 5 * time.Minute // for which the forge may refuse to show checks before that is told
)

// Nudge has the runs that wait for checks look at once. It carries no data; a lost one costs time only.
func (r *Runner) Nudge() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.nudge != nil {
		close(r.nudge)
	}
	r.nudge, r.resting = nil, 0
}

// Resting is how many runs only wait for checks and have looked since the last Nudge, for tests.
func (r *Runner) Resting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.resting
}

// nudged closes at the next Nudge.
func (r *Runner) nudged() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.nudge == nil {
		r.nudge = make(chan struct{})
	}
	return r.nudge
}

// rest waits for a Nudge that came since nudged was asked for, or for a while.
func (r *Runner) rest(ctx context.Context, nudged <-chan struct{}, d time.Duration) {
	count := func(n int) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.nudge == nudged {
			r.resting += n
		}
	}
	count(1)
	defer count(-1)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-nudged:
	case <-timer.C:
	}
}

// withChecks tests a candidate by its checks, and by its suite beside them if it has one. Whichever is not green first ends the other.
func (r *Runner) withChecks(ctx context.Context, job Job) queue.Verdict {
	began := r.now()
	log := r.Log.With().Str("run", job.ID).Stringer("lane", job.Lane).Str("candidate", string(job.Candidate)).Logger()
	fault := func(doing string, err error) queue.Verdict {
		v := Judge(job.Recipe, nil, Ending{How: Faulted, Fault: sayFault(doing, err)})
		log.Error().Str("reason", v.Reason).Msg("run could not start")
		return v
	}
	if !safeID(job.ID) {
		return fault("start run", errors.New("its ID cannot be a file name"))
	}
	t, err := r.begin(job.ID, job.Resumed)
	if err != nil {
		return fault("make log", err)
	}
	var suite, checks, first queue.Verdict
	var once sync.Once
	var both sync.WaitGroup
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := func(v queue.Verdict) {
		if v.Outcome != queue.Green {
			once.Do(func() { first = v; stop(nil) })
		}
	}
	if suite.Outcome = queue.Green; len(job.Recipe.Steps) > 0 {
		both.Go(func() {
			own := job
			own.Recipe.Checks = nil
			suite = r.suite(ctx, own, t)
			ended(suite)
		})
	}
	both.Go(func() {
		w := &wait{runner: r, job: job, transcript: t, log: log, since: r.now()}
		checks = w.run(ctx)
		ended(checks)
	})
	both.Wait()
	v := join(suite, checks, first)
	v.Took = r.now().Sub(began)
	if err := errors.Join(t.line(logVerdict(v)), r.finish(job.ID, t)); err != nil {
		log.Error().Err(err).Msg("finish log")
	}
	return v
}

// wait is the wait of one run for its checks.
type wait struct {
	runner     *Runner
	job        Job
	transcript *transcript
	log        zerolog.Logger
	since      time.Time // of the push
	said       string    // the last line of the log
	failures   int       // in a row
	refused    time.Time // since when the forge refuses; zero: it does not
}

// run pushes the candidate and waits. That the forge or the git server does not answer is waited out: it says nothing of the candidate.
// When the result is not wanted any more the branch goes at once, which ends what runs there as far as deleting a branch does; when it is
// lander that ends, the branch stays, and the next lander goes on waiting.
func (w *wait) run(ctx context.Context) (v queue.Verdict) {
	at, sha := w.runner.Elsewhere, w.job.Candidate
	if at == nil || w.job.Branch == "" {
		return queue.Verdict{Outcome: queue.Infra, Reason: sayNowhere}
	}
	defer func() {
		if errors.Is(context.Cause(ctx), queue.ErrUnwanted) {
			w.retract(ctx)
		}
	}()
	seen := Waiting{Past: w.job.Rerun.Past}
	offered, asked := false, seen.Past == nil
	for {
		nudged := w.runner.nudged()
		err := error(nil)
		if !offered {
			err = at.Offer(ctx, w.job.Branch, sha)
			var denied *queue.DeniedError
			if errors.As(err, &denied) || errors.Is(err, queue.ErrMoved) {
				return queue.Verdict{Outcome: queue.Infra, Reason: sayNotOffered(err)}
			}
			if offered = err == nil; offered {
				w.since = w.runner.now()
				w.say(logOffered(w.job.Branch))
			}
		}
		var told []queue.CheckRun
		if err == nil {
			told, err = at.CheckRuns(ctx, sha)
		}
		if err == nil && !asked {
			asked, err = w.askAgain(ctx, told, &seen)
		}
		var over bool
		if err == nil {
			seen.For = w.runner.now().Sub(w.since)
			if v, over = JudgeChecks(w.job.Recipe.Checks, sha, told, seen); over {
				return v
			}
			w.failures = 0
			w.say(logChecks(v.Reason))
		}
		if reason := w.refusal(err); reason != "" {
			return queue.Verdict{Outcome: queue.Infra, Reason: reason}
		}
		if ctx.Err() != nil {
			v.Outcome, v.Reason = queue.Cancelled, sayCancelled
			return v
		}
		w.runner.rest(ctx, nudged, w.pause(err, seen.For))
	}
}

// refusal says that the forge has refused for too long; empty: it has not.
func (w *wait) refusal(err error) string {
	switch {
	case !errors.Is(err, queue.ErrHidden):
		w.refused = time.Time{}
	case w.refused.IsZero():
		w.refused = w.runner.now()
	case w.runner.now().Sub(w.refused) >= refusedLimit:
		return sayUnreadable(err)
	}
	return ""
}

// askAgain asks for a result that does not count to be had anew, where it is still the newest.
func (w *wait) askAgain(ctx context.Context, told []queue.CheckRun, seen *Waiting) (asked bool, err error) {
	for _, t := range told {
		if !t.Same(*seen.Past) {
			continue
		}
		err := w.runner.Elsewhere.RunAgain(ctx, *seen.Past)
		switch {
		case errors.Is(err, queue.ErrNoRerun):
			seen.Final = true
			w.say(logNotAgain(err))
		case err != nil:
			return false, err
		default:
			w.say(logAskedAgain(*seen.Past))
		}
	}
	return true, nil
}

// pause is how long to wait: as long as the forge asks to, or as usual, but not beyond the next limit.
func (w *wait) pause(err error, waited time.Duration) time.Duration {
	every := orDefault(w.runner.CheckEvery, usualCheckEvery)
	if w.runner.Pace != nil {
		every = w.runner.Pace(every)
	}
	if err != nil {
		w.failures++
		w.log.Warn().Err(err).Int("tries", w.failures).Msg("checks cannot be had now")
		if w.failures == 1 {
			w.say(logUnread("asking", err))
		}
		every = min(time.Second<<min(w.failures-1, 5), every)
		var till interface{ Until() time.Time }
		if errors.As(err, &till) {
			every = max(every, till.Until().Sub(w.runner.now()))
		}
		return every
	}
	for _, c := range w.job.Recipe.Checks {
		if left := orDefault(c.Timeout, DefaultCheckTimeout) - waited; left > 0 {
			every = min(every, left)
		}
	}
	return every
}

func (w *wait) retract(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), retractLimit)
	defer cancel()
	if err := w.runner.Elsewhere.Retract(ctx, w.job.Branch, w.job.Candidate); err != nil {
		w.log.Warn().Err(err).Msg("branch of a cancelled candidate is left for the sweep")
	}
}

// say writes a line of the run's log where it is another one than the last.
func (w *wait) say(line string) {
	if line == w.said {
		return
	}
	w.said = line
	if err := w.transcript.line(line); err != nil {
		w.log.Warn().Err(err).Msg("write log")
	}
}
