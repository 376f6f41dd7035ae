package testrun

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func namesOf(t *tally) []string {
	var names []string
	for _, x := range t.failed {
		names = append(names, x.Name)
	}
	slices.Sort(names)
	return names
}

// event writes a line of go test -json.
func event(action, pkg, test, output string) string {
	text, err := json.Marshal(goEvent{Action: action, Package: pkg, Test: test, Elapsed: 0.25, Output: output})
	if err != nil {
		panic(err)
	}
	return string(text) + "\n"
}

func TestGoResults(t *testing.T) {
	t.Parallel()
	ends := event("output", "m/a", "", "FAIL\n") + event("output", "m/a", "", "FAIL\tm/a\t0.1s\n") + event("fail", "m/a", "", "")
	many := func(n int, under string) (s string) {
		for i := range n {
			s += event("fail", "m/a", fmt.Sprintf("%s%d", under, i), "")
		}
		return s
	}
	for name, c := range map[string]struct {
		output  string
		exit    int
		failed  []string
		partial bool
	}{
		"green":                            {event("start", "m/a", "", "") + event("pass", "m/a", "TestA", "") + event("pass", "m/a", "", ""), 0, nil, false},
		"a test":                           {event("fail", "m/a", "TestA", "") + event("pass", "m/a", "TestB", "") + ends, 1, []string{"m/a TestA"}, false},
		"a subtest stands for its parent":  {event("fail", "m/a", "TestA/x", "") + event("fail", "m/a", "TestA", "") + ends, 1, []string{"m/a TestA/x"}, false},
		"no test files":                    {event("skip", "m/a", "", ""), 0, nil, false},
		"a package that does not build":    {`{"ImportPath":"m/a","Action":"build-output","Output":"a.go:1: no\n"}` + "\n" + event("start", "m/a", "", "") + event("output", "m/a", "", "FAIL\tm/a [build failed]\n") + event("fail", "m/a", "", ""), 1, []string{"m/a"}, false},
		"tests pass, the package does not": {event("pass", "m/a", "TestA", "") + event("output", "m/a", "", "PASS\n") + event("fail", "m/a", "", ""), 1, []string{"m/a"}, false},
		"a panic: others may not have run": {event("output", "m/a", "TestA", "panic: no\n") + event("fail", "m/a", "TestA", "") + event("output", "m/a", "", "FAIL\tm/a\t0.1s\n") + event("fail", "m/a", "", ""), 1, []string{"m/a", "m/a TestA"}, false},
		"a test that prints the last line": {event("output", "m/a", "TestA", "FAIL\n") + event("fail", "m/a", "TestA", "") + event("fail", "m/a", "", ""), 1, []string{"m/a", "m/a TestA"}, false},
		"a package without an end":         {event("start", "m/a", "", "") + event("fail", "m/a", "TestA", ""), 1, []string{"m/a TestA"}, true},
		"killed":                           {event("fail", "m/a", "TestA", "") + ends, 137, []string{"m/a TestA"}, true},
		"fails once of three":              {event("pass", "m/a", "TestA", "") + event("fail", "m/a", "TestA", "") + event("pass", "m/a", "TestA", "") + ends, 1, []string{"m/a TestA"}, false},
		"between other lines":              {"make: hello\n" + event("fail", "m/a", "TestA", "") + "{not json\n\xff\xfe\n{\"Action\":5}\ngo: downloading x " + ends, 1, []string{"m/a TestA"}, false},
		"the last line has no end":         {strings.TrimSuffix(event("fail", "m/a", "TestA", "")+ends, "\n"), 1, []string{"m/a TestA"}, false},
		"many subtests of one":             {many(mostSubtests+1, "TestA/") + event("fail", "m/a", "TestA", "") + ends, 1, []string{"m/a TestA"}, false},
		"many tests of a package":          {many(mostInPackage+1, "Test") + ends, 1, []string{"m/a"}, false},
		"text that is hard to show":        {event("fail", "m/a", "TestA/\u202e\x1b[31mred", "") + event("fail", "m/a", "TestA", "") + ends, 1, nil, false},
		"nothing":                          {"", 1, nil, false},
	} {
		got := newTally(nil)
		r := newGoReader(got, func([]byte) {})
		r.add([]byte(c.output))
		r.end(c.exit)
		failed := namesOf(got)
		if name == "text that is hard to show" {
			if len(failed) != 1 || !strings.HasPrefix(failed[0], "m/a TestA/red…") {
				t.Errorf("%s: %q", name, failed)
			}
			continue
		}
		if !slices.Equal(failed, c.failed) || got.partial != c.partial {
			t.Errorf("%s: %q, partial %v; want %q, %v", name, failed, got.partial, c.failed, c.partial)
		}
	}
}

