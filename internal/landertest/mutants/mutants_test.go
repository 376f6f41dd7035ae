package mutants

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var which = flag.String("mutants", "", "take out the defences whose names match this expression, and print a table; empty: one of them")

// One defence is taken out at a time, and the tests that must notice it do. It is the whole of make mutate.
func TestEveryDefenceIsMissed(t *testing.T) {
	if *which == "" {
		sample(t)
		return
	}
	chosen, err := choose(*which)
	if err != nil {
		t.Fatal(err)
	}
	baseline(t, chosen)
	if t.Failed() {
		return
	}
	wide := 0
	for _, m := range chosen {
		wide = max(wide, len(m.name))
	}
	row := func(name, test, result, seconds string) {
		fmt.Printf("%-*s  %-14s %7s  %s\n", wide, name, result, seconds, test)
	}
	row("without", "test", "result", "seconds")
	began, tests := time.Now(), 0
	for _, m := range chosen {
		for _, s := range try(t.Context(), t, m) {
			row(m.name, s.test.room+" "+s.test.name, string(s.result), fmt.Sprintf("%.1f", s.took.Seconds()))
			tests++
			if s.result != red {
				t.Errorf("without %s, %s %s: %s\n%s", m.name, s.test.room, s.test.name, s.result, s.output)
			}
		}
	}
	fmt.Printf("%d defences taken out, %d tests looked at, in %.0f s\n", len(chosen), tests, time.Since(began).Seconds())
}

// sample takes one defence out, and shows that what is no Go is told apart from it.
func sample(t *testing.T) {
	chosen, err := choose("^the burn, as it is decided$")
	if err != nil || len(chosen) != 1 {
		t.Fatalf("%d mutants, %v", len(chosen), err)
	}
	m := chosen[0]
	m.red = m.red[:1]
	torn := m
	torn.edits = []edit{{m.edits[0].file, "package queue\n", "package queue\n\nvar x int = nil\n"}}
	for _, c := range []struct {
		mutant
		want result
	}{{m, red}, {torn, broken}} {
		for _, s := range try(t.Context(), t, c.mutant) {
			if s.result != c.want {
				t.Errorf("%s: %s, want %s\n%s", s.test.name, s.result, c.want, s.output)
			}
		}
	}
}

// choose finds mutants by their names.
func choose(expression string) ([]mutant, error) {
	names, err := regexp.Compile(expression)
	if err != nil {
		return nil, err
	}
	chosen := slices.DeleteFunc(all(), func(m mutant) bool { return !names.MatchString(m.name) })
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no defence's name matches %q", expression)
	}
	return chosen, nil
}

// byRoom sorts tests by the rooms that they are in.
func byRoom(tests []test) map[string][]string {
	rooms := map[string][]string{}
	for _, each := range tests {
		if !slices.Contains(rooms[each.room], each.name) {
			rooms[each.room] = append(rooms[each.room], each.name)
		}
	}
	return rooms
}

// plain is, for each room, a story in which nothing goes wrong. It stays green when a defence is taken out: lander without it still
// does its work, and is only no longer safe.
var plain = map[string]string{
	"internal/forge/github": "TestOneLivingCommentFollowsTheChange",
	"internal/gate":         "TestApprovedChangeLandsAsTheTestedCommit",
	"internal/queue":        "TestAnApprovingReviewLandsTheChange",
	"internal/store":        "TestOneChangeFromQueueToTrunk",
	"internal/vcs":          "TestLandMovesTrunkAndLedger",
	"internal/verify":       "TestStories/changes land, each in its own way",
}

// baseline runs every test without any mutation: one that is red anyhow notices nothing.
func baseline(t *testing.T, chosen []mutant) {
	t.Helper()
	var tests []test
	for _, m := range chosen {
		tests = append(tests, m.red...)
	}
	rooms := byRoom(tests)
	for _, room := range slices.Sorted(maps.Keys(rooms)) {
		rooms[room] = append(rooms[room], plain[room])
		program, err := build(t.Context(), t.TempDir(), "", room)
		if err != nil {
			t.Fatal(err)
		}
		results, output, err := run(t.Context(), program, room, rooms[room])
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range rooms[room] {
			if is := results[rewritten(name)]; is != green {
				t.Errorf("with nothing taken out, %s %s: %s\n%s", room, name, is, output)
			}
		}
	}
}

