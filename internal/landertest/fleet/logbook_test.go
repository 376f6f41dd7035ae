package fleet

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"
)

// until looks again and again until so.
func until(limit time.Duration, so func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return so()
		}
	}
	return true
}

// logbook keeps what was said, with the time.
type logbook struct {
	mu    sync.Mutex
	text  bytes.Buffer
	begun time.Time
}

func (l *logbook) said(who, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begun.IsZero() {
		l.begun = time.Now()
	}
	fmt.Fprintf(&l.text, "%7.3f %-5s %s\n", time.Since(l.begun).Seconds(), who, line)
}

func (l *logbook) Write(p []byte) (int, error) {
	l.said("hub", strings.TrimSpace(string(p)))
	return len(p), nil
}

func (l *logbook) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