// What people are shown of JSON is what go test would have said: the output of what failed.
func TestGoResultsAreShownAsText(t *testing.T) {
	t.Parallel()
	got := newTally(nil)
	var shown strings.Builder
	r := newGoReader(got, func(p []byte) { shown.Write(p) })
	r.add([]byte("go: downloading\n" + event("output", "m/a", "TestGood", "noise\n") + event("pass", "m/a", "TestGood", "") +
		event("output", "m/a", "TestBad", "=== RUN   TestBad\n") + event("output", "m/a", "TestBad", "    a_test.go:12: want 1\n") + event("output", "m/a", "TestBad", "--- FAIL: TestBad\n") +
		event("fail", "m/a", "TestBad", "") + event("output", "m/a", "", "FAIL\n") + event("fail", "m/a", "", "") + event("output", "m/b", "", "ok\n") + event("pass", "m/b", "", "")))
	r.end(1)
	if want := "go: downloading\n=== RUN   TestBad\n    a_test.go:12: want 1\n--- FAIL: TestBad\nFAIL\n"; shown.String() != want {
		t.Errorf("shown %q", shown.String())
	}
	want := Test{Name: "m/a TestBad", Outcome: TestFailed, Took: 250 * time.Millisecond, File: "a_test.go", Line: 12}
	if !reflect.DeepEqual(got.failed, []Test{want}) {
		t.Errorf("%+v", got.failed)
	}
}

func TestTAPResults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		output  string
		exit    int
		failed  []string
		partial bool
	}{
		"green":                     {"TAP version 13\n1..2\nok 1 - a\nok 2 - b\n", 0, nil, false},
		"one fails":                 {"ok 1 - a\nnot ok 2 - b\n1..2\n", 1, []string{"b"}, false},
		"without a name":            {"1..2\nok\nnot ok\n", 1, []string{"test 2"}, false},
		"to do and skipped":         {"1..2\nnot ok 1 - a # TODO later\nok 2 - b # SKIP no\n", 0, nil, false},
		"a sign that is no mark":    {"1..1\nnot ok 1 - a \\# todo\n", 1, []string{"a # todo"}, false},
		"fewer than planned":        {"1..3\nok 1 - a\nnot ok 2 - b\n", 1, []string{"b"}, true},
		"without a plan":            {"not ok 1 - a\n", 1, []string{"a"}, true},
		"given up":                  {"1..2\nnot ok 1 - a\nok 2 - b\nBail out! no\n", 1, []string{"a"}, true},
		"killed":                    {"1..1\nnot ok 1 - a\n", 137, []string{"a"}, true},
		"subtests are their test's": {"# Subtest: p\n    not ok 1 - inner\n    1..1\nnot ok 1 - p\n1..1\n", 1, []string{"p"}, false},
		"two after each other":      {"1..1\nok 1 - a\nTAP version 14\n1..1\nnot ok 1 - b\n", 1, []string{"b"}, false},
		"other words":               {"okay\nnotok\nnot okay\nhello\r\n1..1\r\nok 1\r\n", 0, nil, false},
		"none":                      {"hello\n", 1, nil, false},
	} {
		got := newTally(nil)
		r := newTAPReader(got)
		r.add([]byte(c.output))
		r.end(c.exit)
		if failed := namesOf(got); !slices.Equal(failed, c.failed) || got.partial != c.partial {
			t.Errorf("%s: %q, partial %v; want %q, %v", name, failed, got.partial, c.failed, c.partial)
		}
	}
	got := newTally([]string{"a", "b", "c"})
	r := newTAPReader(got)
	r.add([]byte("1..3\nok 1 - a\nok 2 - b # SKIP\nnot ok 3 - c\n  ---\n  duration_ms: 12.5\n  at: 'lib/c.js:7:3'\n  ...\n"))
	r.end(1)
	if !got.passed("a") || got.passed("b") || got.passed("c") || got.passed("d") {
		t.Errorf("%+v", got.asked)
	}
	if want := (Test{Name: "c", Outcome: TestFailed, Took: 12500 * time.Microsecond, File: "lib/c.js", Line: 7}); !reflect.DeepEqual(got.failed, []Test{want}) {
		t.Errorf("%+v", got.failed)
	}
}

