package mutants

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// root is where the module is.
const root = "../../.."

// mutant is lander without one defence.
type mutant struct {
	name  string // required
	edits []edit // required
	red   []test // required: each must notice
}

// edit replaces a text that stands in a file exactly once.
type edit struct {
	file string // below the root
	old  string
	new  string
}

// test is one test, or one case of it: "TestLand/trunk is gone".
type test struct {
	room string // "internal/vcs"
	name string
}

// apply is the file with the edit made.
func (e edit) apply(text string) (string, error) {
	if e.old == "" || e.old == e.new {
		return "", fmt.Errorf("%s: the edit changes nothing", e.file)
	}
	if n := strings.Count(text, e.old); n != 1 {
		return "", fmt.Errorf("%s holds this %d times and not once, so that the mutant must be brought up to date:\n%s", e.file, n, e.old)
	}
	return strings.Replace(text, e.old, e.new, 1), nil
}

// files are the mutated files by their names below the root.
func (m mutant) files() (map[string]string, error) {
	files := map[string]string{}
	for _, e := range m.edits {
		text, known := files[e.file]
		if !known {
			whole, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				return nil, err
			}
			text = string(whole)
		}
		text, err := e.apply(text)
		if err != nil {
			return nil, err
		}
		files[e.file] = text
	}
	return files, nil
}

// overlay writes the mutated files into dir, and the list of them that the go command reads.
func (m mutant) overlay(dir string) (string, error) {
	files, err := m.files()
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, text := range files {
		real, err := filepath.Abs(filepath.Join(root, name))
		if err != nil {
			return "", err
		}
		replace[real] = filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(replace[real], []byte(text), 0o666); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, list, 0o666)
}

// brokenError says that a mutant is no Go.
type brokenError struct{ output string }

func (e *brokenError) Error() string { return "does not build:\n" + e.output }

// build makes the test program of a room. overlay may be empty.
func build(ctx context.Context, dir, overlay, room string) (string, error) {
	program, err := filepath.Abs(filepath.Join(dir, strings.ReplaceAll(room, "/", "-")+".test"))
	if err != nil {
		return "", err
	}
	args := []string{"test", "-c", "-vet=off", "-o", program}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+room)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return "", &brokenError{string(out)}
	}
	return program, err
}

// result is what became of a test.
type result string

const (
	green    result = "green"
	red      result = "red"
	hangs    result = "hangs"
	missing  result = "did not run"
	survives result = "survives"
	broken   result = "does not build"
	lame     result = "breaks more"
)

// limit is how long a test may take; none that is green takes a tenth of it.
const limit = 5 * time.Minute

// run runs tests of a room by its test program, and says what became of each. output is for whoever wonders why.
func run(ctx context.Context, program, room string, names []string) (results map[string]result, output string, err error) {
	results = map[string]result{}
	for _, pattern := range patterns(names) {
		cmd := exec.CommandContext(ctx, program, "-test.v", "-test.paniconexit0", "-test.timeout="+limit.String(), "-test.run="+pattern)
		cmd.Dir = filepath.Join(root, room)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
			return nil, "", errors.Join(err, ctx.Err())
		}
		output += string(out)
		late := bytes.Contains(out, []byte("panic: test timed out"))
		for _, said := range outcome.FindAllSubmatch(out, -1) {
			name, is := string(said[2]), green
			if string(said[1]) == "FAIL" {
				is = red
			}
			if results[name] = is; is == red && late {
				results[name] = hangs
			}
		}
	}
	for _, name := range names {
		if _, ran := results[rewritten(name)]; !ran {
			results[rewritten(name)] = missing
		}
	}
	return results, output, nil
}

var outcome = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL): (\S+) \(`)

// rewritten is a test's name as it is printed.
func rewritten(name string) string { return strings.ReplaceAll(name, " ", "_") }

// patterns are what to call so that these tests run, and no others: one call for all that have no case named, and one for each test
// of which cases are.
func patterns(names []string) []string {
	cases := map[string][]string{}
	var tests, all []string
	for _, name := range names {
		if test, one, named := strings.Cut(rewritten(name), "/"); !named {
			tests = append(tests, regexp.QuoteMeta(test))
		} else {
			cases[test] = append(cases[test], regexp.QuoteMeta(one))
		}
	}
	for test, some := range cases {
		all = append(all, fmt.Sprintf("^%s$/^(%s)$", regexp.QuoteMeta(test), strings.Join(some, "|")))
	}
	slices.Sort(all)
	if len(tests) > 0 {
		all = append(all, "^("+strings.Join(tests, "|")+")$")
	}
	return all
}
