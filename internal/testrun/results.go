package testrun

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"
)

// TestOutcome is what became of one test. The zero TestOutcome: it was not seen to end.
type TestOutcome string

const (
	TestPassed  TestOutcome = "passed"
	TestFailed  TestOutcome = "failed"
	TestSkipped TestOutcome = "skipped"
)

// Test is one test as a step's results tell of it.
type Test struct {
	Name    string // of its group (a package, a class) and of itself; of a group alone where that failed beyond its tests
	Outcome TestOutcome
	Took    time.Duration // 0: not told
	File    string        // where it failed, or else where it is; empty: not told
	Line    int
}

// What is kept of results, whatever a step writes.
const (
	mostFailed = 200      // tests that are named
	mostName   = 300      // letters of a name
	mostLine   = 1 << 20  // bytes of a line that is looked at
	mostTests  = 20_000   // packages that are followed at a time, and failures in them
	mostKept   = 16 << 20 // bytes of output of tests of which it is not known yet whether they fail
	mostReport = 16 << 20 // bytes of a report
	mostRead   = 64 << 20 // bytes of all reports of a step
)

// tally is what the results of a command come to. It is bounded, however many tests they tell of.
type tally struct {
	asked   map[string]TestOutcome // of the tests that matter
	failed  []Test
	named   map[string]bool // those in failed
	partial bool            // more may have failed, or not have run at all
	secrets *redactor       // what no name may hold; nil: nothing

	tests, fails, skips int
}

func newTally(asked []string) *tally {
	t := &tally{asked: make(map[string]TestOutcome, len(asked)), named: map[string]bool{}}
	for _, name := range asked {
		t.asked[name] = ""
	}
	return t
}

// saw takes in a test that ended. One that ends more than once has failed if it did so once.
func (t *tally) saw(name string, o TestOutcome) {
	t.tests++
	switch o {
	case TestFailed:
		t.fails++
	case TestSkipped:
		t.skips++
	}
	t.knows(name, o)
}

// knows takes in the end of a test, or of a group of tests, that may be asked for.
func (t *tally) knows(name string, o TestOutcome) {
	if was, ok := t.asked[name]; ok && (was == "" || o == TestFailed || was == TestSkipped && o == TestPassed) {
		t.asked[name] = o
	}
}

// names takes in a failure that people and blame are to know by its name.
func (t *tally) names(x Test) {
	switch {
	case t.named[x.Name]:
	case len(t.failed) >= mostFailed:
		t.partial = true
	default:
		t.named[x.Name] = true
		t.failed = append(t.failed, x)
	}
}

// passed reports whether a test was seen to pass, and never to fail.
func (t *tally) passed(name string) bool { return t.asked[name] == TestPassed && !t.named[name] }

// reader makes a tally of what a command writes.
type reader interface {
	add(output []byte)
	// end is called once, when the command has ended; exit is -1 if it did not do so by itself.
	end(exit int)
}

// clean is cleanName of what is there without secrets.
func (t *tally) clean(name string) string { return cleanName(t.secrets.all(name)) }

// cleanName is a name as it can stand anywhere: one line of text, not too long. Names that differ stay different.
func cleanName(name string) string {
	is := strings.TrimSpace(strings.Map(func(c rune) rune {
		if c == '\n' || c == '\r' {
			return ' '
		}
		return c
	}, plain([]byte(name))))
	if is == name && utf8.RuneCountInString(is) <= mostName {
		return is
	}
	sum := sha256.Sum256([]byte(name))
	runes := []rune(is)
	return string(runes[:min(len(runes), mostName)]) + "…" + hex.EncodeToString(sum[:4])
}

// lines cuts output into lines. One that is too long is given up to its limit, and the rest of it left out.
type lines struct {
	rest []byte
	over bool // the rest of this line is left out
}

func (l *lines) cut(output []byte, line func([]byte)) {
	for len(output) > 0 {
		i := 0
		for i < len(output) && output[i] != '\n' {
			i++
		}
		part := output[:i]
		whole := i < len(output)
		output = output[min(i+1, len(output)):]
		if !l.over {
			room := mostLine - len(l.rest)
			l.over = len(part) > room
			l.rest = append(l.rest, part[:min(len(part), room)]...)
		}
		if whole {
			line(l.rest)
			l.rest, l.over = l.rest[:0], false
		}
	}
}

// flush gives the last line, if nothing ended it.
func (l *lines) flush(line func([]byte)) {
	if len(l.rest) > 0 {
		line(l.rest)
		l.rest = nil
	}
}