func TestJUnitResults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		report  string
		failed  []string
		partial bool
		bad     bool
	}{
		"green":                     {`<testsuite tests="1"><testcase classname="C" name="a"/></testsuite>`, nil, false, false},
		"one fails":                 {`<testsuites><testsuite name="s" tests="2" failures="1"><testcase classname="C" name="a"/><testcase classname="C" name="b"><failure>no</failure></testcase></testsuite></testsuites>`, []string{"C :: b"}, false, false},
		"an error":                  {`<testsuite><testcase name="b"><error/></testcase></testsuite>`, []string{"b"}, false, false},
		"before the first test":     {`<testsuite name="s" tests="0" errors="1"></testsuite>`, []string{"s"}, false, false},
		"fewer than it says":        {`<testsuite tests="3"><testcase name="a"><failure/></testcase></testsuite>`, []string{"a"}, true, false},
		"cut off":                   {`<testsuite><testcase name="a"><failure/></testcase><testca`, []string{"a"}, false, true},
		"empty":                     {``, nil, false, true},
		"no report":                 {`<html/>`, nil, false, true},
		"control characters":        {"<testsuite><testcase name=\"a\"><failure>\x1b[31m\x00\xff</failure></testcase></testsuite>", []string{"a"}, false, false},
		"an entity bomb":            {`<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuite><testcase name="&b;"><failure/></testcase></testsuite>`, nil, false, true},
		"elements without end":      {strings.Repeat("<testsuite>", 1000), nil, false, true},
		"Latin-1":                   {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><testsuite><testcase name=\"\xe4\"><failure/></testcase></testsuite>", []string{"ä"}, false, false},
		"another charset":           {`<?xml version="1.0" encoding="EBCDIC"?><testsuite/>`, nil, false, true},
		"a line end inside a name":  {"<testsuite><testcase name=\"a&#10;b\"><failure/></testcase></testsuite>", nil, false, false},
		"skipped, and failed later": {`<testsuite><testcase name="a"><skipped/><failure/></testcase></testsuite>`, []string{"a"}, false, false},
	} {
		got := newTally(nil)
		err := readJUnit([]byte(c.report), got)
		failed := namesOf(got)
		if name == "a line end inside a name" {
			if len(failed) != 1 || !strings.HasPrefix(failed[0], "a b…") {
				t.Errorf("%s: %q", name, failed)
			}
			continue
		}
		if !slices.Equal(failed, c.failed) || got.partial != c.partial || (err != nil) != c.bad {
			t.Errorf("%s: %q, partial %v, %v; want %q, %v", name, failed, got.partial, err, c.failed, c.partial)
		}
	}
	got := newTally([]string{"C :: a"})
	if err := readJUnit([]byte(`<testsuite><testcase classname="C" name="a" time="1,000.5" file="c.py" line="3"/><testcase name="b" file="d.py" line="4" time="0.5"><failure/></testcase></testsuite>`), got); err != nil {
		t.Fatal(err)
	}
	if want := (Test{Name: "b", Outcome: TestFailed, Took: 500 * time.Millisecond, File: "d.py", Line: 4}); !got.passed("C :: a") || !reflect.DeepEqual(got.failed, []Test{want}) {
		t.Errorf("%+v, %+v", got.asked, got.failed)
	}
}

