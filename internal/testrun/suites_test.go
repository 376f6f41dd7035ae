package testrun

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
)

var (
	suites     = flag.String("suites", "", "the Go modules, as PATH@VERSION with spaces between, whose own suites are measured; -skip=TESTS after one is handed to its go test")
	suiteBugs  = flag.Int("suitebugs", 20, "how many bugs each suite has to find")
	suiteTries = flag.Int("suitetries", 8, "how often several bugs at once are tried, for each number of them")
	suiteSeed  = flag.Uint64("suiteseed", 1, "where chance begins")
)

// bug is a mutant that a suite finds.
type bug struct {
	mutant
	failed []string
}

// measure is what one suite comes to.
type measure struct {
	name                          string
	whole                         time.Duration // of a green run
	tried, broken, green, unnamed int           // mutants: all, those that do not build, those that nothing finds, those that name nothing
	packages                      int           // bugs that name a package only
	bugs                          []bug
	again, elsewhere, proof       []float64 // costs of a rerun, as shares of the whole red run right before it: on the commit, on another one, and to land after chance
	culprits, first, own          map[int]int
}

// TestSuites measures what the docs say of reruns. Without -suites it measures a module that is made here, to see that it can.
func TestSuites(t *testing.T) {
	if *suites == "" {
		t.Parallel()
		dir := t.TempDir()
		for name, text := range map[string]string{
			"go.mod":      "module tiny\n\ngo 1.24\n",
			"a/a.go":      "package a\n\nfunc Add(a, b int) int { return a + b }\n\nfunc Low(a int) bool {\n\tif a < 3 {\n\t\treturn true\n\t}\n\treturn false\n}\n",
			"a/a_test.go": "package a\n\nimport \"testing\"\n\nfunc TestAdd(t *testing.T) {\n\tif Add(1, 2) != 3 {\n\t\tt.Error()\n\t}\n}\n\nfunc TestLow(t *testing.T) {\n\tif !Low(2) || Low(3) {\n\t\tt.Error()\n\t}\n}\n",
			"b/b.go":      "package b\n\nfunc Name() string { return \"b\" }\n",
			"b/b_test.go": "package b\n\nimport \"testing\"\n\nfunc TestName(t *testing.T) {\n\tif Name() != \"b\" {\n\t\tt.Error()\n\t}\n}\n",
		} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		m := measured(t, "tiny", dir, "", 2, 1, 1, []int{2})
		if len(m.bugs) != 2 || m.culprits[2] != 2 || m.own[2] > m.first[2] || m.first[2] > m.culprits[2] || m.first[2] < 1 || len(m.again) != 2 || len(m.proof) != 2 {
			t.Errorf("%+v", m)
		}
		return
	}
	var all []measure
	var skip string
	words := strings.Fields(*suites)
	for i, w := range words {
		if strings.HasPrefix(w, "-") {
			continue
		}
		if skip = ""; i+1 < len(words) && strings.HasPrefix(words[i+1], "-skip=") {
			skip = words[i+1]
		}
		all = append(all, measured(t, w, copied(t, w), skip, *suiteBugs, *suiteTries, *suiteSeed, []int{2, 3, 5}))
		fmt.Println(table(all))
	}
}

// copied is a module from the module proxy in a directory of its own.
func copied(t *testing.T, module string) string {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("download %s: %v\n%s", module, err, out)
	}
	var got struct{ Dir string }
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "module")
	if err := os.CopyFS(dir, os.DirFS(got.Dir)); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, 0o700)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// measured puts bugs into a module and runs its suite as lander does, with a warm build cache and no test result from it.
