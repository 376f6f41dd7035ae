package serve

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"lander/internal/queue"
	"lander/internal/testrun"
)

func TestOldLogsAreDeletedAndNewOnesKept(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{"main.1.1.log": 40 * 24 * time.Hour, "main.2.1.log": time.Hour} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("ok\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	r := &Rooms{repos: map[string]*repository{"acme/app": {runner: &testrun.Runner{Logs: dir}}, "acme/new": {runner: &testrun.Runner{Logs: filepath.Join(dir, "none")}}}}
	if err := r.PruneLogs(time.Now().Add(-keeping)); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || left[0].Name() != "main.2.1.log" {
		t.Fatalf("left: %v", left)
	}
}

func TestLogsOfTwoLanesNeverMeet(t *testing.T) {
	seen := map[string]string{}
	for _, trunk := range []string{"main", "release/1", "release_1", "release-1", "release.1", "rélease/1"} {
		id := runID(queue.Lane{Repo: "acme/app", Trunk: trunk}, 7, 1)
		if other := seen[id]; other != "" {
			t.Errorf("%s and %s both log to %s", trunk, other, id)
		}
		seen[id] = trunk
	}
}