// Reports are what the step wrote, and nothing that somebody led there.
func TestReportsAreFoundInTheCheckoutOnly(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	write := func(path, name string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, fmt.Appendf(nil, `<testsuite><testcase name=%q><failure/></testcase></testsuite>`, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "reports", "old.xml"), "old")
	write(filepath.Join(dir, "reports", "changed.xml"), "before")
	write(filepath.Join(outside, "secret.xml"), "secret")
	r := &reports{dir: dir, pattern: "reports/**/*.xml"}
	if err := r.notice(); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(dir, "reports", "changed.xml"), "changed")
	write(filepath.Join(dir, "reports", "a", "b", "deep.xml"), "deep")
	write(filepath.Join(dir, "reports", "a", "text.txt"), "text")
	write(filepath.Join(dir, "elsewhere.xml"), "elsewhere")
	for link, to := range map[string]string{"file.xml": filepath.Join(outside, "secret.xml"), "dir": outside, "zero.xml": "/dev/zero"} {
		if err := os.Symlink(to, filepath.Join(dir, "reports", link)); err != nil {
			t.Fatal(err)
		}
	}
	makeFIFO(t, filepath.Join(dir, "reports", "pipe.xml"))
	got := newTally(nil)
	if err := r.read(got); err != nil {
		t.Fatal(err)
	}
	if failed := namesOf(got); !slices.Equal(failed, []string{"changed", "deep"}) || got.partial {
		t.Errorf("%q, partial %v", failed, got.partial)
	}
	big := filepath.Join(dir, "reports", "big.xml")
	write(big, "big")
	if err := os.Truncate(big, mostReport+1); err != nil {
		t.Fatal(err)
	}
	if err := r.read(newTally(nil)); err == nil || !strings.Contains(err.Error(), "too much") {
		t.Errorf("a report that is too big: %v", err)
	}
	for pattern, names := range map[string]map[string]bool{
		"**/*.xml":          {"a.xml": true, "x/y/a.xml": true, "a.txt": false},
		"a/*.xml":           {"a/b.xml": true, "a/b/c.xml": false},
		"a/**":              {"a/b/c.xml": true, "b": false},
		"**/t/TEST-*.xml":   {"m/t/TEST-a.xml": true, "t/TEST-a.xml": true, "m/t/x.xml": false},
		"a/**/b/**/c[0-9]?": {"a/b/c1x": true, "a/x/b/y/z/c2y": true, "a/c1x": false},
	} {
		for name, want := range names {
			if matches(pattern, name) != want {
				t.Errorf("%s of %s: want %v", name, pattern, want)
			}
		}
	}
}

// Whatever a step writes, what is kept of it is bounded, can be shown, and does not depend on how it came.
func holds(t *testing.T, got *tally, again *tally) {
	t.Helper()
	if len(got.failed) > mostFailed {
		t.Fatalf("%d names", len(got.failed))
	}
	for _, x := range got.failed {
		if !utf8.ValidString(x.Name) || utf8.RuneCountInString(x.Name) > mostName+10 || strings.ContainsFunc(x.Name, unicode.IsControl) {
			t.Fatalf("name %q", x.Name)
		}
		if got.passed(x.Name) {
			t.Fatalf("%q failed, and passed", x.Name)
		}
	}
	if again != nil && (!reflect.DeepEqual(namesOf(got), namesOf(again)) || got.partial != again.partial || got.tests != again.tests) {
		t.Fatalf("in one piece %q, in pieces %q", namesOf(got), namesOf(again))
	}
}

func inPieces(r reader, output []byte, cut uint8) {
	for len(output) > 0 {
		n := min(len(output), int(cut)%7+1)
		r.add(output[:n])
		output = output[n:]
	}
}

