//go:build unix

package testrun

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"lander/internal/queue"
)

// signs are what listen tells while it goes on.
type signs struct {
	silent  chan struct{} // closed: the supervisor has fallen silent
	step    chan bounds   // a step begins, or none is under way any more
	over    chan struct{} // closed: no further command will start
	flood   chan struct{} // closed: there is more output than most
	trouble chan error    // the log cannot be written
	most    int64         // bytes
}

// bounds are the limits of a step. 0: it has none of its own.
type bounds struct{ timeout, quiet time.Duration }

func boundsOf(s *queue.Step) bounds {
	if s == nil {
		return bounds{}
	}
	return bounds{s.Timeout, s.Quiet}
}

// listen takes in what the supervisor sends until it falls silent, and gives it one command after the other.
func (a *attempt) listen(sup *supervising, tell signs) {
	defer close(tell.silent)
	in := &frames{r: sup.report}
	var failed bool // to write the log; the rest is read all the same, so that the supervisor is not held up
	try := func(write func() error) {
		if failed {
			return
		}
		if err := write(); err != nil {
			failed = true
			tell.trouble <- err
		}
	}
	keep := func(text string) {
		try(func() error { return a.transcript.line(a.secrets.all(text)) })
	}
	put := func(output []byte) {
		if len(output) > 0 {
			a.output(output)
			try(func() error { return a.transcript.output(output) })
		}
	}
	settled := false
	settle := func() {
		if !settled {
			settled = true
			close(tell.over)
		}
	}
	finish := func() {
		settle()
		a.send(sup, frameOver, nil)
	}
	var written int64
	fresh := true
	command, more := a.course.begin()
	if more {
		a.next(sup, command, keep)
	} else {
		finish()
	}
	for {
		kind, body, err := in.next()
		if err != nil {
			return // whether the report was complete is a.gone
		}
		switch kind {
		case frameOutput:
			a.hear()
			before := written
			if written += int64(len(body)); before <= tell.most && written > tell.most {
				close(tell.flood)
			}
			put(a.secrets.add(body))
		case frameBegun:
			a.hear()
			a.recent.reset()
			a.started = a.runner.now()
			if fresh {
				a.records, fresh = append(a.records, Record{}), false
				tell.step <- boundsOf(a.course.step())
			}
			keep(logBegun(a.label(), command.Text, a.course.stage))
		case frameEnded:
			var e ended
			if err := json.Unmarshal(body, &e); err != nil || len(a.records) == 0 || !more {
				return
			}
			a.hear()
			put(a.secrets.rest()) // what may have been the beginning of one was not
			l, gates := a.label(), a.course.gates()
			a.results(e.Exit, l, keep)
			r := Record{Ended: true, Exit: e.Exit, Signal: e.Signal, Fault: e.Fault, Lost: e.Lost, Took: a.runner.now().Sub(a.started)}
			r, goOn := a.course.end(r, a.tally)
			keep(logEnded(l, r))
			if goOn != nil {
				command = *goOn
				a.next(sup, command, keep)
				continue
			}
			tell.step <- bounds{}
			a.tally, a.reader, a.reports = nil, nil, nil
			a.records[len(a.records)-1], fresh = r, true
			if command, more = a.course.begin(); more && (!gates || r.Exit == 0 && r.Fault == "" && !r.fails()) {
				a.next(sup, command, keep)
				continue
			}
			more = false
			finish()
		case frameLimit, frameFault:
			if !a.word(kind, body) {
				return
			}
			more = false
			settle()
		case frameGone:
			a.gone = true
			return
		}
	}
}

// word takes in what a supervisor says of the run as a whole; false: it makes no sense.
func (a *attempt) word(kind byte, body []byte) bool {
	if kind == frameFault {
		var f fault
		if json.Unmarshal(body, &f) != nil {
			return false
		}
		a.fault = f.Text
		return true
	}
	var o over
	if json.Unmarshal(body, &o) != nil {
		return false
	}
	a.over = &o
	return true
}

// next starts a command, and gets ready to read its results.
func (a *attempt) next(sup *supervising, command shell, keep func(string)) {
	a.tally, a.reader, a.reports = nil, nil, nil
	if s := a.course.step(); s != nil && s.Results.Format != "" {
		a.tally = newTally(a.course.asked())
		a.tally.secrets = a.secrets
		switch s.Results.Format {
		case queue.ResultsGo:
			a.reader = newGoReader(a.tally, func(p []byte) { a.recent.add(a.shown.add(p)) })
		case queue.ResultsTAP:
			a.reader = newTAPReader(a.tally)
		case queue.ResultsJUnit:
			a.reports = &reports{dir: a.dir, pattern: s.Results.Files}
			if err := a.reports.notice(); err != nil {
				keep(logResults(a.label(), err))
			}
		}
	}
	if s := a.course.step(); s != nil {
		command.Env = append(stepEnv(*s), command.Env...)
	}
	if box := a.runner.Sandbox; box != nil {
		command.Network = box.network.may(a.course.step() == nil, a.course.step() != nil && a.course.step().Network)
	}
	a.send(sup, frameNext, command)
}

// stepEnv is what a step adds to the environment.
func stepEnv(s queue.Step) (env []string) {
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		if value := s.Env[name]; queue.EnvName(name) && !strings.ContainsRune(value, 0) {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// output is what a command writes, as results and as what people are shown at last.
func (a *attempt) output(body []byte) {
	if a.reader != nil {
		a.reader.add(body)
	}
	if _, shows := a.reader.(*goReader); !shows {
		a.recent.add(body)
	}
}

// results brings the tally of a command that has ended to its end.
func (a *attempt) results(exit int, l label, keep func(string)) {
	if a.reader != nil {
		a.reader.end(exit)
		a.recent.add(a.shown.rest())
	}
	if a.reports != nil {
		if err := a.reports.read(a.tally); err != nil {
			keep(logResults(l, err))
		}
	}
}

// cutShort makes the best of a command that the run's end did not wait for.
func (a *attempt) cutShort() {
	if len(a.records) == 0 || a.records[len(a.records)-1].Ended {
		return
	}
	if a.reader != nil {
		a.reader.end(-1)
		a.recent.add(a.shown.rest())
	}
	a.records[len(a.records)-1] = a.course.cutShort(a.tally)
}

// label names the command that is under way.
func (a *attempt) label() label { return part(a.job.Recipe, a.course.at) }

func (a *attempt) hear() { a.heard.Store(int64(time.Since(a.epoch))) }
