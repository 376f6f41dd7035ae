//go:build unix

package serve

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// holdVariable turns the test binary into a lander that does nothing but hold a data directory.
const holdVariable = "LANDER_TEST_HOLD"

func hold(dir string) int {
	if _, err := LockDir(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// A lander that lives keeps others out; one that was killed does not, though nobody has waited for it yet.
func TestADataDirectoryIsFreeOnceItsLanderWasKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), holdVariable+"="+dir), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := LockDir(dir); err == nil || !strings.Contains(err.Error(), "in use by another lander") {
		t.Fatalf("second lander: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	free, err := LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	free()
}