func measured(t *testing.T, name, dir, skip string, bugs, tries int, seed uint64, counts []int) measure {
	t.Helper()
	r, s := newRunner(t)
	s.dir = dir
	r.Env = []string{"GOFLAGS=-mod=mod", "GOTOOLCHAIN=local", "GOCACHE=" + goEnv(t, "GOCACHE"), "GOMODCACHE=" + goEnv(t, "GOMODCACHE")}
	recipe := steps(strings.Join(strings.Fields("go test -json -count=1 -timeout=40s "+skip+" ./..."), " "))
	recipe.Steps[0].Results.Format = queue.ResultsGo
	n := 0
	run := func(names []string, proof bool) queue.Verdict {
		t.Helper()
		n++
		job := jobOf(recipe)
		job.ID = fmt.Sprint("run-", n)
		if names != nil {
			job.Rerun = queue.Rerun{Step: "a", Names: names, Proof: proof}
		}
		v := r.Run(t.Context(), job)
		if v.Outcome != queue.Green && v.Outcome != queue.Red {
			t.Fatalf("%s, run %d: %+v", name, n, v)
		}
		return v
	}
	mutated := func(names []string, proof bool, ms ...mutant) queue.Verdict {
		t.Helper()
		restore, err := with(dir, ms...)
		if err != nil {
			t.Fatal(err)
		}
		v := run(names, proof)
		if err := restore(); err != nil {
			t.Fatal(err)
		}
		return v
	}
	m := measure{name: name, culprits: map[int]int{}, first: map[int]int{}, own: map[int]int{}}
	for range 2 { // the first fills the cache
		v := run(nil, false)
		if v.Outcome != queue.Green {
			t.Fatalf("%s is red by itself: %q\n%s", name, v.Failed, strings.Join(v.Tail, "\n"))
		}
		m.whole = v.Took
	}
	all, err := mutantsIn(dir, seed)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range all {
		if len(m.bugs) == bugs {
			break
		}
		v := mutated(nil, false, x)
		m.tried++
		switch {
		case v.Outcome == queue.Green:
			m.green++
			continue
		case strings.Contains(strings.Join(v.Tail, "\n"), "[build failed]"):
			m.broken++
			continue
		case v.Failed == nil || v.Partial:
			m.unnamed++
			continue
		}
		m.bugs = append(m.bugs, bug{x, v.Failed})
		if !slices.ContainsFunc(v.Failed, func(n string) bool { return strings.Contains(n, " ") }) {
			m.packages++
		}
		whole := v.Took
		share := func(v queue.Verdict) float64 { return float64(v.Took) / float64(whole) }
		again := mutated(v.Failed, false, x)
		if again.Outcome != queue.Red {
			t.Logf("%s: %v is red by %q, and %s when these run alone", name, x, v.Failed, again.Outcome)
		}
		m.again = append(m.again, share(again))
		// A commit that was never built: what the bug is in has to be compiled anew.
		source, err := os.ReadFile(filepath.Join(dir, x.file))
		if err != nil {
			t.Fatal(err)
		}
		other := mutant{file: x.file, from: len(source), to: len(source), text: fmt.Sprintf("\nvar _ = %d\n", i)}
		m.elsewhere = append(m.elsewhere, share(mutated(v.Failed, false, other)))
		m.proof = append(m.proof, share(mutated(v.Failed, true, other)))
	}
	r2 := rand.New(rand.NewPCG(seed, 2))
	for _, k := range counts {
		for try := 0; try < tries && len(m.bugs) >= k; {
			var some []bug
			for _, i := range r2.Perm(len(m.bugs)) {
				if x := m.bugs[i]; len(some) < k && !slices.ContainsFunc(some, func(b bug) bool { return overlap(b.mutant, x.mutant) }) {
					some = append(some, x)
				}
			}
			if len(some) < k {
				t.Fatalf("%s: its bugs are all in one place", name)
			}
			var ms []mutant
			for _, b := range some {
				ms = append(ms, b.mutant)
			}
			try++
			m.count(k, some, mutated(nil, false, ms...))
		}
	}
	return m
}

// count says of each culprit whether a test of the common run names it: one that fails with it and with none before it, which is the
// first that blame finds, or with no other at all.
func (m *measure) count(k int, some []bug, v queue.Verdict) {
	for i, b := range some {
		m.culprits[k]++
		names := func(others []bug) bool {
			return !v.Partial && slices.ContainsFunc(v.Failed, func(n string) bool {
				return slices.Contains(b.failed, n) && !slices.ContainsFunc(others, func(o bug) bool { return slices.Contains(o.failed, n) })
			})
		}
		if names(some[:i]) {
			m.first[k]++
		}
		if names(slices.Concat(some[:i], some[i+1:])) {
			m.own[k]++
		}
	}
}

// table is the figures as the docs have them.
func table(all []measure) string {
	var b strings.Builder
	b.WriteString("| suite | D | mutants: tried, found (of them by a package only), do not build, survive, unnamed | rerun, same commit: median / p90 | on another commit | to land after chance | named at once: of 2, of 3, of 5 | by tests that fail with no other |\n|---|---|---|---|---|---|---|---|\n")
	for _, m := range all {
		at := func(xs []float64) string {
			s := slices.Sorted(slices.Values(xs))
			if len(s) == 0 {
				return "-"
			}
			return fmt.Sprintf("%.2f / %.2f", s[len(s)/2], s[min(len(s)*9/10, len(s)-1)])
		}
		parts := func(of map[int]int) string {
			var words []string
			for _, k := range []int{2, 3, 5} {
				words = append(words, fmt.Sprintf("%d of %d", of[k], m.culprits[k]))
			}
			return strings.Join(words, ", ")
		}
		fmt.Fprintf(&b, "| %s | %.1f s | %d, %d (%d), %d, %d, %d | %s | %s | %s | %s | %s |\n", m.name, m.whole.Seconds(), m.tried, len(m.bugs), m.packages, m.broken, m.green, m.unnamed,
			at(m.again), at(m.elsewhere), at(m.proof), parts(m.first), parts(m.own))
	}
	return b.String()
}