// seen is what one test made of a mutant.
type seen struct {
	test   test
	result result
	took   time.Duration // building and running all tests of its room
	output string
}

func try(ctx context.Context, t *testing.T, m mutant) (all []seen) {
	t.Helper()
	overlay, err := m.overlay(t.TempDir())
	if err != nil {
		t.Fatalf("%s: %v", m.name, err)
	}
	rooms := byRoom(m.red)
	for _, room := range slices.Sorted(maps.Keys(rooms)) {
		began := time.Now()
		program, err := build(ctx, t.TempDir(), overlay, room)
		var results map[string]result
		var output string
		if err == nil {
			results, output, err = run(ctx, program, room, append(rooms[room], plain[room]))
		}
		var torn *brokenError
		if err != nil && !errors.As(err, &torn) {
			t.Fatalf("%s: %v", m.name, err)
		}
		for _, name := range rooms[room] {
			s := seen{test: test{room, name}, took: time.Since(began), output: output}
			if s.result = judge(results[rewritten(name)], results[rewritten(plain[room])]); torn != nil {
				s.result, s.output = broken, torn.output
			}
			all = append(all, s)
		}
	}
	return all
}

// judge says what became of a test of a mutant, in whose room the plain story went as it did.
func judge(is, story result) result {
	switch {
	case story != green:
		return lame
	case is == green:
		return survives
	}
	return is
}

func TestOnlyARedTestInALanderThatLandsCounts(t *testing.T) {
	t.Parallel()
	for c, want := range map[[2]result]result{
		{red, green}: red, {green, green}: survives, {hangs, green}: hangs, {missing, green}: missing,
		{red, red}: lame, {red, hangs}: lame, {red, missing}: lame, {green, red}: lame,
	} {
		if got := judge(c[0], c[1]); got != want {
			t.Errorf("%s beside a story that is %s: %s, want %s", c[0], c[1], got, want)
		}
	}
}

// Every text that is to be replaced stands in the code exactly once, and every test that is to notice is there.
func TestEveryMutantFitsTheCode(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	tests := map[string]map[string]bool{}
	for _, m := range all() {
		if known[m.name] || len(m.edits) == 0 || len(m.red) == 0 {
			t.Errorf("%s: named twice, or without an edit or a test", m.name)
		}
		known[m.name] = true
		if _, err := m.files(); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		for _, each := range slices.Concat(m.red, stories(m.red)) {
			if tests[each.room] == nil {
				tests[each.room] = testsOf(t, each.room)
			}
			if name, _, _ := strings.Cut(each.name, "/"); !tests[each.room][name] {
				t.Errorf("%s: %s has no test %s", m.name, each.room, name)
			}
		}
	}
}

// stories are the plain ones of the rooms that the tests are in.
func stories(tests []test) (all []test) {
	for _, each := range tests {
		all = append(all, test{each.room, plain[each.room]})
	}
	return all
}

func testsOf(t *testing.T, room string) map[string]bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, room, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				tests[f.Name.Name] = true
			}
		}
	}
	return tests
}

func TestATextThatIsNotThereOnceIsTold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"a lease": "", "": "0 times", "a lease and a lease": "2 times"} {
		_, err := edit{file: "x.go", old: "lease", new: "hope"}.apply(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := (edit{file: "x.go", old: "lease", new: "lease"}).apply("lease"); err == nil {
		t.Error("an edit that changes nothing is fine")
	}
}

func TestPatternsNameNoOtherTest(t *testing.T) {
	t.Parallel()
	got := patterns([]string{"TestA", "TestC/one (of two)", "TestB", "TestC/a lease"})
	want := []string{`^TestC$/^(one_\(of_two\)|a_lease)$`, `^(TestA|TestB)$`}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
