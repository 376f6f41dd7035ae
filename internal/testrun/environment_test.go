//go:build unix

package testrun

import "testing"

// Runs are taken for each other only where nothing is known to differ.
func TestAnEnvironmentIsKnownAgain(t *testing.T) {
	t.Setenv("PATH", "/usr/bin:/bin")
	base := func() *Runner { return &Runner{Version: "1", Env: []string{"A=1", "B"}} }
	is := base().Environment()
	if is == "" || is != base().Environment() {
		t.Fatalf("%q", is)
	}
	for name, other := range map[string]*Runner{
		"another lander":    {Version: "2", Env: []string{"A=1", "B"}},
		"one variable more": {Version: "1", Env: []string{"A=1", "B", "C"}},
		"a sandbox":         {Version: "1", Env: []string{"A=1", "B"}, Sandbox: &Sandbox{bwrap: "/usr/bin/bwrap"}},
	} {
		if other.Environment() == is {
			t.Errorf("%s is the same environment", name)
		}
	}
	limited := &Runner{Version: "1", Env: []string{"A=1", "B"}, Sandbox: &Sandbox{bwrap: "/usr/bin/bwrap", limits: Limits{Pids: 7}}}
	boxed := &Runner{Version: "1", Env: []string{"A=1", "B"}, Sandbox: &Sandbox{bwrap: "/usr/bin/bwrap"}}
	if limited.Environment() == boxed.Environment() {
		t.Error("another limit is the same environment")
	}
	// What may be secret is not part of it, and so cannot be found by trying.
	if (&Runner{Version: "1", Env: []string{"B", "A=2"}}).Environment() != is {
		t.Error("the value of a variable is part of it")
	}
	t.Setenv("PATH", "/bin")
	if base().Environment() == is {
		t.Error("another path is the same environment")
	}
}
