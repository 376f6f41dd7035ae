package landertest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"lander/internal/queue"
)

// The points of lander's road at which a story may kill it or let something fail.
//
//	fetch, look, open, read   a request to the git server, to the forge, and for trunk's tip
//	build, check              a candidate is made; it is checked by other means
//	test                      a test run
//	head, push                the branch of a pull request is moved; trunk is pushed
//	adopt, burn, mend         the ledger alone is pushed: it begins, an intent is given up, what was missing is put back
//	tell, sent                something is told; that it was told is stored
//	seen, built, testing, verdict, intent, landed, dropped
//	                          the state is saved that says so
//	save                      any state is saved
var pointNames = []string{
	"fetch", "look", "open", "read", "build", "check", "test", "head", "push", "adopt", "burn", "mend", "tell", "sent", "seen", "built", "testing", "verdict", "intent", "landed",
	"dropped", "save",
}

var (
	errKilled = errors.New("lander was killed")
	errFault  = errors.New("an error that the story asked for")
)

// points are what is still to strike.
type points struct {
	mu    sync.Mutex
	armed []point
}

type point struct {
	name  string
	after bool
	kill  bool
	deed  *command // nil: an error, or the end
}

func (p point) String() string {
	deed, when := "fail", "before"
	switch {
	case p.deed != nil:
		deed = "what was to be done"
	case p.kill:
		deed = "crash"
	}
	if p.after {
		when = "after"
	}
	return fmt.Sprintf("%s %s %s", deed, when, p.name)
}

func (ps *points) arm(p point) error {
	if !slices.Contains(pointNames, p.name) {
		return fmt.Errorf("no point %q: want one of %s", p.name, strings.Join(pointNames, ", "))
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.armed = append(ps.armed, p)
	return nil
}

// strike uses up the first that is armed for one of the names.
func (ps *points) strike(after bool, names ...string) (p point, ok bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	i := slices.IndexFunc(ps.armed, func(p point) bool { return p.after == after && slices.Contains(names, p.name) })
	if i < 0 {
		return point{}, false
	}
	p = ps.armed[i]
	ps.armed = slices.Delete(ps.armed, i, i+1)
	return p, true
}

func (ps *points) disarm() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.armed = nil
}

// left says what never struck.
func (ps *points) left() []point {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return slices.Clone(ps.armed)
}

// saves names the points that a save passes.
func saves(s queue.Save) []string {
	names := []string{"save"}
	for _, r := range s.New.Journal {
		switch r.Kind {
		case "seen":
			names = append(names, "seen")
		case "candidate built":
			names = append(names, "built")
		case "run started":
			names = append(names, "testing")
		case "run ended":
			names = append(names, "verdict")
		case "landing begun":
			names = append(names, "intent")
		case "landed":
			names = append(names, "landed")
		case "dropped":
			names = append(names, "dropped")
		}
	}
	return names
}
