//go:build unix

package testrun

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/queue"
)

// attempt is one call of Run.
type attempt struct {
	runner     *Runner
	job        Job
	transcript *transcript
	log        zerolog.Logger
	caches     *runCaches // nil: it is in no sandbox, or its caches are its own
	unkilled   bool       // a process of the run may still be there

	// Written by listen alone, read by others when it has returned.
	course  *course
	tally   *tally // of the command now running; nil: it has no results
	reader  reader // nil: they are not in its output
	reports *reports
	dir     string    // root of the checkout
	secrets *redactor // of the output; nil: there are none
	shown   *redactor // of what a reader makes of the output, likewise
	records []Record
	recent  recent
	gone    bool
	over    *over     // the limit that ended it; nil: none
	fault   string    // the supervisor's word that the host failed; empty: it did not
	started time.Time // of the command now running

	heard atomic.Int64 // when output last came, or a command began: nanoseconds on the monotonic clock since epoch
	epoch time.Time
}

// run does everything between the log's head and the verdict.
func (a *attempt) run(ctx context.Context) Ending {
	if a.job.Recipe.Empty() {
		return Ending{How: Finished} // Judge has the word for it
	}
	if err := a.transcript.line(logHead(a.job)); err != nil {
		return faulted("write log", err)
	}
	parent, err := filepath.Abs(a.runner.scratchParent())
	if err != nil {
		return faulted("name scratch directory", err)
	}
	private, err := makeScratch(parent)
	if err != nil {
		return faulted("make scratch directory", err)
	}
	if err := a.beginCaches(); err != nil {
		a.clear(private)
		return faulted("begin run", err)
	}
	// Started before the checkout, so that the one takes place during the other.
	sup, err := a.supervise(private)
	if err != nil {
		a.clear(private)
		return faulted("start supervisor", err)
	}
	dir, release, end := a.checkout(ctx)
	if end.How != "" {
		sup.dismiss()
		a.clear(private)
		return end
	}
	end, left := a.commands(ctx, sup, dir, private)
	if left {
		a.unkilled = true
		// Who gets this checkout next would share it with a process of this run.
		a.log.Error().Str("checkout", dir).Msg("checkout not given back: " + sayUnkilled)
		return end
	}
	release()
	return end
}

// checkout gives an Ending when the run ends here.
func (a *attempt) checkout(ctx context.Context) (dir string, release func(), end Ending) {
	limited, cancel := context.WithTimeout(ctx, checkoutLimit)
	defer cancel()
	dir, release, err := a.runner.Checkouts.Checkout(limited, a.job.Candidate)
	if err == nil && ctx.Err() == nil {
		if dir, err = filepath.Abs(dir); err == nil {
			return dir, release, Ending{}
		}
	}
	if release != nil {
		release()
	}
	if ctx.Err() != nil {
		return "", nil, Ending{How: Stopped}
	}
	return "", nil, faulted("check out candidate", err)
}

// commands runs the recipe in dir. left says that a process of the run may still be there.
func (a *attempt) commands(ctx context.Context, sup *supervising, dir string, private scratch) (end Ending, left bool) {
	order, err := a.order(dir, private)
	if err != nil {
		sup.dismiss()
		a.clear(private)
		return faulted("make environment", err), false
	}
	a.dir, a.course = dir, newCourse(a.job)
	a.secrets, a.shown = newRedactor(a.runner.Secrets), newRedactor(a.runner.Secrets)
	a.send(sup, frameOrder, order)
	if err := private.lock.Close(); err != nil { // the supervisor's copy holds the lock
		a.log.Warn().Err(err).Msg("close lock of scratch directory")
	}
	end = a.watch(ctx, sup)
	a.cutShort()
	end.Tail = a.recent.lines()
	if end.How == Finished {
		switch {
		case a.over != nil:
			end.How, end.Over, end.Most = WentOver, a.over.Limit, a.over.Most
		case a.fault != "":
			end.How, end.Fault = Faulted, a.fault
		}
	}
	if a.gone {
		return end, false
	}
	left = !sweepProcesses(private.dir)
	if err := removeTree(private.dir); err != nil {
		a.log.Warn().Err(err).Msg("remove scratch directory")
	}
	a.log.Warn().Str("exit", sup.exit()).Bool("left", left).Msg("supervisor ended without a report")
	if end.How == Finished {
		end = Ending{How: Unreported, Fault: sup.exit(), Tail: end.Tail}
	}
	if left {
		end = Ending{How: Faulted, Fault: sayUnkilled, Tail: end.Tail}
	}
	return end, left
}

// send tells the supervisor something. One that hears nothing is found out by its silence.
func (a *attempt) send(sup *supervising, kind byte, what any) {
	err := sup.control.SetWriteDeadline(time.Now().Add(a.runner.killGrace()))
	if err == nil {
		err = writeJSON(sup.control, kind, what)
	}
	if err != nil && !errors.Is(err, os.ErrClosed) { // closed: the run is to end
		a.log.Warn().Err(err).Msg("send order to supervisor")
		sup.kill()
	}
}