func FuzzGoResults(f *testing.F) {
	f.Add([]byte(event("start", "m", "", "")+event("fail", "m", "TestA/x", "")+event("output", "m", "", "FAIL\n")+event("fail", "m", "", "")), 1, uint8(3))
	f.Add([]byte("text\n{\"Action\":\"fail\",\"Package\":\"\u202e\",\"Test\":\"\\u0000\",\"Elapsed\":1e300}\n{"), 137, uint8(0))
	f.Add([]byte("{\"Package\":"+strings.Repeat("[", 500)), 2, uint8(1))
	f.Fuzz(func(t *testing.T, output []byte, exit int, cut uint8) {
		whole, pieces := newTally([]string{"m TestA"}), newTally([]string{"m TestA"})
		a, b := newGoReader(whole, func([]byte) {}), newGoReader(pieces, func([]byte) {})
		a.add(output)
		a.end(exit)
		inPieces(b, output, cut)
		b.end(exit)
		holds(t, whole, pieces)
	})
}

func FuzzTAPResults(f *testing.F) {
	f.Add([]byte("1..2\nok 1 - a\nnot ok 2 - b # TODO x\n  ---\n  at: a:1\n  ...\nBail out!\n"), 1, uint8(2))
	f.Add([]byte("not ok 999999999999 \\# # skip\r\n1..99999999999\n\tok\n"), 0, uint8(5))
	f.Fuzz(func(t *testing.T, output []byte, exit int, cut uint8) {
		whole, pieces := newTally([]string{"a"}), newTally([]string{"a"})
		a, b := newTAPReader(whole), newTAPReader(pieces)
		a.add(output)
		a.end(exit)
		inPieces(b, output, cut)
		b.end(exit)
		holds(t, whole, pieces)
	})
}

func FuzzJUnitResults(f *testing.F) {
	f.Add([]byte(`<testsuites><testsuite tests="2" failures="1"><testcase classname="C" name="a"><failure/></testcase></testsuite></testsuites>`))
	f.Add([]byte("<?xml version=\"1.0\" encoding=\"latin1\"?><testsuite errors=\"9\"><testcase name=\"\xff\"><skipped/></testcase>"))
	f.Fuzz(func(t *testing.T, report []byte) {
		got := newTally([]string{"C :: a"})
		err := readJUnit(report, got)
		holds(t, got, nil)
		if err == nil && len(report) == 0 {
			t.Fatal("nothing is no report")
		}
	})
}

// Millions of tests cost time, not memory.
func TestResultsWithoutEnd(t *testing.T) {
	t.Parallel()
	got := newTally(nil)
	r := newGoReader(got, func([]byte) {})
	for i := range 60_000 {
		r.add([]byte(event("output", fmt.Sprint("p", i%30_000), fmt.Sprint("Test", i), "x\n")))
		if i%3 == 0 {
			r.add([]byte(event("fail", "p", fmt.Sprint("Test", i), "")))
		}
	}
	r.end(1)
	holds(t, got, nil)
	if len(r.packages) > mostTests || !got.partial {
		t.Errorf("%d packages, partial %v", len(r.packages), got.partial)
	}
	for i := range 3000 {
		r.add([]byte(event("output", "q", fmt.Sprint("Test", i), strings.Repeat("x", 2*mostShown))))
	}
	if r.kept > mostKept+2*mostShown {
		t.Errorf("%d bytes are kept", r.kept)
	}
	for i := range 3000 { // and what has ended is let go
		r.add([]byte(event("pass", "q", fmt.Sprint("Test", i), "")))
	}
	for p := range r.packages {
		r.add([]byte(event("fail", p, "", "")))
	}
	if r.kept != 0 || r.failures != 0 {
		t.Errorf("%d bytes are still kept, %d failures", r.kept, r.failures)
	}
	r.add([]byte(strings.Repeat("x", 3*mostLine)))
	if len(r.lines.rest) > mostLine {
		t.Errorf("a line of %d bytes is kept", len(r.lines.rest))
	}
}
