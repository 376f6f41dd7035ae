package testrun

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// mostDepth is how deep the elements of a report may nest.
const mostDepth = 64

// junitSuite is a suite while it is read.
type junitSuite struct {
	name  string
	tests int // as it says itself
	bad   int // likewise
	saw   int // what was found in it
	fails int
}

// readJUnit takes in one report. An error means that it could not be read to its end.
func readJUnit(report []byte, t *tally) error {
	d := xml.NewDecoder(bytes.NewReader(legible(report)))
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252":
			return in, nil // legible has made UTF-8 of it
		}
		return nil, fmt.Errorf("read report in %s: only UTF-8 is read", cleanName(charset))
	}
	var suites []junitSuite
	var test *Test
	depth, rooted := 0, false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if depth != 0 || !rooted {
				return errors.New("read report: it ends too soon")
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("read report: %w", err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			if depth++; depth > mostDepth {
				return fmt.Errorf("read report: elements nest more than %d deep", mostDepth)
			}
			name := x.Name.Local
			if depth == 1 {
				if name != "testsuites" && name != "testsuite" {
					return fmt.Errorf("read report: it is a %s, not a testsuite", cleanName(name))
				}
				rooted = true
			}
			switch name {
			case "testsuite":
				suites = append(suites, newSuite(x.Attr, t))
			case "testcase":
				test = newCase(x.Attr, t)
			case "failure", "error":
				if test != nil {
					test.Outcome = TestFailed
				}
			case "skipped":
				if test != nil && test.Outcome != TestFailed {
					test.Outcome = TestSkipped
				}
			}
		case xml.EndElement:
			if depth--; depth < 0 {
				return errors.New("read report: an element ends that never began")
			}
			switch {
			case x.Name.Local == "testcase" && test != nil:
				t.saw(test.Name, test.Outcome)
				for i := range suites {
					suites[i].saw++
				}
				if test.Outcome == TestFailed {
					t.names(*test)
					for i := range suites {
						suites[i].fails++
					}
				}
				test = nil
			case x.Name.Local == "testsuite" && len(suites) > 0:
				suites[len(suites)-1].close(t)
				suites = suites[:len(suites)-1]
			}
		}
	}
}

// close holds what was found in a suite against what it says of itself.
func (s junitSuite) close(t *tally) {
	if s.bad > s.fails { // as when what comes before its first test fails
		name := s.name
		if name == "" {
			name = "a suite without a name"
		}
		t.knows(name, TestFailed)
		t.names(Test{Name: name, Outcome: TestFailed})
	}
	if s.tests > s.saw {
		t.partial = true
	}
}

func newSuite(attrs []xml.Attr, t *tally) junitSuite {
	return junitSuite{name: t.clean(attr(attrs, "name")), tests: number(attr(attrs, "tests")), bad: number(attr(attrs, "failures")) + number(attr(attrs, "errors"))}
}

func newCase(attrs []xml.Attr, t *tally) *Test {
	name := attr(attrs, "name")
	if class := attr(attrs, "classname"); class != "" {
		name = class + classSign + name
	}
	x := &Test{Name: t.clean(name), Outcome: TestPassed, Line: number(attr(attrs, "line"))}
	if file := attr(attrs, "file"); file != "" {
		x.File = t.clean(file)
	}
	if s, err := strconv.ParseFloat(strings.ReplaceAll(attr(attrs, "time"), ",", ""), 64); err == nil {
		x.Took = seconds(s)
	}
	return x
}

// classSign stands between a class and a test of it.
const classSign = " :: "

func attr(attrs []xml.Attr, name string) string {
	for _, a := range attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1e9 {
		return 0
	}
	return n
}

// legible is a report as XML allows it: in UTF-8, and without the control characters that tests write. What is no UTF-8 is taken for
// Latin-1, byte by byte.
func legible(report []byte) []byte {
	out := make([]byte, 0, len(report)+16)
	for len(report) > 0 {
		c, n := utf8.DecodeRune(report)
		switch {
		case c == utf8.RuneError && n == 1:
			c = rune(report[0])
		case c < ' ' && c != '\n' && c != '\t' && c != '\r', c == '\ufffe', c == '\uffff':
			c = ' '
		}
		out = utf8.AppendRune(out, c)
		report = report[n:]
	}
	return out
}