// order is what the supervisor is told to do.
func (a *attempt) order(dir string, private scratch) (order, error) {
	caches := ""
	if a.runner.Caches != "" && a.runner.Sandbox == nil {
		var err error
		if caches, err = laneCache(a.runner.Caches, a.job.Lane); err != nil {
			return order{}, err
		}
	}
	o := order{Dir: dir, Scratch: private.dir}
	seenCaches, seenScratch := caches, private.dir
	if a.runner.Sandbox != nil {
		var err error
		if o.Box, err = a.runner.Sandbox.box(dir, private.dir, a.caches); err != nil {
			return order{}, err
		}
		seenScratch = insideScratch
		if a.caches != nil {
			seenCaches = insideCache
		}
	}
	if seenCaches == "" {
		seenCaches = filepath.Join(seenScratch, "cache")
	}
	var err error
	o.Env, err = environ(a.job, seenCaches, seenScratch, a.runner.Env, os.LookupEnv)
	if o.Box != nil {
		o.Env = withoutProxies(o.Env)
	}
	return o, err
}

// beginCaches makes what the run sees of its lane's tool caches, where it is in a sandbox.
func (a *attempt) beginCaches() error {
	box := a.runner.Sandbox
	if box == nil || a.runner.Caches == "" {
		return nil
	}
	c, err := cacheDirs(a.runner.Caches, a.job.Lane, box.overlay)
	if err == nil {
		a.caches, err = c.begin()
	}
	return err
}

// endCaches keeps what the run wrote into them until its commit lands, if it was green, and drops it otherwise.
func (a *attempt) endCaches(v queue.Verdict) {
	if a.caches == nil || a.unkilled {
		return // swept up by a later run
	}
	green := queue.SHA("")
	if v.Outcome == queue.Green {
		green = a.job.Candidate
	}
	if err := a.caches.end(green); err != nil {
		a.log.Warn().Err(err).Msg("tool caches of the run are lost")
	}
}

// clear removes the scratch directory of a run that started no command.
func (a *attempt) clear(private scratch) {
	if err := private.remove(); err != nil {
		a.log.Warn().Err(err).Msg("remove scratch directory")
	}
}

// watch listens to the supervisor until it falls silent, and stops it when the run must end before its time.
func (a *attempt) watch(ctx context.Context, sup *supervising) Ending {
	recipe := a.job.Recipe
	timeout, quiet := orDefault(recipe.Timeout, DefaultTimeout), orDefault(recipe.Quiet, DefaultQuiet)
	end := Ending{How: Finished}
	a.epoch = time.Now()

	told := signs{
		silent: make(chan struct{}), step: make(chan bounds), over: make(chan struct{}), flood: make(chan struct{}), trouble: make(chan error, 1), most: a.runner.mostOutput(),
	}
	over, flood := told.over, told.flood // nil when they do not matter any more
	go a.listen(sup, told)
	defer sup.report.Close()
	defer sup.control.Close()

	total, idle, grace := time.NewTimer(timeout), time.NewTimer(quiet), time.NewTimer(a.runner.killGrace())
	own := time.NewTimer(timeout) // of the step
	own.Stop()
	grace.Stop()
	defer total.Stop()
	defer own.Stop()
	defer idle.Stop()
	defer grace.Stop()
	done := ctx.Done()
	step, still, settled := bounds{}, quiet, false
	settle := func() { // from here on only the supervisor's own work is waited for
		settled = true
		total.Stop()
		own.Stop()
		idle.Stop()
		done, over = nil, nil
		grace.Reset(a.runner.killGrace())
	}
	stop := func(how Ending) {
		end, flood = how, nil
		settle()
		sup.control.Close()
	}
	for {
		select {
		case <-told.silent:
			return end
		case <-over:
			settle()
		case step = <-told.step:
			if still = orDefault(step.quiet, quiet); settled {
				continue
			}
			if own.Stop(); step.timeout > 0 {
				own.Reset(step.timeout)
			}
			idle.Reset(still)
		case <-flood:
			stop(Ending{How: WentOver, Over: OverOutput, Most: told.most})
		case err := <-told.trouble:
			stop(faulted("write log", err))
		case <-done:
			stop(Ending{How: Stopped})
		case <-total.C:
			stop(Ending{How: OutOfTime, Limit: timeout})
		case <-idle.C:
			since := time.Since(a.epoch) - time.Duration(a.heard.Load())
			if since < still {
				idle.Reset(still - since)
				continue
			}
			stop(Ending{How: WentQuiet, Limit: still, Own: step.quiet > 0})
		case <-own.C:
			stop(Ending{How: OutOfTime, Limit: step.timeout, Own: true})
		case <-grace.C:
			a.log.Error().Msg("supervisor does not end its run; killing it")
			sup.kill()
		}
	}
}

func faulted(doing string, err error) Ending {
	return Ending{How: Faulted, Fault: sayFault(doing, err)}
}

func orDefault(d, usual time.Duration) time.Duration {
	if d <= 0 {
		return usual
	}
	return d
}
