//go:build unix

package testrun

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// attempt is one call of Run.
type attempt struct {
	runner     *Runner
	job        Job
	transcript *transcript
	log        zerolog.Logger

	// Written by listen alone, read by others when it has returned.
	course  *course
	tally   *tally // of the command now running; nil: it has no results
	reader  reader // nil: they are not in its output
	reports *reports
	dir     string // root of the checkout
	records []Record
	recent  recent
	gone    bool
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
	env, err := a.environ(private)
	if err != nil {
		sup.dismiss()
		a.clear(private)
		return faulted("make environment", err), false
	}
	a.dir, a.course = dir, newCourse(a.job)
	a.send(sup, frameOrder, order{Dir: dir, Scratch: private.dir, Env: env})
	if err := private.lock.Close(); err != nil { // the supervisor's copy holds the lock
		a.log.Warn().Err(err).Msg("close lock of scratch directory")
	}
	end = a.watch(ctx, sup)
	a.cutShort()
	end.Tail = a.recent.lines()
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

func (a *attempt) environ(private scratch) ([]string, error) {
	caches := filepath.Join(private.dir, "cache")
	if a.runner.Caches != "" {
		var err error
		if caches, err = laneCache(a.runner.Caches, a.job.Lane); err != nil {
			return nil, err
		}
	}
	return environ(a.job, caches, private.dir, a.runner.Env, os.LookupEnv)
}

// clear removes the scratch directory of a run that started no command.
func (a *attempt) clear(private scratch) {
	if err := private.remove(); err != nil {
		a.log.Warn().Err(err).Msg("remove scratch directory")
	}
}

// supervising is a supervisor as lander sees it.
type supervising struct {
	cmd     *exec.Cmd
	control *os.File
	report  *os.File
	exited  chan struct{}
	err     error // of its exit; valid when exited is closed
}

// dismiss ends a supervisor that got no order.
func (s *supervising) dismiss() {
	s.control.Close()
	s.report.Close()
}

// kill is for a supervisor that does not do its work; one that has just ended is as good.
func (s *supervising) kill() { _ = s.cmd.Process.Kill() }

func (s *supervising) exit() string {
	<-s.exited
	if s.err != nil {
		return s.err.Error()
	}
	return "exit status 0"
}

// supervise starts the supervisor, which then waits for its order.
func (a *attempt) supervise(private scratch) (*supervising, error) {
	self, err := selfPath()
	if err != nil {
		return nil, err
	}
	controlRead, control, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer controlRead.Close()
	report, reportWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, control.Close())
	}
	defer reportWrite.Close()

	cmd := &exec.Cmd{
		Path:        self,
		Args:        []string{"lander-run", a.job.ID},
		Env:         []string{superviseKey + "=1"}, // nothing of lander's own, not even here
		Dir:         "/",
		Stderr:      a.transcript.file,
		ExtraFiles:  []*os.File{controlRead, reportWrite, private.lock}, // controlFD, reportFD, lockFD
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, control.Close(), report.Close())
	}
	s := &supervising{cmd: cmd, control: control, report: report, exited: make(chan struct{})}
	log := a.log
	go func() {
		s.err = cmd.Wait()
		if s.err != nil {
			log.Warn().Err(s.err).Msg("supervisor ended")
		}
		// A command that got hold of the report pipe could keep it open for ever; what is in it now is all there is.
		_ = report.SetReadDeadline(time.Now().Add(time.Second)) // fails only when it is closed, and then nobody reads
		close(s.exited)
	}()
	return s, nil
}

// watch listens to the supervisor until it falls silent, and stops it when the run must end before its time.
func (a *attempt) watch(ctx context.Context, sup *supervising) Ending {
	recipe := a.job.Recipe
	timeout, quiet := orDefault(recipe.Timeout, DefaultTimeout), orDefault(recipe.Quiet, DefaultQuiet)
	end := Ending{How: Finished}
	a.epoch = time.Now()

	silent := make(chan struct{})
	over := make(chan struct{})
	trouble := make(chan error, 1)
	go a.listen(sup, silent, over, trouble)
	defer sup.report.Close()
	defer sup.control.Close()

	total, idle, grace := time.NewTimer(timeout), time.NewTimer(quiet), time.NewTimer(a.runner.killGrace())
	grace.Stop()
	defer total.Stop()
	defer idle.Stop()
	defer grace.Stop()
	done := ctx.Done()
	settle := func() { // from here on only the supervisor's own work is waited for
		total.Stop()
		idle.Stop()
		done, over = nil, nil
		grace.Reset(a.runner.killGrace())
	}
	stop := func(how Ending) {
		end = how
		settle()
		sup.control.Close()
	}
	for {
		select {
		case <-silent:
			return end
		case <-over:
			settle()
		case err := <-trouble:
			stop(faulted("write log", err))
		case <-done:
			stop(Ending{How: Stopped})
		case <-total.C:
			stop(Ending{How: OutOfTime, Limit: timeout})
		case <-idle.C:
			since := time.Since(a.epoch) - time.Duration(a.heard.Load())
			if since < quiet {
				idle.Reset(quiet - since)
				continue
			}
			stop(Ending{How: WentQuiet, Limit: quiet})
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
