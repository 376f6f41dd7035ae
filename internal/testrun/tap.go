package testrun

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// tapReader reads the Test Anything Protocol, also several streams of it one after the other. Subtests count by the test that they
// are of.
type tapReader struct {
	tally   *tally
	lines   lines
	planned int
	points  int
	plans   int
	bailed  bool
	last    *Test // the last test, of which details may follow
	details bool
}

func newTAPReader(t *tally) *tapReader { return &tapReader{tally: t} }

var (
	tapPoint = regexp.MustCompile(`^(not )?ok\b(?:[ \t]+(\d{1,9}))?[ \t]*(.*)$`)
	tapPlan  = regexp.MustCompile(`^1\.\.(\d{1,9})\b`)
	tapMark  = regexp.MustCompile(`(?i)(?:^|[^\\])#[ \t]*(skip|todo)`)
	tapWhere = regexp.MustCompile(`^[ \t]+(?:at|location):[ \t]*['"]?(.{1,500}?):(\d{1,9})(?::\d+)?['"]?[ \t]*$`)
	tapTook  = regexp.MustCompile(`^[ \t]+duration_ms:[ \t]*([0-9.]{1,20})`)
)

func (r *tapReader) add(output []byte) { r.lines.cut(output, r.line) }

func (r *tapReader) line(line []byte) {
	text := strings.TrimRight(string(line), "\r")
	if text == "" {
		return
	}
	if text[0] == ' ' || text[0] == '\t' {
		r.detail(text)
		return
	}
	switch {
	case strings.HasPrefix(text, "Bail out!"):
		r.bailed = true
	case tapPlan.MatchString(text):
		n, _ := strconv.Atoi(tapPlan.FindStringSubmatch(text)[1]) // at most nine digits
		r.planned += n
		r.plans++
	default:
		if m := tapPoint.FindStringSubmatch(text); m != nil {
			r.point(m[1] == "", m[2], m[3])
		}
	}
}

func (r *tapReader) point(ok bool, number, rest string) {
	r.settle()
	r.points++
	mark := ""
	if at := tapMark.FindStringSubmatchIndex(rest); at != nil {
		mark = strings.ToLower(rest[at[2]:at[3]])
		rest = rest[:strings.LastIndexByte(rest[:at[2]], '#')]
	}
	name := strings.TrimSpace(strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(rest), "-"), `\#`, "#"))
	if name == "" {
		if number == "" {
			number = strconv.Itoa(r.points)
		}
		name = fmt.Sprint("test ", number)
	}
	x := Test{Name: r.tally.clean(name), Outcome: TestPassed}
	switch {
	case mark != "": // what is yet to be done may fail, and what passes there proves nothing
		x.Outcome = TestSkipped
	case !ok:
		x.Outcome = TestFailed
	}
	r.last = &x
}

// detail reads a line of the block that may follow a test.
func (r *tapReader) detail(text string) {
	switch strings.TrimSpace(text) {
	case "---":
		r.details = r.last != nil
		return
	case "...":
		r.details = false
		return
	}
	if !r.details || r.last == nil {
		return
	}
	if m := tapWhere.FindStringSubmatch(text); m != nil && r.last.File == "" {
		r.last.File = r.tally.clean(m[1])
		r.last.Line, _ = strconv.Atoi(m[2]) // at most nine digits
	}
	if m := tapTook.FindStringSubmatch(text); m != nil {
		if ms, err := strconv.ParseFloat(m[1], 64); err == nil && ms < 1e12 {
			r.last.Took = time.Duration(ms * float64(time.Millisecond))
		}
	}
}

// settle counts the last test, of which nothing more follows.
func (r *tapReader) settle() {
	if r.last == nil {
		return
	}
	r.tally.saw(r.last.Name, r.last.Outcome)
	if r.last.Outcome == TestFailed {
		r.tally.names(*r.last)
	}
	r.last, r.details = nil, false
}

// end holds the tests against the plan: without one, or with fewer tests, nobody knows what did not run.
func (r *tapReader) end(exit int) {
	r.lines.flush(r.line)
	r.settle()
	if exit < 0 || exit > 125 || r.bailed || r.points > 0 && (r.plans == 0 || r.points != r.planned) {
		r.tally.partial = true
	}
}
