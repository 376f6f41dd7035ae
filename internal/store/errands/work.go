package errands

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"
)

const (
	// Beat is how often a worker says that it is there.
	Beat = time.Second
	// Silence is how long it may say nothing until it counts as gone.
	Silence = 10 * time.Second
	// MostChunk bounds one chunk of output, MostVerdict a verdict, in bytes.
	MostChunk   = 64 << 10
	MostVerdict = 1 << 20

	schema = "river"
)

// ErrFenced says that an errand is another's by now, or nobody's any more.
var ErrFenced = errors.New("the errand has moved on")

// ticket is River's job: which attempt of which errand is to be taken.
type ticket struct {
	Errand  int64 `json:"errand"`
	Attempt int   `json:"attempt"`
}

// Kind names the job in River's tables.
func (ticket) Kind() string { return "errand" }

// queueOf names River's queue for a set of labels, which are in order.
func queueOf(protocol string, labels []string) string {
	sum := sha256.Sum256([]byte(protocol + "\n" + strings.Join(labels, "\n")))
	return "run-" + hex.EncodeToString(sum[:12])
}

// queuesOf names the queues that a worker with these labels serves.
func queuesOf(protocol string, labels []string) []string {
	var names []string
	for set := range 1 << len(labels) {
		var some []string
		for i, l := range labels {
			if set&(1<<i) != 0 {
				some = append(some, l)
			}
		}
		names = append(names, queueOf(protocol, some))
	}
	return names
}
