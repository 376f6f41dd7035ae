//go:build unix

package testrun

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"lander/internal/queue"
)

// A log of a run elsewhere is one like any other: in one piece, bounded, without secrets, and followed while it comes.
func TestRelay(t *testing.T) {
	t.Parallel()
	r, _ := newRunner(t)
	r.Secrets, r.MaxLog = []string{"geheimgeheim"}, 100
	l, err := r.Relay("main.1.1", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Relay("main.1.1", true); err == nil {
		t.Error("two write one log")
	}
	for _, piece := range []string{"a word geh", "eimgehe", "im behind\n", strings.Repeat("x", 200) + "\n"} {
		if _, err := l.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(l.Line("lost geheimgeheim"), l.Close()); err != nil {
		t.Fatal(err)
	}
	l, err = r.Relay("main.1.1", true)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Line("again"), l.Close()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(r.logPath("main.1.1"))
	if err != nil {
		t.Fatal(err)
	}
	log := string(text)
	if !strings.HasPrefix(log, "a word [redacted] behind\n") || strings.Contains(log, "geheim") || strings.Count(log, "x") > 100 || !strings.HasSuffix(log, "again\n") {
		t.Errorf("log %q", log)
	}
	if _, err := r.Relay("../x", false); err == nil {
		t.Error("a log elsewhere")
	}
}

func TestMirror(t *testing.T) {
	t.Parallel()
	r, _ := newRunner(t)
	var sent bytes.Buffer
	over, told := make(chan struct{}), make(chan error, 1)
	job := jobOf(steps("head -c 300000 /dev/zero | tr '\\0' x; echo; echo end"))
	go func() {
		told <- r.Mirror(t.Context(), job.ID, over, 64<<10, 10*time.Millisecond, func(p []byte) error {
			if len(p) > 64<<10 {
				t.Errorf("a piece of %d bytes", len(p))
			}
			sent.Write(p)
			return nil
		})
	}()
	want(t, r.Run(t.Context(), job), queue.Green, "")
	close(over)
	if err := <-told; err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(r.logPath(job.ID))
	if err != nil || !bytes.Equal(text, sent.Bytes()) || sent.Len() < 300_000 {
		t.Errorf("%d bytes of %d were sent, %v", sent.Len(), len(text), err)
	}
	if err := r.Forget(job.ID); err != nil {
		t.Fatal(err)
	}
	// A run that never began has nothing to tell, and who does not want to hear is not told.
	if err := r.Mirror(t.Context(), "none", over, 10, time.Millisecond, func([]byte) error { return errors.New("told") }); err != nil {
		t.Error(err)
	}
}
