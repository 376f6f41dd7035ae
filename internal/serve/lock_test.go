//go:build unix

package serve

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A lander that lives keeps others out at once; one that was killed does not, even if a process that it was just starting still holds
// its lock for a moment.
func TestLockOfTheDeadIsWaitedFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	free, err := LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockDir(dir); err == nil || !strings.Contains(err.Error(), "in use by another lander") {
		t.Fatalf("second lander: %v", err)
	}
	free()

	held, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	const nobody = "2147483647\n"
	if _, err := held.WriteAt([]byte(nobody), 0); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	let := time.AfterFunc(100*time.Millisecond, func() { _ = held.Close() })
	defer let.Stop()
	free, err = LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	free()
}
