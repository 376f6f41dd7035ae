package fleet

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// What a replica and the test say to each other: one JSON value for each line.

// report is what a replica says.
type report struct {
	Kind  string   `json:"kind"`            // ready, held or at
	URL   string   `json:"url,omitempty"`   // of its web server, when ready
	Lane  string   `json:"lane,omitempty"`  // that it holds now, when held
	ID    int64    `json:"id,omitempty"`    // of a question, when at
	Steps []string `json:"steps,omitempty"` // it has come to these
	After bool     `json:"after,omitempty"` // and their effect is there
}

// order is what a replica is told.
type order struct {
	ID    int64         `json:"id,omitempty"` // of the question that is answered
	Fail  bool          `json:"fail,omitempty"`
	Clock time.Duration `json:"clock,omitempty"` // its clock is this much ahead; 0: no change
}

// link is a replica's end.
type link struct {
	clock atomic.Int64
	next  atomic.Int64

	mu      sync.Mutex // guards the two below
	out     io.Writer
	waiting map[int64]chan bool
}

var errFault = errors.New("an error that the test asked for")

// listen obeys orders until the test is gone.
func (l *link) listen(in io.Reader) {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var o order
		if json.Unmarshal(lines.Bytes(), &o) != nil {
			return
		}
		if o.Clock != 0 {
			l.clock.Store(int64(o.Clock))
		}
		l.mu.Lock()
		answer := l.waiting[o.ID]
		delete(l.waiting, o.ID)
		l.mu.Unlock()
		if answer != nil {
			answer <- o.Fail
		}
	}
}

func (l *link) say(r report) {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.out.Write(append(text, '\n')) // a test that is gone kills its replicas
}

// at does something between two questions whether to fail.
func (l *link) at(steps []string, do func() error) error {
	if len(steps) == 0 {
		return do()
	}
	if l.ask(steps, false) {
		return errFault
	}
	if err := do(); err != nil {
		return err
	}
	if l.ask(steps, true) {
		return errFault
	}
	return nil
}

func (l *link) ask(steps []string, after bool) bool {
	answer := make(chan bool, 1)
	id := l.next.Add(1)
	l.mu.Lock()
	l.waiting[id] = answer
	l.mu.Unlock()
	l.say(report{Kind: "at", ID: id, Steps: steps, After: after})
	return <-answer
}

func (l *link) now() time.Time { return time.Now().Add(time.Duration(l.clock.Load())) }
