package serve

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/queue"
	"lander/internal/store/errands"
	"lander/internal/testrun"
	"lander/internal/vcs"
)

const (
	// looks is how often a run elsewhere is looked at.
	looks = 200 * time.Millisecond
	// mostLost is how many workers a run may lose before it counts as the host's fault: it may be what kills them.
	mostLost = 3
)

// handout is one test run, wherever it takes place.
type handout struct {
	crew *crew
	repo *repository
	job  testrun.Job
	note func(reason string) // for the journal
	log  zerolog.Logger

	at     errands.Handed // the zero one: it is not handed out
	worker string         // who has it; empty: nobody
	relay  *testrun.Relay // of who has it
	beats  int64          // of it at the last look
	looked time.Time      // when that was
	silent time.Duration
	moved  bool // it has been on a worker
	lost   int  // workers that fell silent with it
	alone  bool // it cannot be handed out
}

// run tests a candidate here, where there is room at once, or else wherever there is room first. It is the one place where runs are
// handed out.
func (r *Rooms) run(ctx context.Context, repo *repository, job testrun.Job, note func(string)) queue.Verdict {
	if len(job.Recipe.Checks) > 0 {
		return repo.runner.Run(ctx, job) // most of it is elsewhere anyway, and one log has both
	}
	c := r.hands()
	here := c.here(job.Recipe.Labels)
	if here {
		select {
		case c.slots <- struct{}{}:
			defer func() { <-c.slots }()
			return c.test(ctx, repo, job)
		default:
		}
	}
	h := &handout{crew: c, repo: repo, job: job, note: note, log: r.Log.With().Str("run", job.ID).Stringer("lane", job.Lane).Logger()}
	v := h.wait(ctx, here)
	c.feed(job.Lane, job.ID)
	return v
}

// wait is until there is a verdict from elsewhere, a slot here, or nobody who wants to know.
func (h *handout) wait(ctx context.Context, here bool) queue.Verdict {
	defer h.hush()
	tick := time.NewTicker(looks)
	defer tick.Stop()
	limit := cmp.Or(h.job.Recipe.Start, testrun.DefaultStart)
	patience := time.NewTimer(limit)
	defer patience.Stop()
	for {
		able, changed := h.crew.elsewhere(h.job.Recipe.Labels)
		switch {
		case able || here:
			h.crew.feed(h.job.Lane, h.job.ID)
		default:
			h.crew.starve(h.job.Lane, h.job.ID, h.job.Recipe.Labels)
		}
		if able && h.at.ID == 0 && !h.alone && h.crew.giver != nil {
			h.give(ctx)
		}
		if h.alone && !here {
			return infra(sayTooLarge(vcs.MostParcel))
		}
		var slot chan<- struct{}
		if here && h.worker == "" {
			slot = h.crew.slots
		}
		var look <-chan time.Time
		if h.at.ID != 0 || able && !h.alone {
			look = tick.C
		}
		var late <-chan time.Time
		if h.worker == "" && !h.moved {
			late = patience.C
		}
		select {
		case <-late:
			h.cancel(ctx)
			return testrun.Judge(h.job.Recipe, nil, testrun.Ending{How: testrun.NotBegun, Limit: limit, Most: int64(h.crew.room(h.job.Recipe.Labels))})
		case <-ctx.Done():
			h.cancel(ctx)
			return testrun.Judge(h.job.Recipe, nil, testrun.Ending{How: testrun.Stopped})
		case slot <- struct{}{}:
			if v, ran := h.takeBack(ctx); ran {
				return v
			}
		case <-changed:
		case <-look:
			if v := h.look(ctx); v != nil {
				return *v
			}
		}
	}
}

// give hands the run out. What hinders it is tried again.
func (h *handout) give(ctx context.Context) {
	p, err := h.repo.mirror.Pack(ctx, h.job.Lane.Trunk, h.job.Candidate, 0)
	if errors.Is(err, vcs.ErrTooLarge) {
		h.alone = true
		h.log.Warn().Msg(sayTooLarge(vcs.MostParcel))
		return
	}
	var text []byte
	if err == nil {
		text, err = encode(order{Job: h.job, Tip: p.Tip})
	}
	if err == nil {
		h.at, err = h.crew.giver.Give(ctx, errands.Errand{Lane: h.job.Lane, Run: h.job.ID, Labels: h.job.Recipe.Labels, Job: text, Pack: p.Pack})
	}
	if err != nil && ctx.Err() == nil {
		h.log.Warn().Err(err).Msg("the run is not handed out")
		h.rest(ctx)
	}
}

