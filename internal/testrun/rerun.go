package testrun

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"lander/internal/queue"
)

// shell is a command as the supervisor runs it. Names of tests are strangers' words: they reach the shell as arguments and as
// environment only, never as text that it reads.
type shell struct {
	Text string
	Args []string `json:",omitempty"` // $1 and on
	Env  []string `json:",omitempty"` // beside the run's
	// Network opens the way to the network for it. Without a sandbox it says nothing.
	Network bool `json:",omitempty"`
}

// environ is what it has of the run's environment and its own.
func (s *shell) environ(run []string) []string {
	name := func(entry string) string { return entry[:strings.IndexByte(entry, '=')+1] }
	own := map[string]bool{}
	for _, entry := range s.Env {
		own[name(entry)] = true
	}
	return append(slices.DeleteFunc(slices.Clone(run), func(entry string) bool { return own[name(entry)] }), s.Env...)
}

// argv is how the command is started.
func (s *shell) argv() []string {
	args := []string{"sh", "-e", "-c", s.Text}
	if len(s.Args) > 0 {
		args = append(append(args, rerunShell), s.Args...)
	}
	return args
}

const (
	rerunKey   = "LANDER_RERUN" // the names, one per line
	mostAsked  = 32 << 10       // bytes of names in one command, for an argument has 128 KiB; more, and the whole step runs
	rerunShell = "sh"           // $0
)

// rerunOf is the command that runs only some tests of a step, and the one that runs all of what these are in, where that shows as much
// as the whole step; nil: only the whole step does. ok is false where nothing less can run again at all.
func rerunOf(s queue.Step, names []string) (some shell, around *shell, ok bool) {
	joined := strings.Join(names, "\n")
	if len(names) == 0 || len(joined) > mostAsked || slices.ContainsFunc(names, unfit) {
		return shell{}, nil, false
	}
	if s.Results.Format == queue.ResultsGo {
		some, around, ok = goRerun(s.Run, names)
	}
	if s.Rerun != "" {
		some, ok = expand(s, names)
	}
	some.Env = []string{rerunKey + "=" + joined}
	return some, around, ok
}

// unfit are names that a tool would take for something else.
func unfit(name string) bool {
	return name == "" || name[0] == '-' || strings.ContainsAny(name, "\n\x00") || strings.Contains(name, "…")
}

var rerunWord = regexp.MustCompile(`\{\{\s*([a-z]+)\s*\}\}`)

// expand fills the template of a step. Each word of it becomes references to arguments.
func expand(s queue.Step, names []string) (shell, bool) {
	var c shell
	ok := true
	refer := func(values ...string) string {
		refs := make([]string, len(values))
		for i, v := range values {
			c.Args = append(c.Args, v)
			refs[i] = fmt.Sprintf(`"${%d}"`, len(c.Args))
			ok = ok && !unfit(v)
		}
		return strings.Join(refs, " ")
	}
	groups, tests := parted(s.Results.Format, names)
	c.Text = rerunWord.ReplaceAllStringFunc(s.Rerun, func(word string) string {
		switch rerunWord.FindStringSubmatch(word)[1] {
		case "names":
			return refer(names...)
		case "packages":
			ok = ok && len(groups) > 0
			return refer(groups...)
		case "tests":
			ok = ok && len(tests) > 0
			return refer(tests...)
		case "regex":
			ok = ok && len(tests) > 0
			return refer(anyOf(tests))
		}
		ok = false
		return word
	})
	return c, ok
}

// parted are the packages or classes of tests, and the tests without them. In Go a test stands for its subtests too, and a package may
// stand alone; then there is no saying which of its tests are meant, and there are none.
func parted(format queue.ResultFormat, names []string) (groups, tests []string) {
	sign := classSign
	if format == queue.ResultsGo {
		sign = " "
	}
	alone := false
	for _, name := range names {
		group, test, both := strings.Cut(name, sign)
		switch {
		case both && format == queue.ResultsGo:
			groups, tests = append(groups, group), append(tests, topOf(test))
		case both:
			groups, tests = append(groups, group), append(tests, test)
		case format == queue.ResultsGo:
			groups, alone = append(groups, group), true
		default:
			tests = append(tests, name)
		}
	}
	if alone {
		tests = nil
	}
	return distinct(groups), distinct(tests)
}

func distinct(words []string) []string {
	slices.Sort(words)
	return slices.Compact(words)
}

// anyOf is a regular expression of one of some texts, in the dialect that all tools share.
func anyOf(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = regexp.QuoteMeta(t)
	}
	return "^(" + strings.Join(quoted, "|") + ")$"
}

