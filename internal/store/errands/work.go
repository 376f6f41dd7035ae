package errands

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	// Beat is how often a worker says that it is there.
	Beat = time.Second
	// Silence is how long it may say nothing until it counts as gone.
	Silence = 10 * time.Second
	// MostLabels bounds how many labels a worker, or a run, may have.
	MostLabels = 4
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

var label = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,39}$`)

// Labels puts labels in order, each once. The error is about the first that cannot be one, or that there are too many.
func Labels(given []string) ([]string, error) {
	all := slices.Clone(given)
	slices.Sort(all)
	all = slices.Compact(all)
	for _, l := range all {
		if !label.MatchString(l) {
			return nil, fmt.Errorf("label %q: want small letters, digits, dots, dashes and underscores", l)
		}
	}
	if len(all) > MostLabels {
		return nil, fmt.Errorf("%d labels: want %d at most", len(all), MostLabels)
	}
	return all, nil
}

// Fits reports whether a worker with some labels may run what asks for others.
func Fits(has, asks []string) bool {
	return !slices.ContainsFunc(asks, func(l string) bool { return !slices.Contains(has, l) })
}

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