// rest keeps what did not succeed from being tried at once again.
func (h *handout) rest(ctx context.Context) {
	timer := time.NewTimer(watched)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// takeBack runs it here, on a slot that has been taken, unless somebody else has it by now.
func (h *handout) takeBack(ctx context.Context) (v queue.Verdict, ran bool) {
	defer func() { <-h.crew.slots }()
	if h.at.ID != 0 {
		switch err := h.crew.giver.Recall(ctx, h.at.ID); {
		case errors.Is(err, errands.ErrFenced):
			return v, false // look finds out who
		case err != nil:
			h.log.Warn().Err(err).Msg("the run could not be taken back")
			h.rest(ctx)
			return v, false
		}
		h.drop(ctx)
	}
	h.crew.feed(h.job.Lane, h.job.ID)
	h.hush()
	h.job.Resumed = h.moved
	return h.crew.test(ctx, h.repo, h.job), true
}

// look sees how the run elsewhere stands; nil: it goes on.
func (h *handout) look(ctx context.Context) *queue.Verdict {
	if h.at.ID == 0 {
		return nil
	}
	s, err := h.crew.giver.Look(ctx, h.at.ID)
	switch {
	case errors.Is(err, errands.ErrFenced): // pruned, or another lander dropped it
		h.at = errands.Handed{}
		h.gone(sayForgottenRun)
		return nil
	case err != nil: // nobody is to blame for what could not be asked
		return nil
	case s.Ended && s.Verdict == nil:
		// Another lander keeps the lane now, or has just taken it.
		h.at = errands.Handed{}
		h.gone(sayForgottenRun)
		return nil
	case s.Attempt != h.at.Attempt:
		h.drain(ctx)
		h.gone(sayGivenBack(h.worker))
		h.at.Attempt, h.worker = s.Attempt, ""
	}
	if s.Worker == "" {
		return nil
	}
	if h.worker == "" {
		h.worker, h.beats, h.looked, h.silent = s.Worker, s.Beats, time.Now(), 0
		h.log.Info().Str("worker", s.Worker).Int("attempt", s.Attempt).Msg("run is on a worker")
		h.say(sayOnWorker(s.Worker))
	}
	h.drain(ctx)
	if s.Ended {
		return h.end(ctx, s)
	}
	if h.hears(s.Beats, time.Now()) < errands.Silence {
		return nil
	}
	return h.move(ctx)
}

// hears says for how long there was no new beat. Time in which nobody could look, because the database was away or this process stopped,
// is no silence: the worker could not be heard then, or could not beat.
func (h *handout) hears(beats int64, now time.Time) time.Duration {
	passed := min(now.Sub(h.looked), 4*looks)
	h.looked = now
	if h.silent += passed; beats != h.beats {
		h.beats, h.silent = beats, 0
	}
	return h.silent
}

// move takes the run from a worker that has been silent.
func (h *handout) move(ctx context.Context) *queue.Verdict {
	next, err := h.crew.giver.Move(ctx, h.at, h.worker)
	if err != nil {
		if !errors.Is(err, errands.ErrFenced) {
			h.log.Warn().Err(err).Msg("the run could not be taken from a worker that is silent")
		}
		return nil // the next look sees why
	}
	h.gone(sayLostWorker(h.worker, errands.Silence))
	h.at = next
	if h.lost++; h.lost < mostLost {
		return nil
	}
	h.cancel(ctx)
	v := infra(sayManyLost(h.lost))
	return &v
}

// gone says that who had the run has it no longer.
func (h *handout) gone(why string) {
	if h.worker == "" {
		return
	}
	h.moved, h.worker = true, ""
	h.log.Warn().Str("reason", why).Int("attempt", h.at.Attempt).Msg("run begins again")
	h.say(why)
	if h.note != nil {
		h.note(why)
	}
}

// end takes the verdict of a worker.
func (h *handout) end(ctx context.Context, s errands.State) *queue.Verdict {
	var v queue.Verdict
	err := decode(s.Verdict, &v)
	if err == nil {
		v, err = h.repo.runner.Adopt(v)
	}
	if err != nil {
		h.log.Error().Err(err).Str("worker", s.Worker).Msg("what a worker says is no verdict")
		v = infra(sayNoVerdict(s.Worker))
	}
	h.drop(ctx)
	h.log.Info().Str("worker", s.Worker).Str("outcome", string(v.Outcome)).Str("reason", v.Reason).Msg("run ended on a worker")
	return &v
}

// drain takes the output that has come, all of it.
func (h *handout) drain(ctx context.Context) {
	for h.worker != "" {
		out, err := h.crew.giver.Output(ctx, h.at)
		if err != nil || len(out) == 0 {
			return // what is there comes with the next look
		}
		if h.open() {
			if _, err := h.relay.Write(out); err != nil {
				h.log.Error().Err(err).Msg("the log of a run elsewhere is cut short")
			}
		}
	}
}

// say puts a line into the run's log.
func (h *handout) say(text string) {
	if !h.open() {
		return
	}
	if err := h.relay.Line(text); err != nil {
		h.log.Error().Err(err).Msg("the log of a run elsewhere is cut short")
	}
}

func (h *handout) open() bool {
	if h.relay != nil {
		return true
	}
	relay, err := h.repo.runner.Relay(h.job.ID, h.moved)
	if err != nil {
		h.log.Error().Err(err).Msg("a run elsewhere has no log")
		return false
	}
	h.relay = relay
	return true
}

// hush ends the log here.
func (h *handout) hush() {
	if h.relay == nil {
		return
	}
	if err := h.relay.Close(); err != nil {
		h.log.Error().Err(err).Msg("finish log")
	}
	h.relay = nil
}

// cancel ends the errand, of which nobody wants to know any more.
func (h *handout) cancel(ctx context.Context) {
	if h.at.ID == 0 {
		return
	}
	ctx, end := context.WithTimeout(context.WithoutCancel(ctx), errands.Silence)
	defer end()
	if err := h.crew.giver.Cancel(ctx, h.at.ID); err != nil && !errors.Is(err, errands.ErrFenced) {
		h.log.Warn().Err(err).Msg("a run elsewhere is not cancelled; it ends in vain")
	}
	h.drop(ctx)
}

func (h *handout) drop(ctx context.Context) {
	if err := h.crew.giver.Drop(context.WithoutCancel(ctx), h.at.ID); err != nil {
		h.log.Debug().Err(err).Msg("an errand that has ended stays for a while")
	}
	h.at = errands.Handed{}
}

// infra is a verdict about the machines and nobody's change.
func infra(reason string) queue.Verdict {
	return queue.Verdict{Outcome: queue.Infra, Reason: reason}
}