var (
	goWord    = regexp.MustCompile(`^[A-Za-z0-9_./=,:@%+^~-]+$`)
	goAssign  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
	goPath    = regexp.MustCompile(`^[\pL\pN_.~][\pL\pN_./~+-]*$`)
	goTopTest = regexp.MustCompile(`^[\pL_][\pL\pN_]*$`)
)

// goFlags are the flags of go test that leave it as it is which tests run, and whether a value follows them.
var goFlags = map[string]bool{
	"json": false, "v": false, "race": false, "msan": false, "asan": false, "short": false, "cover": false, "trimpath": false, "x": false, "work": false,
	"count": true, "timeout": true, "tags": true, "p": true, "parallel": true, "cpu": true, "shuffle": true, "vet": true, "mod": true, "modfile": true,
	"covermode": true, "coverpkg": true, "coverprofile": true, "skip": true, "C": true, "pgo": true, "buildvcs": true, "fullpath": false, "overlay": true,
}

// goCommand is a plain call of go test: nothing before it, beside it or after it.
type goCommand struct{ env, flags []string }

func parseGo(run string) (c goCommand, ok bool) {
	words := strings.Fields(run)
	if strings.ContainsAny(strings.TrimSpace(run), "\n\r") {
		return c, false
	}
	for _, w := range words {
		if !goWord.MatchString(w) || strings.HasPrefix(w, "~") {
			return c, false
		}
	}
	for len(words) > 0 && goAssign.MatchString(words[0]) {
		c.env, words = append(c.env, words[0]), words[1:]
	}
	if len(words) < 2 || words[0] != "go" || words[1] != "test" {
		return c, false
	}
	packages, told := 0, false
	for words = words[2:]; len(words) > 0; words = words[1:] {
		w := words[0]
		if !strings.HasPrefix(w, "-") {
			packages++
			if strings.HasSuffix(w, ".go") {
				return c, false
			}
			continue
		}
		name, value, given := strings.Cut(strings.TrimLeft(w, "-"), "=")
		valued, known := goFlags[name]
		if !known || packages > 0 && name == "C" {
			return c, false
		}
		told = told || name == "json" && (!given || value == "true")
		c.flags = append(c.flags, w)
		if valued && !given {
			if len(words) < 2 {
				return c, false
			}
			words = words[1:]
			c.flags = append(c.flags, words[0])
		}
	}
	return c, told
}

// goRerun works out what runs only some tests of a step that is a plain go test: the top-level tests that the names are of, in their
// packages. A package whose tests did not all run does so as a whole. Packages are processes of their own, so that one which passes,
// passes whatever the others do.
func goRerun(run string, names []string) (some shell, around *shell, ok bool) {
	c, ok := parseGo(run)
	if !ok {
		return shell{}, nil, false
	}
	var packages, whole, partly, tests []string
	for _, name := range names {
		path, test, both := strings.Cut(name, " ")
		if !goPath.MatchString(path) || strings.HasSuffix(path, ".go") || path == "command-line-arguments" || both && !goTopTest.MatchString(topOf(test)) {
			return shell{}, nil, false
		}
		if packages = append(packages, path); !both {
			whole = append(whole, path)
		}
	}
	for _, name := range names {
		if path, test, both := strings.Cut(name, " "); both && !slices.Contains(whole, path) {
			partly, tests = append(partly, path), append(tests, topOf(test))
		}
	}
	all := &shell{}
	all.Text = all.goTest(c, "", packages)
	some.Text = all.Text
	switch {
	case len(tests) == 0:
		return *all, all, true
	case len(whole) == 0:
		some.Text = some.goTest(c, anyOf(distinct(tests)), partly)
	default: // both, whatever becomes of the first
		first := some.goTest(c, "", whole)
		some.Text = "is=0\n" + first + " || is=$?\n" + some.goTest(c, anyOf(distinct(tests)), partly) + " || is=$?\nexit $is"
	}
	return some, all, true
}

// goTest is a call of go test with its tests and packages among the command's arguments.
func (s *shell) goTest(c goCommand, tests string, packages []string) string {
	words := append(slices.Clone(c.env), "go", "test")
	words = append(words, c.flags...)
	refer := func(value string) string {
		s.Args = append(s.Args, value)
		return fmt.Sprintf(`"${%d}"`, len(s.Args))
	}
	if tests != "" {
		words = append(words, "-run", refer(tests))
	}
	for _, p := range distinct(slices.Clone(packages)) {
		words = append(words, refer(p))
	}
	return strings.Join(words, " ")
}
