package testrun

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWhereCgroupsAreDelegated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		self, procs, given string
		found              bool
	}{
		"delegated":                {"0::/lander.service/lander\n", "", "cpu io memory pids\n", true},
		"beside version 1":         {"4:memory:/x\n0::/lander.service/lander\n", "", "memory pids\n", true},
		"with processes":           {"0::/lander.service/lander\n", "12\n", "memory pids", false},
		"without memory":           {"0::/lander.service/lander\n", "", "cpu pids", false},
		"lander is in the topmost": {"0::/\n", "", "memory pids", false},
		"version 1 alone":          {"4:memory:/lander.service/lander\n", "", "memory pids", false},
		"elsewhere":                {"0::/other.service/lander\n", "", "memory pids", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mount := t.TempDir()
			dir := filepath.Join(mount, "lander.service")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			for file, text := range map[string]string{"cgroup.procs": c.procs, "cgroup.subtree_control": c.given} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := ""
			if c.found {
				want = dir
			}
			if got := groupParent(mount, c.self); got != want {
				t.Errorf("found %q, want %q", got, want)
			}
		})
	}
}

func TestACgroupHasTheLimitsOfItsRun(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	l := Limits{Memory: 800, Pids: 50}
	g, err := makeGroup(parent, "run", l)
	if err != nil {
		t.Fatal(err)
	}
	defer g.fd.Close()
	for file, want := range map[string]string{"memory.max": "900", "pids.max": "114", "memory.oom.group": "1", "memory.swap.max": "0"} {
		if text, err := os.ReadFile(filepath.Join(parent, "run", file)); err != nil || string(text) != want {
			t.Errorf("%s is %q, %v; want %q", file, text, err, want)
		}
	}
	if o, is := g.passed(l); is {
		t.Errorf("over %v from the start", o)
	}
	for _, c := range []struct {
		file, text string
		want       Limit
	}{{"pids.events", "max 3\n", OverPids}, {"memory.events", "low 0\noom 1\noom_kill 2\n", OverMemory}} {
		if err := os.WriteFile(filepath.Join(parent, "run", c.file), []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if o, is := g.passed(l); !is || o.Limit != c.want {
			t.Errorf("with %s: %v, %v", c.file, o, is)
		}
	}
	if _, err := makeGroup(parent, "run", l); err == nil {
		t.Error("a cgroup was made twice")
	}
}
