//go:build unix

package testrun

import (
	"encoding/json"
	"time"

	"lander/internal/queue"
)

// listen takes in what the supervisor sends until it falls silent, and gives it one command after the other. over is closed when no
// further command will start.
func (a *attempt) listen(sup *supervising, silent, over chan<- struct{}, trouble chan<- error) {
	defer close(silent)
	in := &frames{r: sup.report}
	var failed bool // to write the log; the rest is read all the same, so that the supervisor is not held up
	keep := func(text string) {
		if failed {
			return
		}
		if err := a.transcript.line(text); err != nil {
			failed = true
			trouble <- err
		}
	}
	finish := func() {
		close(over)
		a.send(sup, frameOver, nil)
	}
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
			a.output(body)
			if !failed {
				if err := a.transcript.output(body); err != nil {
					failed = true
					trouble <- err
				}
			}
		case frameBegun:
			a.hear()
			a.recent.reset()
			a.started = a.runner.now()
			if fresh {
				a.records, fresh = append(a.records, Record{}), false
			}
			keep(logBegun(a.label(), command.Text, a.course.stage))
		case frameEnded:
			var e ended
			if err := json.Unmarshal(body, &e); err != nil || len(a.records) == 0 || !more {
				return
			}
			a.hear()
			l := a.label()
			a.results(e.Exit, l, keep)
			r := Record{Ended: true, Exit: e.Exit, Signal: e.Signal, Fault: e.Fault, Lost: e.Lost, Took: a.runner.now().Sub(a.started)}
			r, goOn := a.course.end(r, a.tally)
			keep(logEnded(l, r))
			if goOn != nil {
				command = *goOn
				a.next(sup, command, keep)
				continue
			}
			a.tally, a.reader, a.reports = nil, nil, nil
			a.records[len(a.records)-1], fresh = r, true
			if command, more = a.course.begin(); more && r.Exit == 0 && r.Fault == "" && !r.fails() {
				a.next(sup, command, keep)
				continue
			}
			more = false
			finish()
		case frameGone:
			a.gone = true
			return
		}
	}
}

// next starts a command, and gets ready to read its results.
func (a *attempt) next(sup *supervising, command shell, keep func(string)) {
	a.tally, a.reader, a.reports = nil, nil, nil
	if s := a.course.step(); s != nil && s.Results.Format != "" {
		a.tally = newTally(a.course.asked())
		switch s.Results.Format {
		case queue.ResultsGo:
			a.reader = newGoReader(a.tally, a.recent.add)
		case queue.ResultsTAP:
			a.reader = newTAPReader(a.tally)
		case queue.ResultsJUnit:
			a.reports = &reports{dir: a.dir, pattern: s.Results.Files}
			if err := a.reports.notice(); err != nil {
				keep(logResults(a.label(), err))
			}
		}
	}
	a.send(sup, frameNext, command)
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
	}
	a.records[len(a.records)-1] = a.course.cutShort(a.tally)
}

// label names the command that is under way.
func (a *attempt) label() label { return part(a.job.Recipe, a.course.at) }

func (a *attempt) hear() { a.heard.Store(int64(time.Since(a.epoch))) }
