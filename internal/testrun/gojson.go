package testrun

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// goEvent is a line of "go test -json"; see go doc test2json.
type goEvent struct {
	Action     string
	Package    string
	ImportPath string // of what is built
	Test       string
	Elapsed    float64 // seconds
	Output     string
}

// goReader reads what "go test -json" writes. What is no event, such as the output of a tool beside it, is left alone.
type goReader struct {
	tally    *tally
	show     func([]byte) // gets what "go test" without -json would have written: the output of what fails
	lines    lines
	packages map[string]*goPackage
	kept     int // bytes of output, with the names of tests
	failures int // in packages that have not ended
}

// goPackage is a package while its tests run.
type goPackage struct {
	output  []byte
	tests   map[string][]byte // output of those that are running
	failed  map[string]Test
	running bool
	tidy    bool // its tests all ran, as its last line says
}

func newGoReader(t *tally, show func([]byte)) *goReader {
	return &goReader{tally: t, show: show, packages: map[string]*goPackage{}}
}

// mostShown is how much of a test's output is kept until it is known whether it fails.
const mostShown = 8 << 10

func (r *goReader) add(output []byte) { r.lines.cut(output, r.line) }

func (r *goReader) line(line []byte) {
	var ev goEvent
	at := bytes.IndexByte(line, '{')
	if at < 0 || json.Unmarshal(line[at:], &ev) != nil || ev.Action == "" {
		r.show(append(bytes.Clone(line), '\n'))
		return
	}
	if at > 0 {
		r.show(append(bytes.Clone(line[:at]), '\n'))
	}
	if ev.Action == "build-output" {
		r.show([]byte(ev.Output))
	}
	if ev.Package == "" {
		return
	}
	if len(ev.Package)+len(ev.Test) > mostShown { // nobody's name is that long
		r.tally.partial = true
		return
	}
	p := r.packages[ev.Package]
	if p == nil {
		if len(r.packages) >= mostTests {
			r.tally.partial = true
			return
		}
		p = &goPackage{tests: map[string][]byte{}, failed: map[string]Test{}}
		r.packages[ev.Package] = p
	}
	if ev.Test == "" {
		r.ofPackage(p, ev)
		return
	}
	p.running = true
	r.ofTest(p, ev)
}

func (r *goReader) ofPackage(p *goPackage, ev goEvent) {
	name := r.tally.clean(ev.Package)
	switch ev.Action {
	case "start":
		p.running = true
	case "output":
		if ev.Output == "FAIL\n" {
			p.tidy = true
		}
		p.output = r.keepEnd(p.output, ev.Output)
	case "pass":
		r.tally.knows(name, TestPassed)
		r.over(p)
	case "skip":
		r.tally.knows(name, TestSkipped)
		r.over(p)
	case "fail":
		r.tally.knows(name, TestFailed)
		for _, x := range r.folded(ev.Package, p.failed) {
			r.tally.names(x)
		}
		if !p.tidy || len(p.failed) == 0 {
			r.tally.names(Test{Name: name, Outcome: TestFailed, Took: seconds(ev.Elapsed)})
		}
		r.shown(p)
		r.over(p)
	}
}

func (r *goReader) ofTest(p *goPackage, ev goEvent) {
	var o TestOutcome
	switch ev.Action {
	case "output":
		kept, ok := p.tests[ev.Test]
		if !ok && r.kept > mostKept {
			return
		}
		if !ok {
			r.kept += len(ev.Test)
		}
		p.tests[ev.Test] = r.keepEnd(kept, ev.Output)
		return
	case "pass":
		o = TestPassed
	case "skip":
		o = TestSkipped
	case "fail":
		o = TestFailed
	default:
		return
	}
	r.tally.saw(r.goName(ev.Package, ev.Test), o)
	output, ok := p.tests[ev.Test]
	if ok {
		r.kept -= len(output) + len(ev.Test)
		delete(p.tests, ev.Test)
	}
	if o != TestFailed {
		return
	}
	r.show(output)
	if _, again := p.failed[ev.Test]; !again {
		if r.failures >= mostTests {
			r.tally.partial = true
			return
		}
		r.failures++
	}
	x := Test{Name: r.goName(ev.Package, ev.Test), Outcome: o, Took: seconds(ev.Elapsed)}
	if m := goPlace.FindSubmatch(output); m != nil {
		x.File = r.tally.clean(string(m[1]))
		x.Line, _ = strconv.Atoi(string(m[2])) // at most nine digits
	}
	p.failed[ev.Test] = x
}

// goPlace is where a test says it failed.
var goPlace = regexp.MustCompile(`(?m)^\s+([\pL\pN_.-]{1,200}\.go):(\d{1,9}): `)

// shown shows what a package wrote that is not of a test that has ended.
func (r *goReader) shown(p *goPackage) {
	for _, output := range p.tests {
		r.show(output)
	}
	r.show(p.output)
}

// over forgets a package that has ended. Its tests may come again.
func (r *goReader) over(p *goPackage) {
	for name, output := range p.tests {
		r.kept -= len(name) + len(output)
	}
	r.kept -= len(p.output)
	r.failures -= len(p.failed)
	*p = goPackage{tests: map[string][]byte{}, failed: map[string]Test{}}
}

// end takes everything that did not come to its end for what may have failed. go test exits with 1 or 2 when it could do its work.
func (r *goReader) end(exit int) {
	r.lines.flush(r.line)
	for name, p := range r.packages {
		if p.running {
			r.tally.partial = true
			for _, x := range r.folded(name, p.failed) {
				r.tally.names(x)
			}
			r.shown(p)
		}
	}
	if exit < 0 || exit > 2 {
		r.tally.partial = true
	}
	slices.SortFunc(r.tally.failed, func(a, b Test) int { return strings.Compare(a.Name, b.Name) })
}

// What fails in great number in one place is named by that place.
const (
	mostSubtests  = 20
	mostInPackage = 50
)

// folded names what failed in a package: tests without subtests that failed, for those say it all.
func (r *goReader) folded(path string, failed map[string]Test) []Test {
	parent := map[string]bool{}
	under := map[string]int{}
	for name := range failed {
		for i := len(name) - 1; i > 0; i-- {
			if name[i] == '/' {
				parent[name[:i]] = true
			}
		}
	}
	for name := range failed {
		if !parent[name] {
			under[topOf(name)]++
		}
	}
	var all []Test
	for name, x := range failed {
		if many := under[topOf(name)] > mostSubtests; many && name == topOf(name) || !many && !parent[name] {
			all = append(all, x)
		}
	}
	if len(all) > mostInPackage {
		return []Test{{Name: r.tally.clean(path), Outcome: TestFailed}}
	}
	return all
}

func topOf(test string) string {
	top, _, _ := strings.Cut(test, "/")
	return top
}

// goName joins with a space, which is in no import path.
func (r *goReader) goName(path, test string) string { return r.tally.clean(path + " " + test) }

func seconds(s float64) time.Duration {
	if s < 0 || s > 1e9 {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}

// keepEnd appends as long as there is room, and keeps the end.
func (r *goReader) keepEnd(kept []byte, more string) []byte {
	if r.kept > mostKept {
		return kept
	}
	before := len(kept)
	if len(more) > mostShown {
		more = more[len(more)-mostShown:]
	}
	kept = append(kept, more...)
	if len(kept) > 2*mostShown {
		kept = append(kept[:0], kept[len(kept)-mostShown:]...)
	}
	r.kept += len(kept) - before
	return kept
}
